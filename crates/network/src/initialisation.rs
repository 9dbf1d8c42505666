//! How tensors begin: the laws papers and libraries name, resolved to numbers when a network is elaborated.

use crate::seed;
use rand::Rng;
use rand_distr::StandardNormal;

/// A law of initialisation as papers name it, before the tensor's shape is known.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Law {
    /// Every element the same.
    Constant(f64),
    /// Normal with this standard deviation.
    Normal(f64),
    /// Normal with this standard deviation, drawn again outside ±2 (absolute, as torchvision's Inception has it).
    TruncatedNormal(f64),
    /// Normal, σ² = 2 / fan-in (He et al. 2015).
    KaimingFanIn,
    /// Normal, σ² = 2 / fan-out.
    KaimingFanOut,
    /// Uniform in ±√(6 / (fan-in + fan-out)) (Glorot and Bengio 2010).
    Xavier,
    /// Uniform in ±2.4/fan-in (LeCun et al. 1998, appendix A).
    LeCun,
    /// Uniform in ±1/√fan-in: torch's default for weights and biases of convolutions and linear layers.
    FanInUniform,
    /// The first outputs are the inputs, one each, by a one in the middle of the kernel; outputs beyond their number are
    /// drawn as by [`Law::FanInUniform`] (torch's `dirac_` over the first filters of its default).
    PartialIdentity,
}

/// A law with its numbers: what a tensor is filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// Every element the same.
    Constant(f64),
    /// Uniform in ±`bound`.
    Uniform {
        /// Largest magnitude.
        bound: f64,
    },
    /// Normal around 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Normal around 0, drawn again outside ±`bound`.
    TruncatedNormal {
        /// Standard deviation.
        std: f64,
        /// Largest magnitude.
        bound: f64,
    },
    /// A copy of each input in the first outputs; what is left is uniform in ±`bound`.
    PartialIdentity {
        /// Inputs of an output.
        inputs: usize,
        /// Height and width of the kernel.
        kernel: [usize; 2],
        /// Largest magnitude of outputs that copy nothing.
        bound: f64,
    },
}

/// Inputs that one output sees, and outputs that one input reaches, each times the kernel's taps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fans {
    /// Weights into one output.
    pub fan_in: usize,
    /// Weights out of one input.
    pub fan_out: usize,
    /// Height and width of the kernel, 1 of a linear layer.
    pub kernel: [usize; 2],
}

impl Law {
    /// The numbers of this law for a tensor of these fans.
    pub fn resolve(self, fans: Fans) -> Init {
        let [fan_in, fan_out] = [fans.fan_in, fans.fan_out].map(|fan| fan.max(1) as f64);
        match self {
            Self::Constant(value) => Init::Constant(value),
            Self::Normal(std) => Init::Normal { std },
            Self::TruncatedNormal(std) => Init::TruncatedNormal { std, bound: 2.0 },
            Self::KaimingFanIn => Init::Normal { std: (2.0 / fan_in).sqrt() },
            Self::KaimingFanOut => Init::Normal { std: (2.0 / fan_out).sqrt() },
            Self::Xavier => Init::Uniform { bound: (6.0 / (fan_in + fan_out)).sqrt() },
            Self::LeCun => Init::Uniform { bound: 2.4 / fan_in },
            Self::FanInUniform => Init::Uniform { bound: 1.0 / fan_in.sqrt() },
            Self::PartialIdentity => {
                let taps = fans.kernel[0].saturating_mul(fans.kernel[1]).max(1);
                Init::PartialIdentity { inputs: fans.fan_in / taps, kernel: fans.kernel, bound: 1.0 / fan_in.sqrt() }
            }
        }
    }
}

