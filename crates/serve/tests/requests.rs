//! What requests get, good ones and others.

use cnn_classifier::Classifier;
use cnn_data::{DigitsConfig, digits};
use cnn_serve::{Limits, Server, Stop};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;
type Running = (SocketAddr, Stop, JoinHandle<cnn_serve::Result<()>>);

fn start(limits: Limits) -> Result<Running, Failure> {
    let server = Server::bind("127.0.0.1:0".parse()?, Classifier::open("lenet")?, limits)?;
    let address = server.address();
    let (stop, running) = server.spawn();
    Ok((address, stop, running))
}

fn end((_, stop, running): Running) -> Result<(), Failure> {
    stop.stop();
    running.join().map_err(|_| "the server panicked")??;
    Ok(())
}

/// The status and the body of an answer.
fn ask(address: SocketAddr, head: &str, body: &[u8]) -> Result<(u16, String), Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())?;
    // A body that is too long is refused before all of it is sent.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_string())))
}

fn drawn(count: usize) -> Result<Vec<(Vec<u8>, u32)>, Failure> {
    let data = digits(DigitsConfig { train: 1, test: count, seed: 41 })?;
    (0..count).map(|i| Ok((data.test().picture(i)?.png()?, data.test().labels()[i]))).collect()
}

#[test]
fn pictures_from_many_connections_get_what_they_get_alone() -> Result<(), Failure> {
    let running = start(Limits::default())?;
    let address = running.0;
    let classifier = Classifier::open("lenet")?;
    let pictures = drawn(64)?;
    let answers: Vec<Result<(u16, String), String>> = std::thread::scope(|scope| {
        let asked: Vec<_> = pictures
            .iter()
            .map(|(png, _)| {
                scope.spawn(move || ask(address, "POST /predict?top=1", png).map_err(|error| error.to_string()))
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap_or_else(|_| Err("panicked".to_string()))).collect()
    });
    for (answer, (png, _)) in answers.into_iter().zip(&pictures) {
        let (status, body) = answer?;
        assert_eq!(status, 200, "{body}");
        let found: serde_json::Value = serde_json::from_str(&body)?;
        let picture = cnn_data::Picture::decode("a digit", png, cnn_data::Reading::default())?;
        let expected = classifier.classify(&picture, 1)?;
        assert_eq!(found["answers"].as_array().map(Vec::len), Some(1));
        assert_eq!(found["answers"][0]["class"], expected[0].class);
    }
    let (_, metrics) = ask(address, "GET /metrics", &[])?;
    assert!(metrics.contains("cnn_requests_total{status=\"200\"} 64\n"), "{metrics}");
    assert!(metrics.contains("cnn_pictures_total 64\n") && metrics.contains("cnn_pictures_under_way 0\n"), "{metrics}");
    assert_eq!(ask(address, "GET /healthz", &[])?, (200, "ok\n".to_string()));
    let (status, page) = ask(address, "GET /", &[])?;
    assert!(status == 200 && page.contains("\"network\":\"lenet\"") && !page.contains("FACTS"));
    end(running)
}

#[test]
fn what_is_no_picture_is_refused_and_the_next_is_served() -> Result<(), Failure> {
    let running = start(Limits { body: 50_000, pixels: 10_000, ..Limits::default() })?;
    let address = running.0;
    let (png, _) = drawn(1)?.swap_remove(0);
    // A picture of 20000 × 20000 pixels by its header.
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    for (head, body, expected) in [
        ("POST /predict", &[][..], 400),
        ("POST /predict", b"no picture", 422),
        ("POST /predict", &bomb, 422),
        ("POST /predict", &vec![7; 60_000], 413),
        ("POST /predict?top=0", &png, 400),
        ("POST /predict?top=x", &png, 400),
        ("GET /predict", &[], 405),
        ("GET /nothing", &[], 404),
        ("POST /predict", &png[..png.len() / 2], 422),
    ] {
        let (status, answer) = ask(address, head, body)?;
        assert_eq!(status, expected, "{head}: {answer}");
        assert_eq!(ask(address, "POST /predict", &png)?.0, 200);
    }
    end(running)
}

/// A body that never ends takes its place no longer than the patience; while all places are taken others get 503.
#[test]
fn slow_bodies_lose_their_places() -> Result<(), Failure> {
    let limits = Limits { waiting: 2, patience: Duration::from_millis(700), ..Limits::default() };
    let running = start(limits)?;
    let address = running.0;
    let (png, _) = drawn(1)?.swap_remove(0);
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(stream, "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")?;
        slow.push(stream);
    }
    let started = Instant::now();
    let mut refused = false;
    let served = loop {
        match ask(address, "POST /predict", &png)?.0 {
            503 => refused = true,
            status => break status,
        }
        assert!(started.elapsed() < Duration::from_secs(30), "the places are never given back");
        std::thread::sleep(Duration::from_millis(20));
    };
    // A first request may have come before the slow ones were seen.
    assert!(served == 200 && (refused || started.elapsed() < Duration::from_millis(700)));
    for mut stream in slow {
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        assert_eq!(&head, b"HTTP/1.1 408");
    }
    end(running)
}

#[test]
fn limits_that_let_nothing_through_are_refused() -> Result<(), Failure> {
    let classifier = Classifier::open("lenet")?;
    for limits in [Limits { batch: 0, ..Limits::default() }, Limits { waiting: 0, ..Limits::default() }] {
        assert!(Server::bind("127.0.0.1:0".parse()?, classifier.clone(), limits).is_err());
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let error = Server::bind(taken.local_addr()?, classifier, Limits::default()).err().ok_or("an address twice")?;
    assert!(error.to_string().starts_with("cannot listen at 127.0.0.1:"), "{error}");
    Ok(())
}
