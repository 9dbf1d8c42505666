//! A network looks at each image of a data set.

use super::{Collection, Excited, Sample, Tiles};
use crate::embedding::principal_components;
use crate::error::{Error, Result};
use crate::exciting::Ranking;
use crate::explainer::{Explainer, probabilities};
use crate::field::seen;
use crate::neighbours::neighbour_embedding;
use crate::target::cam_node;
use cnn_network::network::NodeId;
use cnn_network::op::Kind;
use cnn_network::{Network, Shape};

/// Edges of the small pictures of a page: of points, and of what excites a channel.
const POINT: usize = 32;
const PART: usize = 44;
/// Pixels of all points' pictures together.
const POINTS: usize = 1_100_000;
/// So many channels of a node are shown, evenly chosen, and so many images for each.
const CHANNELS: usize = 24;
const TOP: usize = 6;

impl Collection {
    /// No more images than this are looked at: each has a point and a small picture on the page.
    pub const MOST: usize = 2000;

    /// Looks at `count` images of a data set, which `sample` gives by their positions, some of them twice. `nodes` are
    /// those whose channels' most exciting images are wanted; without any, the first layer's and those that Grad-CAM
    /// looks at.
    ///
    /// # Errors
    ///
    /// No image, or more than [`Collection::MOST`]; images that are not what the network reads; what `sample` reports.
    pub fn of<E: From<Error>>(
        explainer: &Explainer,
        name: &str,
        nodes: &[NodeId],
        count: usize,
        mut sample: impl FnMut(usize) -> Result<Sample, E>,
    ) -> Result<Self, E> {
        let network = explainer.network();
        if !(2..=Self::MOST).contains(&count) {
            let expected = "from 2 to 2000";
            return Err(Error::Setting { what: "images of a data set", expected, found: count.to_string() }.into());
        }
        let classes = explainer.classes()?;
        let nodes = if nodes.is_empty() { usual(network) } else { nodes.to_vec() };
        let (feature, score) = (network.feature_node(), network.score_node());
        let wanted: Vec<NodeId> = nodes.iter().copied().chain([feature, score]).collect();
        let evaluation = explainer.evaluation(&wanted)?;
        let size = network.input().size().map_or([1, network.input().elements()], |size| size.axes());
        let colours = network.input().channels() == 3;

        let channels = |node: &NodeId| network.node(*node).shape.channels();
        let mut rankings: Vec<Ranking> = nodes.iter().map(|node| Ranking::new(channels(node), TOP)).collect();
        let (mut labels, mut answers, mut features) = (Vec::new(), Vec::new(), Vec::new());
        let edge = POINT.min(((POINTS / count) as f64).sqrt() as usize);
        let mut thumbnails = Tiles::new(fitted(size, edge), colours, count);
        for position in 0..count {
            let sample = sample(position)?;
            check(network, &sample)?;
            let mut values = explainer.run(&evaluation, &sample.image, &wanted)?.swap_remove(0);
            let scores = values.pop().map_or_else(Vec::new, |scores| scores.numbers);
            let probabilities = probabilities(network, scores)?;
            features.push(values.pop().map_or_else(Vec::new, |maps| maps.pooled()));
            rankings.iter_mut().zip(&values).for_each(|(ranking, maps)| ranking.look(position, maps));
            // The first of equals, as everywhere.
            let better = |best, class| if probabilities[class] > probabilities[best] { class } else { best };
            let best = (0..classes).reduce(better).unwrap_or(0);
            answers.push((best, probabilities[best]));
            labels.push(sample.label);
            thumbnails.push(&sample.pixels, size, [0..size[0], 0..size[1]], size);
        }
        let placed = principal_components(&features)?;
        let neighbours = if count < 4 { None } else { Some(neighbour_embedding(&features)?) };
        let mut excited = Vec::new();
        for (node, ranking) in nodes.iter().zip(rankings) {
            excited.push(parts(network, *node, ranking, (size, colours), &mut sample)?);
        }
        Ok(Self {
            name: name.to_string(),
            labels,
            answers,
            thumbnails,
            features: (network.node(feature).path.clone(), features[0].len()),
            principal: placed.points,
            shares: placed.shares,
            neighbours,
            nodes: excited,
        })
    }
}

fn check(network: &Network, sample: &Sample) -> Result<()> {
    let expected = network.input();
    let lengths = [sample.image.len(), sample.pixels.len()];
    match lengths.into_iter().find(|length| *length != expected.elements()) {
        Some(found) => Err(Error::Image { network: network.name().to_string(), expected, found }),
        None => Ok(()),
    }
}

/// Height and width at most `edge`, in the proportion of an image.
fn fitted(size: [usize; 2], edge: usize) -> [usize; 2] {
    let longer = size[0].max(size[1]).max(1);
    if longer <= edge { size } else { size.map(|length| (length * edge / longer).max(1)) }
}

/// The maps of the first layer with weights, behind what follows it element by element, and those of Grad-CAM.
fn usual(network: &Network) -> Vec<NodeId> {
    let layer = |id: &NodeId| matches!(network.node(*id).op.kind(), Kind::Convolution | Kind::Linear);
    let mut first = network.ids().find(layer);
    let elementwise = |kind| matches!(kind, Kind::Normalisation | Kind::Activation | Kind::Elementwise);
    while let Some(next) = first.and_then(|id| {
        let mut readers = network.ids().filter(|reader| network.node(*reader).inputs.contains(&id));
        let only = readers.next().filter(|_| readers.next().is_none())?;
        elementwise(network.node(only).op.kind()).then_some(only)
    }) {
        first = Some(next);
    }
    let needed = network.needed_for(&[network.outputs()[0].node]);
    let mut nodes: Vec<NodeId> = first.into_iter().chain(cam_node(network)).filter(|id| needed[id.index()]).collect();
    nodes.dedup();
    nodes
}

/// The parts of the images that excite some channels of a node.
fn parts<E: From<Error>>(
    network: &Network,
    node: NodeId,
    ranking: Ranking,
    (size, colours): ([usize; 2], bool),
    sample: &mut impl FnMut(usize) -> Result<Sample, E>,
) -> Result<Excited, E> {
    let shape: Shape = network.node(node).shape;
    let all = ranking.best.len();
    let shown = all.min(CHANNELS);
    let channels: Vec<_> = (0..shown).map(|i| i * all / shown).map(|c| (c, ranking.best[c].clone())).collect();
    let mut sees = [1, 1];
    let mut fields = Vec::new();
    for exciting in channels.iter().flat_map(|(_, best)| best) {
        let field = seen(network, node, exciting.place)?;
        let field = [field.rows, field.columns];
        sees = [0, 1].map(|axis| sees[axis].max(field[axis].len()));
        fields.push((exciting.image, field));
    }
    let mut tiles = Tiles::new(fitted(sees, PART), colours, fields.len());
    for (image, field) in fields {
        let sample = sample(image)?;
        check(network, &sample)?;
        tiles.push(&sample.pixels, size, field, sees);
    }
    let path = network.node(node).path.clone();
    Ok(Excited { path, shape: shape.to_string(), all, sees, channels, tiles })
}