impl Init {
    /// `count` values for the tensor `name`, the same for the same seed whatever was drawn before.
    pub fn draw(self, seed: u64, name: &str, count: usize) -> Vec<f32> {
        let mut rng = seed::stream(seed, &format!("init {name}"));
        let mut draw_one = || match self {
            Self::Constant(value) => value,
            Self::Uniform { bound } | Self::PartialIdentity { bound, .. } => (rng.random::<f64>() * 2.0 - 1.0) * bound,
            Self::Normal { std } => rng.sample::<f64, _>(StandardNormal) * std,
            // Few draws of a wide normal lie within the bound: it is drawn from the uniform one instead, each value kept
            // as often as the normal density asks for.
            Self::TruncatedNormal { std, bound } if std.abs() > bound.abs() => loop {
                let value = (rng.random::<f64>() * 2.0 - 1.0) * bound;
                let density = (-0.5 * (value / std).powi(2)).exp();
                if rng.random::<f64>() < density || density.is_nan() {
                    break value;
                }
            },
            Self::TruncatedNormal { std, bound } => loop {
                let value = rng.sample::<f64, _>(StandardNormal) * std;
                // NaN ends the loop too.
                if value.is_nan() || bound.is_nan() || value.abs() <= bound.abs() {
                    break value;
                }
            },
        };
        let mut values: Vec<f32> = (0..count).map(|_| draw_one() as f32).collect();
        if let Self::PartialIdentity { inputs, kernel, .. } = self {
            copy_inputs(&mut values, inputs, kernel);
        }
        values
    }
}

/// Makes the first filters, each of as many values as inputs times places of the kernel, copy one input each.
fn copy_inputs(filters: &mut [f32], inputs: usize, [height, width]: [usize; 2]) {
    let taps = height.saturating_mul(width);
    let length = inputs.saturating_mul(taps);
    if length == 0 {
        return;
    }
    for (input, filter) in filters.chunks_exact_mut(length).take(inputs).enumerate() {
        filter.fill(0.0);
        filter[input * taps + height / 2 * width + width / 2] = 1.0;
    }
}

/// The laws of a whole network: one for each kind of tensor that is not simply zeros or ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheme {
    /// Weights of convolutions.
    pub conv: Law,
    /// Biases of convolutions.
    pub conv_bias: Law,
    /// Weights of linear layers.
    pub linear: Law,
    /// Biases of linear layers.
    pub linear_bias: Law,
}

impl Scheme {
    /// torch's defaults: everything uniform in ±1/√fan-in.
    pub const TORCH: Self = Self {
        conv: Law::FanInUniform,
        conv_bias: Law::FanInUniform,
        linear: Law::FanInUniform,
        linear_bias: Law::FanInUniform,
    };

    /// The book's: Xavier for weights, torch's default for biases.
    pub const XAVIER: Self = Self { conv: Law::Xavier, linear: Law::Xavier, ..Self::TORCH };

    /// The same law for the weights of convolutions.
    pub const fn conv(self, law: Law) -> Self {
        Self { conv: law, ..self }
    }

    /// The same law for the biases of convolutions.
    pub const fn conv_bias(self, law: Law) -> Self {
        Self { conv_bias: law, ..self }
    }

    /// The same law for the weights of linear layers.
    pub const fn linear(self, law: Law) -> Self {
        Self { linear: law, ..self }
    }

