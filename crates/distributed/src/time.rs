//! A model of the time of a step on many ranks, from parts that can be measured.
//!
//! A step computes, then ranks exchange gradients: by recursive halving and back again, each rank sends and receives
//! 2 (w - 1) / w of the bytes in 2 log2 w messages, and adds half of what it receives (Thakur, Rabenseifner and Gropp 2005,
//! section 4). The model knows no congestion and no rank that is slower than others, so it is a lower bound.

/// What connects ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wires {
    /// What it is called.
    pub name: &'static str,
    /// Seconds until a message of no length is there.
    pub latency: f64,
    /// Bytes per second, each way.
    pub bandwidth: f64,
}

impl Wires {
    /// Ethernet of 10 Gb/s, by TCP.
    pub const ETHERNET_10: Self = Self { name: "10 GbE", latency: 30e-6, bandwidth: 1.25e9 };
    /// A fabric of 100 Gb/s.
    pub const FABRIC_100: Self = Self { name: "100 Gb/s", latency: 2e-6, bandwidth: 12.5e9 };
    /// The links between GPUs of one machine; 450 GB/s each way is NVLink 4's nominal sum.
    pub const NVLINK: Self = Self { name: "NVLink", latency: 5e-6, bandwidth: 450e9 };
}

/// What each rank does in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Seconds of computing.
    pub compute: f64,
    /// Bytes of gradients and statistics.
    pub bytes: f64,
    /// Bytes that a rank adds per second.
    pub adding: f64,
    /// Shards of a rank. They are computed one after the other, and only with the last are gradients whole and leave.
    pub shards: usize,
}

/// Whether the exchange goes on while the backward pass does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It begins when all gradients are there.
    None,
    /// It begins when the first bucket is there, and hides behind the rest of the last shard's backward pass.
    Buckets(usize),
}

/// The part of computing that is the backward pass: two of its three products.
const BACKWARD: f64 = 2.0 / 3.0;

impl Work {
    /// Seconds of the exchange between `world` ranks, a power of two.
    pub fn exchange(&self, wires: Wires, world: usize) -> f64 {
        let levels = f64::from(world.max(1).ilog2());
        let part = 1.0 - 1.0 / world.max(1) as f64;
        2.0 * levels * wires.latency + 2.0 * part * self.bytes / wires.bandwidth + part * self.bytes / self.adding
    }

    /// Seconds of a step.
    pub fn step(&self, wires: Wires, world: usize, overlap: Overlap) -> f64 {
        let whole = self.exchange(wires, world);
        let shown = match overlap {
            Overlap::None => whole,
            Overlap::Buckets(count) => {
                // Each bucket pays the latency; the last begins when the backward pass ends.
                let count = count.max(1) as f64;
                let bucket = Self { bytes: self.bytes / count, ..*self }.exchange(wires, world);
                (count * bucket - self.compute * BACKWARD / self.shards.max(1) as f64).max(bucket)
            }
        };
        self.compute + if world > 1 { shown } else { 0.0 }
    }

    /// The part of the ranks' time that computes, from 0 to 1, where each rank has as much work as one alone.
    pub fn efficiency(&self, wires: Wires, world: usize, overlap: Overlap) -> f64 {
        self.compute / self.step(wires, world, overlap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work = Work { compute: 1.0, bytes: 1e9, adding: 1e10, shards: 1 };
    const WIRES: Wires = Wires { name: "test", latency: 1e-3, bandwidth: 1e9 };

    #[test]
    fn the_exchange_is_the_sum_of_its_parts() {
        // Two messages of half the bytes, and half of them added.
        assert!((WORK.exchange(WIRES, 2) - (2e-3 + 1.0 + 0.05)).abs() < 1e-12);
        assert!((WORK.exchange(WIRES, 8) - (6e-3 + 1.75 + 0.0875)).abs() < 1e-12);
        assert_eq!(WORK.step(WIRES, 1, Overlap::None), 1.0);
    }

    #[test]
    fn what_is_hidden_is_at_most_the_backward_pass() {
        let (plain, hidden) = (WORK.step(WIRES, 8, Overlap::None), WORK.step(WIRES, 8, Overlap::Buckets(4)));
        assert!((plain - hidden - (BACKWARD - 3.0 * 6e-3)).abs() < 1e-12, "{plain} {hidden}");
        let four = Work { shards: 4, ..WORK };
        let hidden = four.step(WIRES, 8, Overlap::Buckets(4));
        assert!((plain - hidden - (BACKWARD / 4.0 - 3.0 * 6e-3)).abs() < 1e-12, "{plain} {hidden}");
        // A long step shows its last bucket alone.
        let long = Work { compute: 100.0, ..WORK };
        let bucket = Work { bytes: 0.25e9, ..WORK }.exchange(WIRES, 8);
        assert!((long.step(WIRES, 8, Overlap::Buckets(4)) - 100.0 - bucket).abs() < 1e-12);
    }
}
