//! Where the kernels are compiled: once for `f32` and once for `f64`, here, in this crate.
//!
//! A kernel is generic over its numbers, and everything on its way is inlined. Called directly, it would be compiled
//! anew in every crate that uses it. So the public functions call these, which are not generic.

use crate::activation::Activation;
use crate::conv::{Algorithm, Conv};
use crate::copy::Channels;
use crate::linear::{Linear, Part};
use crate::loss::{CrossEntropy, Targets};
use crate::lrn::Lrn;
use crate::place::Place;
use crate::pool::{Average, Max};
use crate::simd::InstructionSet;
use crate::sink::{Moments, Sink};
use crate::update::Update;
use crate::view::View;
use crate::{activation, copy, flatten, loss, place};

macro_rules! instances {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $output:ty)? { $kernel:path })*) => {
        /// The kernels for one type of number.
        pub trait Instances: Sized {
            $(#[doc(hidden)] fn $name($($argument: $type),*) $(-> $output)?;)*
        }
        instances!(@for f32; $(fn $name($($argument: $type),*) $(-> $output)? { $kernel })*);
        instances!(@for f64; $(fn $name($($argument: $type),*) $(-> $output)? { $kernel })*);
    };
    (@for $element:ty; $(fn $name:ident($($argument:ident: $type:ty),*) $(-> $output:ty)? { $kernel:path })*) => {
        impl Instances for $element {
            $(
                #[inline(never)]
                fn $name($($argument: $type),*) $(-> $output)? {
                    $kernel($($argument),*)
                }
            )*
        }
    };
}

instances! {
    fn conv_forward(this: &Conv, algorithm: Algorithm, set: InstructionSet, input: &View<'_, Self>, weights: &[Self], output: Sink<'_, Self>) { Conv::forward_by_generic }
    fn conv_backward_input(this: &Conv, algorithm: Algorithm, set: InstructionSet, gradient: &View<'_, Self>, weights: &[Self], input: Sink<'_, Self>) { Conv::backward_input_by_generic }
    fn conv_backward_weights(this: &Conv, algorithm: Algorithm, set: InstructionSet, input: &View<'_, Self>, gradient: &View<'_, Self>, weights: &mut [Self]) { Conv::backward_weights_by_generic }
    fn linear_forward(this: &Linear, set: InstructionSet, input: &View<'_, Self>, weights: &[Self], output: Sink<'_, Self>) { Linear::forward_generic }
    fn linear_backward_input(this: &Linear, set: InstructionSet, gradient: &View<'_, Self>, weights: &[Self], input: Sink<'_, Self>) { Linear::backward_input_generic }
    fn linear_backward_weights(this: &Linear, set: InstructionSet, input: &View<'_, Self>, gradient: &View<'_, Self>, weights: &mut [Self], memory: [&mut [Self]; 2], update: &Part<'_, Self>) { Linear::backward_weights_with_generic }
    fn max_forward(this: &Max, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>, winners: &mut [u8]) { Max::forward_generic }
    fn max_backward(this: &Max, set: InstructionSet, gradient: &View<'_, Self>, winners: &[u8], input: Sink<'_, Self>) { Max::backward_generic }
    fn average_forward(this: &Average, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>) { Average::forward_generic }
    fn average_backward(this: &Average, set: InstructionSet, gradient: &View<'_, Self>, input: Sink<'_, Self>) { Average::backward_generic }
    fn activation_forward(this: &Activation, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>) { Activation::forward_generic }
    fn activation_backward(this: &Activation, set: InstructionSet, output: &View<'_, Self>, gradient: &View<'_, Self>, input: Sink<'_, Self>) { Activation::backward_generic }
    fn multiply(set: InstructionSet, input: &View<'_, Self>, mask: &[Self], output: Sink<'_, Self>) { activation::multiply_generic }
    fn lrn_forward(this: &Lrn, set: InstructionSet, input: &View<'_, Self>, output: Sink<'_, Self>) { Lrn::forward_generic }
    fn lrn_backward(this: &Lrn, set: InstructionSet, input: &View<'_, Self>, gradient: &View<'_, Self>, to: Sink<'_, Self>) { Lrn::backward_generic }
    fn sum(set: InstructionSet, inputs: &[View<'_, Self>], output: Sink<'_, Self>) { copy::sum_generic }
    fn gather(set: InstructionSet, inputs: &[Channels<'_, Self>], output: Sink<'_, Self>) { copy::gather_generic }
    fn flatten(set: InstructionSet, input: &View<'_, Self>, output: &mut [Self], place: &Place) { flatten::flatten_generic }
    fn unflatten(set: InstructionSet, gradient: &View<'_, Self>, input: Sink<'_, Self>) { flatten::unflatten_generic }
    fn cross_entropy(this: &CrossEntropy, set: InstructionSet, logits: &View<'_, Self>, targets: &Targets<'_>, gradient: &mut [Self]) -> f64 { CrossEntropy::run_generic }
    fn moments(set: InstructionSet, view: &View<'_, Self>) -> Moments { loss::moments_generic }
    fn update_step(this: &Update, set: InstructionSet, weights: &mut [Self], gradient: &[Self], memory: [&mut [Self]; 2]) { Update::step_generic }
    fn update_step_part(this: &Update, set: InstructionSet, weights: &mut [Self], gradient: &[Self], memory: [&mut [Self]; 2]) { Update::step_part_generic }
    fn to_blocks(maps: &[Self], blocks: &mut [Self], place: &Place) { place::to_blocks_generic }
    fn from_blocks(blocks: &[Self], place: &Place, maps: &mut [Self]) { place::from_blocks_generic }
}
