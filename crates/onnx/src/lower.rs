//! From the network's nodes to the graph's: which values there are, and what they are called.

use crate::attribute::integer;
use crate::error::Result;
use crate::export::Export;
use crate::fold::{Folding, partners};
use crate::graph::{Graph, Place, value_info};
use crate::origin::origins;
use crate::{elementwise, layers, norm, pool};
use cnn_network::{Network, Op};
use cnn_weights::Weights;

const INPUT: &str = "input";
const PIXELS: &str = "pixels";
const LOGITS: &str = "logits";
const PROBABILITIES: &str = "probabilities";

/// The nodes of the outputs, where nodes give them.
struct Ends {
    logits: Option<usize>,
    probabilities: Option<usize>,
}

impl Ends {
    /// A network that gives probabilities has its scores before its softmax, if anywhere.
    fn of(network: &Network, origins: &[usize]) -> Self {
        let (end, score) = (network.outputs()[0].node, network.score_node());
        let given = network.gives_probabilities(end);
        Self {
            logits: (!given || score != end).then(|| origins[score.index()]),
            probabilities: given.then(|| origins[end.index()]),
        }
    }
}

/// The graph of a network's main output.
pub(crate) fn lower<'a>(network: &'a Network, weights: &'a Weights, export: &Export) -> Result<Graph<'a>> {
    let end = network.outputs()[0].node;
    let needed = network.needed_for(&[end]);
    let mut foldings = foldings(network, weights, export, &needed)?;
    let mut origins = origins(network);
    for index in 0..origins.len() {
        let node = &network.nodes()[index];
        // A normalisation that was folded gives its layer's value.
        let layer = node.inputs.first().map(|input| origins[input.index()]);
        let layer = layer.filter(|layer| foldings[*layer].as_ref().is_some_and(|f| std::ptr::eq(f.norm, node)));
        origins[index] = layer.unwrap_or(origins[origins[index]]);
    }
    let ends = Ends::of(network, &origins);

    let input = if export.normalise.is_some() { PIXELS } else { INPUT };
    let mut graph = Graph::new(network, weights, &[input, LOGITS, PROBABILITIES]);
    graph.inputs.push(value_info(input, network.input()));
    let mut values = vec![String::new(); origins.len()];
    for (index, node) in network.nodes().iter().enumerate().filter(|(index, _)| needed[*index]) {
        if origins[index] != index {
            values[index] = values[origins[index]].clone();
            continue;
        }
        if matches!(node.op, Op::Input) {
            values[index] = match export.normalise {
                None => input.to_string(),
                Some(pixels) => pixels.normalise(&mut graph, &export.about.mean, &export.about.std, input)?,
            };
            continue;
        }
        let folding = foldings[index].take();
        values[index] = if ends.probabilities == Some(index) {
            PROBABILITIES.to_string()
        } else if ends.logits == Some(index) && node.shape == network.output().shape {
            LOGITS.to_string()
        } else {
            let path = folding.as_ref().map_or(&node.path, |folding| &folding.norm.path);
            let value = graph.value(path);
            graph.values.push(value_info(&value, node.shape));
            value
        };
        let place = Place {
            node,
            input: network.node(node.inputs[0]).shape,
            inputs: node.inputs.iter().map(|input| values[input.index()].clone()).collect(),
            output: values[index].clone(),
        };
        write(&mut graph, &place, folding)?;
    }
    finish(&mut graph, export, &ends, &values);
    Ok(graph)
}

/// The outputs, and what gives them where no operation does.
fn finish(graph: &mut Graph<'_>, export: &Export, ends: &Ends, values: &[String]) {
    let shape = graph.network.output().shape;
    if let Some(logits) = ends.logits {
        let (value, of) = (&values[logits], graph.network.nodes()[logits].shape);
        if of != shape {
            // Flattened behind the softmax alone.
            graph.node("Flatten", LOGITS, &[value], LOGITS, vec![integer("axis", 1)]);
        } else if value != LOGITS {
            graph.node("Identity", LOGITS, &[value], LOGITS, Vec::new());
        }
        graph.outputs.push(value_info(LOGITS, shape));
    }
    if ends.probabilities.is_none() && export.probabilities {
        elementwise::softmax(graph, PROBABILITIES, LOGITS, PROBABILITIES);
    }
    if ends.probabilities.is_some() || export.probabilities {
        graph.outputs.push(value_info(PROBABILITIES, shape));
    }
}

/// For each layer the normalisation that is folded into it.
fn foldings<'a>(
    network: &'a Network,
    weights: &Weights,
    export: &Export,
    needed: &[bool],
) -> Result<Vec<Option<Folding<'a>>>> {
    let fold = |partner: Option<usize>| match partner {
        Some(norm) if export.fold => Folding::of(network, weights, &network.nodes()[norm]),
        _ => Ok(None),
    };
    partners(network, needed, &origins(network)).into_iter().map(fold).collect()
}

fn write<'a>(graph: &mut Graph<'a>, place: &Place<'a>, folding: Option<Folding<'a>>) -> Result<()> {
    match &place.node.op {
        // Given values of their own before.
        Op::Input | Op::Dropout { .. } => {}
        Op::Conv(conv) => layers::conv(graph, place, conv, folding)?,
        Op::Linear(_) => layers::linear(graph, place, folding)?,
        Op::BatchNorm(settings) => norm::batch(graph, place, settings),
        Op::Lrn(lrn) => norm::local_response(graph, place, lrn),
        Op::Relu => graph.last("Relu", place, &[&place.x()], Vec::new()),
        Op::Sigmoid => graph.last("Sigmoid", place, &[&place.x()], Vec::new()),
        Op::Tanh { amplitude, slope } => elementwise::tanh(graph, place, *amplitude, *slope),
        Op::Softmax => elementwise::softmax(graph, &place.node.path, &place.x(), &place.output),
        Op::MaxPool(window) => pool::max(graph, place, window),
        Op::AvgPool(settings) => pool::average(graph, place, settings),
        Op::AdaptiveAvgPool { output } => pool::adaptive(graph, place, *output),
        Op::Flatten => elementwise::flatten(graph, place),
        Op::Scale { factor } => elementwise::scale(graph, place, *factor),
        Op::ZeroChannels { before, after } => elementwise::zero_channels(graph, place, *before, *after),
        Op::ChannelAffine { .. } => elementwise::channel_affine(graph, place),
        Op::InputAffine { scale, shift } => elementwise::input_affine(graph, place, scale, shift),
        Op::RadialBasis { centres } => layers::radial_basis(graph, place, centres),
        Op::Add => elementwise::sum(graph, place),
        Op::Concat => elementwise::concat(graph, place),
    }
    Ok(())
}
