//! Measures the pool of threads: how long a loop takes to begin and end, what a second thread gains alone and beside busy
//! processes, and how long many processes at once take.
//!
//! ```sh
//! cargo run --release -p cnn-kernels --example threads
//! ```

use cnn_kernels::threads::{for_each, set_threads};
use cnn_kernels::{Buffer, Conv, InstructionSet, Region, Sink, View};
use std::hint::black_box;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Convolutions of a ResNet, `(channels, size)`, computed one after the other.
const LAYERS: [(usize, usize); 4] = [(64, 56), (128, 28), (256, 14), (512, 7)];
/// Runs of all of them, of which the median is printed.
const RUNS: usize = 60;
/// Processes at once.
const PROCESSES: usize = 50;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("spin") => loop {
            black_box(());
        },
        Some("work") => {
            set_threads(2);
            Work::new().median(RUNS / 3);
        }
        _ => print(),
    }
}

fn print() {
    let all = set_threads(0);
    println!("fork and join with {all} threads: {:.2} µs, {:.2} µs after a pause", latency(0), latency(300));
    let mut work = Work::new();
    for busy in [0, 1, all] {
        let mut neighbours: Vec<_> = (0..busy).map(|_| start("spin")).collect();
        for threads in [1, 2, all] {
            set_threads(threads);
            println!("{busy} busy neighbours, {threads} threads: {:.2} ms", milliseconds(work.median(RUNS)));
        }
        for neighbour in &mut neighbours {
            neighbour.kill().and_then(|()| neighbour.wait()).expect("a neighbour ends");
        }
    }
    let started = Instant::now();
    start("work").wait().expect("it ends");
    let one = started.elapsed();
    let started = Instant::now();
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| start("work")).collect();
    processes.iter_mut().for_each(|process| assert!(process.wait().expect("it ends").success()));
    let many = started.elapsed();
    println!(
        "one process of two threads: {:.0} ms; {PROCESSES} at once: {:.0} ms, {:.0} each",
        milliseconds(one),
        milliseconds(many),
        milliseconds(many) / PROCESSES as f64
    );
}

fn start(what: &str) -> Child {
    let own = std::env::current_exe().expect("a program knows itself");
    Command::new(own).arg(what).spawn().expect("a process starts")
}

fn milliseconds(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

/// The median time of a loop of two tasks that do nothing, so many microseconds after the one before, in microseconds.
fn latency(pause: u64) -> f64 {
    let time = |_| {
        let pause_until = Instant::now() + Duration::from_micros(pause);
        while Instant::now() < pause_until {
            std::hint::spin_loop();
        }
        let started = Instant::now();
        for_each(2, |_| _ = black_box(0));
        started.elapsed()
    };
    let mut times: Vec<_> = (0..2000).map(time).collect();
    times.sort();
    1e6 * times[times.len() / 2].as_secs_f64()
}

/// One image's way through some convolutions.
struct Work {
    layers: Vec<(Conv, Region, [Buffer<f32>; 3])>,
}

impl Work {
    fn new() -> Self {
        let layer = |(channels, size): (usize, usize)| {
            let (kernel, one) = ([3, 3], [1, 1]);
            let (in_channels, out_channels) = (channels, channels);
            let conv = Conv { in_channels, out_channels, groups: 1, kernel, stride: one, padding: one, dilation: one };
            let region = Region::new(1, channels, [size, size]);
            let maps = || Buffer::from_slice(&vec![0.5; region.len()]);
            (conv, region, [maps(), maps(), Buffer::from_slice(&vec![0.01; conv.weights()])])
        };
        Self { layers: LAYERS.map(layer).into() }
    }

    fn median(&mut self, runs: usize) -> Duration {
        let set = InstructionSet::chosen();
        let mut run = || {
            let started = Instant::now();
            for _ in 0..8 {
                for (conv, region, [input, output, weights]) in &mut self.layers {
                    conv.forward(set, &View::plain(input, *region), weights, Sink::store(output, *region));
                }
            }
            started.elapsed()
        };
        let mut times: Vec<_> = (0..runs).map(|_| run()).collect();
        times.sort();
        times[runs / 2]
    }
}
