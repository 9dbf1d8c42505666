//! Convolution as it is defined, with packed weights.

use super::arena::Arena;
use super::epilogue::Epilogue;
use super::frame::{FEW, Frame};
use super::input::Input;
use super::micro::{Depth, product};
use super::packed::Packed;
use super::step::Convolution;
use crate::conv::shape::Bundles;
use crate::prefetch::Lines;
use crate::shares::share;
use crate::simd::{LANES, Vector};
use std::ops::Range;

/// Numbers of a frame: what leaves room for weights in a second-level cache of 1 MiB.
const FRAME: usize = 40 * 1024;
/// Numbers where less would leave few pixels, each of which goes through all weights.
const LARGE_FRAME: usize = 112 * 1024;
/// Pixels that are not few.
const ENOUGH: usize = 64;
/// Pixels of the widest micro-kernel.
const CHUNK: usize = 14;
/// Pixels of a part at most.
const MOST: usize = 1024;

/// Where the micro-kernel reads the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In the arena.
    InPlace,
    /// In a frame.
    Framed,
    /// In a frame of few channels.
    Few,
}

/// How a convolution is cut and computed.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    way: Way,
    /// Whether maps are read as one row, any part of it.
    flat: bool,
    bundles: Bundles,
    frame: Frame,
    /// Height and width of the output; of one row where neighbouring rows lie one behind the other as pixels do.
    size: [usize; 2],
    /// Rows of the kernel, their stride, padding and dilation, and rows of the input, to know which taps are border.
    rows: [usize; 5],
    /// Taps of a row of the kernel.
    row_taps: usize,
    /// Whether the rows of a frame are one run of pixels.
    joined: bool,
    taps: Vec<usize>,
    channels: usize,
    /// Rows of a part; pixels of it where there is one row.
    span: usize,
    /// Blocks of outputs of a panel.
    panels: usize,
}

impl Direct {
    pub(super) fn new(step: &Convolution, panels: usize) -> Self {
        let (conv, bundles) = (&step.conv, step.conv.bundles());
        let few = matches!(step.input, Input::Images { .. });
        let flat = conv.is_matrix_product() && !few;
        let way = match flat && step.input.map().is_none() {
            true => Way::InPlace,
            false if few => Way::Few,
            false => Way::Framed,
        };
        let flatten = |[height, width]: [usize; 2]| if flat { [1, height * width] } else { [height, width] };
        let (input, size) = (flatten(step.input.size()), flatten(step.output.size));
        let frame = Frame::new(conv, input, size[1]);
        let pixel = if few { FEW } else { LANES };
        let per_tap = if few { bundles.ins } else { 1 };
        let taps = (0..conv.kernel[0]).flat_map(|down| (0..conv.kernel[1]).map(move |right| [down, right]));
        let taps = taps.flat_map(|tap| (0..per_tap).map(move |channel| (tap, channel)));
        let taps = taps.map(|(tap, channel)| frame.tap(conv, tap) * pixel + channel).collect();
        let mut direct = Self {
            way,
            flat,
            bundles,
            rows: [conv.kernel[0], conv.stride[0], conv.padding[0], conv.dilation[0], input[0]],
            row_taps: conv.kernel[1] * per_tap,
            joined: conv.kernel == [1, 1] && conv.padding[1] == 0,
            frame,
            size,
            taps,
            channels: if few { 1 } else { bundles.ins },
            span: 1,
            panels,
        };
        direct.span = direct.largest_span();
        direct
    }

    /// Rows, or pixels of one row, that a part takes: as many as the cache holds, but enough parts for some threads.
    fn largest_span(&self) -> usize {
        let (count, pixels) = if self.flat { (self.size[1], 1) } else { (self.size[0], self.size[1]) };
        let fits = |span: usize| {
            let numbers = self.numbers(span);
            let most = if span * pixels <= ENOUGH { LARGE_FRAME } else { FRAME };
            span * pixels <= MOST && numbers <= most
        };
        let most = (1..=count).rev().find(|span| fits(*span)).unwrap_or(1);
        let even = count.div_ceil(count.div_ceil(most)).max(1);
        // Whole chunks of the micro-kernel, where there are some.
        if self.flat && even > CHUNK { even.next_multiple_of(CHUNK).min(most / CHUNK * CHUNK) } else { even }
    }

    fn parts(&self) -> usize {
        self.count().div_ceil(self.span)
    }

    /// Rows, or pixels where there is one row that any part can be taken of.
    fn count(&self) -> usize {
        if self.flat { self.size[1] } else { self.size[0] }
    }

