//! A classifier behind HTTP, and a page of what its networks see.
//!
//! ```text
//! connections ── bodies ── queue ── decoding and batches ── answers
//!   limited      limited   limited   one thread for each core
//! ```
//!
//! A picture that has come whole waits in a queue. For each core there is a thread which decodes and prepares what has come
//! first, and computes its share of what is prepared, up to its part of [`Settings::batch`]: alone under load, so that no
//! core waits for another, and helped by all cores where it alone has work. Pictures that come one by one are answered at
//! once, and a crowd is answered in batches. A picture's answer is the same, to the bit, alone and in any batch.
//!
//! Everything that comes from outside has a bound: connections, bytes of a body and of all bodies together, seconds until a
//! body has come, pixels of a picture, pictures that wait. Beyond them the answer is a status and one sentence.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /predict?top=K`, a picture's file as its body | JSON: network, and the most probable classes |
//! | `GET /healthz` | `ok` |
//! | `GET /metrics` | counts and times in the text format of Prometheus |
//! | `GET /` | a page: draw, or drop a picture, and watch every layer |
//! | `GET /live/N` | what that page needs to know of the N-th network |
//! | `POST /live/N/pixels`, `…/picture` | what every layer makes of a picture, as [`cnn_explain::Live`] packs it |
//!
//! [`Broadcast`] is a server of another kind: one page, and what happens meanwhile.

mod answer;
mod bodies;
mod broadcast;
mod connections;
mod error;
mod handlers;
mod live;
mod metrics;
mod question;
mod queue;
mod server;
mod settings;
mod shared;
mod shown;
mod workers;

pub use broadcast::Broadcast;
pub use cnn_classifier;
pub use error::{Error, Result};
pub use server::Server;
pub use settings::Settings;