    /// The same law for the biases of linear layers.
    pub const fn linear_bias(self, law: Law) -> Self {
        Self { linear_bias: law, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FANS: Fans = Fans { fan_in: 50, fan_out: 200, kernel: [1, 1] };

    fn moments(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        (mean, (values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    #[test]
    fn every_law_has_the_spread_its_paper_gives() {
        for (law, std) in [
            (Law::Normal(0.01), 0.01),
            (Law::TruncatedNormal(0.1), 0.1),
            (Law::KaimingFanIn, (2.0f64 / 50.0).sqrt()),
            (Law::KaimingFanOut, (2.0f64 / 200.0).sqrt()),
            (Law::Xavier, (2.0f64 / 250.0).sqrt()),
            (Law::LeCun, 2.4 / 50.0 / 3.0f64.sqrt()),
            (Law::FanInUniform, (1.0f64 / 150.0).sqrt()),
        ] {
            let (mean, found) = moments(&law.resolve(FANS).draw(1, "w", 100_000));
            assert!(mean.abs() < std * 0.02 && (found / std - 1.0).abs() < 0.02, "{law:?}: {mean} {found} for {std}");
        }
    }

    #[test]
    fn a_truncated_normal_ends_for_any_numbers_and_keeps_its_bound() {
        let draw = |std, bound| Init::TruncatedNormal { std, bound }.draw(1, "w", 1000);
        for std in [0.0, -1.0, 1.0, 1e3, 1e300, f64::INFINITY, f64::NAN] {
            for bound in [0.0, 2.0, -2.0, f64::INFINITY, f64::NAN] {
                let values = draw(std, bound);
                let inside = |v: &f32| f64::from(v.abs()) <= bound.abs();
                assert!(std.is_nan() || bound.is_nan() || values.iter().all(inside), "{std} within {bound}");
            }
        }
        // A normal of σ = b, cut at ±b, spreads by 0.5396 b; a very wide one is uniform.
        for (std, spread) in [(2.0, 0.5396 * 2.0), (2.000_001, 0.5396 * 2.0), (1e6, 2.0 / 3.0f64.sqrt())] {
            let (mean, found) = moments(&Init::TruncatedNormal { std, bound: 2.0 }.draw(1, "w", 100_000));
            assert!(mean.abs() < 0.02 && (found / spread - 1.0).abs() < 0.02, "{std}: {mean} {found} for {spread}");
        }
    }

    /// `torch.nn.init.dirac_(w[:2])` of a `Conv2d(2, 3, 3)`: ones at [0, 0, 1, 1] and [1, 1, 1, 1], the third filter drawn.
    #[test]
    fn the_first_filters_copy_their_inputs() {
        let law = Law::PartialIdentity.resolve(Fans { fan_in: 18, fan_out: 27, kernel: [3, 3] });
        let values = law.draw(1, "w", 54);
        let ones: Vec<usize> = (0..36).filter(|place| values[*place] == 1.0).collect();
        assert_eq!(ones, [4, 18 + 9 + 4]);
        assert!(values[..36].iter().filter(|value| **value != 0.0).count() == 2);
        assert_eq!(
            values[36..],
            Law::FanInUniform.resolve(Fans { fan_in: 18, fan_out: 27, kernel: [3, 3] }).draw(1, "w", 54)[36..]
        );
        // `dirac_` of kernels of other sizes: the middle is the place behind the half.
        for (kernel, place) in [([2, 2], 3), ([4, 4], 10), ([2, 3], 4), ([1, 4], 2), ([3, 2], 3)] {
            let taps = kernel[0] * kernel[1];
            let law = Law::PartialIdentity.resolve(Fans { fan_in: taps, fan_out: taps, kernel });
            assert_eq!(law.draw(1, "w", taps).iter().position(|value| *value == 1.0), Some(place), "{kernel:?}");
        }
        // A kernel of no places copies nothing.
        let law_of = |kernel| Law::PartialIdentity.resolve(Fans { fan_in: 18, fan_out: 27, kernel });
        let empty = [[0, 5], [5, 0], [0, 0]].map(|kernel| law_of(kernel).draw(1, "w", 9));
        assert!(empty.iter().flatten().all(|value| value.abs() < 1.0));
        // Fewer outputs than inputs: each still copies one.
        assert_eq!(law.draw(1, "w", 18).iter().sum::<f32>(), 1.0);
    }

    #[test]
    fn a_tensor_depends_on_seed_and_name_alone() {
        let init = Law::KaimingFanIn.resolve(FANS);
        assert_eq!(init.draw(3, "a", 10), init.draw(3, "a", 20)[..10]);
        assert_ne!(init.draw(3, "a", 10), init.draw(3, "b", 10));
        assert_ne!(init.draw(3, "a", 10), init.draw(4, "a", 10));
    }
}
