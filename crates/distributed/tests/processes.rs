//! Ranks that are processes which MPI connects: this program starts itself under `mpirun`.

mod common;

use cnn_distributed::{Ranks, Wire};
use cnn_testing::Tests;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Says to a process of this program which part of a test it is.
const PART: &str = "CNN_RANK_PART";
/// All must be over by then.
const IN_TIME: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    if let Ok(part) = std::env::var(PART) {
        return match rank(&part) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let started = Command::new("mpirun").arg("--version").output();
    let missing = started.is_err().then_some("mpirun, which is not on the path");
    Tests::new()
        .unless(missing, "the_bits_of_a_sum_do_not_depend_on_the_world", same_bits)
        .unless(missing, "a_killed_rank_ends_all", || {
            for rank in [0, 1, 3] {
                signalled(rank, Signal::KILL)
            }
        })
        .unless(missing, "a_rank_that_hangs_ends_all", || {
            for rank in [0, 2] {
                signalled(rank, Signal::STOP)
            }
        })
        .unless(missing, "a_rank_that_fails_ends_all_with_its_sentence", failing)
        .unless(missing, "a_rank_that_ends_early_ends_all", ending)
        .unless(missing, "ranks_that_do_not_do_the_same_are_told_the_difference", differing)
        .run()
}

/// A rank's part in a test.
fn rank(part: &str) -> cnn_distributed::Result<()> {
    let ranks = Ranks::join()?;
    match part {
        "everything" => {
            let lines = common::everything(&ranks)?;
            assert_eq!(ranks.gather(lines.clone().into_bytes())?, vec![lines.clone().into_bytes(); ranks.world()]);
            if ranks.is_first() {
                print!("{lines}");
            }
        }
        "sums" => {
            println!("rank {} pid {}", ranks.rank(), std::process::id());
            loop {
                ranks.sum(&mut vec![1.0; 50_000], Wire::F32)?;
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        "fails" if ranks.rank() == 1 => return Err(ranks.fail("no space left")),
        "ends" if ranks.rank() == 1 => return Ok(()),
        "fails" | "ends" => ranks.sum(&mut vec![1.0; 50_000], Wire::F32)?,
        _ => {
            let seed = if ranks.rank() == 1 { "seed = 2" } else { "seed = 1" };
            let agreed = ranks.agree(&[("recipe", seed.to_string())]);
            let first = ranks.is_first();
            ranks.finish()?;
            return if first { agreed } else { agreed.or(Ok(())) };
        }
    }
    ranks.finish()
}

fn mpirun(world: usize, part: &str) -> Command {
    let program: PathBuf = std::env::current_exe().unwrap();
    let mut command = Command::new("mpirun");
    command.args(["-np", &world.to_string()]).arg(program).env(PART, part);
    // OpenMPI wants to be asked twice whether root, and more ranks than cores, are meant; MPICH knows none of these.
    for variable in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"] {
        command.env(variable, "1");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn same_bits() {
    let [alone, others @ ..] = [1, 2, 4, 8].map(|world| {
        let output = mpirun(world, "everything").output().unwrap();
        assert!(output.status.success(), "{world}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    });
    assert!(alone.lines().count() == 16, "{alone}");
    others.iter().for_each(|other| assert_eq!(*other, alone));
}

/// Signals one rank of four while they add.
fn signalled(rank: usize, signal: Signal) {
    let mut child = mpirun(4, "sums").spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ranks = Vec::new();
    while ranks.len() < 4 {
        let line = lines.next().unwrap().unwrap();
        let mut words = line.split(' ').skip(1).step_by(2).map(|word| word.parse::<usize>().unwrap());
        ranks.push((words.next().unwrap(), words.next().unwrap()));
    }
    std::thread::sleep(Duration::from_millis(300));
    let (_, victim) = ranks.iter().find(|(number, _)| *number == rank).unwrap();
    kill_process(Pid::from_raw(*victim as i32).unwrap(), signal).unwrap();
    let (status, stderr) = ended_in_time(child);
    assert!(!status.success());
    if signal == Signal::STOP {
        let sentence = format!("error: rank {rank}: silent for 15 seconds, so all ranks end\n");
        assert_eq!(stderr.matches(&sentence).count(), 1, "{stderr}");
    }
    // mpirun may end before the system has cleared its children away; a zombie is no longer running.
    let began = Instant::now();
    let running = |process: usize| {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        !state.is_empty() && !state.rsplit(')').next().unwrap().starts_with(" Z")
    };
    while ranks.iter().any(|(_, process)| running(*process)) {
        assert!(began.elapsed() < IN_TIME, "{ranks:?}: one is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ended_in_time(mut child: Child) -> (ExitStatus, String) {
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > IN_TIME {
            child.kill().unwrap();
            panic!("still running after {IN_TIME:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (status, stderr)
}

fn failing() {
    let (status, stderr) = ended_in_time(mpirun(2, "fails").spawn().unwrap());
    assert!(!status.success());
    assert_eq!(stderr.matches("error: rank 1: no space left\n").count(), 1, "{stderr}");
}

fn ending() {
    let (status, stderr) = ended_in_time(mpirun(2, "ends").spawn().unwrap());
    assert!(!status.success());
    assert_eq!(stderr.matches("error: rank 1: ended before the others\n").count(), 1, "{stderr}");
}

fn differing() {
    let (status, stderr) = ended_in_time(mpirun(2, "differs").spawn().unwrap());
    assert!(!status.success());
    let sentence = "error: rank 1 has another recipe than rank 0: seed = 2 instead of seed = 1\n";
    assert_eq!(stderr.matches(sentence).count(), 1, "{stderr}");
}
