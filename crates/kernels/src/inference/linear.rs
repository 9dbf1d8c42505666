//! Linear layers: images are the pixels, and numbers of a map are channels.
//!
//! The weights are packed in the order in which maps lie, so no map is ever written as a vector. With several images
//! their numbers are first brought side by side, sixteen numbers of one image beside sixteen of the next.

use super::arena::{Arena, Place};
use super::epilogue::Epilogue;
use super::micro::{Depth, product};
use super::packed::Packed;
use super::step::LinearLayer;
use crate::prefetch::Lines;
use crate::simd::{LANES, Vector};

/// How a linear layer is cut.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    /// Where the images' numbers lie side by side.
    gathered: Place,
    /// Vectors of an image.
    vectors: usize,
    /// Blocks of outputs, and those of a panel.
    blocks: usize,
    panels: usize,
}

impl Linear {
    /// `offset` is that of memory for as many numbers as the input's blocks have.
    pub(super) fn new(step: &LinearLayer, offset: usize, panels: usize) -> Self {
        let vectors = step.input.blocks() * step.input.pixels();
        Self { gathered: Place::of_vectors(false, offset, vectors), vectors, blocks: step.output.blocks(), panels }
    }

    /// Whether the input is read where it lies.
    fn in_place(&self, step: &LinearLayer, batch: usize) -> bool {
        batch == 1 && step.map.is_none()
    }

    pub(super) fn gather_tasks(&self, step: &LinearLayer, batch: usize) -> usize {
        if self.in_place(step, batch) { 0 } else { batch }
    }

    /// Brings an image's numbers to their place.
    ///
    /// # Safety
    ///
    /// The input is not written meanwhile, and nobody else does this task.
    #[inline(always)]
    pub(super) unsafe fn gather<V: Vector<Element = f32>>(&self, step: &LinearLayer, arena: &Arena<'_>, image: usize) {
        let (from, to) = (arena.at(&step.input, image), arena.store(&self.gathered));
        let (pixels, batch) = (step.input.pixels(), arena.batch);
        for block in 0..step.input.blocks() {
            for pixel in 0..pixels {
                let vector = block * pixels + pixel;
                let to = to.wrapping_add((vector * batch + image) * LANES);
                // SAFETY: a pixel of the input; a vector of this image alone.
                unsafe {
                    let to = std::slice::from_raw_parts_mut(to, LANES);
                    let from = from.wrapping_add(vector * LANES).cast_const();
                    super::frame::copy::<V>(from, 1, step.map.as_deref(), block, to);
                }
            }
        }
    }

    pub(super) fn tasks(&self) -> usize {
        self.blocks.div_ceil(self.panels)
    }

    /// Where in the packed weights a task begins.
    pub(super) fn first_weight(&self, panel: usize) -> usize {
        panel * self.panels * self.vectors * LANES * LANES
    }

    /// Numbers of the packed weights.
    pub(super) fn packed_len(&self) -> usize {
        self.blocks * LANES * self.vectors * LANES
    }

    /// A panel of outputs.
    ///
    /// # Safety
    ///
    /// What is read is not written meanwhile, and nobody else does this task.
    #[inline(always)]
    pub(super) unsafe fn run<V: Vector<Element = f32>>(
        &self,
        (step, packed): (&LinearLayer, &Packed),
        arena: &Arena<'_>,
        panel: usize,
    ) {
        let (batch, first) = (arena.batch, panel * self.panels);
        let count = self.panels.min(self.blocks - first);
        let depth = self.vectors * LANES * LANES;
        let weights = &packed.weights.get()[self.first_weight(panel)..][..count * depth];
        let input = match self.in_place(step, batch) {
            true => arena.at(&step.input, 0),
            false => arena.store(&self.gathered),
        };
        let epilogue = Epilogue {
            bias: packed.bias.get()[first * LANES..][..count * LANES].as_ptr(),
            residual: std::ptr::null(),
            residual_block: 0,
            floor: if step.finish.relu { 0.0 } else { f32::NAN },
            to: arena.at(&step.output, 0).wrapping_add(first * LANES),
            block: LANES,
            step: step.output.store_blocks * LANES,
            more: false,
        };
        let chunks = batch.div_ceil(V::PIXELS);
        for chunk in 0..chunks {
            let (image, end) = (batch * chunk / chunks, batch * (chunk + 1) / chunks);
            let depth = Depth {
                taps: &[0],
                left_out: [0, 0],
                channels: self.vectors * LANES,
                block: batch * LANES,
                ahead: Lines::NONE,
                next_pixels: 0,
            };
            let (input, size) = (input.wrapping_add(image * LANES).cast_const(), (end - image, count));
            // SAFETY: the input holds all vectors of all images; the rest is as the caller says.
            unsafe { product::<V, LANES>(size, input, &depth, weights.as_ptr(), &epilogue.at_pixel(image)) }
        }
    }
}
