//! Which pixels a class's score depends on.

use crate::error::{Error, Result};
use crate::explainer::Explainer;
use crate::heat::Heat;
use crate::maps::Maps;
use cnn_network::seed::stream;
use rand_distr::{Distribution, StandardNormal};

/// Images that go through the network at a time.
const TOGETHER: usize = 8;

/// Gradients averaged over noisy copies of an image (Smilkov et al. 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothGrad {
    /// Noisy copies.
    pub samples: usize,
    /// The noise's standard deviation, as a share of the distance between the image's least and greatest number.
    pub noise: f64,
    /// The seed of the noise.
    pub seed: u64,
}

impl Default for SmoothGrad {
    /// 32 copies with a noise of 0.15, about the middle of what its authors recommend.
    fn default() -> Self {
        Self { samples: 32, noise: 0.15, seed: 0 }
    }
}

impl Explainer {
    /// The gradient of a class's score with respect to an image, of the image's shape.
    ///
    /// # Errors
    ///
    /// As [`Explainer::slopes`].
    pub fn input_gradient(&mut self, image: &[f32], class: usize) -> Result<Maps> {
        self.check_image(image)?;
        self.input_gradient_through(image, class, false)
    }

    /// Guided backpropagation (Springenberg et al. 2015): the gradient with respect to an image, where each ReLU lets
    /// through neither what is negative forward nor what is negative backward.
    ///
    /// # Errors
    ///
    /// As [`Explainer::slopes`].
    pub fn guided_backpropagation(&mut self, image: &[f32], class: usize) -> Result<Maps> {
        self.check_image(image)?;
        self.input_gradient_through(image, class, true)
    }

    fn input_gradient_through(&mut self, image: &[f32], class: usize, guided: bool) -> Result<Maps> {
        let input: Vec<_> = self.network().ids().take(1).collect();
        let guides = if guided { self.rectifiers() } else { Vec::new() };
        let positive = |gradient: &mut [f32]| gradient.iter_mut().for_each(|g| *g = g.max(0.0));
        let mut slopes = self.slopes_through(image, &[class], &input, &guides, positive)?;
        Ok(slopes.swap_remove(0).swap_remove(0).gradient)
    }

    /// Saliency (Simonyan et al. 2014): how much a class's score depends on each pixel, the greatest magnitude of its
    /// channels' gradients.
    ///
    /// # Errors
    ///
    /// As [`Explainer::slopes`].
    pub fn saliency(&mut self, image: &[f32], class: usize) -> Result<Heat> {
        Ok(greatest(&self.input_gradient(image, class)?))
    }

    /// The gradient with respect to an image, averaged over noisy copies: less of it is chance.
    ///
    /// # Errors
    ///
    /// As [`Explainer::slopes`]; no copies, a noise that is no share.
    pub fn smooth_gradient(&mut self, image: &[f32], class: usize, smooth: SmoothGrad) -> Result<Maps> {
        self.smooth_gradient_told(image, class, smooth, &mut |_| {})
    }

    /// [`Explainer::smooth_gradient`], where `done` is told of so many more copies.
    pub(crate) fn smooth_gradient_told(
        &mut self,
        image: &[f32],
        class: usize,
        smooth: SmoothGrad,
        done: &mut dyn FnMut(usize),
    ) -> Result<Maps> {
        self.check_image(image)?;
        let SmoothGrad { samples, noise, seed } = smooth;
        if samples == 0 {
            return Err(Error::Setting { what: "the number of samples", expected: "1 or more", found: "0".into() });
        }
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(Error::Setting { what: "the noise", expected: "0 or more", found: noise.to_string() });
        }
        let least = image.iter().copied().fold(f32::INFINITY, f32::min);
        let greatest = image.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let deviation = noise as f32 * (greatest - least);
        let mut random = stream(seed, "smooth gradient");
        let input: Vec<_> = self.network().ids().take(1).collect();
        let mut sum = vec![0.0f64; image.len()];
        let mut left = samples;
        while left > 0 {
            let batch = left.min(TOGETHER);
            let copies: Vec<f32> = (0..batch)
                .flat_map(|_| image.iter())
                .map(|x| x + deviation * Distribution::<f32>::sample(&StandardNormal, &mut random))
                .collect();
            for slopes in self.slopes(&copies, &vec![class; batch], &input)? {
                sum.iter_mut().zip(&slopes[0].gradient.numbers).for_each(|(sum, g)| *sum += f64::from(*g));
            }
            left -= batch;
            done(batch);
        }
        let numbers = sum.into_iter().map(|x| (x / samples as f64) as f32).collect();
        Ok(Maps { shape: self.network().input(), numbers })
    }

    /// Occlusion (Zeiler and Fergus 2014): how much of a class's probability is lost when a square of the image is
    /// covered with `cover`, for squares of `side` pixels, `step` apart; negative where covering it helps. A place of
    /// the result is a square.
    ///
    /// # Errors
    ///
    /// As [`Explainer::probabilities`]; squares of no size or larger than the image, a network that reads vectors.
    pub fn occlusion(&self, image: &[f32], class: usize, occlusion: Occlusion) -> Result<Heat> {
        self.check_image(image)?;
        let Occlusion { side, step, cover } = occlusion;
        let classes = self.classes()?;
        if class >= classes {
            return Err(Error::Class { network: self.network().name().to_string(), class, classes });
        }
        let [height, width] = self.network().input().size().map_or([1, 1], |size| size.axes());
        if side == 0 || step == 0 || side > height.min(width) {
            let found = format!("{side} and {step}");
            return Err(Error::Setting {
                what: "the side and the step of the squares",
                expected: "1 or more, the side no longer than the image's",
                found,
            });
        }
        let size = [height, width].map(|length| (length - side).div_ceil(step) + 1);
        let before = self.probabilities(image)?[0][class];
        let places: Vec<[usize; 2]> = (0..size[0])
            .flat_map(|row| (0..size[1]).map(move |column| [row, column]))
            // The last square ends where the image does.
            .map(|[row, column]| [(row * step).min(height - side), (column * step).min(width - side)])
            .collect();
        let mut numbers = Vec::with_capacity(places.len());
        for places in places.chunks(TOGETHER) {
            let mut covered = image.repeat(places.len());
            for (image, [top, left]) in covered.chunks_exact_mut(image.len()).zip(places) {
                for plane in image.chunks_exact_mut(height * width) {
                    plane.chunks_exact_mut(width).skip(*top).take(side).for_each(|row| {
                        row[*left..left + side].fill(cover);
                    });
                }
            }
            numbers.extend(self.probabilities(&covered)?.iter().map(|after| before - after[class]));
        }
        Ok(Heat { size, numbers })
    }
}

/// The squares that cover an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occlusion {
    /// Pixels of a side.
    pub side: usize,
    /// Pixels between two squares.
    pub step: usize,
    /// The number that covers, as the network reads it: 0 is the mean colour of the usual preparation.
    pub cover: f32,
}

/// For each pixel the greatest magnitude of its channels.
pub fn greatest(gradient: &Maps) -> Heat {
    let size = gradient.size();
    let mut numbers = vec![0.0f32; size[0] * size[1]];
    for channel in gradient.channels() {
        numbers.iter_mut().zip(channel).for_each(|(most, g)| *most = most.max(g.abs()));
    }
    Heat { size, numbers }
}
