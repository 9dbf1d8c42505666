//! Convolution of narrow numbers, with weights that are packed once.
//!
//! A task copies what it reads into a tile, as the convolution of `f32` does, or reads a 1x1 convolution's input where it
//! lies. Each sum is computed from its first product to its last in a register, so no cut changes it, and goes through the
//! outlet while it is in the first-level cache.

mod cells;
mod cut;
mod micro;
mod pack;
mod task;
mod units;

use crate::conv::shape::{Bundles, Conv};
use crate::inference::Numbers;
use crate::mapped::words_of;
use crate::narrow::{Finish, Format, Source, Target};
use crate::region::Region;
use crate::simd::{InstructionSet, LANES};
use crate::threads::threads;
pub(crate) use cut::Cut;
use half::bf16;
pub(crate) use pack::pack;
pub(crate) use task::{run as compute, task};
pub use units::Units;

/// Products that fit a sum of 32 bits, whatever the numbers: 255 · 128 each.
const MOST_PRODUCTS: usize = i32::MAX as usize / (255 * 128);

/// A convolution with its weights packed for inference, of `bf16` or of 8-bit numbers (`u8` maps, `i8` weights). A linear
/// layer is one of 1x1 on maps of a pixel; behind a flattened map, one with a kernel as large as the map.
#[derive(Clone, Debug)]
pub struct Weights<F: Format> {
    conv: Conv,
    /// What multiplies them.
    set: InstructionSet,
    units: Units,
    bundles: Bundles,
    /// `[bundle][panel][block of inputs][tap][word][block of the panel][output]`, a word each.
    packed: Numbers,
    /// For each padded output of each bundle, the sum of its weights.
    wholes: Vec<i32>,
    format: std::marker::PhantomData<F>,
}

impl Weights<bf16> {
    /// Rounds and packs weights, `(out, in / groups, height, width)`.
    ///
    /// # Panics
    ///
    /// Where there are not as many as the convolution has.
    pub fn new(conv: &Conv, set: InstructionSet, weights: &[f32]) -> Self {
        let weights: Vec<bf16> = weights.iter().map(|weight| bf16::from_f32(*weight)).collect();
        Self::pack(conv, set, &weights)
    }
}

impl Weights<u8> {
    /// Packs weights, `(out, in / groups, height, width)`.
    ///
    /// # Panics
    ///
    /// Where there are not as many as the convolution has, or so many for an output that its sum could exceed 32 bits
    /// ([`Weights::fits`]).
    pub fn new(conv: &Conv, set: InstructionSet, weights: &[i8]) -> Self {
        assert!(Self::fits(conv), "an output of {conv:?} has more products than 32 bits hold the sum of");
        Self::pack(conv, set, weights)
    }

    /// Whether 32 bits hold every sum of a convolution.
    pub fn fits(conv: &Conv) -> bool {
        conv.weights() / conv.out_channels.max(1) <= MOST_PRODUCTS
    }
}

impl<F: Format> Weights<F> {
    fn pack(conv: &Conv, set: InstructionSet, weights: &[F::Weight]) -> Self {
        assert!(conv.in_channels.is_multiple_of(conv.groups) && conv.out_channels.is_multiple_of(conv.groups));
        assert_eq!(weights.len(), conv.weights(), "weights of {conv:?}");
        let set = F::set(set);
        let units = Units::of::<F>(set);
        let bundles = conv.bundles();
        let (packed, wholes) = F::conv_pack(conv, set, units, weights);
        Self { conv: *conv, set, units, bundles, packed: packed.into(), wholes, format: std::marker::PhantomData }
    }

    /// The convolution.
    pub fn conv(&self) -> &Conv {
        &self.conv
    }

    /// The packed weights, and the sum of each output's: what [`Weights::from_packed`] takes, on a CPU that multiplies them
    /// in the same way.
    pub fn packed(&self) -> (&[u32], &[i32]) {
        (self.words(), &self.wholes)
    }

    /// The packed weights, to be kept: as numbers of the same bits.
    pub fn numbers(&self) -> &Numbers {
        &self.packed
    }

    fn words(&self) -> &[u32] {
        words_of(self.packed.get())
    }

    /// Takes weights as they are packed here; nothing where there are not as many, or the groups do not divide the channels. What they are is not checked: wrong ones
    /// give wrong results.
    pub fn from_packed(conv: &Conv, set: InstructionSet, packed: impl Into<Numbers>, wholes: &[i32]) -> Option<Self> {
        if !conv.is_grouped() {
            return None;
        }
        let set = F::set(set);
        let weights = Self {
            conv: *conv,
            set,
            units: Units::of::<F>(set),
            bundles: conv.bundles(),
            packed: packed.into(),
            wholes: wholes.to_vec(),
            format: std::marker::PhantomData,
        };
        let outputs = weights.bundles.count * weights.bundles.outs.next_multiple_of(LANES);
        let lengths = [weights.packed.get().len(), wholes.len()];
        (lengths == [outputs.checked_mul(weights.depth())?, outputs]).then_some(weights)
    }

    /// Bytes the packed weights take.
    pub fn bytes(&self) -> usize {
        size_of_val(self.packed.get())
    }

    /// Numbers of workspace [`Weights::convolve`] needs to read maps like these on as many threads as are set now. With
    /// less, down to the part of one thread, it works on fewer threads.
    pub fn workspace(&self, input: &Region) -> usize {
        self.cut(input).map_or(0, |cut| cut.workspace()) * threads()
    }

    /// Writes the convolution of `source` to `target`. It allocates nothing; `workspace` may hold anything.
    ///
    /// # Panics
    ///
    /// Where shapes or lengths do not fit, or the workspace is too small for one thread.
    pub fn convolve(
        &self,
        source: Source<'_, F>,
        target: Target<'_, F>,
        finish: &Finish<'_, F>,
        workspace: &mut [f32],
    ) {
        F::conv_run(self, source, target, finish, workspace);
    }

    /// How the work on maps like these is cut; nothing where the convolution makes nothing of them.
    pub(crate) fn cut(&self, input: &Region) -> Option<Cut> {
        Cut::new(&self.conv, self.bundles, self.units, input)
    }

    /// The packed weights from a task's first on.
    pub(crate) fn of_task_on(&self, cut: &Cut, task: usize) -> &[u32] {
        let (split, task) = cut.share_of(task);
        let bundle = task % cut.bundles;
        let blocks = self.bundles.outs.div_ceil(LANES);
        let first = bundle * blocks + cut.share(split).start * self.units.panels;
        let words = self.words();
        &words[(first * self.depth() * LANES).min(words.len())..]
    }

    /// Words of the weights from one block of inputs of a panel to the next.
    fn words_of(&self, channels: usize) -> usize {
        channels.div_ceil(self.units.per_word)
    }

    /// Words of a bundle's weights for each output.
    fn depth(&self) -> usize {
        let taps = self.conv.kernel[0].saturating_mul(self.conv.kernel[1]);
        let whole = self.bundles.ins / LANES * self.words_of(LANES);
        (whole + self.words_of(self.bundles.ins % LANES)).saturating_mul(taps)
    }
}
