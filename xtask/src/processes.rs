//! Training on several processes.

use crate::cli::{self, Common, EngineName};
use crate::session::Session;
use anyhow::{Context, Result, ensure};
use cnn_distributed::{Place, Ranks};
use cnn_train::DataMark;
use serde::{Serialize, de::DeserializeOwned};
use std::hash::{DefaultHasher, Hasher};
use std::process::Command;

/// Shards of a batch, where ranks share it out and the recipe names no number.
const SHARDS: usize = 8;

/// Whether processes are asked for that this build cannot connect, but another can.
pub fn lacking(args: &cli::Train) -> Result<bool> {
    let Some(processes) = args.processes.filter(|processes| *processes > 1) else { return Ok(false) };
    if cfg!(feature = "mpi") || Place::from_environment()?.is_some() {
        return Ok(false);
    }
    check(processes, args.engine)?;
    let compiler = Command::new("mpicc").arg("--version").output();
    compiler.context("--processes needs an MPI: on Debian libopenmpi-dev, openmpi-bin and libclang-dev (no mpicc)")?;
    Ok(true)
}

fn check(processes: u16, engine: Option<EngineName>) -> Result<()> {
    ensure!(engine != Some(EngineName::Candle), "--processes belongs to the engine plan, which computes on the CPU");
    ensure!(processes.is_power_of_two(), "--processes {processes}: must be a power of two");
    Ok(())
}

/// The ranks that this process is one of.
pub fn join(args: &cli::Train) -> Result<Ranks> {
    let ranks = Ranks::join()?;
    Ok(match args.bucket {
        None => ranks,
        Some(0) => ranks.with_bucket(usize::MAX),
        Some(kibibytes) => ranks.with_bucket(kibibytes as usize * (1024 / size_of::<f32>())),
    })
}

/// Starts this program again on as many processes as are asked for, and waits for them; false where none are, or where
/// this is one of them.
pub fn start(args: &cli::Train, common: &Common) -> Result<bool> {
    let Some(processes) = args.processes.filter(|processes| *processes > 1) else { return Ok(false) };
    if let Some(place) = Place::from_environment()? {
        ensure!(
            place.world == usize::from(processes),
            "--processes {processes} within {} processes of {}: leave it out",
            place.world,
            place.launcher.command()
        );
        return Ok(false);
    }
    check(processes, args.engine)?;
    let program = std::env::current_exe().context("cannot tell which program this is")?;
    let mut command = Command::new("mpirun");
    command.args(["-n", &processes.to_string()]).arg(program).args(std::env::args_os().skip(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if common.threads.is_none() {
        // Together they use every core once.
        command.args(["--threads", &(cores / usize::from(processes)).max(1).to_string()]);
    }
    // More processes than cores are meant, and so is root, which has no other user to ask. Other MPIs know none of these.
    for variable in ["OMPI_MCA_rmaps_base_oversubscribe", "OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] {
        command.env(variable, "1");
    }
    command.env("OMPI_MCA_hwloc_base_binding_policy", "none");
    if usize::from(processes) <= cores {
        // Otherwise a rank that waits yields to any other program, which takes milliseconds on a busy machine.
        command.env("OMPI_MCA_mpi_yield_when_idle", "0");
    }
    let status = command.status().context("cannot start mpirun: install an MPI, such as Debian's openmpi-bin")?;
    ensure!(status.success(), "training on {processes} processes ended: {status}");
    Ok(true)
}

/// Rank 0's value, on all ranks.
pub fn of_first<T: Serialize + DeserializeOwned>(ranks: &Ranks, value: T) -> Result<T> {
    if ranks.world() == 1 {
        return Ok(value);
    }
    let mut bytes = serde_json::to_vec(&value)?;
    ranks.broadcast(0, &mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Cuts batches into shards where ranks are to share them out, one of them alone too, and says so.
pub fn share_out(ranks: &Ranks, args: &cli::Train, session: &mut Session) -> Result<()> {
    if ranks.world() == 1 && args.processes.is_none() && Place::from_environment()?.is_none() {
        return Ok(());
    }
    let synchronous = session.recipe.training.sync_batch_norm;
    let shards = &mut session.recipe.training.shards;
    let chosen = *shards == 1;
    if chosen {
        *shards = SHARDS.max(ranks.world());
        let batch = session.recipe.training.batch_size;
        ensure!(
            *shards <= batch,
            "batches of {batch} cannot be cut into {shards} shards for the ranks: choose --batch-size {shards} or more, or \
             --set 'shards = N'"
        );
    }
    let how = match chosen {
        true if *shards > SHARDS => ", a shard for each, so that the bits are others than those of fewer ranks",
        true => ", chosen for them; --set 'shards = N' sets another number",
        false => "",
    };
    let norm = if synchronous { " that have one batch normalisation" } else { "" };
    let who = match ranks.world() {
        1 => "1 rank".to_string(),
        several => format!("{several} ranks ({})", ranks.place()),
    };
    let note = format!("{who}, batches in {shards} shards{norm}{how}");
    session.notes.push(note);
    Ok(())
}

/// Whether all ranks do the same.
pub fn agree(ranks: &Ranks, session: &Session) -> Result<()> {
    if ranks.world() == 1 {
        return Ok(());
    }
    let program = std::env::current_exe().and_then(std::fs::read).context("cannot read this program's own file")?;
    let weights = match &session.task(&session.recipe).start {
        Some(start) => digest(&start.weights.to_bytes()?),
        None => "none".to_string(),
    };
    Ok(ranks.agree(&[
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("program", digest(&program)),
        ("recipe", session.recipe.to_toml()?),
        ("size of buckets", ranks.bucket().to_string()),
        ("data set", DataMark::of(&session.dataset).to_string()),
        ("set of weights to begin with", weights),
    ])?)
}

/// A number for bytes, that others would most likely not have.
fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}
