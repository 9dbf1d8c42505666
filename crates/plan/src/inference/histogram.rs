//! How often a node's values occur, and the range that loses least when it is divided by 255.

/// Bins on either side of 0.
const HALF: usize = 2048;
/// Ranges that are tried on each side.
const TRIED: usize = 128;
/// Steps of a range of 8 bits.
const STEPS: f64 = 255.0;

/// Counts of values in bins of one width, from `−reach` to `reach`. Where a value lies beyond, `reach` doubles and pairs
/// of bins become one, so what is counted does not depend on the order of the values.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    /// A power of two, beyond what `f32` holds for its largest values; 0 before the first value that is not 0.
    reach: f64,
    low: f32,
    high: f32,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; 2 * HALF], reach: 0.0, low: 0.0, high: 0.0 }
    }

    /// Counts values, all of them finite.
    pub(super) fn add(&mut self, values: &[f32]) {
        let (mut low, mut high) = (0.0_f32, 0.0_f32);
        for value in values {
            low = low.min(*value);
            high = high.max(*value);
        }
        (self.low, self.high) = (self.low.min(low), self.high.max(high));
        let largest = f64::from(high.max(-low));
        while self.reach <= largest {
            self.widen(largest);
        }
        let factor = (HALF as f64 / self.reach) as f32;
        for value in values {
            let bin = (value * factor + HALF as f32) as usize;
            self.counts[bin.min(2 * HALF - 1)] += 1;
        }
    }

    fn widen(&mut self, largest: f64) {
        if self.reach == 0.0 {
            // Whatever is smaller than the least of these is as good as 0.
            self.reach = f64::from(f32::MIN_POSITIVE) * HALF as f64;
            while self.reach <= largest && self.counts.iter().all(|count| *count == 0) {
                self.reach *= 2.0;
            }
            return;
        }
        self.reach *= 2.0;
        let mut counts = vec![0; 2 * HALF];
        for (bin, count) in self.counts.iter().enumerate() {
            counts[(bin + HALF) / 2] += count;
        }
        self.counts = counts;
    }

    /// The range with the least squared error, of values rounded to the nearest of 256 and cut off at the ends.
    pub(super) fn range(&self) -> [f32; 2] {
        let (mut low, mut high) = (f64::from(self.low), f64::from(self.high));
        let (lowest, highest) = (low, high);
        // One end after the other, twice.
        for _ in 0..2 {
            high = least(highest, |high| self.error(low, high));
            low = least(lowest, |low| self.error(low, high));
        }
        [low as f32, high as f32]
    }

    /// The squared error of all values.
    fn error(&self, low: f64, high: f64) -> f64 {
        let step = (high - low) / STEPS;
        let width = self.reach / HALF as f64;
        let mut all = 0.0;
        for (bin, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let value = (bin as f64 + 0.5) * width - self.reach;
            let beyond = (value - high).max(low - value).max(0.0);
            // 0 is kept as it is, and a ReLU gives many.
            let rounded = if bin == HALF && low == 0.0 { 0.0 } else { step * step / 12.0 };
            all += *count as f64 * if beyond > 0.0 { beyond * beyond } else { rounded };
        }
        all
    }
}

/// Of parts of an end, the one with the least error; the largest of several.
fn least(end: f64, error: impl Fn(f64) -> f64) -> f64 {
    let tried = (0..TRIED).map(|part| end * (TRIED - part) as f64 / TRIED as f64);
    let mut best = (end, error(end));
    for end in tried.skip(1) {
        let error = error(end);
        if error < best.1 {
            best = (end, error);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_values_does_not_matter() {
        let values: Vec<f32> = (0..5000).map(|i| ((i * 7919) % 4999) as f32 / 100.0 - 7.0).collect();
        let mut forward = Histogram::new();
        values.chunks(37).for_each(|part| forward.add(part));
        let mut backward = Histogram::new();
        values.rchunks(501).for_each(|part| backward.add(part));
        assert_eq!((&forward.counts, forward.range()), (&backward.counts, backward.range()));
        assert_eq!(forward.counts.iter().sum::<u64>(), 5000);
    }

    /// The largest reach is a power of two that `f32` does not hold.
    #[test]
    fn values_up_to_the_largest_are_counted() {
        let values: Vec<f32> = (0..=1000).map(|i| f32::MAX * (i as f32 / 1000.0)).collect();
        let mut histogram = Histogram::new();
        histogram.add(&values);
        assert_eq!(histogram.counts.iter().filter(|count| **count > 0).count(), 1001);
        let [low, high] = histogram.range();
        assert_eq!(low, 0.0);
        assert!(high > 0.97 * f32::MAX && high.is_finite(), "{high}");
    }

    #[test]
    fn evenly_spread_values_keep_their_range_and_a_single_far_one_is_cut_off() {
        let even: Vec<f32> = (0..100_000).map(|i| i as f32 / 1e5).collect();
        let mut histogram = Histogram::new();
        histogram.add(&even);
        let [low, high] = histogram.range();
        assert_eq!(low, 0.0);
        assert!((0.97..=1.0).contains(&high), "{high}");
        histogram.add(&[30.0]);
        let [_, high] = histogram.range();
        assert!(high < 30.0, "{high}");
        assert_eq!(Histogram::new().range(), [0.0, 0.0]);
    }
}
