//! Steps with their weights, checked once so that nothing need be checked while they run.

use super::algorithm::ConvAlgorithm;
use super::arena::Place;
use super::direct::Direct;
use super::input::Input;
use super::linear::Linear;
use super::narrow::Narrow;
use super::packed::Packed;
use super::packing::{self, LinearPacking, Scaled};
use super::refused::Refused;
use super::step::{Convolution, Custom, LinearLayer, Step};
use super::winograd::{self, Winograd};
use super::{moves, pool};
use crate::buffer::Buffer;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers of a convolution or a linear layer, as a network's tensors have them.
#[derive(Clone, Copy, Debug)]
pub struct Tensors<'a> {
    /// The weights, `(out, in / groups, height, width)` or `(out, in)`.
    pub weights: &'a [f32],
    /// A factor for each output's weights.
    pub factors: &'a [f32],
    /// What is added to each output.
    pub bias: &'a [f32],
}

/// How a step is cut into tasks.
#[derive(Clone, Debug)]
pub(super) enum Cut {
    Direct(Direct),
    Winograd(Winograd),
    Linear(Linear),
    Plain,
}

/// A step, how it is cut, and its weights.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) step: Step,
    pub(super) cut: Cut,
    pub(super) packed: Option<Packed>,
    /// Numbers of scratch memory of a task.
    pub(super) scratch: usize,
}

/// One pass over the tasks of a step: its only one, or one of two that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) entry: usize,
    /// Whether it brings inputs into the order in which the second pass reads them.
    pub(super) prepares: bool,
}

/// Steps with packed weights. Nothing changes it; threads share it.
#[derive(Clone, Debug)]
pub struct Program {
    /// Which program of the process it is, its copies included.
    pub(super) number: usize,
    pub(super) set: InstructionSet,
    pub(super) entries: Vec<Entry>,
    pub(super) works: Vec<Work>,
    /// Numbers of an image; words of the arena that one image has to itself, and of that for all, for each image.
    pub(super) image: usize,
    pub(super) numbers: [usize; 2],
    /// How many of the first passes run image by image.
    pub(super) alone: usize,
    /// Numbers of scratch memory of a task of any step.
    pub(super) scratch: usize,
}

/// Puts a program together, step by step.
#[derive(Debug)]
pub struct Builder {
    program: Program,
    panels: usize,
}

impl Builder {
    /// A program for images of so many numbers each, with memory of so many words of 32 bits for one image, and of so many
    /// for each image.
    pub fn new(set: InstructionSet, image: usize, numbers: [usize; 2]) -> Self {
        static PROGRAMS: AtomicUsize = AtomicUsize::new(0);
        let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
        let (entries, works) = (Vec::new(), Vec::new());
        let program = Program { number, set, entries, works, image, numbers, alone: 0, scratch: 0 };
        Self { program, panels: panels(set) }
    }

    /// The instructions it is made for.
    pub fn set(&self) -> InstructionSet {
        self.program.set
    }

    /// Numbers of the packed weights and of the packed bias of a step; `None` for one that has no weights, or would be
    /// refused.
    pub fn packed_lens(&self, step: &Step) -> Option<[usize; 2]> {
        self.check(step).ok()?;
        let weights = match self.cut(step) {
            Cut::Direct(direct) => direct.packed_len(),
            Cut::Winograd(winograd) => winograd.packed_len(),
            Cut::Linear(linear) => linear.packed_len(),
            Cut::Plain => return None,
        };
        let bias = match step {
            Step::Convolution(step) => {
                let bundles = step.conv.bundles();
                bundles.count * bundles.outs.div_ceil(LANES).next_multiple_of(self.panels) * LANES
            }
            _ => step.output().blocks() * LANES,
        };
        Some([weights, bias])
    }

