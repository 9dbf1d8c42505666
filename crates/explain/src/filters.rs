//! The filters of the first convolution, which can be looked at because they read colours.

use crate::explainer::Explainer;
use cnn_network::Op;

/// The filters of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Filters {
    /// The path of its node.
    pub node: String,
    /// Channels that a filter reads.
    pub channels: usize,
    /// Height and width.
    pub size: [usize; 2],
    /// The filters, each in the order (channel, row, column).
    pub filters: Vec<Vec<f32>>,
}

impl Explainer {
    /// The filters of the first convolution that the scores need; `None` where there is none, or where a connection
    /// table gives its filters different channels.
    pub fn first_filters(&self) -> Option<Filters> {
        let network = self.network();
        let needed = network.needed_for(&[network.score_node()]);
        let nodes = network.nodes().iter().zip(needed).filter(|(_, needed)| *needed).map(|(node, _)| node);
        let (node, conv) = nodes.into_iter().find_map(|node| match &node.op {
            Op::Conv(conv) => Some((node, conv)),
            _ => None,
        })?;
        let weight = node.tensors.first()?;
        let [_, channels, _, _] = weight.dims[..] else { return None };
        let size = conv.window.kernel.axes();
        let numbers = self.tensor(&weight.name)?;
        let filters = numbers.chunks_exact(channels * size[0] * size[1]).map(<[f32]>::to_vec).collect();
        Some(Filters { node: node.path.clone(), channels, size, filters })
    }
}
