//! A first convolution that whitens its input.

use crate::error::{Error, Result};
use cnn_core::network::Node;
use cnn_core::op::Conv;
use cnn_core::{Network, Op};
use cnn_data::{Images, Loader, PatchWindow, Patches, Preparation};
use cnn_figures::number;
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
/// The most numbers of a patch: the directions of more take minutes.
const LARGEST: usize = 600;

impl Whitening {
    pub(crate) fn check(&self) -> Result<()> {
        let Self { images, eps } = *self;
        let holds = images > 0 && eps.is_finite() && eps > 0.0;
        if holds {
            Ok(())
        } else {
            Err(refusal(format!("of {images} images with {} added needs both above 0", number(eps))))
        }
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
        let patches = self.patches(images, preparation, conv, spec.dims[1])?;
        let covariance = patches
            .covariance()
            .ok_or_else(|| refusal("needs images no smaller than the convolution's kernel".to_string()))?;
        let (variances, directions) = directions(covariance, size)?;
        let mut weights = drawn.to_vec();
        let signed = [1.0, -1.0].into_iter().flat_map(|sign| (0..size).map(move |direction| (direction, sign)));
        for (filter, (direction, sign)) in weights.chunks_exact_mut(size).zip(signed) {
            // The least variances may come out below 0 by rounding.
            let scale = sign / (variances[direction].max(0.0) + self.eps).sqrt();
            for (place, weight) in filter.iter_mut().enumerate() {
                *weight = (directions[direction * size + place] * scale) as f32;
            }
        }
        Ok((spec.name.clone(), Tensor::new(&spec.name, &spec.dims, weights)?))
    }

    /// Patches of training images, as the convolution sees them.
    fn patches(&self, images: &Images, preparation: &Preparation, conv: &Conv, channels: usize) -> Result<Patches> {
        let (kernel, dilation) = (conv.window.kernel, conv.window.dilation);
        let window = PatchWindow { kernel: [kernel.height, kernel.width], dilation: [dilation.height, dilation.width] };
        let count = self.images.min(images.len());
        let chosen: Vec<usize> = (0..count).map(|place| place * images.len() / count).collect();
        let loader = Loader::new(images, preparation.clone(), BATCH)?;
        let mut patches = Patches::new(window, channels);
        for indices in chosen.chunks(BATCH) {
            let batch = loader.batch(indices)?;
            for image in batch.images.chunks_exact(batch.shape.iter().product()) {
                patches.add(image, batch.shape[2]);
            }
        }
        Ok(patches)
    }
}

/// The directions in which patches differ, the widest first, each of length 1, and the variance of each before them.
#[cfg(feature = "whitening")]
fn directions(covariance: Vec<f64>, size: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    Ok(crate::eigen::eigen(covariance, size))
}

#[cfg(not(feature = "whitening"))]
fn directions(_: Vec<f64>, _: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    Err(Error::WhiteningFeature)
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
    #[cfg(feature = "whitening")]
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
        let batch = Loader::new(&images, preparation, 12).unwrap().batch(&(0..12).collect::<Vec<_>>()).unwrap();
        let mut outputs = Vec::new();
        for image in batch.images.chunks(84) {
            for (row, column) in (0..5).flat_map(|row| (0..7).map(move |column| (row, column))) {
                let patch = [0, 7, 42, 49].map(|at| f64::from(image[at + row * 7 + column]));
                let output = |filter: usize| (0..4).map(|at| f64::from(weights[filter * 4 + at]) * patch[at]).sum();
                outputs.push([0, 1, 2, 3].map(output));
            }
        }
        assert_eq!(outputs.len(), 12 * 5 * 7);
        let mean = |of: &dyn Fn(&[f64; 4]) -> f64| outputs.iter().map(of).sum::<f64>() / outputs.len() as f64;
        for (first, second) in (0..4).flat_map(|first| (0..4).map(move |second| (first, second))) {
            let means = [first, second].map(|filter| mean(&|output| output[filter]));
            let found = mean(&|output| (output[first] - means[0]) * (output[second] - means[1]));
            let expected = if first == second { 1.0 } else { 0.0 };
            assert!((found - expected).abs() < 1e-4, "{first}, {second}: {found}");
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
