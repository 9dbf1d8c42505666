//! What can go wrong between ranks.

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of ranks that no binary tree has.
    #[error("{world} ranks: their number must be a power of two")]
    World {
        /// The number.
        world: usize,
    },
    /// Shards that cannot be dealt out evenly.
    #[error(
        "{world} ranks and {shards} shards: the number of ranks must divide the number of shards, and both must be \
         powers of two"
    )]
    Shards {
        /// The number of ranks.
        world: usize,
        /// The number of shards.
        shards: usize,
    },
    /// A variable of whoever started this process that is not a number, or is missing beside another.
    #[error("{variable}={value}: {problem}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What it says.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Ranks were started that this program cannot connect.
    #[error("{launcher} started {world} ranks, but {problem}")]
    Unconnected {
        /// What started them.
        launcher: &'static str,
        /// How many.
        world: usize,
        /// Why they cannot be connected, and the way out.
        problem: String,
    },
    /// A link that could not be made.
    #[error("the ranks could not be connected: {problem}")]
    Start {
        /// What went wrong.
        problem: String,
    },
    /// A rank that failed, hangs or ended too early.
    #[error("rank {rank}: {sentence}")]
    Failed {
        /// The rank.
        rank: usize,
        /// What it says, or what is known of it.
        sentence: String,
    },
    /// Ranks that do not do the same.
    #[error("rank {rank} has another {what} than rank 0: {there} instead of {here}")]
    Differs {
        /// The first rank that differs.
        rank: usize,
        /// What differs.
        what: String,
        /// What rank 0 has.
        here: String,
        /// What the other rank has.
        there: String,
    },
}
