//! A first convolution that whitens its input.

use crate::eigen::eigen;
use crate::error::{Error, Result};
use cnn_core::network::Node;
use cnn_core::op::Conv;
use cnn_core::{Network, Op};
use cnn_data::{Images, Loader, Preparation};
use cnn_kernels::elementwise::add_products;
use cnn_weights::Tensor;
use serde::{Deserialize, Serialize};

/// Sets the first convolution, which must read the images themselves, to the principal directions of their patches, each
/// divided by its deviation (Coates and Ng 2012; Jordan 2024, section 3.2): its outputs are then uncorrelated and as large
/// as each other.
///
/// The filters are the directions, the widest first, then the same with the sign turned; filters beyond twice a patch's
/// numbers are drawn as ever. Whoever wants the filters to stay freezes them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Whitening {
    /// Training images to take patches of, spread evenly over the set.
    pub images: usize,
    /// Added to the variance of a direction.
    pub eps: f64,
}

impl Default for Whitening {
    fn default() -> Self {
        Self { images: 1000, eps: 5e-4 }
    }
}

/// Images at a time.
const BATCH: usize = 50;
/// The most rows, and the most columns, that patches of an image begin at.
const PLACES: usize = 32;
/// The most numbers of a patch: the directions of more take minutes.
const LARGEST: usize = 600;

impl Whitening {
    pub(crate) fn check(&self) -> Result<()> {
        let Self { images, eps } = *self;
        let holds = images > 0 && eps.is_finite() && eps > 0.0;
        if holds { Ok(()) } else { Err(refusal(format!("of {images} images with {eps} added needs both above 0"))) }
    }

    /// The convolution that is set.
    ///
    /// # Errors
    ///
    /// A network without one that reads the images, or with one of another kind.
    pub(crate) fn layer(network: &Network) -> Result<(&Node, &Conv)> {
        let name = network.name();
        let found = network.nodes().iter().find_map(|node| match &node.op {
            Op::Conv(conv) => Some((node, conv)),
            _ => None,
        });
        let (node, conv) = found.ok_or_else(|| refusal(format!("needs a convolution, and {name} has none")))?;
        let reads_images = node.inputs.iter().all(|input| matches!(network.node(*input).op, Op::Input));
        if !reads_images || conv.groups != 1 || conv.connections.is_some() {
            let problem = format!("{} of {name} does not see the images in all their channels", node.path);
            return Err(refusal(problem));
        }
        let numbers = node.tensors[0].dims[1..].iter().product::<usize>();
        match numbers {
            0..=LARGEST => Ok((node, conv)),
            more => Err(refusal(format!("{} sees {more} numbers, of which {LARGEST} are the most", node.path))),
        }
    }

    /// The weights of the network's first convolution, `drawn` where they are not set, and their name.
    pub(crate) fn weights(
        &self,
        network: &Network,
        images: &Images,
        preparation: &Preparation,
        drawn: &[f32],
    ) -> Result<(String, Tensor)> {
        let (node, conv) = Self::layer(network)?;
        let spec = &node.tensors[0];
        let size = spec.dims[1..].iter().product::<usize>();
        let (values, directions) = eigen(self.covariance(images, preparation, conv, size)?, size);
        let mut weights = drawn.to_vec();
        let signed = [1.0, -1.0].into_iter().flat_map(|sign| (0..size).map(move |direction| (direction, sign)));
        for (filter, (direction, sign)) in weights.chunks_exact_mut(size).zip(signed) {
            // The least variances may come out below 0 by rounding.
            let scale = sign / (values[direction].max(0.0) + self.eps).sqrt();
            for (place, weight) in filter.iter_mut().enumerate() {
                *weight = (directions[direction * size + place] * scale) as f32;
            }
        }
        Ok((spec.name.clone(), Tensor::new(&spec.name, &spec.dims, weights)?))
    }

    /// The covariance of the `size` numbers that the convolution sees, over patches of training images.
    fn covariance(&self, images: &Images, preparation: &Preparation, conv: &Conv, size: usize) -> Result<Vec<f64>> {
        let count = self.images.min(images.len());
        let chosen: Vec<usize> = (0..count).map(|place| place * images.len() / count).collect();
        let loader = Loader::new(images, preparation.clone(), BATCH)?;
        let mut moments = Moments { seen: 0.0, sums: vec![0.0; size], products: vec![0.0; size * size] };
        let mut patch = vec![0.0; size];
        for indices in chosen.chunks(BATCH) {
            let batch = loader.batch(indices)?;
            let shape = batch.shape;
            for image in batch.images.chunks_exact(shape.iter().product()) {
                each_patch(image, shape, conv, &mut patch, &mut |patch| moments.add(patch));
            }
        }
        moments.covariance().ok_or_else(|| refusal("needs images no smaller than the convolution's kernel".to_string()))
    }
}

