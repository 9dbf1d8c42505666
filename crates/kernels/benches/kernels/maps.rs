//! Operands, and positions to look at.

use cnn_kernels::{Buffer, LANES, Region, Sink, View};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Positions at which a result is held against plain loops.
pub const POSITIONS: usize = 200;

pub fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

/// Numbers between −1 and 1.
pub fn numbers(rng: &mut ChaCha8Rng, count: usize) -> Buffer<f32> {
    let mut numbers = Buffer::zeros(count);
    numbers.iter_mut().for_each(|x| *x = rng.random_range(-1.0..1.0));
    numbers
}

/// A batch of maps in blocks.
pub struct Maps {
    pub region: Region,
    pub data: Buffer<f32>,
}

impl Maps {
    pub fn zeros([batch, channels, height, width]: [usize; 4]) -> Self {
        let region = Region::new(batch, channels, [height, width]);
        Self { region, data: Buffer::zeros(region.len()) }
    }

    pub fn random(rng: &mut ChaCha8Rng, shape: [usize; 4]) -> Self {
        let mut maps = Self::zeros(shape);
        let (blocks, pixels) = (maps.region.blocks(), maps.region.pixels());
        for (number, pixel) in maps.data.chunks_exact_mut(LANES).enumerate() {
            let first = number / pixels % blocks * LANES;
            let channels = LANES.min(shape[1] - first);
            pixel[..channels].iter_mut().for_each(|x| *x = rng.random_range(-1.0..1.0));
        }
        maps
    }

    pub fn at(&self, [n, c, y, x]: [usize; 4]) -> f64 {
        f64::from(self.data[self.region.at(n, c / LANES, y, x) + c % LANES])
    }

    pub fn view(&self) -> View<'_, f32> {
        View::plain(&self.data, self.region)
    }

    pub fn sink(&mut self) -> Sink<'_, f32> {
        Sink::store(&mut self.data, self.region)
    }

    /// Holds random positions against `expected`, which gives a sum and that of its terms' sizes.
    pub fn check(&self, rng: &mut ChaCha8Rng, expected: impl Fn([usize; 4]) -> Terms) {
        let Region { batch, channels, height, width, .. } = self.region;
        for _ in 0..POSITIONS {
            let at = [batch, channels, height, width].map(|end| rng.random_range(0..end));
            expected(at).hold(self.at(at), &at);
        }
    }
}

/// A sum, with the sum of its terms' sizes, which is what its rounding errors are measured by.
#[derive(Clone, Copy, Default)]
pub struct Terms {
    sum: f64,
    size: f64,
}

impl Terms {
    pub fn one(x: f64) -> Self {
        Self { sum: x, size: x.abs() }
    }

    pub fn add(&mut self, x: f64) {
        self.sum += x;
        self.size += x.abs();
    }

    pub fn at_least(self, floor: f64) -> Self {
        Self { sum: self.sum.max(floor), ..self }
    }

    pub fn hold(&self, is: f64, at: &[usize]) {
        let (should, off) = (self.sum, (is - self.sum).abs());
        assert!(off <= 1e-5 * self.size + 1e-6, "at {at:?}: {is}, not {should}");
    }
}
