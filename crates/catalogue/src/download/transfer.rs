//! The attempts of a download: each goes on where the last one ended.

use super::client::{Answer, Client, Failure, Request};
use crate::{Error, Options, Progress, Result};
use cnn_core::Bytes;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

/// Bytes that count as progress: an attempt that brought so many is no failed one.
const PROGRESS: u64 = 1 << 16;

/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// A file on its way.
pub(super) struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) options: &'a Options,
    pub(super) address: &'a str,
    /// The hub, if the address is its.
    pub(super) hub: Option<&'a str>,
    /// The most bytes that are taken.
    pub(super) most: u64,
    /// Where the file will be.
    pub(super) place: &'a Path,
    /// The file's size, once a server has said.
    pub(super) total: Option<u64>,
}

/// How an attempt ended.
enum Outcome {
    Whole,
    Broken(Failure),
}

impl Transfer<'_> {
    /// Fills `file`, which is named `path` in errors and may hold a beginning already.
    pub(super) fn run(&mut self, file: &mut File, path: &Path) -> Result<()> {
        let failed = |source| Error::Write { path: path.to_path_buf(), source };
        let (mut failures, mut heard) = (0, false);
        loop {
            let before = file.seek(SeekFrom::End(0)).map_err(failed)?;
            let failure = match self.attempt(file, path, before)? {
                Outcome::Whole => return Ok(()),
                Outcome::Broken(failure) => failure,
            };
            let done = file.metadata().map_err(failed)?.len();
            heard |= matches!(failure, Failure::Passing { .. });
            failures = if done >= before.saturating_add(PROGRESS) { 1 } else { failures + 1 };
            let (reason, wait) = match failure {
                Failure::Final(error) => return Err(error),
                Failure::Passing { reason, wait } => (reason, wait),
                // Without a network more attempts only take longer.
                Failure::Unreachable(reason) if !heard && failures >= 2 => return Err(self.unreachable(reason)),
                Failure::Unreachable(reason) => (reason, None),
            };
            if failures >= self.options.attempts {
                let (address, total) = (self.address.to_string(), self.total);
                return Err(match heard || done > 0 {
                    true => Error::Cut { address, reason, done, total, attempts: failures },
                    false => self.unreachable(reason),
                });
            }
            tracing::info!("{}: {reason}; it is tried again", self.address);
            let doubled = self.options.pause.saturating_mul(1 << (failures - 1).min(10));
            std::thread::sleep(wait.unwrap_or_else(|| doubled.min(LONGEST_PAUSE)));
        }
    }

    fn unreachable(&self, reason: String) -> Error {
        Error::Unreachable { address: self.address.to_string(), reason, place: self.place.to_path_buf() }
    }

    /// One connection, from byte `from` on.
    fn attempt(&mut self, file: &mut File, path: &Path, from: u64) -> Result<Outcome> {
        let failed = |source| Error::Write { path: path.to_path_buf(), source };
        let answer = match self.client.ask(self.address, Request::Get { from }, self.hub) {
            Ok(answer) => answer,
            Err(failure) => return Ok(Outcome::Broken(failure)),
        };
        let Some((start, total)) = self.extent(&answer, from) else {
            if self.total.or(answer_total(&answer)) == Some(from) {
                return Ok(Outcome::Whole);
            }
            // What is there does not fit what the server has: it begins anew.
            file.set_len(0).map_err(failed)?;
            let reason = "what was kept does not fit the server's file".to_string();
            return Ok(Outcome::Broken(Failure::Passing { reason, wait: Some(Duration::ZERO) }));
        };
        if let (Some(known), Some(told)) = (self.total, total)
            && known != told
        {
            let problem = format!("expected a file of {known} bytes, found one of {told}");
            return Err(Error::Server { address: self.address.to_string(), problem });
        }
        self.total = self.total.or(total);
        if self.total.is_some_and(|total| total > self.most) {
            return Err(self.too_large());
        }
        file.set_len(start).map_err(failed)?;
        file.seek(SeekFrom::Start(start)).map_err(failed)?;
        let done = match self.copy(answer.into_reader(), file, start).map_err(failed)? {
            Copied::End(done) => done,
            Copied::Cut { done, reason } => {
                if self.total == Some(done) {
                    return Ok(Outcome::Whole);
                }
                return Ok(Outcome::Broken(Failure::Passing { reason, wait: None }));
            }
            Copied::TooMany => {
                file.set_len(0).map_err(failed)?;
                return Err(match self.total {
                    Some(total) => {
                        let problem = format!("expected a file of {total} bytes, found more");
                        Error::Server { address: self.address.to_string(), problem }
                    }
                    None => self.too_large(),
                });
            }
        };
        Ok(match self.total {
            Some(total) if done < total => {
                let reason = format!("the connection ended after {done} of {total} bytes");
                Outcome::Broken(Failure::Passing { reason, wait: None })
            }
            _ => Outcome::Whole,
        })
    }

    /// Where the answer's bytes belong, and how many the file has; none where they do not fit.
    fn extent(&self, answer: &Answer, from: u64) -> Option<(u64, Option<u64>)> {
        match answer.status {
            206 => {
                let range = answer.header("content-range")?.strip_prefix("bytes ")?;
                let (range, total) = range.split_once('/')?;
                let start = range.split_once('-')?.0.trim().parse().ok()?;
                (start == from).then_some((start, total.trim().parse().ok()))
            }
            416 => None,
            // A server that knows no ranges gives all of it.
            _ => Some((0, answer.number("content-length"))),
        }
    }

    /// Copies what comes, no more than there must be.
    fn copy(&self, mut reader: impl Read, file: &mut impl Write, start: u64) -> std::io::Result<Copied> {
        let most = self.total.unwrap_or(self.most);
        let mut done = start;
        let mut buffer = vec![0; 1 << 16];
        loop {
            self.report(done);
            let read = match reader.read(&mut buffer) {
                Ok(0) => return Ok(Copied::End(done)),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Copied::Cut { done, reason: cut(&error) }),
            };
            if done.saturating_add(read as u64) > most {
                return Ok(Copied::TooMany);
            }
            file.write_all(&buffer[..read])?;
            done += read as u64;
        }
    }

    fn report(&self, done: u64) {
        if let Some(progress) = &self.options.progress {
            progress(Progress { done, total: self.total });
        }
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { address: self.address.to_string(), most: Bytes(self.most) }
    }
}

