//! Ranks that are processes with a GPU each, which NCCL connects.

use crate::error::{Error, Result};
use crate::link::Link;
use crate::place::Place;
use cudarc::driver::{CudaContext, CudaStream};
use cudarc::nccl::{Comm, Id, group_end, group_start};
use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long ranks may take to find rank 0.
const START: Duration = Duration::from_secs(60);

/// Connects processes with a GPU each. Numbers go over the GPU and back; it has no heartbeat, so a rank that hangs is seen
/// by NCCL and the launcher alone.
#[derive(Debug)]
pub struct NcclLink {
    comm: Comm,
    stream: Arc<CudaStream>,
}

impl NcclLink {
    /// Connects a place on the GPU of its number on this machine. Rank 0 listens at `MASTER_ADDR:MASTER_PORT`, where the
    /// others learn how they are identified.
    ///
    /// # Errors
    ///
    /// No such GPU, no NCCL, ranks that do not come.
    pub fn new(place: Place) -> Result<Self> {
        let stream = CudaContext::new(place.local).map_err(start)?.default_stream();
        let id = identified(place)?;
        let comm = Comm::from_rank(Arc::clone(&stream), place.rank, place.world, id);
        Ok(Self { comm: comm.map_err(start)?, stream })
    }
}

fn start(error: impl Debug) -> Error {
    Error::Start { problem: format!("{error:?}") }
}

fn meeting(error: std::io::Error) -> Error {
    Error::Start { problem: error.to_string() }
}

/// The identity of this group of ranks, which rank 0 makes and the others ask for.
fn identified(place: Place) -> Result<Id> {
    let variable = |name: &'static str| {
        let problem = "is not set, which says where the ranks meet".to_string();
        std::env::var(name).map_err(|_| Error::Variable { variable: name, value: String::new(), problem })
    };
    let address = format!("{}:{}", variable("MASTER_ADDR")?, variable("MASTER_PORT")?);
    if place.rank == 0 {
        let id = Id::new().map_err(start)?;
        let listener = TcpListener::bind(&address).map_err(meeting)?;
        for _ in 1..place.world {
            let (mut stream, _) = listener.accept().map_err(meeting)?;
            stream.write_all(&id.internal().map(|byte| byte as u8)).map_err(meeting)?;
        }
        return Ok(id);
    }
    let began = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(&address) {
            Ok(stream) => break stream,
            Err(error) if began.elapsed() > START => return Err(meeting(error)),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    };
    let mut bytes = [0u8; 128];
    stream.read_exact(&mut bytes).map_err(meeting)?;
    Ok(Id::uninit(bytes.map(|byte| byte as _)))
}

impl Link for NcclLink {
    fn rank(&self) -> usize {
        self.comm.rank()
    }

    fn world(&self) -> usize {
        self.comm.world_size()
    }

    fn swap(&mut self, peer: usize, sent: &[u8], received: &mut [u8]) -> Result<()> {
        let failed = |error: &dyn Debug| Error::Failed { rank: peer, sentence: format!("{error:?}") };
        // NCCL has no empty buffers.
        let mut there = self.stream.alloc_zeros::<u8>(received.len().max(1)).map_err(|error| failed(&error))?;
        let here = match sent {
            [] => None,
            bytes => Some(self.stream.clone_htod(bytes).map_err(|error| failed(&error))?),
        };
        group_start().map_err(|error| failed(&error))?;
        if let Some(here) = &here {
            self.comm.send(here, peer as i32).map_err(|error| failed(&error))?;
        }
        if !received.is_empty() {
            self.comm.recv(&mut there, peer as i32).map_err(|error| failed(&error))?;
        }
        group_end().map_err(|error| failed(&error))?;
        if !received.is_empty() {
            self.stream.memcpy_dtoh(&there, received).map_err(|error| failed(&error))?;
        }
        self.stream.synchronize().map_err(|error| failed(&error))
    }

    fn fail(&mut self, sentence: &str) -> Error {
        // The launcher ends the others when this process ends.
        Error::Failed { rank: self.comm.rank(), sentence: sentence.to_string() }
    }
}