/// Calls `visit` with patches of an image `(C, H, W)`, in the order of a filter's weights.
fn each_patch(
    image: &[f32],
    [channels, height, width]: [usize; 3],
    conv: &Conv,
    patch: &mut [f64],
    visit: &mut dyn FnMut(&[f64]),
) {
    let window = &conv.window;
    let (kernel, dilation) = (window.kernel, window.dilation);
    let places = |size: usize, kernel: usize, dilation: usize| {
        let last = size.checked_sub((kernel - 1) * dilation + 1);
        let step = last.map_or(1, |last| (last + 1).div_ceil(PLACES));
        last.into_iter().flat_map(move |last| (0..=last).step_by(step))
    };
    for row in places(height, kernel.height, dilation.height) {
        for column in places(width, kernel.width, dilation.width) {
            let mut numbers = patch.iter_mut();
            for channel in 0..channels {
                for down in 0..kernel.height {
                    let from = (channel * height + row + down * dilation.height) * width + column;
                    for right in 0..kernel.width {
                        if let Some(number) = numbers.next() {
                            *number = f64::from(image[from + right * dilation.width]);
                        }
                    }
                }
            }
            visit(patch);
        }
    }
}

/// Sums over patches.
struct Moments {
    seen: f64,
    sums: Vec<f64>,
    /// Of each pair of numbers, the second at or behind the first.
    products: Vec<f64>,
}

impl Moments {
    fn add(&mut self, patch: &[f64]) {
        self.seen += 1.0;
        self.sums.iter_mut().zip(patch).for_each(|(sum, number)| *sum += number);
        add_products(&mut self.products, patch);
    }

    /// `None` of no patch.
    fn covariance(&self) -> Option<Vec<f64>> {
        let size = self.sums.len();
        let mean = |place: usize| self.sums[place] / self.seen;
        let of = |first: usize, second: usize| {
            self.products[first.min(second) * size + first.max(second)] / self.seen - mean(first) * mean(second)
        };
        (self.seen > 0.0).then(|| (0..size * size).map(|place| of(place / size, place % size)).collect())
    }
}

fn refusal(problem: String) -> Error {
    Error::Setting { setting: "whitening", problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnn_core::definition::*;

    /// Images in which neighbours and channels are alike.
    fn images() -> Images {
        let pixel = |image: usize, place: usize| ((image * 37 + place / 3 * 11 + place % 5 * 7) * 29 % 251) as u8;
        let pixels = (0..12 * 2 * 6 * 7).map(|at| pixel(at / 84, at % 84)).collect();
        Images::new([2, 6, 7], pixels, vec![0; 12]).unwrap()
    }

    fn network(conv: Conv) -> Network {
        chain()
            .then("first", conv)
            .relu()
            .then("second", cnn_core::definition::conv(1).out(3))
            .named("small", [2, 6, 7])
            .at_usual_input()
            .unwrap()
    }

    #[test]
    fn outputs_are_uncorrelated_and_of_variance_one() {
        let (images, preparation) = (images(), Preparation::of(&images()).unwrap());
        let network = network(conv([2, 1]).out(11));
        let whitening = Whitening { images: 100, eps: 1e-9 };
        let drawn: Vec<f32> = (0..44).map(|at| at as f32).collect();
        let (name, tensor) = whitening.weights(&network, &images, &preparation, &drawn).unwrap();
        assert_eq!((name.as_str(), tensor.dims()), ("first.weight", &[11, 2, 2, 1][..]));
        let weights = tensor.numbers::<f32>("w").unwrap();
        // Four directions, the same turned, and three filters as they were drawn.
        assert!((0..16).all(|at| weights[at] == -weights[16 + at]));
        assert_eq!(weights[32..], drawn[32..]);
        let (_, conv) = Whitening::layer(&network).unwrap();
        let mut moments = Moments { seen: 0.0, sums: vec![0.0; 4], products: vec![0.0; 16] };
        let batch = Loader::new(&images, preparation, 12).unwrap().batch(&(0..12).collect::<Vec<_>>()).unwrap();
        for image in batch.images.chunks(84) {
            each_patch(image, [2, 6, 7], conv, &mut [0.0; 4], &mut |patch| {
                let output = |filter: usize| (0..4).map(|at| f64::from(weights[filter * 4 + at]) * patch[at]).sum();
                moments.add(&[0, 1, 2, 3].map(output));
            });
        }
        assert_eq!(moments.seen, (12 * 5 * 7) as f64);
        for (place, found) in moments.covariance().unwrap().into_iter().enumerate() {
            let expected = if place % 5 == 0 { 1.0 } else { 0.0 };
            assert!((found - expected).abs() < 1e-4, "{place}: {found}");
        }
    }

    #[test]
    fn what_cannot_be_whitened_is_refused() {
        let message = |network: &Network| Whitening::layer(network).unwrap_err().to_string();
        let grouped = message(&network(conv(1).out(4).groups(2)));
        assert_eq!(grouped, "whitening first of small does not see the images in all their channels");
        let behind = chain().relu().and(conv(1).out(2)).named("late", [1, 4, 4]).at_usual_input().unwrap();
        assert_eq!(message(&behind), "whitening conv of late does not see the images in all their channels");
        let none = chain().flatten().and(linear(2)).named("flat", [1, 4, 4]).at_usual_input().unwrap();
        assert_eq!(message(&none), "whitening needs a convolution, and flat has none");
        let wrong = Whitening { images: 0, eps: 1.0 }.check().unwrap_err().to_string();
        assert_eq!(wrong, "whitening of 0 images with 1 added needs both above 0");
        let padded = network(conv(9).out(4).pad(4));
        let found = Whitening::default().weights(&padded, &images(), &Preparation::of(&images()).unwrap(), &[0.0; 648]);
        assert_eq!(found.unwrap_err().to_string(), "whitening needs images no smaller than the convolution's kernel");
    }
}
