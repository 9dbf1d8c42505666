//! What can go wrong with published weights and their download.

use cnn_core::Bytes;
use cnn_core::error::did_you_mean;
use std::path::PathBuf;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with published weights and their download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that no published weights have.
    #[error("no published weights are named {found}{}", did_you_mean(near))]
    Name {
        /// The name given.
        found: String,
        /// Names most like it, or all of the network's where the network is known.
        near: Vec<String>,
    },
    /// A network of which no weights are published.
    #[error(
        "no weights of {network} are published that are known here; hf:owner/repository names those of a repository"
    )]
    NoWeights {
        /// The network.
        network: String,
    },
    /// A repository's name that cannot be one.
    #[error("{found:?} names no repository: {problem}, expected hf:owner/repository or hf:owner/repository@revision")]
    Repository {
        /// The name given.
        found: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A repository of a network that is not here.
    #[error("{repository} has weights of {found}, which is no network here{}", did_you_mean(near))]
    Architecture {
        /// The repository.
        repository: String,
        /// The architecture that its `config.json` names.
        found: String,
        /// Networks here most like it.
        near: Vec<String>,
    },
    /// A `config.json` that does not say what it should.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is expected and found.
        problem: String,
    },
    /// No folder for downloads.
    #[error("there is no folder for downloads, since neither {variable} nor HOME is set: set one of them")]
    NoFolder {
        /// The environment variable that names the folder.
        variable: &'static str,
    },
    /// A file that is not in the cache, while the network must not be asked.
    #[error("{name} is not in the cache, and offline it cannot be fetched: put {address} at {}", place.display())]
    Offline {
        /// The weights.
        name: String,
        /// Where the file is.
        address: String,
        /// Where it is looked for.
        place: PathBuf,
    },
    /// A file that is not in the cache, in a program that cannot download: a caller may run itself again with the feature.
    #[error(
        "{name} is not in the cache, and this program was built without the feature `hub`, which fetches it: build it with \
         the feature, or put {address} at {}",
        place.display()
    )]
    HubFeature {
        /// The weights.
        name: String,
        /// Where the file is.
        address: String,
        /// Where it is looked for.
        place: PathBuf,
    },
    /// A file in the cache that is not whole, while it cannot be fetched again.
    #[error("{} is damaged ({problem}): put {address} in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// Where a whole one is.
        address: String,
    },
    /// A server that cannot be reached.
    #[error("{address} cannot be reached ({reason}): it can be fetched elsewhere and put at {}", place.display())]
    Unreachable {
        /// Where the file is.
        address: String,
        /// What the connection says.
        reason: String,
        /// Where the file is looked for.
        place: PathBuf,
    },
    /// A server that answers with something else than the file.
    #[error("{address}: the server answers {status}, {meaning}")]
    Refused {
        /// What was asked for.
        address: String,
        /// The HTTP status.
        status: u16,
        /// What that means here, and what to do.
        meaning: &'static str,
    },
    /// A server whose answers make no sense for the file.
    #[error("{address}: {problem}")]
    Server {
        /// What was asked for.
        address: String,
        /// What is expected and found.
        problem: String,
    },
    /// A download that was cut too often.
    #[error(
        "{address}: {reason}, after {} of {} and {attempts} attempts; what came is kept, and the next fetch goes on from there",
        Bytes(*done), total.map_or("an unknown number of bytes".to_string(), |total| Bytes(total).to_string())
    )]
    Cut {
        /// What was asked for.
        address: String,
        /// How the last attempt ended.
        reason: String,
        /// Bytes that came.
        done: u64,
        /// Bytes of the whole file, where the server says.
        total: Option<u64>,
        /// Attempts without enough progress, at the end.
        attempts: u32,
    },
    /// A file larger than weights are.
    #[error("{address}: expected at most {most}, found more")]
    TooLarge {
        /// What was asked for.
        address: String,
        /// The most that is taken.
        most: Bytes,
    },
    /// A file whose checksum is not the published one; it was removed.
    #[error("{address}: expected a file whose SHA-256 begins with {expected}, found {found}; it was removed")]
    Checksum {
        /// What was asked for.
        address: String,
        /// The published digest, in hexadecimal digits, or how it begins.
        expected: String,
        /// The digest of what came.
        found: String,
    },
    /// A file of the cache that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file or folder of the cache that cannot be written.
    #[error("cannot write {}: {source}{}", path.display(), full(source))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that holds no weights that can be read.
    #[error(transparent)]
    Weights(#[from] cnn_weights::Error),
    /// A card that cannot be written.
    #[error(transparent)]
    Card(#[from] cnn_data::Error),
}

fn full(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "; what came is kept: make room and fetch again, or name another folder by HF_HOME and TORCH_HOME"
        }
        _ => "",
    }
}
