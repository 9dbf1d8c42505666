//! A map over an image: how much each place has to do with a class.

/// Numbers over an image, coarser than it or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// Height and width.
    pub size: [usize; 2],
    /// Row by row.
    pub numbers: Vec<f32>,
}

impl Heat {
    /// The same numbers from 0 to 1: the least becomes 0, the greatest 1, as the package `grad-cam` scales them.
    #[must_use]
    pub fn scaled(mut self) -> Self {
        let least = self.numbers.iter().copied().fold(f32::INFINITY, f32::min);
        let extent = self.numbers.iter().map(|x| x - least).fold(0.0, f32::max) + 1e-7;
        self.numbers.iter_mut().for_each(|x| *x = (*x - least) / extent);
        self
    }

    /// The heat at another size, linearly between the middles of its places; at the edge the outermost place goes on.
    #[must_use]
    pub fn resized(&self, size: [usize; 2]) -> Self {
        let axes = [0, 1].map(|axis| between(self.size[axis], size[axis]));
        let mut numbers = Vec::with_capacity(size[0] * size[1]);
        for &(row, next_row, down) in &axes[0] {
            for &(column, next_column, right) in &axes[1] {
                let at = |row: usize, column: usize| f64::from(self.numbers[row * self.size[1] + column]);
                let above = at(row, column) * (1.0 - right) + at(row, next_column) * right;
                let below = at(next_row, column) * (1.0 - right) + at(next_row, next_column) * right;
                numbers.push((above * (1.0 - down) + below * down) as f32);
            }
        }
        Self { size, numbers }
    }
}

/// For each of `out` places the two of `n` that it lies between, and its share of the second.
fn between(n: usize, out: usize) -> Vec<(usize, usize, f64)> {
    let last = n.saturating_sub(1);
    let place = |o: usize| {
        let at = ((o as f64 + 0.5) * n as f64 / out as f64 - 0.5).clamp(0.0, last as f64);
        let first = at.floor() as usize;
        (first, (first + 1).min(last), at - first as f64)
    };
    (0..out).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_goes_on_and_the_middle_is_linear() {
        let heat = Heat { size: [1, 2], numbers: vec![0.0, 1.0] };
        assert_eq!(heat.resized([1, 4]).numbers, [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(heat.resized([2, 2]).numbers, [0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn scaled_heat_is_from_0_to_1() {
        let heat = Heat { size: [1, 3], numbers: vec![-2.0, 0.0, 6.0] }.scaled();
        assert!((heat.numbers[1] - 0.25).abs() < 1e-6 && heat.numbers[0] == 0.0 && heat.numbers[2] <= 1.0);
        assert_eq!(Heat { size: [1, 2], numbers: vec![3.0; 2] }.scaled().numbers, [0.0; 2]);
    }
}
