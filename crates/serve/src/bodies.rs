//! Bodies of requests, within bounds of bytes and time.

use crate::answer::Refusal;
use crate::settings::Settings;
use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use cnn_system::Bytes;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A kilobyte: what room for bodies is counted in.
const UNIT: usize = 1024;

/// Room for all bodies together.
#[derive(Clone, Debug)]
pub struct Bodies {
    room: Arc<Semaphore>,
    most: Bytes,
    patience: Duration,
}

/// A body, and the room it takes until it is dropped.
#[derive(Debug)]
pub struct Whole {
    pub bytes: Vec<u8>,
    _room: Vec<OwnedSemaphorePermit>,
}

impl Bodies {
    pub fn new(settings: &Settings) -> Self {
        let units = usize::try_from(settings.bodies.0).unwrap_or(usize::MAX).div_ceil(UNIT);
        let room = Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS)));
        Self { room, most: settings.body, patience: settings.patience }
    }

    /// A body as it comes, until it is whole. Room is taken for what has come, not for what was promised, so that slow
    /// bodies take none of the others'.
    pub async fn read(&self, body: Body) -> Result<Whole, Refusal> {
        if body.size_hint().lower() > self.most.0 {
            return Err(self.too_large());
        }
        match tokio::time::timeout(self.patience, self.collect(body)).await {
            Ok(done) => done,
            Err(_) => Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                format!("the picture had not come after {} s", self.patience.as_secs_f64()),
            )),
        }
    }

    async fn collect(&self, body: Body) -> Result<Whole, Refusal> {
        let (mut bytes, mut held, mut body) = (Vec::new(), Vec::new(), pin!(body));
        let mut units = 0;
        while let Some(frame) = std::future::poll_fn(|context| Pin::as_mut(&mut body).poll_frame(context)).await {
            let broken = |error| Refusal::unfit(format!("the picture broke off: {error}"));
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if (bytes.len() + data.len()) as u64 > self.most.0 {
                return Err(self.too_large());
            }
            let needed = (bytes.len() + data.len()).div_ceil(UNIT) - units;
            if needed > 0 {
                let permits = u32::try_from(needed).map_err(|_| self.too_large())?;
                held.push(self.room.clone().try_acquire_many_owned(permits).map_err(|_| Refusal::no_room())?);
                units += needed;
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Whole { bytes, _room: held })
    }

    fn too_large(&self) -> Refusal {
        let sentence = format!("a picture's file may have at most {}", self.most);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
    }
}
