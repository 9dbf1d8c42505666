//! The table of `docs/distributed.md`: which part of the time of 1 to 1024 ranks would compute.
//!
//! ```text
//! cargo run -p cnn-distributed --example step_time [IMAGES-PER-SECOND of LeNet, of ResNet-50, of VGG-16]
//! ```
//!
//! The rates are those of a rank alone; a rank's batch is 64 images, in one shard.

use cnn_distributed::time::{Overlap, Wires, Work};

/// Images of a rank's batch.
const BATCH: f64 = 64.0;
/// Bytes of a bucket.
const BUCKET: f64 = 262_144.0;
/// Bytes that one core adds in a second: two streams read and one written.
const ADDING: f64 = 8e9;

fn main() {
    // Parameters and layers with weights of torchvision's networks, and of LeNet-5 with 10 classes.
    let networks = [("LeNet", 61_706.0, 5), ("ResNet-50", 25_557_032.0, 54), ("VGG-16", 138_357_544.0, 16)];
    let given: Vec<f64> = std::env::args().skip(1).filter_map(|rate| rate.parse().ok()).collect();
    let Ok(rates) = <[f64; 3]>::try_from(given) else {
        eprintln!("Error: three numbers are needed, images per second of LeNet, ResNet-50 and VGG-16 on one rank");
        std::process::exit(2);
    };
    println!("| network | wires | buckets | 1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 1024 |");
    println!("| --- | --- | --- |{}", " ---: |".repeat(11));
    for ((network, parameters, layers), rate) in networks.into_iter().zip(rates) {
        let work = Work { compute: BATCH / rate, bytes: 4.0 * parameters, adding: ADDING, shards: 1 };
        // As many as are full, and no more than there are layers.
        let buckets = ((work.bytes / BUCKET) as usize).clamp(1, layers);
        for wires in [Wires::ETHERNET_10, Wires::FABRIC_100, Wires::NVLINK] {
            let some = format!("in {buckets}");
            for (name, overlap) in [("none", Overlap::None), (some.as_str(), Overlap::Buckets(buckets))] {
                let cells =
                    (0..=10).map(|level| format!(" {:.0} % |", 100.0 * work.efficiency(wires, 1 << level, overlap)));
                println!("| {network} | {} | {name} |{}", wires.name, cells.collect::<String>());
            }
        }
    }
}
