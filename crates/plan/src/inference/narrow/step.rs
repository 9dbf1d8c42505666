//! The steps of a program that compute a lowered step.

use super::kernel::as_conv;
use super::layout::Layout;
use super::made::Made;
use super::number::{Narrow, REAL};
use super::pictures::Pictures;
use super::scales::{Scales, as_read, between, from_numbers};
use super::tensors::{narrow_tensors, real_tensors};
use super::way::Way;
use crate::error::{Error, Result};
use crate::inference::build::{Spot, pack};
use crate::inference::lower::{At, Work};
use crate::inference::report::About;
use crate::inference::source::Source;
use crate::operation::{Arguments, Operation, Remembered};
use cnn_kernels::inference::{
    self as kernels, Affine, Choice, ConvAlgorithm, Convolution, Custom, Finish, NarrowStep, NarrowWork, Numbers,
};
use cnn_kernels::mapped::from_words;
use cnn_kernels::narrow::{Pool, requantise};
use cnn_kernels::{Algorithm, InstructionSet, Store as Sink, View};
use std::sync::Arc;

/// Makes the steps of a lowered step, whose number is given with how it is computed.
pub(super) fn make<F: Narrow>(
    made: &mut Made<'_>,
    layout: &Layout<'_>,
    (number, way): (usize, Way),
    pictures: Option<&Pictures>,
    scales: &Scales<'_>,
    source: &mut Source<'_>,
) -> Result<()> {
    let step = &layout.lowered.steps[number];
    let maps = step.inputs.iter().map(|value| source.map(made.network, &value.map, value.channels));
    let maps = maps.collect::<Result<Vec<_>>>()?;
    for Affine { scale, shift, floor } in maps.iter().flatten() {
        made.kept.extend([scale, shift, floor].map(|entries| Numbers::from(&entries[..])));
    }
    match way {
        Way::Wide(why) => wide::<F>(made, layout, (number, why), maps, scales, source),
        Way::Winograd(choice) => winograd::<F>(made, layout, (number, choice), maps, source),
        Way::Narrow => narrow::<F>(made, layout, number, (maps, pictures), scales, source),
    }
}

/// A step on narrow numbers.
fn narrow<F: Narrow>(
    made: &mut Made<'_>,
    layout: &Layout<'_>,
    number: usize,
    (maps, pictures): (Vec<Option<Affine>>, Option<&Pictures>),
    scales: &Scales<'_>,
    source: &mut Source<'_>,
) -> Result<()> {
    let step = &layout.lowered.steps[number];
    // A map that is only copied is part of what is done to the numbers on their way out.
    let copies = matches!(step.work, Work::Sum { .. }) && step.inputs.len() == 1;
    let (first, real) = (&step.inputs[0], maps[0].as_ref());
    let from = as_read(first, scales, !copies)?;
    let (to, outs) = (scales.of_store(&step.output), step.output.channels);
    let addend = match &step.work {
        Work::Conv { residual, .. } => residual.as_ref(),
        _ => step.inputs.get(1),
    };
    let added = addend.map(|addend| scales.of_store(addend));
    let (work, finish, about) = match &step.work {
        Work::Conv { chain, .. } | Work::Linear { chain } => {
            let conv = as_conv(step);
            let pictures = pictures.filter(|pictures| pictures.reader == number);
            let set = made.builder.set();
            let (weights, own, bias) = narrow_tensors::<F>(made.network, (step, pictures), &conv, set, source)?;
            let wholes: Vec<u32> = weights.packed().1.iter().map(|whole| whole.cast_unsigned()).collect();
            made.kept.push(weights.numbers().clone());
            made.kept.extend([from_words(&wholes), &own, &bias].map(Numbers::from));
            let products = own.iter().map(|scale| scale * from.scale);
            let finish = requantise(products, Some(&bias), added, Some(to), chain.relu);
            let products = pictures.map_or_else(|| conv.weights(), Pictures::products);
            let about = About {
                macs: products * step.output.size[0] * step.output.size[1],
                weight_bytes: weights.bytes(),
                products: F::NUMERIC,
                predicted: F::PRODUCTS.map(|products| ((ConvAlgorithm::Direct, products), conv, step.output.size)),
                ..About::other(step.node, F::CONVOLUTION)
            };
            (NarrowWork::Convolution(weights), finish, about)
        }
        Work::Sum { .. } if pictures.is_some_and(|pictures| pictures.copy == number) => {
            let finish = from_numbers((from, real), first.channels, None, to, false);
            let cells = pictures.map(|pictures| pictures.cells).expect("it was there");
            (NarrowWork::Pictures(cells), finish, About::other(step.node, "pictures, four pixels a cell"))
        }
        Work::Sum { relu } => {
            let finish = from_numbers((from, real.filter(|_| copies)), outs, added, to, *relu);
            (NarrowWork::Transfer, finish, About::other(step.node, "copy or sum"))
        }
        Work::Other(operation) => {
            let pool = match operation {
                Operation::MaxPool(max) => Pool::max(max, first.size, step.output.size),
                Operation::AveragePool(average) => Pool::average(average, first.size),
                _ => unreachable!("an operation without a kernel is computed in f32"),
            };
            let pool = pool.ok_or_else(|| Error::Refused {
                path: made.network.nodes()[step.node].path.clone(),
                why: "its windows hold nothing, or reach beyond the map".to_string(),
            })?;
            let work = NarrowWork::Pool(pool);
            let finish = from_numbers((from, None), outs, None, to, false);
            (work, finish, About::other(step.node, operation.name()))
        }
    };
    made.about(About { value_bytes: About::moved::<F>(step), ..about });
    let zero = match work {
        NarrowWork::Pictures(_) => F::zero(to),
        _ => F::zero(from),
    };
    let map = real.filter(|_| !copies).map(|real| Arc::new(between(real, scales.of_store(first), from)));
    let input = match first.at {
        At::Images => kernels::Input::Images { channels: first.channels, size: first.size, map: None },
        At::Store { .. } => kernels::Input::Value { place: layout.place(first), map },
    };
    let (output, addend) = (layout.place(&step.output), addend.map(|value| layout.place(value)));
    made.push(NarrowStep { work, input, zero, output, addend, finish })
}