    /// Numbers that a part of so many of them reads.
    fn numbers(&self, span: usize) -> usize {
        let blocks = self.bundles.ins.div_ceil(LANES);
        match self.way {
            Way::Few => self.frame.block(span) * FEW,
            _ if self.flat => span * blocks * LANES,
            _ => self.frame.block(span) * blocks * LANES,
        }
    }

    /// Panels of a bundle.
    fn panel_count(&self) -> usize {
        self.bundles.outs.div_ceil(LANES).div_ceil(self.panels)
    }

    /// Shares of the panels, each a task of its own: more where there are fewer parts than threads want.
    fn splits(&self, batch: usize, threads: usize) -> usize {
        let tasks = self.tasks_of_share(batch);
        let wanted = 4 * threads;
        if tasks >= wanted { 1 } else { wanted.div_ceil(tasks.max(1)).min(self.panel_count()) }
    }

    pub(super) fn tasks(&self, batch: usize, threads: usize) -> usize {
        self.tasks_of_share(batch) * self.splits(batch, threads)
    }

    /// Tasks of each share of the panels. They are one behind the other, so that a thread takes those of the same weights.
    fn tasks_of_share(&self, batch: usize) -> usize {
        batch * self.parts() * self.bundles.count
    }

    /// Numbers of scratch memory of a task.
    pub(super) fn scratch(&self) -> usize {
        if self.way == Way::InPlace { 0 } else { self.numbers(self.span) }
    }

    /// Numbers of the packed weights.
    pub(super) fn packed_len(&self) -> usize {
        self.bundles.count * self.bundle_len()
    }

    fn bundle_len(&self) -> usize {
        self.bundles.outs.next_multiple_of(LANES) * self.channels * self.taps.len()
    }

    /// Where in the packed weights a task begins.
    pub(super) fn first_weight(&self, task: usize, [batch, threads]: [usize; 2]) -> usize {
        let (split, task) = (task / self.tasks_of_share(batch), task % self.tasks_of_share(batch));
        let depth = self.channels * self.taps.len() * LANES;
        let panel = share(self.panel_count(), split, self.splits(batch, threads)).start;
        task % self.bundles.count * self.bundle_len() + panel * self.panels * depth
    }

    /// One task; on the way it asks for what the next step reads first.
    ///
    /// # Safety
    ///
    /// What the step reads is not written meanwhile, and nobody else does this task. `scratch` is long enough.
    #[inline(always)]
    pub(super) unsafe fn run<V: Vector<Element = f32>>(
        &self,
        (step, packed): (&Convolution, &Packed),
        arena: &Arena<'_>,
        (task, after): (usize, Lines),
        scratch: &mut [f32],
    ) {
        let (splits, parts, bundles) = (self.splits(arena.batch, arena.threads), self.parts(), self.bundles.count);
        let (split, task) = (task / self.tasks_of_share(arena.batch), task % self.tasks_of_share(arena.batch));
        let (task, bundle) = (task / bundles, task % bundles);
        let (image, part) = (task / parts, task % parts);
        let span = part * self.span..((part + 1) * self.span).min(self.count());
        let first_pixel = if self.flat { span.start } else { span.start * self.size[1] };
        let in_blocks = self.bundles.ins.div_ceil(LANES);
        let blocks = bundle * in_blocks..(bundle + 1) * in_blocks;
        // SAFETY: the input is not written meanwhile.
        let (input, block) = unsafe { self.input::<V>(step, arena, image, blocks, &span, scratch) };
        let plane = step.output.plane();
        let out_blocks = self.bundles.outs.div_ceil(LANES);
        let first = bundle * self.bundles.outs / LANES;
        let epilogue = Epilogue {
            bias: packed.bias.get()[bundle * self.panel_count() * self.panels * LANES..].as_ptr(),
            residual: step.finish.residual.as_ref().map_or(std::ptr::null(), |residual| {
                arena.at(residual, image).wrapping_add(first * plane).cast_const()
            }),
            residual_block: plane,
            floor: if step.finish.relu { 0.0 } else { f32::NAN },
            to: arena.at(&step.output, image).wrapping_add(first * plane),
            block: plane,
            step: LANES,
            more: false,
        };
        let epilogue = epilogue.at_pixel(first_pixel);
        let weights = &packed.weights.get()[bundle * self.bundle_len()..][..self.bundle_len()];
        let depth = self.channels * self.taps.len() * LANES;
        let mut panels = share(self.panel_count(), split, splits);
        let first_panel = panels.start;
        while let Some(panel) = panels.next() {
            let first = panel * self.panels;
            let count = self.panels.min(out_blocks - first);
            let next = match panels.is_empty() {
                true => after,
                false => Lines::new(weights[(first + count) * depth..].as_ptr(), count * depth / LANES),
            };
            let weights = &weights[first * depth..][..count * depth];
            let epilogue = epilogue.at_block(first);
            // SAFETY: the weights are the panel's; the input and the output hold the part.
            unsafe { self.panel::<V>((count, panel == first_panel), (input, block), weights, next, &span, epilogue) };
        }
    }

