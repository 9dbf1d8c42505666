//! The numbers of a convolution or a linear layer, of a network's tensors or of a file.

use super::number::Narrow;
use super::pictures::Pictures;
use crate::error::Result;
use crate::inference::build::OwnTensors;
use crate::inference::lower::Step;
use crate::inference::source::Source;
use cnn_kernels::narrow::Weights;
use cnn_kernels::{Conv, InstructionSet};
use cnn_network::Network;

/// A step's weights as they are, all that follows folded in, and its bias.
pub(super) fn real_tensors(network: &Network, step: &Step, source: &mut Source<'_>) -> Result<(Vec<f32>, Vec<f32>)> {
    match source {
        Source::Weights(numbers) => {
            let OwnTensors { weights, factors, bias } = OwnTensors::of(network, step, numbers)?;
            let each = weights.len() / factors.len().max(1);
            let scaled = weights.chunks(each.max(1)).zip(&factors);
            Ok((scaled.flat_map(|(own, factor)| own.iter().map(move |x| x * factor)).collect(), bias))
        }
        Source::File(saved) => Ok((saved.next()?.get().to_vec(), saved.next()?.get().to_vec())),
    }
}

/// A step's narrow weights, what a weight of each output stands for, and its bias.
pub(super) fn narrow_tensors<F: Narrow>(
    network: &Network,
    (step, pictures): (&Step, Option<&Pictures>),
    conv: &Conv,
    set: InstructionSet,
    source: &mut Source<'_>,
) -> Result<(Weights<F>, Vec<f32>, Vec<f32>)> {
    if let Source::File(saved) = source {
        let (words, wholes) = (saved.next()?, saved.next()?);
        let wholes: Vec<i32> = wholes.get().iter().map(|whole| whole.to_bits().cast_signed()).collect();
        let weights = Weights::from_packed(conv, set, words, &wholes);
        let (scales, bias) = (saved.next()?.get().to_vec(), saved.next()?.get().to_vec());
        let fits = [scales.len(), bias.len()] == [conv.out_channels; 2];
        return match weights.filter(|_| fits) {
            Some(weights) => Ok((weights, scales, bias)),
            None => Err(saved.damaged()),
        };
    }
    let (mut weights, bias) = real_tensors(network, step, source)?;
    if let Some(pictures) = pictures {
        weights = pictures.weights(&weights);
    }
    let (weights, scales) = F::pack(conv, set, &weights);
    Ok((weights, scales, bias))
}
