//! Several times of the same thing.

use std::time::Duration;

/// Times of the same thing, in ascending order.
#[derive(Clone, Debug)]
pub struct Times(Vec<f64>);

impl Times {
    /// Of these milliseconds.
    pub fn new(mut milliseconds: Vec<f64>) -> Self {
        milliseconds.sort_by(f64::total_cmp);
        Self(milliseconds)
    }

    /// The middle one, or the mean of the middle two. NaN if there is none.
    pub fn median(&self) -> f64 {
        match self.0.len() {
            0 => f64::NAN,
            n => (self.0[(n - 1) / 2] + self.0[n / 2]) / 2.0,
        }
    }

    /// The shortest. NaN if there is none.
    pub fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Times::new(vec![5.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(Times::new(vec![5.0, 1.0, 2.0, 4.0]).median(), 3.0);
        assert_eq!(Times::new(vec![5.0, 1.0]).min(), 1.0);
        assert!(Times::new(Vec::new()).median().is_nan());
    }
}
