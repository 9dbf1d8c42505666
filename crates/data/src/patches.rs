//! The patches that a convolution's window sees in images, and how they differ.

use rayon::prelude::*;

/// The most rows, and the most columns, that patches of an image begin at.
const PLACES: usize = 32;

/// A window over images `(C, H, W)`: rows and columns of its taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchWindow {
    /// Taps.
    pub kernel: [usize; 2],
    /// Pixels from a tap to the next.
    pub dilation: [usize; 2],
}

/// Sums over patches of images, from which their covariance comes. The same bits whatever the threads.
#[derive(Clone, Debug)]
pub struct Patches {
    window: PatchWindow,
    channels: usize,
    seen: usize,
    sums: Vec<f64>,
    /// Of each pair of numbers, the second at or behind the first.
    products: Vec<f64>,
}

impl Patches {
    /// Before the first image.
    ///
    /// # Panics
    ///
    /// Where the window has no taps, or there are no channels.
    pub fn new(window: PatchWindow, channels: usize) -> Self {
        assert!(
            channels > 0 && !window.kernel.contains(&0),
            "a window of {:?} over {channels} channels",
            window.kernel
        );
        let size = channels * window.kernel[0] * window.kernel[1];
        Self { window, channels, seen: 0, sums: vec![0.0; size], products: vec![0.0; size * size] }
    }

    /// How many have been seen.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// Adds patches of an image of rows of `width` pixels, in the order of a filter's weights; from one that is smaller than
    /// the window none, from a large one at 32 places a row and column at most, which lie evenly.
    ///
    /// # Panics
    ///
    /// Where `image` is not so many channels of whole rows.
    pub fn add(&mut self, image: &[f32], width: usize) {
        let size = self.sums.len();
        let patches = self.of(image, width);
        self.seen += patches.len() / size.max(1);
        for patch in patches.chunks_exact(size.max(1)) {
            self.sums.iter_mut().zip(patch).for_each(|(sum, number)| *sum += number);
        }
        self.products.par_chunks_exact_mut(size.max(1)).enumerate().for_each(|(first, row)| {
            for patch in patches.chunks_exact(size) {
                let number = patch[first];
                row[first..].iter_mut().zip(&patch[first..]).for_each(|(sum, other)| *sum += number * other);
            }
        });
    }

    /// The patches of an image, one after the other.
    fn of(&self, image: &[f32], width: usize) -> Vec<f64> {
        let Self { window: PatchWindow { kernel, dilation }, channels, .. } = *self;
        let height = image.len() / (channels * width).max(1);
        assert_eq!(image.len(), channels * height * width, "{channels} channels of rows of {width} pixels");
        let places = |size: usize, kernel: usize, dilation: usize| {
            let last = size.checked_sub((kernel - 1) * dilation + 1);
            let step = last.map_or(1, |last| (last + 1).div_ceil(PLACES));
            last.into_iter().flat_map(move |last| (0..=last).step_by(step))
        };
        let mut patches = Vec::new();
        for row in places(height, kernel[0], dilation[0]) {
            for column in places(width, kernel[1], dilation[1]) {
                for (channel, down) in (0..channels).flat_map(|channel| (0..kernel[0]).map(move |down| (channel, down)))
                {
                    let from = (channel * height + row + down * dilation[0]) * width + column;
                    patches.extend((0..kernel[1]).map(|right| f64::from(image[from + right * dilation[1]])));
                }
            }
        }
        patches
    }

    /// The covariance of the numbers of a patch, row after row; `None` of no patch.
    pub fn covariance(&self) -> Option<Vec<f64>> {
        let (size, seen) = (self.sums.len(), self.seen as f64);
        let mean = |place: usize| self.sums[place] / seen;
        let of = |first: usize, second: usize| {
            self.products[first.min(second) * size + first.max(second)] / seen - mean(first) * mean(second)
        };
        (self.seen > 0).then(|| (0..size * size).map(|place| of(place / size, place % size)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(seed: usize, length: usize) -> Vec<f32> {
        (0..length).map(|at| ((at * 7919 + seed * 104_729) % 211) as f32 / 100.0 - 1.0).collect()
    }

    /// Every patch by hand, two rows two apart and two columns of two channels of 5×4.
    #[test]
    fn patches_are_those_of_the_window() {
        let window = PatchWindow { kernel: [2, 2], dilation: [2, 1] };
        let mut found = Patches::new(window, 2);
        let images = [image(1, 40), image(2, 40)];
        images.iter().for_each(|image| found.add(image, 4));
        let mut patches = Vec::new();
        for image in &images {
            for (row, column) in (0..3).flat_map(|row| (0..3).map(move |column| (row, column))) {
                let mut patch = Vec::new();
                for (channel, down, right) in [0, 1].iter().flat_map(|c| [(c, 0, 0), (c, 0, 1), (c, 1, 0), (c, 1, 1)]) {
                    patch.push(f64::from(image[channel * 20 + (row + 2 * down) * 4 + column + right]));
                }
                patches.push(patch);
            }
        }
        assert_eq!((found.seen(), patches.len()), (18, 18));
        let mean = |place: usize| patches.iter().map(|patch| patch[place]).sum::<f64>() / 18.0;
        for (place, found) in found.covariance().unwrap().into_iter().enumerate() {
            let (first, second) = (place / 8, place % 8);
            let away = |patch: &Vec<f64>| (patch[first] - mean(first)) * (patch[second] - mean(second));
            let expected = patches.iter().map(away).sum::<f64>() / 18.0;
            assert!((found - expected).abs() < 1e-14, "{first}, {second}: {found} {expected}");
        }
    }

    #[test]
    fn no_patch_has_no_covariance() {
        let mut patches = Patches::new(PatchWindow { kernel: [3, 3], dilation: [1, 1] }, 1);
        patches.add(&[1.0; 4], 2);
        assert_eq!((patches.seen(), patches.covariance()), (0, None));
    }

    #[test]
    fn large_images_are_looked_at_in_places_that_lie_evenly() {
        let mut patches = Patches::new(PatchWindow { kernel: [2, 2], dilation: [1, 1] }, 1);
        patches.add(&image(3, 100 * 34), 34);
        // 99 rows in steps of 4, 33 columns in steps of 2.
        assert_eq!(patches.seen(), 25 * 17);
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let of = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut patches = Patches::new(PatchWindow { kernel: [3, 3], dilation: [1, 1] }, 3);
            pool.install(|| (0..4).for_each(|seed| patches.add(&image(seed, 3 * 11 * 13), 13)));
            patches.covariance().unwrap()
        };
        assert_eq!(of(1), of(2));
        assert_eq!(of(1), of(5));
    }
}
