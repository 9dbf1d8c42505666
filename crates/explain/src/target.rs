//! Which node is looked at, from the network alone.

use cnn_network::network::NodeId;
use cnn_network::{Network, Op};

/// The node whose maps Grad-CAM weighs: the last maps of more than one place before evaluation first flattens them or
/// takes their mean over all places, behind the last activation. `None` if there are no maps but the image.
///
/// A dropout or an adaptive pool between is passed over: the maps before it show the same, or more.
pub fn cam_node(network: &Network) -> Option<NodeId> {
    let needed = network.needed_for(&[network.outputs()[0].node]);
    let ends = |op: &Op| match op {
        Op::Flatten => true,
        Op::AdaptiveAvgPool { output } => *output == 1.into(),
        _ => false,
    };
    let nodes = network.nodes().iter().zip(needed).filter(|(_, needed)| *needed);
    let first = nodes.map(|(node, _)| node).find(|node| ends(&node.op));
    let mut id = first.map_or(network.outputs()[0].node, |node| node.inputs[0]);
    loop {
        let node = network.node(id);
        let places = node.shape.size().map_or(1, |size| size.area());
        match &node.op {
            Op::Input => return None,
            Op::Dropout { .. } | Op::AdaptiveAvgPool { .. } | Op::Softmax => id = node.inputs[0],
            _ if places <= 1 => id = node.inputs[0],
            _ => return Some(id),
        }
    }
}
