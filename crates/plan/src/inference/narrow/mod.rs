//! The same steps on narrow numbers: maps and weights of 16 bits, or of 8 with a scale and a zero point.
//!
//! What has no narrow kernel is computed in `f32` between, by steps that widen its inputs and round its results; maps that
//! nothing else reads, and outputs, are `f32`.

mod arrange;
mod kernel;
mod layout;
mod made;
mod number;
mod pictures;
mod scales;
mod step;
mod tensors;
mod way;

use super::build::{Built, ask, weights_of};
use super::calibration::Calibration;
use super::lower::Lowered;
use super::options::InferenceOptions;
use super::report::About;
use super::source::{Source, refused};
use crate::error::Result;
use arrange::{apart, images_first, stays_wide};
use cnn_kernels::inference::Builder;
use cnn_network::Network;
use layout::Layout;
use made::Made;
pub(super) use number::Narrow;
use number::REAL;
use pictures::Pictures;
use scales::{Scales, from_numbers};
use way::Way;

/// Builds the program of a network on numbers of one kind.
pub(super) fn build<F: Narrow>(
    network: &Network,
    mut lowered: Lowered,
    options: &InferenceOptions<'_>,
    calibration: Option<&Calibration>,
    source: &mut Source<'_>,
) -> Result<Built> {
    images_first(&mut lowered, (network.input().channels(), crate::plan::size(network.input())));
    apart(&mut lowered);
    let pictures = F::PICTURES.then(|| Pictures::first::<F>(&mut lowered)).flatten();
    let wide: Vec<bool> = (0..lowered.stores.len()).map(|store| stays_wide::<F>(&lowered, store)).collect();
    let scales = Scales::new(network, calibration, &lowered, &wide)?;
    let of_pictures = |number: usize| pictures.is_some_and(|pictures| pictures.reader == number);
    let ways = lowered.steps.iter().enumerate().map(|(number, step)| match of_pictures(number) {
        true => Ok(Way::Narrow),
        false => Way::of::<F>(step, &scales, &wide, options),
    });
    let ways = ways.collect::<Result<Vec<_>>>()?;
    let packed = lowered.steps.iter().zip(&ways).map(|(step, way)| way.bytes::<F>(weights_of(step)));
    ask(network, packed.sum(), source)?;
    let layout = Layout::new::<F>(&lowered, &wide, &ways);
    let builder = Builder::new(options.set(), network.input().elements(), layout.numbers);
    let mut made = Made { network, builder, about: Vec::new(), of: Vec::new(), kept: Vec::new() };
    for (number, way) in ways.iter().enumerate() {
        step::make::<F>(&mut made, &layout, (number, *way), pictures.as_ref(), &scales, source)?;
        if number + 1 == layout.alone {
            let path = &network.nodes()[lowered.steps[number].node].path;
            made.builder.image_by_image().map_err(|why| refused(path, &why))?;
        }
    }
    // What is asked for and narrow is widened behind all else.
    let mut outputs = Vec::new();
    for (number, value) in lowered.outputs.iter().enumerate() {
        let mut place = layout.place(value);
        if let Some(widened) = layout.output(number) {
            let finish = from_numbers((scales.of_store(value), None), value.channels, None, REAL, false);
            made.about(About::moves(value.node, value));
            made.transfer::<F>(place, (widened, None), finish)?;
            place = widened;
        }
        outputs.push(place);
    }
    let Made { builder, about, of, kept, .. } = made;
    let program = builder.build().map_err(|why| refused(&network.output().path, &why))?;
    Ok(Built { program, outputs, about, of, kept })
}