/// A convolution on narrow maps with products of `f32`.
fn winograd<F: Narrow>(
    made: &mut Made<'_>,
    layout: &Layout<'_>,
    (number, choice): (usize, Choice),
    maps: Vec<Option<Affine>>,
    source: &mut Source<'_>,
) -> Result<()> {
    let step = &layout.lowered.steps[number];
    let Work::Conv { conv, chain, residual } = &step.work else { unreachable!("a convolution") };
    let map = maps.into_iter().next().flatten().map(Arc::new);
    let Spot { alone, offset } = layout.transformed(number);
    let output = layout.place(&step.output);
    let own = kernels::Step::Convolution(Convolution {
        input: kernels::Input::Value { place: layout.place(&step.inputs[0]), map },
        output,
        conv: *conv,
        choice,
        finish: Finish { residual: residual.as_ref().map(|value| layout.place(value)), relu: chain.relu },
        transformed: offset,
        alone,
    });
    let packed = source.packed(|numbers| pack(&made.builder, made.network, (step, &own), numbers))?;
    made.kept.extend([packed.weights.clone(), packed.bias.clone()]);
    made.about(About {
        macs: conv.weights() * output.pixels(),
        weight_bytes: size_of_val(packed.weights.get()),
        value_bytes: About::moved::<F>(step),
        predicted: F::PRODUCTS.map(|products| ((choice.algorithm, products), *conv, output.size)),
        in_f32: Some("faster than direct bf16"),
        ..About::other(step.node, choice.algorithm.name())
    });
    made.push_packed(own, Some(packed))
}

/// A step in `f32`: its inputs widened where they are narrow, the operation, and its result rounded.
fn wide<F: Narrow>(
    made: &mut Made<'_>,
    layout: &Layout<'_>,
    (number, why): (usize, &'static str),
    maps: Vec<Option<Affine>>,
    scales: &Scales<'_>,
    source: &mut Source<'_>,
) -> Result<()> {
    let step = &layout.lowered.steps[number];
    let (to, outs) = (scales.of_store(&step.output), step.output.channels);
    let residual = match &step.work {
        Work::Conv { residual, .. } => residual.as_ref(),
        _ => None,
    };
    let added = residual.map(|residual| scales.of_store(residual));
    let (operation, weights, finish) = match &step.work {
        Work::Conv { chain, .. } | Work::Linear { chain } => {
            let conv = as_conv(step);
            let (weights, bias) = real_tensors(made.network, step, source)?;
            if let (Source::File(saved), false) = (&*source, [weights.len(), bias.len()] == [conv.weights(), outs]) {
                return Err(saved.damaged());
            }
            let weights = Numbers::from(&weights[..]);
            made.kept.extend([weights.clone(), Numbers::from(&bias[..])]);
            let finish = requantise(vec![1.0; outs], Some(&bias), added, Some(to), chain.relu);
            (Operation::Conv { conv, table: None, algorithm: Algorithm::Direct }, weights, finish)
        }
        Work::Sum { relu } => {
            let finish = requantise(vec![1.0; outs], None, None, Some(to), *relu);
            (Operation::Sum, Numbers::from(&[][..] as &[f32]), finish)
        }
        Work::Other(operation) => {
            let finish = from_numbers((REAL, None), outs, None, to, false);
            (operation.clone(), Numbers::from(&[][..] as &[f32]), finish)
        }
    };
    made.about(About {
        macs: weights.get().len() * step.output.size[0] * step.output.size[1],
        weight_bytes: size_of_val(weights.get()),
        value_bytes: About::moved::<F>(step),
        in_f32: Some(why),
        ..About::other(step.node, operation.name())
    });
    let mut inputs = Vec::new();
    for (input, (value, real)) in step.inputs.iter().zip(maps).enumerate() {
        let mut place = layout.place(value);
        let mut map = real.map(Arc::new);
        if let Some(own) = layout.input(number, input) {
            let finish = from_numbers((scales.of_store(value), map.as_deref()), value.channels, None, REAL, false);
            made.transfer::<F>(place, (own, None), finish)?;
            (place, map) = (own, None);
        }
        inputs.push(kernels::Input::Value { place, map });
    }
    let output = layout.result(number).expect("a step in f32 has a place for its result");
    let run = move |set: InstructionSet, inputs: &[View<'_, f32>], sink: Sink<'_, f32>| {
        let set = if F::SAME_EVERYWHERE { InstructionSet::Portable } else { set };
        let remembered = &mut Remembered::default();
        operation.forward(set, Arguments { inputs, weights: weights.get(), remembered }, sink);
    };
    made.push(kernels::Step::Custom(Custom { inputs, output, run: Arc::new(run) }))?;
    let residual = residual.map(|value| layout.place(value));
    made.transfer::<F>(output, (layout.place(&step.output), residual), finish)
}
