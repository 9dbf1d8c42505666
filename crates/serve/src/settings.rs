//! What a server keeps to.

use crate::error::{Error, Result};
use cnn_classifier::cnn_data::Reading;
use cnn_system::Bytes;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What a server keeps to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens. Port 0 is any that is free.
    pub address: SocketAddr,
    /// How pictures are decoded, and how many pixels one may have.
    pub reading: Reading,
    /// The most images computed at once.
    pub batch: usize,
    /// Pictures that may wait, from when they have come until they are computed; beyond them the answer is 503.
    pub queue: usize,
    /// The most bytes of one body.
    pub body: Bytes,
    /// The most bytes of all bodies that are here, at least those of one.
    pub bodies: Bytes,
    /// How long a body, or the head of a request, may take to come; a connection that is idle, or whose client takes nothing
    /// of an answer, is closed after it.
    pub patience: Duration,
    /// Connections at once. Further ones wait to be accepted. Where the process may open fewer files than this, its own
    /// limit, which programs that it starts inherit, is raised as far as the system lets it.
    pub connections: usize,
    /// How long those that are being answered have when the server is to end.
    pub farewell: Duration,
}

impl Default for Settings {
    /// This machine alone (127.0.0.1:8080); 32 images at once, 256 waiting; 16 MB a body, 512 MB all; 10 s; 16,384
    /// connections.
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            reading: Reading::default(),
            batch: 32,
            queue: 256,
            body: Bytes(16_000_000),
            bodies: Bytes(512_000_000),
            patience: Duration::from_secs(10),
            connections: 16_384,
            farewell: Duration::from_secs(10),
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<()> {
        let bounds = [
            ("batch", self.batch as u64),
            ("queue", self.queue as u64),
            ("body", self.body.0),
            ("bodies", self.bodies.0),
            ("connections", self.connections as u64),
        ];
        match bounds.iter().find(|(_, bound)| *bound == 0) {
            Some((name, _)) => Err(Error::Zero { name }),
            None if self.body.0 > self.bodies.0 => Err(Error::Body { body: self.body, bodies: self.bodies }),
            None => Ok(()),
        }
    }
}
