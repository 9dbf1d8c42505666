//! What differs between the narrow numbers: how weights are rounded, and what a number stands for.

use crate::Numeric;
use cnn_kernels::inference::Products;
use cnn_kernels::narrow::{Format, Quantisation, Weights, bf16, quantise_weights};
use cnn_kernels::{Conv, InstructionSet};

/// Real numbers as they are.
pub(super) const REAL: Quantisation = Quantisation { scale: 1.0, zero: 0 };

/// A narrow number that maps are made of.
pub(in crate::inference) trait Narrow: Format {
    /// What it is to a caller of the plan.
    const NUMERIC: Numeric;
    /// What a convolution of such numbers is called.
    const CONVOLUTION: &'static str;
    /// Whether its results may depend on nothing but the network and its weights: then what is computed in `f32` between
    /// is computed by the portable kernels, which give the same bits everywhere.
    const SAME_EVERYWHERE: bool;
    /// Whether a sum of products fits.
    fn fits(conv: &Conv) -> bool;
    /// Rounds and packs weights; gives what one of each output stands for.
    fn pack(conv: &Conv, set: InstructionSet, weights: &[f32]) -> (Weights<Self>, Vec<f32>);
    /// The number that stands for 0.
    fn zero(quantisation: Quantisation) -> Self;
    /// What a convolution multiplies directly, where Winograd's algorithm may be faster with products of `f32`. Sums are
    /// others then.
    const PRODUCTS: Option<Products>;
    /// Whether a first convolution gains where pictures lie in cells of four pixels.
    const PICTURES: bool;
}

impl Narrow for bf16 {
    const NUMERIC: Numeric = Numeric::Bf16;
    const CONVOLUTION: &'static str = "direct bf16";
    const SAME_EVERYWHERE: bool = false;
    const PRODUCTS: Option<Products> = Some(Products::Bf16);
    const PICTURES: bool = true;

    fn fits(_: &Conv) -> bool {
        true
    }

    fn pack(conv: &Conv, set: InstructionSet, weights: &[f32]) -> (Weights<Self>, Vec<f32>) {
        (Weights::<bf16>::new(conv, set, weights), vec![1.0; conv.out_channels])
    }

    fn zero(_: Quantisation) -> Self {
        Self::ZERO
    }
}

impl Narrow for u8 {
    const NUMERIC: Numeric = Numeric::Int8;
    const CONVOLUTION: &'static str = "direct int8";
    const SAME_EVERYWHERE: bool = true;
    const PRODUCTS: Option<Products> = None;
    const PICTURES: bool = true;

    fn fits(conv: &Conv) -> bool {
        Weights::<u8>::fits(conv)
    }

    fn pack(conv: &Conv, set: InstructionSet, weights: &[f32]) -> (Weights<Self>, Vec<f32>) {
        let (weights, scales) = quantise_weights(conv, weights);
        (Weights::<u8>::new(conv, set, &weights), scales)
    }

    fn zero(quantisation: Quantisation) -> Self {
        quantisation.zero
    }
}
