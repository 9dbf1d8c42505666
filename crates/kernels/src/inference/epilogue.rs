//! What becomes of a sum before it is written.

use crate::simd::LANES;

/// `max(sum + bias + residual, floor)`, written for a few neighbouring pixels of one or two blocks of outputs.
#[derive(Clone, Copy)]
pub(super) struct Epilogue {
    /// Of the first block; sixteen numbers a block. Null for none.
    pub(super) bias: *const f32,
    /// The residual of the first pixel and block, which lies as the output does but for the distance of its blocks. Null
    /// for none.
    pub(super) residual: *const f32,
    pub(super) residual_block: usize,
    /// A lower bound; none if it is NaN.
    pub(super) floor: f32,
    /// Where the first pixel of the first block goes.
    pub(super) to: *mut f32,
    /// Numbers between two blocks.
    pub(super) block: usize,
    /// Numbers between two pixels.
    pub(super) step: usize,
    /// Whether sums go on from what lies where they are written.
    pub(super) more: bool,
}

impl Epilogue {
    /// Sums written as they are; with `more` they go on from what lies there.
    pub(super) fn plain(to: *mut f32, block: usize, more: bool) -> Self {
        let none = std::ptr::null();
        Self { bias: none, residual: none, residual_block: 0, floor: f32::NAN, to, block, step: LANES, more }
    }

    /// The same from another pixel on.
    #[inline(always)]
    pub(super) fn at_pixel(mut self, pixel: usize) -> Self {
        self.to = self.to.wrapping_add(pixel * self.step);
        if !self.residual.is_null() {
            self.residual = self.residual.wrapping_add(pixel * self.step);
        }
        self
    }

    /// The same from another block of outputs on.
    #[inline(always)]
    pub(super) fn at_block(mut self, block: usize) -> Self {
        self.to = self.to.wrapping_add(block * self.block);
        if !self.bias.is_null() {
            self.bias = self.bias.wrapping_add(block * LANES);
        }
        if !self.residual.is_null() {
            self.residual = self.residual.wrapping_add(block * self.residual_block);
        }
        self
    }
}
