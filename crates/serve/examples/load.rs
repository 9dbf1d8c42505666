//! A server under load, beside what its parts take alone:
//!
//! ```text
//! cargo run -p cnn-serve --example load -- [WEIGHTS [PICTURE]]
//! ```
//!
//! A thousand pictures or more, for a second or longer, from 32 connections, and as many from one; the same pictures
//! computed in batches that are prepared already; the same decoded and prepared alone, on all cores. Three rounds of each in
//! turn, of which the median is printed. Without arguments LeNet reads a drawn digit.

use cnn_serve::cnn_classifier::cnn_data::{DigitsConfig, Picture, Reading, digits};
use cnn_serve::cnn_classifier::{Classifier, Known, Trained};
use cnn_serve::{Server, Settings};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

type Failure = Box<dyn Error + Send + Sync>;

/// Pictures from all connections, at least.
const PICTURES: usize = 1000;
/// How long a round takes, at least.
const LONG: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 32;
const BATCHES: [usize; 3] = [1, 8, 32];
const ROUNDS: usize = 3;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let trained = Trained::open(&arguments.next().unwrap_or_else(|| "lenet".to_string()), &Known::default())?;
    let file = match arguments.next() {
        Some(path) => std::fs::read(path)?,
        None => digits(DigitsConfig { train: 1, test: 1, seed: 7 })?.test().picture(0)?.png()?,
    };
    let classifier = Classifier::by(&trained, Default::default())?;
    let mut settings = Settings::default();
    settings.address.set_port(0);
    let server = Server::new(vec![trained], settings)?;
    let address = server.address();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let running = thread::spawn(move || {
        server.run(async {
            let _ = ended.await;
        })
    });
    let prepare = || classifier.prepare(&Picture::decode("the picture", &file, Reading::default())?);
    let numbers = prepare()?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let [mut served, mut decoded, mut waits] = [const { Vec::new() }; 3];
    let (mut computed, mut memory) = (BATCHES.map(|_| Vec::new()), Vec::new());
    for _ in 0..ROUNDS {
        served.push(rate(CONNECTIONS, PICTURES, |round| Ok(ask(address, &file, round)?.len()))?);
        memory.extend(resident());
        waits.push(median(ask(address, &file, &Round::new(1))?));
        for (batch, rates) in BATCHES.iter().zip(&mut computed) {
            let numbers = numbers.repeat(*batch);
            rates.push(rate(1, 1, |round| round.each(*batch, || classifier.classify_prepared(&numbers, 1)))?);
        }
        decoded.push(rate(cores, 1, |round| round.each(1, prepare))?);
    }
    drop(end);
    running.join().map_err(|_| "the server panicked")??;
    let [served, decoded, wait] = [served, decoded, waits].map(median);
    let batches = computed.map(median).into_iter().zip(BATCHES);
    let (computed, batch) = batches.max_by(|a, b| a.0.total_cmp(&b.0)).ok_or("no batch")?;
    let both = 1.0 / (1.0 / computed + 1.0 / decoded);
    println!("from {CONNECTIONS} connections {served:.0} pictures/s; from one, each after {:.2} ms", 1e3 * wait);
    println!(
        "computed alone {computed:.0}, in batches of {batch}; decoded and prepared alone {decoded:.0}; both {both:.0}"
    );
    println!("served / computed {:.2}; served / both {:.2}", served / computed, served / both);
    println!("memory after each round, in MB: {memory:?}");
    Ok(())
}

/// Work that goes on for a while.
struct Round {
    started: Instant,
    least: usize,
    taken: AtomicUsize,
}

impl Round {
    fn new(least: usize) -> Self {
        Self { started: Instant::now(), least, taken: AtomicUsize::new(0) }
    }

    /// Does `work` on so many pictures again and again, beside others; gives how many.
    fn each<T, E>(&self, pictures: usize, mut work: impl FnMut() -> Result<T, E>) -> Result<usize, Failure>
    where
        Failure: From<E>,
    {
        let mut done = 0;
        while self.taken.fetch_add(pictures, Ordering::Relaxed) < self.least || self.started.elapsed() < LONG {
            work()?;
            done += pictures;
        }
        Ok(done)
    }
}

/// Pictures a second: what so many threads do in a round, each giving how many it did.
fn rate(threads: usize, least: usize, work: impl Fn(&Round) -> Result<usize, Failure> + Sync) -> Result<f64, Failure> {
    let round = Round::new(least);
    let done = thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&round))).collect();
        all.into_iter().map(|one| one.join().map_err(|_| "a thread panicked")?).sum::<Result<usize, Failure>>()
    })?;
    Ok(done as f64 / round.started.elapsed().as_secs_f64())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Asks from one connection, one question after the other; gives the seconds that each answer took.
fn ask(address: SocketAddr, file: &[u8], round: &Round) -> Result<Vec<f64>, Failure> {
    let head = format!("POST /predict?top=1 HTTP/1.1\r\nhost: here\r\ncontent-length: {}\r\n\r\n", file.len());
    let request = [head.as_bytes(), file].concat();
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    let mut waits = Vec::new();
    round.each(1, || -> Result<(), Failure> {
        let asked = Instant::now();
        stream.get_mut().write_all(&request)?;
        let (mut line, mut length) = (String::new(), 0);
        stream.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(format!("the answer is {line}").into());
        }
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        stream.read_exact(&mut vec![0; length])?;
        waits.push(asked.elapsed().as_secs_f64());
        Ok(())
    })?;
    Ok(waits)
}

/// Megabytes of memory that this process has, where the system tells.
fn resident() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096 / 1_000_000)
}
