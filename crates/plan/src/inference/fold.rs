//! Scales and shifts: folded into weights, or as maps that are applied where a value is read.

use super::numbers::Numbers;
use crate::error::Result;
use cnn_kernels::LANES;
use cnn_kernels::inference::Affine;
use cnn_network::{Network, Op};

/// Nodes that scale and shift the channels of a value one after the other, and a floor of 0 behind them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Mapping {
    pub(super) affines: Vec<usize>,
    pub(super) relu: bool,
}

/// `scale · x + shift` for each channel.
pub(super) struct Line {
    pub(super) scale: Vec<f64>,
    pub(super) shift: Vec<f64>,
}

impl Mapping {
    pub(super) fn is_none(&self) -> bool {
        self.affines.is_empty() && !self.relu
    }

    /// As kernels read it; nothing where nothing is done.
    pub(super) fn affine(
        &self,
        network: &Network,
        channels: usize,
        weights: &mut Numbers<'_>,
    ) -> Result<Option<Affine>> {
        if self.is_none() {
            return Ok(None);
        }
        let line = line(network, &self.affines, channels, weights)?;
        let padded = channels.next_multiple_of(LANES);
        let whole = |values: &[f64]| {
            let mut values: Vec<f32> = values.iter().map(|x| *x as f32).collect();
            values.resize(padded, 0.0);
            values
        };
        let floor = if self.relu { 0.0 } else { f32::NAN };
        Ok(Some(Affine { scale: whole(&line.scale), shift: whole(&line.shift), floor: vec![floor; padded] }))
    }
}

/// What some nodes do together.
pub(super) fn line(network: &Network, nodes: &[usize], channels: usize, weights: &mut Numbers<'_>) -> Result<Line> {
    let mut line = Line { scale: vec![1.0; channels], shift: vec![0.0; channels] };
    for node in nodes.iter().map(|id| &network.nodes()[*id]) {
        let mut tensor = |number: usize| weights.numbers(network, &node.tensors[number].name);
        match &node.op {
            Op::BatchNorm(op) => {
                let [weight, bias, mean, variance] = [tensor(0)?, tensor(1)?, tensor(2)?, tensor(3)?];
                for c in 0..channels {
                    let scale = f64::from(weight[c]) / (f64::from(variance[c]) + op.eps).sqrt();
                    line.then(c, scale, f64::from(bias[c]) - f64::from(mean[c]) * scale);
                }
            }
            Op::ChannelAffine { .. } => {
                let [scale, shift] = [tensor(0)?, tensor(1)?];
                (0..channels).for_each(|c| line.then(c, f64::from(scale[c]), f64::from(shift[c])));
            }
            Op::Scale { factor } => (0..channels).for_each(|c| line.then(c, *factor, 0.0)),
            Op::InputAffine { scale, shift } => (0..channels).for_each(|c| line.then(c, scale[c], shift[c])),
            _ => {}
        }
    }
    Ok(line)
}

impl Line {
    fn then(&mut self, channel: usize, scale: f64, shift: f64) {
        self.scale[channel] *= scale;
        self.shift[channel] = self.shift[channel] * scale + shift;
    }
}
