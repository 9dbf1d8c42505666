//! The hub as it should be: what a server says of a file and where its bytes are.

use crate::server::{Reply, Request, Server};
use cnn_catalogue::{Options, Published, find};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

/// Weights on the hub that the tests fetch, and where the server has them.
pub const NAME: &str = "vgg16:tv_in1k";
pub const RESOLVE: &str = "/timm/vgg16.tv_in1k/resolve/main/model.safetensors";
pub const BYTES: &str = "/bytes/model?signature=1";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub fn weights() -> Published {
    find(NAME).unwrap()
}

/// A whole file in the safetensors format, of 400,000 bytes and a header.
pub fn file() -> Vec<u8> {
    let header = r#"{"features.0.weight":{"dtype":"F32","shape":[100000],"data_offsets":[0,400000]}}"#;
    let numbers = (0..100_000_u32).flat_map(|index| (index as f32).to_le_bytes());
    (header.len() as u64).to_le_bytes().into_iter().chain(header.bytes()).chain(numbers).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the hub answers for `bytes` at `RESOLVE`: a redirect to `BYTES`, with what it says of them.
pub fn described(bytes: &[u8]) -> Reply {
    Reply::new(302)
        .with("Location", BYTES)
        .with("X-Repo-Commit", COMMIT)
        .with("X-Linked-Etag", format!("\"{}\"", sha256(bytes)))
        .with("X-Linked-Size", bytes.len())
}

/// A hub that has [`file`], whose bytes are answered by `bytes`.
pub fn hub(bytes: impl Fn(&[u8], &Request) -> Reply + Send + Sync + 'static) -> Server {
    let file = file();
    Server::new(move |request| match request.path.as_str() {
        RESOLVE => described(&file),
        BYTES => bytes(&file, request),
        _ => Reply::new(404),
    })
}

/// A hub without faults.
pub fn good() -> Server {
    hub(Reply::file)
}

/// Options for `server` and folders below `folder`, that lose no time.
pub fn options(server: &Server, folder: &Path) -> Options {
    Options::new()
        .with_endpoint(&server.address)
        .with_mirror(&server.address)
        .with_hub_cache(folder.join("hub"))
        .with_checkpoints(folder.join("checkpoints"))
        .with_patience(Duration::from_millis(500))
        .with_attempts(3, Duration::from_millis(10))
}

/// Where what came of [`file`] is kept until it is whole.
pub fn partial(folder: &Path) -> std::path::PathBuf {
    blobs(folder).join(format!("{}.incomplete", sha256(&file())))
}

pub fn blobs(folder: &Path) -> std::path::PathBuf {
    folder.join("hub/models--timm--vgg16.tv_in1k/blobs")
}
