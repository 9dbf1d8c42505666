//! A server on this machine that plays the hub, its content network, or whatever else a test needs.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    /// How many of the same method and path came before.
    pub earlier: usize,
}

impl Request {
    /// The byte from which on it asks.
    pub fn from(&self) -> Option<usize> {
        self.headers.get("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How the body is sent.
    pub sent: Sent,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sent {
    Whole,
    /// The connection is closed after so many bytes.
    Cut(usize),
    /// So many bytes at a time, with a pause behind each.
    Slowly(usize, Duration),
    /// Nothing comes after so many bytes, while the connection stays open.
    Stalled(usize),
    /// In chunks, without a length.
    Chunked,
    /// In chunks, without an end.
    Endless,
}

impl Reply {
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), sent: Sent::Whole }
    }

    pub fn with(mut self, header: &'static str, value: impl ToString) -> Self {
        self.headers.retain(|(known, _)| *known != header);
        self.headers.push((header, value.to_string()));
        self
    }

    pub fn body(self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self }
    }

    pub fn sent(self, sent: Sent) -> Self {
        Self { sent, ..self }
    }

    /// `bytes` as a good server answers, ranges too.
    pub fn file(bytes: &[u8], request: &Request) -> Self {
        let total = bytes.len();
        match request.from() {
            Some(from) if from >= total => Self::new(416).with("Content-Range", format!("bytes */{total}")),
            Some(from) => {
                let range = format!("bytes {from}-{}/{total}", total - 1);
                Self::new(206).with("Content-Range", range).body(&bytes[from..])
            }
            None => Self::new(200).body(bytes),
        }
    }
}

/// A running server; it ends with the process.
#[derive(Clone)]
pub struct Server {
    pub address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (answer, seen) = (Arc::new(answer), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (answer.clone(), seen.clone());
                std::thread::spawn(move || serve(stream, &*answer, &seen));
            }
        });
        Self { address, requests }
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// From which bytes on files were asked for, in turn.
    pub fn starts(&self, path: &str) -> Vec<usize> {
        let gets = self.requests().into_iter().filter(|request| request.method == "GET" && request.path == path);
        gets.map(|request| request.from().unwrap_or(0)).collect()
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&Request) -> Reply, seen: &Mutex<Vec<Request>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let mut parts = first.split(' ');
    let (method, path) = (parts.next()?.to_string(), parts.next()?.to_string());
    let mut headers = HashMap::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }
    let request = {
        let mut seen = seen.lock().unwrap();
        let earlier = seen.iter().filter(|request| request.method == method && request.path == path).count();
        let request = Request { method, path, headers, earlier };
        seen.push(request.clone());
        request
    };
    send(&mut stream, &request, &answer(&request)).ok()
}

fn send(stream: &mut TcpStream, request: &Request, reply: &Reply) -> std::io::Result<()> {
    let is_chunked = matches!(reply.sent, Sent::Chunked | Sent::Endless);
    let mut head = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let has_length = reply.headers.iter().any(|(name, _)| *name == "Content-Length");
    match (is_chunked, has_length) {
        (true, _) => head += "Transfer-Encoding: chunked\r\n",
        (false, false) => head += &format!("Content-Length: {}\r\n", reply.body.len()),
        (false, true) => {}
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if request.method == "HEAD" {
        return Ok(());
    }
    let body = &reply.body;
    match reply.sent {
        Sent::Whole => stream.write_all(body),
        Sent::Cut(bytes) => stream.write_all(&body[..bytes.min(body.len())]),
        Sent::Slowly(bytes, pause) => body.chunks(bytes).try_for_each(|piece| {
            stream.write_all(piece)?;
            sleep(pause);
            Ok(())
        }),
        Sent::Stalled(bytes) => {
            stream.write_all(&body[..bytes.min(body.len())])?;
            sleep(Duration::from_secs(20));
            Ok(())
        }
        Sent::Chunked => {
            write!(stream, "{:x}\r\n", body.len())?;
            stream.write_all(body)?;
            stream.write_all(b"\r\n0\r\n\r\n")
        }
        Sent::Endless => loop {
            stream.write_all(b"10000\r\n")?;
            stream.write_all(&[b' '; 0x10000])?;
            stream.write_all(b"\r\n")?;
        },
    }
}
