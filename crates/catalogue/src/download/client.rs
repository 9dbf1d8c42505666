//! One request: redirects are followed, and what an answer means is decided.

use super::address::{follow, origin};
use crate::options::variable;
use crate::{Error, Options};
use std::io::Read;
use std::time::Duration;
use ureq::http::{Response, header::HeaderMap};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

/// The most redirects in a row.
const REDIRECTS: usize = 10;

/// The longest that a server may ask to wait before the next attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What asks servers.
pub(super) struct Client {
    agent: Agent,
    token: Option<String>,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// For the headers alone, of the first server that knows the file.
    Head,
    /// For the bytes from one on.
    Get { from: u64 },
}

/// A server's answer that has something of the file.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Body,
}

/// Why there is no answer.
pub(super) enum Failure {
    /// It is no use to try again.
    Final(Error),
    /// It may go another time: what happened, and how long the server asks to wait.
    Passing { reason: String, wait: Option<Duration> },
    /// No server answered at all.
    Unreachable(String),
}

impl Client {
    pub(super) fn new(options: &Options) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("cnn-catalogue/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(options.patience))
            .timeout_connect(Some(options.patience))
            .timeout_send_request(Some(options.patience))
            .timeout_recv_response(Some(options.patience))
            .timeout_per_read(Some(options.patience))
            .tls_config(TlsConfig::builder().root_certs(certificates()).build())
            .build();
        let token = variable("HF_TOKEN").and_then(|token| token.into_string().ok());
        Self { agent: config.new_agent(), token }
    }

    /// Asks for `address`. A token is sent to the hub alone, never to where it redirects.
    pub(super) fn ask(&self, address: &str, request: Request, hub: Option<&str>) -> Result<Answer, Failure> {
        let mut at = address.to_string();
        for _ in 0..=REDIRECTS {
            let token = self.token.as_ref().filter(|_| hub.is_some_and(|hub| origin(hub) == origin(&at)));
            let response = self.send(&at, request, token).map_err(|error| failure(&at, &error))?;
            let status = response.status().as_u16();
            let (parts, body) = response.into_parts();
            // A large file's redirect says all there is to say; a small one's leads to where it is said.
            let is_known = ["x-repo-commit", "x-linked-etag"].iter().all(|header| parts.headers.contains_key(*header));
            if (300..400).contains(&status) && status != 304 && !(request == Request::Head && is_known) {
                let location = parts.headers.get("location").and_then(|location| location.to_str().ok());
                let next = location.and_then(|location| follow(&at, location));
                at = next.ok_or_else(|| {
                    let found = location.unwrap_or("nothing").chars().take(200).collect::<String>();
                    let problem =
                        format!("expected a redirect to an address as safe as this one, found one to {found:?}");
                    Failure::Final(Error::Server { address: at.clone(), problem })
                })?;
                continue;
            }
            return judged(at, Answer { status, headers: parts.headers, body });
        }
        let problem = format!("expected at most {REDIRECTS} redirects, found more");
        Err(Failure::Final(Error::Server { address: address.to_string(), problem }))
    }

    fn send(&self, address: &str, request: Request, token: Option<&String>) -> Result<Response<Body>, ureq::Error> {
        let mut builder = match request {
            Request::Head => self.agent.head(address),
            Request::Get { .. } => self.agent.get(address),
        };
        if let Request::Get { from: from @ 1.. } = request {
            builder = builder.header("Range", format!("bytes={from}-"));
        }
        if let Some(token) = token {
            builder = builder.header("Authorization", format!("Bearer {token}"));
        }
        builder.call()
    }
}

impl Answer {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A header that is a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    pub(super) fn into_reader(self) -> impl Read {
        self.body.into_reader()
    }
}

/// An answer that has the file, or why there is none.
fn judged(address: String, answer: Answer) -> Result<Answer, Failure> {
    let status = answer.status;
    let refused = |meaning| Err(Failure::Final(Error::Refused { address: address.clone(), status, meaning }));
    match status {
        200..=299 | 300..=399 | 416 => Ok(answer),
        401 => refused(
            "it wants to know who asks: a repository that is not there, or a private or gated one, for which HF_TOKEN holds a token",
        ),
        403 => refused(
            "it does not give the file: ask the publisher for access, or look whether a proxy stands in between",
        ),
        404 | 410 => refused("there is no such file: look whether the name and the revision are right"),
        408 | 425 | 429 | 500..=599 => {
            let wait = answer.number("retry-after").map(Duration::from_secs);
            Err(Failure::Passing {
                reason: format!("the server answers {status}"),
                wait: wait.map(|wait| wait.min(LONGEST_WAIT)),
            })
        }
        _ => refused("which is not an answer to a download"),
    }
}

/// What a failed request means.
fn failure(address: &str, error: &ureq::Error) -> Failure {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    use ureq::Timeout::{Connect, Resolve};
    let reason = error.to_string().lines().next().unwrap_or_default().chars().take(300).collect::<String>();
    match error {
        ureq::Error::Timeout(Resolve | Connect) | ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
            Failure::Unreachable(reason)
        }
        ureq::Error::Io(io) if ![ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&io.kind()) => {
            Failure::Unreachable(reason)
        }
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::ConnectProxyFailed(_) => {
            Failure::Unreachable(reason)
        }
        ureq::Error::Timeout(_) => Failure::Passing { reason: "the server does not answer".to_string(), wait: None },
        ureq::Error::Io(_) | ureq::Error::Protocol(_) | ureq::Error::BodyStalled => {
            Failure::Passing { reason, wait: None }
        }
        _ => Failure::Final(Error::Server { address: address.to_string(), problem: reason }),
    }
}

/// The certificates to trust: those of `SSL_CERT_FILE` where it names a file of them, else the usual ones.
fn certificates() -> RootCerts {
    let bytes = variable("SSL_CERT_FILE").and_then(|path| cnn_core::file::read(path, 64 << 20).ok());
    let certificates: Vec<_> = bytes
        .iter()
        .flat_map(|bytes| parse_pem(bytes))
        .filter_map(|item| if let Ok(PemItem::Certificate(certificate)) = item { Some(certificate) } else { None })
        .collect();
    if certificates.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&certificates) }
}
