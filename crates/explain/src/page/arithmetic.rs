//! The numbers of a small network, for a page that shows how each came about.

use super::node::Shown;
use super::picture::packed;
use super::sheet::Sheet;
use crate::explainer::Explainer;
use cnn_network::network::{Node, NodeId};
use cnn_network::shape::Window;
use cnn_network::{Network, Op};
use serde::Serialize;
use std::collections::BTreeMap;

/// Numbers of all nodes, and of all weights, that a small network has no more of.
const SMALL: usize = 120_000;

/// What a script needs to show the arithmetic.
#[derive(Debug, Serialize)]
pub(crate) struct Numbers {
    nodes: BTreeMap<usize, NodeNumbers>,
}

#[derive(Debug, Serialize)]
struct NodeNumbers {
    path: String,
    dims: Vec<usize>,
    inputs: Vec<usize>,
    /// Absent where a script gets them.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<String>,
    sheet: Sheet,
    op: OpNumbers,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum OpNumbers {
    Conv {
        #[serde(flatten)]
        window: WindowNumbers,
        groups: usize,
        table: Option<Vec<Vec<usize>>>,
        weight: String,
        bias: Option<String>,
    },
    Max {
        #[serde(flatten)]
        window: WindowNumbers,
    },
    Mean {
        #[serde(flatten)]
        window: WindowNumbers,
        count_padding: bool,
    },
    Linear {
        weight: String,
        bias: Option<String>,
    },
    Relu,
    Other,
}

/// Each `[vertical, horizontal]`.
#[derive(Debug, Serialize)]
struct WindowNumbers {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
}

impl From<&Window> for WindowNumbers {
    fn from(window: &Window) -> Self {
        let Window { kernel, stride, padding, dilation, .. } = window;
        Self { kernel: kernel.axes(), stride: stride.axes(), padding: padding.axes(), dilation: dilation.axes() }
    }
}

/// Whether all numbers of a network fit into a page.
pub(crate) fn is_small(network: &Network) -> bool {
    let needed = network.needed_for(&[network.score_node()]);
    let nodes = || network.nodes().iter().zip(&needed).filter(|(_, needed)| **needed).map(|(node, _)| node);
    let values = nodes().map(|node| node.shape.elements()).fold(0, usize::saturating_add);
    let weights = nodes().flat_map(|node| &node.tensors).map(|spec| spec.elements()).fold(0, usize::saturating_add);
    values <= SMALL && weights <= SMALL
}

/// The weights of some nodes, with their values where these are known.
pub(crate) fn numbers(
    explainer: &Explainer,
    ids: &[NodeId],
    values: Option<&[&[f32]]>,
    shown: &BTreeMap<NodeId, Shown>,
) -> Numbers {
    let network = explainer.network();
    let of = |(number, id): (usize, &NodeId)| {
        let node = network.node(*id);
        let numbers = NodeNumbers {
            path: node.path.clone(),
            dims: node.shape.dims(),
            inputs: node.inputs.iter().map(|input| input.index()).collect(),
            values: values.map(|values| packed(values[number])),
            sheet: shown.get(id)?.sheet.clone(),
            op: operation(explainer, node),
        };
        Some((id.index(), numbers))
    };
    Numbers { nodes: ids.iter().enumerate().filter_map(of).collect() }
}

fn operation(explainer: &Explainer, node: &Node) -> OpNumbers {
    let tensor = |number: usize| {
        let spec = node.tensors.get(number)?;
        explainer.tensor(&spec.name).map(packed)
    };
    match &node.op {
        Op::Conv(conv) => OpNumbers::Conv {
            window: (&conv.window).into(),
            groups: conv.groups,
            table: conv.connections.clone(),
            weight: tensor(0).unwrap_or_default(),
            bias: tensor(1),
        },
        Op::Linear(_) => OpNumbers::Linear { weight: tensor(0).unwrap_or_default(), bias: tensor(1) },
        Op::MaxPool(window) => OpNumbers::Max { window: window.into() },
        Op::AvgPool(pool) => OpNumbers::Mean { window: (&pool.window).into(), count_padding: pool.count_padding },
        Op::Relu => OpNumbers::Relu,
        _ => OpNumbers::Other,
    }
}