    /// Where the first window begins, and how many numbers lie between blocks.
    #[inline(always)]
    unsafe fn input<V: Vector<Element = f32>>(
        &self,
        step: &Convolution,
        arena: &Arena<'_>,
        image: usize,
        blocks: Range<usize>,
        span: &Range<usize>,
        scratch: &mut [f32],
    ) -> (*const f32, usize) {
        let rows = [span.start, span.len()];
        match &step.input {
            Input::Images { channels, size, map } => {
                let numbers = channels * size[0] * size[1];
                let picture = arena.picture(image, numbers);
                self.frame.fill_few(picture, *channels, map.as_deref(), rows, scratch);
                (scratch.as_ptr(), 0)
            }
            Input::Value { place, map } => {
                let first = arena.at(place, image).wrapping_add(blocks.start * place.plane());
                if self.way == Way::InPlace {
                    return (first.wrapping_add(span.start * LANES).cast_const(), place.plane());
                }
                let map = map.as_deref();
                if self.flat {
                    // The micro-kernel reads them by pointers.
                    assert!(blocks.len() * span.len() * LANES <= scratch.len(), "too few numbers for a frame");
                    for (block, to) in blocks.clone().zip(scratch.chunks_exact_mut(span.len() * LANES)) {
                        let from = first.wrapping_add((block - blocks.start) * place.plane() + span.start * LANES);
                        // SAFETY: pixels of the map.
                        unsafe { super::frame::copy::<V>(from, 1, map, block, to) };
                    }
                    return (scratch.as_ptr(), span.len() * LANES);
                }
                // SAFETY: as the caller says.
                unsafe { self.frame.fill::<V>((arena, place, map), image, blocks, rows, scratch) };
                (scratch.as_ptr(), self.frame.block(rows[1]) * LANES)
            }
        }
    }

    /// The taps of a row of outputs that are not border: from which on, until which.
    #[inline(always)]
    fn inside(&self, row: usize) -> (usize, usize) {
        let [kernel, stride, padding, dilation, height] = self.rows;
        let reads = |tap: usize| (row * stride + tap * dilation).checked_sub(padding).is_some_and(|at| at < height);
        let first = (0..kernel).position(reads).unwrap_or(0);
        let end = (0..kernel).rposition(reads).map_or(first, |last| last + 1);
        (first * self.row_taps, end * self.row_taps)
    }

    /// A panel of outputs of a part.
    #[inline(always)]
    unsafe fn panel<V: Vector<Element = f32>>(
        &self,
        (count, first): (usize, bool),
        (input, block): (*const f32, usize),
        weights: &[f32],
        mut next: Lines,
        span: &Range<usize>,
        epilogue: Epilogue,
    ) {
        let width = self.size[1];
        let (runs, run) = match (self.flat, self.joined) {
            (true, _) => (1, span.len()),
            (_, true) => (1, span.len() * width),
            (_, false) => (span.len(), width),
        };
        let chunks = run.div_ceil(V::PIXELS);
        let share = next.share(runs * chunks);
        for number in 0..runs {
            let (from, until) = if self.joined { (0, self.taps.len()) } else { self.inside(span.start + number) };
            let depth = Depth {
                taps: &self.taps[from..until],
                left_out: [from, self.taps.len() - until],
                channels: self.channels,
                block,
                ahead: Lines::NONE,
                next_pixels: 0,
            };
            for chunk in 0..chunks {
                // As even as can be: a chunk of one pixel would take nearly the time of a whole one.
                let (pixel, end) = (run * chunk / chunks, run * (chunk + 1) / chunks);
                // The first panel reads pixels that may not be in the cache yet.
                let asks = first && self.way == Way::InPlace && chunk + 1 < chunks;
                let next_pixels = if asks { (end - pixel) * LANES } else { 0 };
                let depth = Depth { ahead: next.take(share), next_pixels, ..depth };
                let at = number * self.frame.row_step * self.frame.row() + pixel;
                let epilogue = epilogue.at_pixel(number * run + pixel);
                let (size, weights) = ((end - pixel, count), weights.as_ptr());
                // SAFETY: as the caller says; sizes are within what V says.
                unsafe {
                    match self.way {
                        Way::Few => product::<V, FEW>(size, input.add(at * FEW), &depth, weights, &epilogue),
                        _ => product::<V, LANES>(size, input.add(at * LANES), &depth, weights, &epilogue),
                    }
                }
            }
        }
    }
}
