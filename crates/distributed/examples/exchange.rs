//! The time of an exchange between the ranks that `mpirun` has started, or between two threads; and what the model of
//! `cnn_distributed::time` says, where it is given the latency in microseconds and the gigabytes per second of a wire.
//!
//! ```text
//! cargo build -p cnn-distributed --features mpi --example exchange
//! mpirun -np 2 target/debug/examples/exchange [MICROSECONDS GIGABYTES-PER-SECOND]
//! ```

use cnn_distributed::time::{Wires, Work};
use cnn_distributed::{Ranks, Wire};
use std::time::Instant;

/// Bytes that one core adds in a second: two streams read and one written.
const ADDING: f64 = 8e9;

fn main() -> Result<(), cnn_distributed::Error> {
    let ranks = Ranks::join()?;
    if ranks.world() > 1 {
        return measure(ranks);
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = Ranks::threads(2)?.into_iter().map(|ranks| scope.spawn(|| measure(ranks))).collect();
        running.into_iter().try_for_each(|rank| rank.join().unwrap_or(Ok(())))
    })
}

/// Prints the median time of sums of several lengths, and of a broadcast of one byte.
fn measure(ranks: Ranks) -> Result<(), cnn_distributed::Error> {
    let median = |once: &mut dyn FnMut() -> Result<(), cnn_distributed::Error>, times: usize| {
        let mut seconds = Vec::new();
        for _ in 0..times {
            ranks.barrier()?;
            let began = Instant::now();
            once()?;
            seconds.push(began.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        Ok::<f64, cnn_distributed::Error>(seconds[times / 2])
    };
    let given: Vec<f64> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let wires = <[f64; 2]>::try_from(given).ok();
    let wires = wires.map(|[latency, rate]| Wires { name: "given", latency: 1e-6 * latency, bandwidth: 1e9 * rate });
    if ranks.is_first() {
        println!("{} ranks ({})", ranks.world(), ranks.place());
    }
    for (length, times) in [(1, 200), (4_096, 200), (61_706, 100), (1 << 20, 20), (1 << 23, 5)] {
        let mut numbers = vec![1.0; length];
        let seconds = median(&mut || ranks.sum(&mut numbers, Wire::F32), times)?;
        if ranks.is_first() {
            let work = Work { compute: 0.0, bytes: 4.0 * length as f64, adding: ADDING, shards: 1 };
            let said = wires.map(|wires| work.exchange(wires, ranks.world()));
            let said =
                said.map(|said| format!(", the model {:.0} µs ({:+.0} %)", 1e6 * said, 100.0 * (said / seconds - 1.0)));
            println!("sum of {length} numbers: {:.0} µs{}", 1e6 * seconds, said.unwrap_or_default());
        }
    }
    let mut byte = vec![1];
    let seconds = median(&mut || ranks.broadcast(0, &mut byte), 200)?;
    if ranks.is_first() {
        println!("broadcast of a byte: {:.0} µs", 1e6 * seconds);
    }
    ranks.finish()
}
