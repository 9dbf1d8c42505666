//! Where narrow kernels are compiled: for each format, in this crate, once. A public function only calls the one here that
//! belongs to it, which is not generic; otherwise every crate that calls it would compile it again.

use super::pictures::{Cells, Line};
use super::{Finish, Format, Origin, Pool, Source, Target, bf16};
use crate::buffer::Buffer;
use crate::conv::Conv;
use crate::conv::narrow::{Units, Weights, compute, pack};
use crate::inference::{Call, NarrowStep};
use crate::region::Region;
use crate::simd::InstructionSet;

crate::instances! {
    /// The narrow kernels, compiled for one format.
    for bf16, u8 where Format;
    {
        fn conv_pack(
            conv: &Conv, set: InstructionSet, units: Units, weights: &[<Self as Format>::Weight],
        ) -> (Buffer<f32>, Vec<i32>) { pack::<Self> }
        fn conv_run(
            weights: &Weights<Self>, source: Source<'_, Self>, target: Target<'_, Self>, finish: &Finish<'_, Self>,
            workspace: &mut [f32],
        ) { compute }
        fn peak(set: InstructionSet) -> f64 { crate::peak::compute_products::<Self> }
        fn pool(
            pool: &Pool, set: InstructionSet, source: Source<'_, Self>, target: Target<'_, Self>,
            finish: &Finish<'_, Self>,
        ) { super::pool::compute }
        fn pictures(
            set: InstructionSet, images: (&[f32], [usize; 3]), cells: (Cells, Line<'_>, Self),
            to: (&mut [Self], Region),
        ) { super::pictures::compute_pictures }
        fn step_task(step: &NarrowStep<Self>, call: Call<'_>) { crate::inference::run_narrow }
        fn transfer_maps(
            set: InstructionSet, from: Origin<'_, Self>, target: Target<'_, Self>, finish: &Finish<'_, Self>,
        ) { super::transfer::compute_transfer }
    }
}
