//! Where the kernels are compiled: for `f32` and for `f64`, in this crate, once.
//!
//! A kernel is generic over its numbers. If callers used it directly, each crate that does would compile it again. So a
//! public function only calls the function of [`Instances`] that belongs to it, which is not generic: `Conv::forward_by`
//! calls `T::conv_forward`, and that runs `Conv::compute_forward_by`. The list at the end is all of them.

use crate::activation::Activation;
use crate::conv::{Algorithm, Conv};
use crate::copy::Ranges;
use crate::linear::{Linear, Part};
use crate::loss::{CrossEntropy, Targets};
use crate::lrn::Lrn;
use crate::pool::{Average, Max};
use crate::region::Region;
use crate::simd::InstructionSet;
use crate::sink::{Moments, Sink};
use crate::update::Update;
use crate::view::View;
use crate::{activation, copy, flatten, moments, region};

crate::instances! {
    /// The kernels, compiled for one type of number.
    for f32, f64 where Sized;
    {
        fn conv_forward(
            this: &Conv, algorithm: Algorithm, set: InstructionSet, input: &View<'_, Self>, weights: &[Self],
            output: Sink<'_, Self>,
        ) { Conv::compute_forward_by }
        fn conv_backward_input(
            this: &Conv, algorithm: Algorithm, set: InstructionSet, gradient: &View<'_, Self>, weights: &[Self],
            input: Sink<'_, Self>,
        ) { Conv::compute_backward_input_by }
        fn conv_backward_weights(
            this: &Conv, algorithm: Algorithm, set: InstructionSet, input: &View<'_, Self>, gradient: &View<'_, Self>,
            weights: &mut [Self],
        ) { Conv::compute_backward_weights_by }
        fn linear_forward(
            this: &Linear, set: InstructionSet, input: &View<'_, Self>, weights: &[Self], output: Sink<'_, Self>,
        ) { Linear::compute_forward }
        fn linear_backward_input(
            this: &Linear, set: InstructionSet, gradient: &View<'_, Self>, weights: &[Self], input: Sink<'_, Self>,
        ) { Linear::compute_backward_input }
        fn linear_backward_weights(
            this: &Linear, set: InstructionSet, input: &View<'_, Self>, gradient: &View<'_, Self>, weights: &mut [Self],
            memory: [&mut [Self]; 2], update: &Part<'_, Self>,
        ) { Linear::compute_backward_weights_with }
        fn max_forward(
            this: &Max, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>, winners: &mut [u8],
        ) { Max::compute_forward }
        fn max_backward(
            this: &Max, set: InstructionSet, gradient: &View<'_, Self>, winners: &[u8], input: Sink<'_, Self>,
        ) { Max::compute_backward }
        fn average_forward(
            this: &Average, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>,
        ) { Average::compute_forward }
        fn average_backward(
            this: &Average, set: InstructionSet, gradient: &View<'_, Self>, input: Sink<'_, Self>,
        ) { Average::compute_backward }
        fn activation_forward(
            this: &Activation, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>,
        ) { Activation::compute_forward }
        fn activation_backward(
            this: &Activation, set: InstructionSet, output: &View<'_, Self>, gradient: &View<'_, Self>,
            input: Sink<'_, Self>,
        ) { Activation::compute_backward }
        fn multiply(
            set: InstructionSet, input: &View<'_, Self>, mask: &[Self], output: Sink<'_, Self>,
        ) { activation::compute_multiply }
        fn lrn_forward(
            this: &Lrn, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>,
        ) { Lrn::compute_forward }
        fn lrn_backward(
            this: &Lrn, set: InstructionSet, input: &View<'_, Self>, gradient: &View<'_, Self>, to: Sink<'_, Self>,
        ) { Lrn::compute_backward }
        fn sum(set: InstructionSet, inputs: &[View<'_, Self>], output: Sink<'_, Self>) { copy::compute_sum }
        fn gather(set: InstructionSet, inputs: Ranges<'_, Self>, output: Sink<'_, Self>) { copy::compute_gather }
        fn flatten(
            set: InstructionSet, input: &View<'_, Self>, output: &mut [Self], region: &Region,
        ) { flatten::compute_flatten }
        fn unflatten(set: InstructionSet, gradient: &View<'_, Self>, input: Sink<'_, Self>) { flatten::compute_unflatten }
        fn cross_entropy(
            this: &CrossEntropy, set: InstructionSet, logits: &View<'_, Self>, targets: &Targets<'_>, gradient: &mut [Self],
        ) -> f64 { CrossEntropy::compute }
        fn moments(set: InstructionSet, view: &View<'_, Self>) -> Moments { moments::compute_moments }
        fn update_step(
            this: &Update, set: InstructionSet, weights: &mut [Self], gradient: &[Self], memory: [&mut [Self]; 2],
        ) { Update::compute_step }
        fn update_step_part(
            this: &Update, set: InstructionSet, weights: &mut [Self], gradient: &[Self], memory: [&mut [Self]; 2],
        ) { Update::compute_step_part }
        fn to_blocks(maps: &[Self], blocks: &mut [Self], region: &Region) { region::compute_to_blocks }
        fn from_blocks(blocks: &[Self], region: &Region, maps: &mut [Self]) { region::compute_from_blocks }
    }
}
