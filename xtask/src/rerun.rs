//! Running this program again: with a number of threads, or built with a feature it lacks.

use crate::cli::Common;
use anyhow::{Context, Result};
use rayon::{ThreadBuilder, ThreadPoolBuilder};
use std::process::{Command, ExitCode};
use std::sync::mpsc::{SyncSender, sync_channel};

/// What candle and rayon read, once, when they first compute.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Runs this program again in an environment that says how many threads there are: those of `--threads`, or one a core.
/// Unless it is told, candle counts the cores anew, from a file, at every operation.
pub fn with_threads(common: &Common) -> Result<()> {
    let set = std::env::var(THREADS).ok();
    let wanted = match (common.threads, &set) {
        (Some(threads), _) => threads.to_string(),
        (None, Some(_)) => return Ok(()),
        (None, None) => cores().to_string(),
    };
    if set.as_ref() == Some(&wanted) {
        return Ok(());
    }
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(THREADS, wanted);
    replace(command)
}

/// The number of threads that candle, rayon and the kernels compute with, once [`with_threads`] has passed.
pub fn threads() -> usize {
    let set = std::env::var(THREADS).ok().and_then(|threads| threads.parse().ok());
    set.filter(|threads| *threads > 0).unwrap_or_else(cores)
}

/// Makes rayon's threads, which would panic where the system refuses one (`ulimit -u`, `ulimit -v`): as many as there can
/// be, up to [`threads`].
pub fn make_pool() -> Result<()> {
    let wanted = threads();
    // Threads first, each of which waits for the worker it is to run: rayon begins only with those that there are.
    let made: Vec<SyncSender<ThreadBuilder>> = (0..wanted).map_while(|_| waiting_thread().ok()).collect();
    let count = made.len();
    if count == 0 {
        anyhow::bail!(
            "the system makes no thread to compute with: a limit on processes or memory is too low (ulimit -u, -v)"
        );
    }
    if count < wanted {
        eprintln!("warning: {wanted} threads were wanted, the system makes {count}");
    }
    let mut free = made.into_iter();
    let give = |worker: ThreadBuilder| match free.next().map(|thread| thread.send(worker)) {
        Some(Ok(())) => Ok(()),
        _ => Err(std::io::Error::other("a thread has ended")),
    };
    let pool = ThreadPoolBuilder::new().num_threads(count).spawn_handler(give).build_global();
    pool.context("cannot make the threads to compute with")
}

fn waiting_thread() -> std::io::Result<SyncSender<ThreadBuilder>> {
    let (sender, receiver) = sync_channel::<ThreadBuilder>(1);
    let work = move || receiver.recv().into_iter().for_each(ThreadBuilder::run);
    std::thread::Builder::new().name("rayon".to_string()).spawn(work)?;
    Ok(sender)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(unix)]
fn replace(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("cannot run this program again")
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> Result<()> {
    let status = command.status().context("cannot run this program again")?;
    std::process::exit(status.code().unwrap_or(1))
}

/// Runs the same command in a build with `feature`.
pub fn with_feature(feature: &str, why: &str) -> Result<ExitCode> {
    let Some(cargo) = std::env::var_os("CARGO") else {
        anyhow::bail!("{why}; this program was built without the feature `{feature}`");
    };
    eprintln!("{why}: building with the feature `{feature}` (which takes a while the first time) and running again");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    // What this build has, the next one keeps: a command may need several, one after the other.
    let mut features = vec![feature];
    for (built, name) in [
        (cfg!(feature = "candle"), "candle"),
        (cfg!(feature = "dashboard"), "dashboard"),
        (cfg!(feature = "explain"), "explain"),
        (cfg!(feature = "formats"), "formats"),
        (cfg!(feature = "whitening"), "whitening"),
        (cfg!(feature = "hub"), "hub"),
        (cfg!(feature = "fetch"), "fetch"),
        (cfg!(feature = "serve"), "serve"),
        (cfg!(feature = "mpi"), "mpi"),
        (cfg!(feature = "cuda"), "cuda"),
        (cfg!(feature = "cudnn"), "cudnn"),
        (cfg!(feature = "metal"), "metal"),
    ] {
        features.extend(built.then_some(name));
    }
    let release: &[&str] = if env!("XTASK_PROFILE") == "release" { &["--release"] } else { &[] };
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--manifest-path", manifest])
        .args(release)
        .args(["--no-default-features", "--features", &features.join(","), "--"])
        .args(std::env::args_os().skip(1))
        .status()
        .context("cannot run cargo")?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