    /// Packs the weights of a step.
    ///
    /// # Errors
    ///
    /// A step that does not fit the arena or its own operation, tensors that are not the step's.
    pub fn pack(&self, step: &Step, tensors: Tensors<'_>) -> Result<Packed, Refused> {
        self.check(step)?;
        let Some([length, _]) = self.packed_lens(step) else { return Err(refused("it has no weights")) };
        let (expected, outs) = match step {
            Step::Convolution(step) => (step.conv.weights(), step.conv.out_channels),
            Step::Linear(step) => {
                (step.output.channels * step.input.channels * step.input.pixels(), step.output.channels)
            }
            _ => (0, 0),
        };
        if [tensors.weights.len(), tensors.factors.len(), tensors.bias.len()] != [expected, outs, outs] {
            return Err(refused("the tensors are not of its shape"));
        }
        let of = step;
        let Step::Convolution(step) = of else {
            let mut packing = self.pack_linear(of, tensors.factors, tensors.bias)?;
            packing.push(tensors.weights)?;
            return packing.packed();
        };
        let scaled = Scaled { weights: tensors.weights, factors: tensors.factors };
        let mut weights = Buffer::zeros(length);
        match self.cut(of) {
            Cut::Winograd(winograd) => winograd::pack(&winograd, &step.conv, scaled, &mut weights),
            _ => packing::direct(&step.conv, self.panels, scaled, &mut weights),
        }
        Ok(Packed { weights: weights.into(), bias: packing::bias(step, self.panels, tensors.bias).into() })
    }

