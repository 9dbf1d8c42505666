//! A server asked by clients that mean well, and by others.

use crate::running::{Failure, Running, answer, pictures, request};
use cnn_serve::cnn_classifier::{Answer, Classifier, Known, Trained, cnn_data::Picture};
use cnn_serve::{Server, Settings};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_crowd_is_answered_as_each_would_be_alone() -> Result<(), Failure> {
    let running = Running::new(|settings| settings.batch = 16)?;
    let classifier = Classifier::open("lenet")?;
    let pictures = pictures(200)?;
    let expected = |bytes: &[u8]| -> Result<String, Failure> {
        let best = classifier.classify(&Picture::decode("it", bytes, Default::default())?, 2)?;
        let class = |a: &Answer| -> Result<String, Failure> {
            let probability = serde_json::to_string(&a.probability)?;
            Ok(format!(r#"{{"class":"{}","index":{},"probability":{probability}}}"#, a.class, a.index))
        };
        Ok(format!(r#"{{"network":"lenet","classes":[{},{}]}}"#, class(&best[0])?, class(&best[1])?))
    };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| -> Result<(), Failure> {
        let ask = || -> Result<(), Failure> {
            while let Some(bytes) = pictures.get(next.fetch_add(1, Ordering::Relaxed)) {
                assert_eq!(running.post("/predict?top=2", bytes)?, (200, expected(bytes)?));
            }
            Ok(())
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        all.into_iter().try_for_each(|one| one.join().map_err(|_| "a client panicked")?)
    })?;
    let (status, metrics) = running.get("/metrics")?;
    assert_eq!(status, 200);
    assert!(metrics.contains("cnn_answers_total{status=\"200\"} 200\n"), "{metrics}");
    assert!(metrics.contains("cnn_waiting_images 0\n"), "{metrics}");
    assert_eq!(running.get("/healthz")?, (200, "ok\n".to_string()));
    running.stop()
}

#[test]
fn slow_and_idle_clients_are_waited_for_so_long_and_others_are_served() -> Result<(), Failure> {
    let running = Running::new(|settings| settings.patience = Duration::from_millis(600))?;
    let digit = &pictures(1)?[0];
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(running.connect()?);
    }
    let mut slow = running.connect()?;
    slow.write_all(b"POST /predict HTTP/1.1\r\nhost: here\r\ncontent-length: 1000\r\nconnection: close\r\n\r\nx")?;
    assert_eq!(running.post("/predict", digit)?.0, 200);
    let began = Instant::now();
    let (status, said) = answer(slow)?;
    assert!(status == 408 && said.contains("had not come after 0.6 s"), "{status} {said}");
    for mut one in idle {
        // Closed, with or without an answer.
        one.read_to_end(&mut Vec::new())?;
    }
    assert!(began.elapsed() < Duration::from_secs(10));
    running.stop()
}

#[test]
fn clients_that_take_no_answer_are_waited_for_so_long() -> Result<(), Failure> {
    let running = Running::new(|settings| settings.patience = Duration::from_millis(600))?;
    // Of more pages than a system keeps for a client that does not read.
    let mut idle = running.connect()?;
    let asked = 400;
    idle.write_all("GET / HTTP/1.1\r\nhost: here\r\n\r\n".repeat(asked).as_bytes())?;
    let page = running.raw(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")?.1;
    let open = || -> Result<bool, Failure> {
        let (_, metrics) = running.raw(b"GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")?;
        // This one is open too.
        let line = metrics.lines().find(|line| line.starts_with("cnn_connections ")).ok_or("no such metric")?;
        Ok(line != "cnn_connections 1")
    };
    assert!(open()?);
    let began = Instant::now();
    while open()? {
        assert!(began.elapsed() < Duration::from_secs(20), "it is open still");
        thread::sleep(Duration::from_millis(50));
    }
    let mut taken = Vec::new();
    // What was on its way comes; then the connection is over, in one way or the other.
    let _ = idle.read_to_end(&mut taken);
    assert!(taken.len() < asked * page.len(), "{} of {asked} times {}", taken.len(), page.len());
    running.stop()
}

#[test]
fn a_full_queue_says_so() -> Result<(), Failure> {
    let running = Running::new(|settings| (settings.queue, settings.batch) = (1, 1))?;
    let digit = pictures(1)?.swap_remove(0);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let ask =
            || -> Result<Vec<u16>, Failure> { (0..20).map(|_| Ok(running.post("/predict", &digit)?.0)).collect() };
        let all: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|one| one.join().map_err(|_| "a client panicked")?).collect::<Result<Vec<_>, Failure>>()
    })?
    .concat();
    assert!(statuses.contains(&200) && statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    running.stop()
}

#[test]
fn what_is_being_answered_is_answered_before_the_end() -> Result<(), Failure> {
    let running = Running::new(|_| {})?;
    let digit = pictures(1)?.swap_remove(0);
    let address = running.address;
    let mut stream = running.connect()?;
    let text = request("/predict", &digit);
    let (start, rest) = text.split_at(text.len() - 10);
    stream.write_all(start)?;
    thread::sleep(Duration::from_millis(200));
    let ending = thread::spawn(move || running.stop());
    thread::sleep(Duration::from_millis(200));
    stream.write_all(rest)?;
    assert_eq!(answer(stream)?.0, 200);
    ending.join().map_err(|_| "panicked")??;
    assert!(TcpStream::connect(address).is_err());
    Ok(())
}

#[test]
fn a_place_that_is_taken_is_an_error() -> Result<(), Failure> {
    let running = Running::new(|_| {})?;
    let taken = Settings { address: running.address, ..Settings::default() };
    let error =
        Server::new(vec![Trained::open("lenet", &Known::default())?], taken).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {}: ", running.address)), "{error}");
    running.stop()
}
