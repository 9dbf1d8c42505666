//! A server asked by clients that mean well, and by others.

use cnn_serve::cnn_classifier::cnn_data::{DigitsConfig, digits};
use cnn_serve::cnn_classifier::{Answer, Classifier, Known, Trained, cnn_data::Picture};
use cnn_serve::{Server, Settings};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

type Failure = Box<dyn Error + Send + Sync>;

/// A server of LeNet's own weights on a free port, for as long as this is there.
struct Running {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<cnn_serve::Result<()>>>,
}

impl Running {
    fn new(change: impl FnOnce(&mut Settings)) -> Result<Self, Failure> {
        let mut settings = Settings::default();
        settings.address.set_port(0);
        change(&mut settings);
        let server = Server::new(vec![Trained::open("lenet", &Known::default())?], settings)?;
        let (end, ended) = oneshot::channel();
        let address = server.address();
        let thread = thread::spawn(move || {
            server.run(async {
                let _ = ended.await;
            })
        });
        Ok(Self { address, end: Some(end), thread: Some(thread) })
    }

    fn stop(mut self) -> Result<(), Failure> {
        drop(self.end.take());
        Ok(self.thread.take().ok_or("stopped twice")?.join().map_err(|_| "the server panicked")??)
    }

    fn connect(&self) -> Result<TcpStream, Failure> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(stream)
    }

    /// Sends `text` as it is; gives the status and the body of the answer.
    fn raw(&self, text: &[u8]) -> Result<(u16, String), Failure> {
        let mut stream = self.connect()?;
        // A server that has refused may close before all is sent.
        let _ = stream.write_all(text);
        answer(stream)
    }

    fn post(&self, path: &str, body: &[u8]) -> Result<(u16, String), Failure> {
        self.raw(&request(path, body))
    }

    fn get(&self, path: &str) -> Result<(u16, String), Failure> {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").as_bytes())
    }
}

fn request(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn answer(mut stream: TcpStream) -> Result<(u16, String), Failure> {
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    let text = String::from_utf8(text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(format!("no answer: {text:?}"))?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, body.to_string()))
}

/// Drawn digits as PNG files.
fn pictures(count: usize) -> Result<Vec<Vec<u8>>, Failure> {
    let data = digits(DigitsConfig { train: 1, test: count, seed: 7 })?;
    (0..count).map(|index| Ok(data.test().picture(index)?.png()?)).collect()
}

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
fn what_is_no_picture_is_refused_in_a_sentence() -> Result<(), Failure> {
    let running = Running::new(|settings| {
        settings.body.0 = 20_000;
        settings.reading.max_pixels = 1000;
    })?;
    let sentence = |status: u16, said: &str| (status, format!(r#"{{"error":"{said}"}}"#));
    let (status, said) = running.post("/predict", b"no picture")?;
    assert!(status == 400 && said.starts_with(r#"{"error":"the picture: "#), "{status} {said}");
    assert_eq!(running.post("/predict", &[])?.0, 400);
    let large = Picture::new([1, 40, 40], vec![0_u8; 1600])?.png()?;
    let (status, said) = running.post("/predict", &large)?;
    assert!(status == 400 && said.contains("at most 1000 pixels, found 40×40"), "{status} {said}");
    assert_eq!(running.post("/predict", &[0; 20_001])?, sentence(413, "a picture's file may have at most 20.0 kB"));
    // Longer than it says, in pieces.
    let head = "POST /predict HTTP/1.1\r\nhost: here\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut chunked = head.as_bytes().to_vec();
    for _ in 0..30 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[7; 0x400]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(running.raw(&chunked)?.0, 413);
    let digit = &pictures(1)?[0];
    assert_eq!(running.post("/predict?top=0", digit)?, sentence(400, "top is 0, expected at least 1"));
    assert_eq!(running.post("/predict?top=many", digit)?.0, 400);
    assert_eq!(running.post("/predict?best=3", digit)?.0, 400);
    assert_eq!(running.post("/predicted", digit)?.0, 404);
    let by_post = "a picture is sent by POST, everything else is asked for by GET";
    assert_eq!(running.get("/predict")?, sentence(405, by_post));
    assert_eq!(running.get("/live/x")?, sentence(400, "the path names a network by its number, from 0"));
    assert_eq!(running.post("/live/7/pixels", digit)?, sentence(404, "there is no network 7, there are 1"));
    assert_eq!(running.raw(b"nonsense\r\n\r\n")?.0, 400);
    let form =
        String::from_utf8(request("/predict", b""))?.replace("host", "content-type: multipart/form-data\r\nhost");
    assert_eq!(running.raw(form.as_bytes())?.0, 415);
    assert_eq!(running.post("/predict?top=300", digit)?.0, 200);
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
fn bodies_have_one_bound_together() -> Result<(), Failure> {
    let running = Running::new(|settings| settings.bodies.0 = 4096)?;
    let began = Instant::now();
    // One that comes while another is here is refused itself: then the next one takes the room.
    let first = loop {
        let mut first = running.connect()?;
        first
            .write_all(b"POST /predict HTTP/1.1\r\nhost: here\r\ncontent-length: 9000\r\nconnection: close\r\n\r\n")?;
        first.write_all(&[1; 4000])?;
        thread::sleep(Duration::from_millis(100));
        if running.post("/predict", &[0; 3000])?.0 == 503 {
            break first;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never full");
    };
    drop(first);
    while running.post("/predict", &[0; 3000])?.0 != 400 {
        assert!(began.elapsed() < Duration::from_secs(30), "the room was not given back");
    }
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
    let zero = Settings { batch: 0, ..Settings::default() };
    let error =
        Server::new(vec![Trained::open("lenet", &Known::default())?], zero).map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "batch is 0, with which nothing could be answered; at least 1 is expected");
    running.stop()
}