    /// Packs the weights of a linear layer, which may be larger than everything else together, some rows after the
    /// others.
    ///
    /// # Errors
    ///
    /// As [`Builder::pack`].
    pub fn pack_linear<'a>(
        &self,
        step: &'a Step,
        factors: &'a [f32],
        bias: &[f32],
    ) -> Result<LinearPacking<'a>, Refused> {
        self.check(step)?;
        match step {
            Step::Linear(step) if [factors.len(), bias.len()] == [step.output.channels; 2] => {
                Ok(LinearPacking::new(step, self.panels, factors, bias))
            }
            Step::Linear(_) => Err(refused("the tensors are not of its shape")),
            _ => Err(refused("it is no linear layer")),
        }
    }

    /// Adds a step; those with weights bring them packed.
    ///
    /// # Errors
    ///
    /// As [`Builder::pack`].
    pub fn push(&mut self, step: Step, packed: Option<Packed>) -> Result<(), Refused> {
        self.check(&step)?;
        let lens = packed.as_ref().map(|packed| [packed.weights.get().len(), packed.bias.get().len()]);
        if lens != self.packed_lens(&step) {
            return Err(refused("the packed weights are not of its shape"));
        }
        let (entry, cut) = (self.program.entries.len(), self.cut(&step));
        let scratch = match (&cut, &step) {
            (Cut::Direct(direct), _) => direct.scratch(),
            (Cut::Winograd(winograd), _) => winograd.scratch(),
            (_, Step::MaxPool { input, .. } | Step::AveragePool { input, .. }) => pool::scratch(input),
            (_, Step::Narrow(Narrow(narrow))) => narrow.scratch(),
            _ => 0,
        };
        if matches!(cut, Cut::Winograd(_) | Cut::Linear(_)) {
            self.program.works.push(Work { entry, prepares: true });
        }
        self.program.works.push(Work { entry, prepares: false });
        self.program.scratch = self.program.scratch.max(scratch.next_multiple_of(LANES));
        self.program.entries.push(Entry { step, cut, packed, scratch });
        Ok(())
    }

    /// All steps so far run image by image: each takes an image through all of them before the next. Places that only
    /// they read may lie in the memory of one image.
    ///
    /// # Errors
    ///
    /// Steps so far that cannot.
    pub fn image_by_image(&mut self) -> Result<(), Refused> {
        if self.program.entries.iter().any(|entry| matches!(entry.step, Step::Linear(_) | Step::Custom(_))) {
            return Err(refused("it does not run image by image"));
        }
        self.program.alone = self.program.works.len();
        Ok(())
    }

    /// The program.
    ///
    /// # Errors
    ///
    /// A step that runs for all images and reads or writes what is one image's.
    pub fn build(self) -> Result<Program, Refused> {
        let first = self.program.works.get(self.program.alone).map_or(self.program.entries.len(), |work| work.entry);
        for Entry { step, .. } in &self.program.entries[first..] {
            let own = matches!(step, Step::Convolution(Convolution { alone: true, .. }));
            if own || step.reads().iter().chain([step.output()]).any(|place| place.alone) {
                return Err(refused("it runs for all images and needs memory that is one image's"));
            }
        }
        Ok(self.program)
    }

    fn cut(&self, step: &Step) -> Cut {
        match step {
            Step::Convolution(step) if step.choice.algorithm == ConvAlgorithm::Direct => {
                Cut::Direct(Direct::new(step, self.panels))
            }
            Step::Convolution(step) => Cut::Winograd(Winograd::new(step, self.panels)),
            Step::Linear(step) => Cut::Linear(Linear::new(step, step.gathered, self.panels)),
            _ => Cut::Plain,
        }
    }

    /// Whether a step's shapes fit each other and the arena, and it writes nothing that it reads.
    fn check(&self, step: &Step) -> Result<(), Refused> {
        let numbers = self.program.numbers;
        let reads = step.reads();
        if !step.output().fits(numbers) || !reads.iter().all(|place| place.fits(numbers)) {
            return Err(refused("a value is not within the arena"));
        }
        if !step.takes(&reads) {
            return Err(refused("it does not compute with such numbers"));
        }
        let apart = |place: &Place| match step {
            // They see whole stores.
            Step::Custom(_) | Step::Narrow(_) => place.store_apart(step.output()),
            _ => place.apart(step.output()),
        };
        if !reads.iter().all(apart) {
            return Err(refused("it would write what it reads"));
        }
        for input in step.inputs() {
            if let Input::Images { channels, size, .. } = input {
                let numbers = size.iter().try_fold(*channels, |product, length| product.checked_mul(*length));
                if numbers != Some(self.program.image) {
                    return Err(refused("the images are of another size"));
                }
            }
            let padded = input.channels().next_multiple_of(LANES);
            if !input.map().is_none_or(|map| map.is_of(padded)) {
                return Err(refused("a map is not of whole blocks of channels"));
            }
        }
        let fits = match step {
            Step::Convolution(step) => self.fits_convolution(step),
            Step::Linear(step) => self.fits_linear(step),
            Step::MaxPool { max, input, output } => {
                input.place().is_some()
                    && input.channels() == output.channels
                    && max.kernel.iter().chain(&max.stride).chain(&max.dilation).all(|extent| *extent > 0)
            }
            Step::AveragePool { average, input, output } => {
                let spans = average.spans.iter().zip(input.size()).zip(output.size);
                input.place().is_some()
                    && input.channels() == output.channels
                    && spans.into_iter().all(|((spans, length), count)| {
                        spans.len() == count && spans.iter().all(|s| s.start <= s.end && s.end <= length)
                    })
            }
            Step::Sum { inputs, output, .. } => {
                !inputs.is_empty()
                    && inputs.iter().all(|input| input.size() == output.size && input.channels() == output.channels)
            }
            Step::Narrow(Narrow(narrow)) => narrow.fits(),
            Step::Custom(Custom { inputs, .. }) => inputs.iter().all(|input| input.place().is_some()),
        };
        if fits { Ok(()) } else { Err(refused("its shapes do not fit each other")) }
    }

    fn fits_convolution(&self, step: &Convolution) -> bool {
        let conv = &step.conv;
        let sizes = [conv.groups, conv.stride[0], conv.stride[1], conv.dilation[0], conv.dilation[1]];
        let sound = sizes.iter().all(|size| *size > 0)
            && conv.in_channels.is_multiple_of(conv.groups)
            && conv.out_channels.is_multiple_of(conv.groups);
        let images = matches!(step.input, Input::Images { .. });
        // What follows computes with sizes that belong together.
        if !sound
            || !step.choice.algorithm.suits(conv)
            || conv.output(step.input.size()) != Some(step.output.size)
            || [step.input.channels(), step.output.channels] != [conv.in_channels, conv.out_channels]
        {
            return false;
        }
        let transformed = winograd::transformed_len(conv, step.output.size, step.choice);
        let room = Place::of_vectors(step.alone, step.transformed, transformed / LANES);
        step.finish
            .residual
            .is_none_or(|residual| residual.channels == step.output.channels && residual.size == step.output.size)
            && (!images || (step.choice.algorithm == ConvAlgorithm::Direct && takes_images(conv)))
            && (transformed == 0
                || (room.fits(self.program.numbers)
                    && room.apart(&step.output)
                    && step.input.place().is_some_and(|input| room.apart(input))
                    && step.finish.residual.is_none_or(|residual| room.apart(&residual))))
    }

    fn fits_linear(&self, step: &LinearLayer) -> bool {
        let gathered = gathered_len(step.input.channels, step.input.size);
        let room = Place::of_vectors(false, step.gathered, gathered / LANES);
        step.output.size == [1, 1]
            && step.finish.residual.is_none()
            && step.map.as_ref().is_none_or(|map| map.is_of(step.input.blocks() * LANES))
            && room.fits(self.program.numbers)
            && room.apart(&step.output)
            && room.apart(&step.input)
    }
}

