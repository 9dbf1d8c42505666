//! A server to be asked, and what it is asked with.

use cnn_serve::cnn_classifier::cnn_data::{DigitsConfig, digits};
use cnn_serve::cnn_classifier::{Known, Trained};
use cnn_serve::{Server, Settings};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

pub type Failure = Box<dyn Error + Send + Sync>;

/// A server of LeNet's own weights on a free port, for as long as this is there.
pub struct Running {
    pub address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<cnn_serve::Result<()>>>,
}

impl Running {
    pub fn new(change: impl FnOnce(&mut Settings)) -> Result<Self, Failure> {
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

    pub fn stop(mut self) -> Result<(), Failure> {
        drop(self.end.take());
        Ok(self.thread.take().ok_or("stopped twice")?.join().map_err(|_| "the server panicked")??)
    }

    pub fn connect(&self) -> Result<TcpStream, Failure> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(stream)
    }

    /// Sends `text` as it is; gives the status and the body of the answer.
    pub fn raw(&self, text: &[u8]) -> Result<(u16, String), Failure> {
        let mut stream = self.connect()?;
        // A server that has refused may close before all is sent.
        let _ = stream.write_all(text);
        answer(stream)
    }

    pub fn post(&self, path: &str, body: &[u8]) -> Result<(u16, String), Failure> {
        self.raw(&request(path, body))
    }

    pub fn get(&self, path: &str) -> Result<(u16, String), Failure> {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").as_bytes())
    }
}

pub fn request(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

pub fn answer(mut stream: TcpStream) -> Result<(u16, String), Failure> {
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    let text = String::from_utf8(text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(format!("no answer: {text:?}"))?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, body.to_string()))
}

/// Drawn digits as PNG files.
pub fn pictures(count: usize) -> Result<Vec<Vec<u8>>, Failure> {
    let data = digits(DigitsConfig { train: 1, test: count, seed: 7 })?;
    (0..count).map(|index| Ok(data.test().picture(index)?.png()?)).collect()
}