enum Copied {
    End(u64),
    Cut { done: u64, reason: String },
    TooMany,
}

/// The whole size that an answer to a range beyond the end names.
fn answer_total(answer: &Answer) -> Option<u64> {
    answer.header("content-range")?.strip_prefix("bytes */")?.trim().parse().ok()
}

fn cut(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => "nothing came any more".to_string(),
        _ => {
            let text = error.to_string();
            format!("the connection broke ({})", text.lines().next().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_one_sentence() {
        let options = Options::new();
        let (client, place) = (Client::new(&options), Path::new("/dev/full"));
        let (address, hub, total) = ("http://127.0.0.1/file", None, Some(10));
        let transfer = Transfer { client: &client, options: &options, address, hub, most: 100, place, total };
        let mut full = std::fs::OpenOptions::new().write(true).open(place).unwrap();
        let error = transfer.copy(&b"0123456789"[..], &mut full, 0).map(|_| ()).unwrap_err();
        let text = Error::Write { path: place.to_path_buf(), source: error }.to_string();
        assert!(text.starts_with("cannot write /dev/full: No space left on device"), "{text}");
        assert!(
            text.ends_with("make room and fetch again, or name another folder by HF_HOME and TORCH_HOME"),
            "{text}"
        );
    }

    #[test]
    fn no_more_is_taken_than_there_must_be() {
        let options = Options::new();
        let (client, place) = (Client::new(&options), Path::new("file"));
        let (address, hub) = ("http://127.0.0.1/file", None);
        for (total, most) in [(Some(9), 100), (None, 9)] {
            let transfer = Transfer { client: &client, options: &options, address, hub, most, place, total };
            let mut file = Vec::new();
            assert!(matches!(transfer.copy(&b"56789"[..], &mut file, 5), Ok(Copied::TooMany)));
            assert!(matches!(transfer.copy(&b"5678"[..], &mut file, 5), Ok(Copied::End(9))));
            assert_eq!(file, b"5678");
        }
    }
}