/// Whether a convolution may read images as they come: of few channels, in one group.
pub fn takes_images(conv: &crate::conv::Conv) -> bool {
    conv.in_channels <= super::frame::FEW && conv.groups == 1
}

/// Numbers of one image that a linear layer of maps of this size needs in the arena to bring images side by side.
pub fn gathered_len(channels: usize, size: [usize; 2]) -> usize {
    channels.next_multiple_of(LANES) * size[0] * size[1]
}

impl Program {
    /// The instructions it was made for.
    pub fn set(&self) -> InstructionSet {
        self.set
    }

    /// Its steps, with their packed weights.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = (&Step, Option<&Packed>)> {
        self.entries.iter().map(|entry| (&entry.step, entry.packed.as_ref()))
    }

    /// Words of 32 bits that the values of one image take, and those of each further one.
    pub fn numbers(&self) -> [usize; 2] {
        [self.numbers[0] + self.numbers[1], self.numbers[1]]
    }
}

fn refused(why: &str) -> Refused {
    Refused(why.to_string())
}

/// Blocks of outputs the micro-kernel takes.
fn panels(set: InstructionSet) -> usize {
    struct Panels;
    impl Kernel<f32> for Panels {
        type Output = usize;
        #[inline(always)]
        fn run<V: Vector<Element = f32>>(self) -> usize {
            V::PANELS
        }
    }
    dispatch::<f32, _>(set, Panels)
}

impl Work {
    /// Where in the packed weights a task begins, of those for so many images and threads.
    pub(super) fn first_weight(&self, entry: &Entry, task: usize, cut_for: [usize; 2]) -> usize {
        match (&entry.cut, self.prepares) {
            (Cut::Direct(direct), _) => direct.first_weight(task, cut_for),
            (Cut::Winograd(winograd), false) => winograd.first_weight(task, cut_for),
            (Cut::Linear(linear), false) => linear.first_weight(task),
            _ => 0,
        }
    }

    /// Tasks of this pass for so many images and threads.
    pub(super) fn tasks(&self, entries: &[Entry], [batch, threads]: [usize; 2]) -> usize {
        let entry = &entries[self.entry];
        match (&entry.cut, &entry.step, self.prepares) {
            (Cut::Direct(direct), ..) => direct.tasks(batch, threads),
            (Cut::Winograd(winograd), _, true) => winograd.transform_tasks(batch),
            (Cut::Winograd(winograd), _, false) => winograd.tasks(batch, threads),
            (Cut::Linear(linear), Step::Linear(step), true) => linear.gather_tasks(step, batch),
            (Cut::Linear(linear), ..) => linear.tasks(),
            (Cut::Plain, Step::MaxPool { output, .. } | Step::AveragePool { output, .. }, _) => {
                pool::tasks(output, batch)
            }
            (Cut::Plain, Step::Custom(_), _) => 1,
            (Cut::Plain, step, _) => moves::tasks(step.output(), batch),
        }
    }
}
