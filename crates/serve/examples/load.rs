//! A server under load, beside what its parts take alone:
//!
//! ```text
//! cargo run --release -p cnn-serve --example load -- [WEIGHTS [PICTURE]]
//! ```
//!
//! A thousand pictures from 32 connections; the same pictures computed as batches of 32 that are prepared already; the same
//! decoded and prepared alone, on all cores. Three rounds of each in turn, of which the median is printed. Without
//! arguments LeNet reads a drawn digit.

use cnn_serve::cnn_classifier::cnn_data::{DigitsConfig, Picture, Reading, digits};
use cnn_serve::cnn_classifier::{Classifier, Known, Trained};
use cnn_serve::{Server, Settings};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

type Failure = Box<dyn Error + Send + Sync>;

const PICTURES: usize = 1000;
const CONNECTIONS: usize = 32;
const BATCH: usize = 32;
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
    let picture = Picture::decode("the picture", &file, Reading::default())?;
    let batch = classifier.prepare(&picture)?.repeat(BATCH);
    let [mut served, mut computed, mut prepared] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        served.push(rate(|| ask(address, &file))?);
        computed.push(rate(|| {
            for _ in 0..PICTURES.div_ceil(BATCH) {
                classifier.classify_prepared(&batch, 1)?;
            }
            Ok(PICTURES.div_ceil(BATCH) * BATCH)
        })?);
        prepared.push(rate(|| prepare(&classifier, &file))?);
    }
    drop(end);
    running.join().map_err(|_| "the server panicked")??;
    let [served, computed, prepared] = [served, computed, prepared].map(median);
    let both = 1.0 / (1.0 / computed + 1.0 / prepared);
    println!("served: {served:.0} pictures/s");
    println!(
        "computed alone: {computed:.0} pictures/s; decoded and prepared alone: {prepared:.0}; one after the other: {both:.0}"
    );
    println!("served / computed alone: {:.2}; served / both: {:.2}", served / computed, served / both);
    Ok(())
}

/// Pictures a second.
fn rate(work: impl FnOnce() -> Result<usize, Failure>) -> Result<f64, Failure> {
    let started = Instant::now();
    let pictures = work()?;
    Ok(pictures as f64 / started.elapsed().as_secs_f64())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// All pictures from all connections, each with one question after the other.
fn ask(address: SocketAddr, file: &[u8]) -> Result<usize, Failure> {
    let next = AtomicUsize::new(0);
    let head = format!("POST /predict?top=1 HTTP/1.1\r\nhost: here\r\ncontent-length: {}\r\n\r\n", file.len());
    let request = [head.as_bytes(), file].concat();
    let client = || -> Result<(), Failure> {
        let mut stream = BufReader::new(TcpStream::connect(address)?);
        stream.get_ref().set_nodelay(true)?;
        while next.fetch_add(1, Ordering::Relaxed) < PICTURES {
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
        }
        Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })?;
    Ok(PICTURES)
}

/// All pictures decoded and prepared, on all cores.
fn prepare(classifier: &Classifier, file: &[u8]) -> Result<usize, Failure> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), Failure> {
        while next.fetch_add(1, Ordering::Relaxed) < PICTURES {
            let picture = Picture::decode("the picture", file, Reading::default())?;
            classifier.prepare(&picture)?;
        }
        Ok(())
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker panicked")?)
    })?;
    Ok(PICTURES)
}
