//! A network that is looked at while the picture changes: the same diagram as a page's, with maps that a script draws.
//!
//! [`Live::opened`] is sent once, [`Live::look`] for every picture. What it gives is bytes, little-endian:
//!
//! ```text
//! f32 × classes                                     probabilities
//! for each node of Opened::nodes
//!     f32, f32                                      the least and the greatest number shown
//!     u8 × channels shown × height × width of a cell   where between these two, map by map
//! f32 × all numbers of these nodes                  only if they were asked for, and of small networks
//! ```

mod page;

pub use page::{Engine, LivePage};

use crate::error::{Error, Result};
use crate::explainer::{Explainer, probabilities};
use crate::maps::Maps;
use crate::page::arithmetic::{Numbers, numbers};
use crate::page::diagram::write;
use crate::page::node::{Facts, Shown};
use crate::page::sheet::Sheet;
use crate::page::stages::Stages;
use cnn_network::network::NodeId;
use cnn_network::{Network, Op, Shape};
use cnn_plan::{InferenceOptions, InferencePlan, Workspace};
use cnn_weights::Weights;
use serde::Serialize;
use std::collections::BTreeMap;

/// Pixels of all maps together, a byte each, sent for every picture.
const PIXELS: usize = 600_000;

/// What a network is not itself.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// What it is called on the page.
    pub title: String,
    /// The name of each class, in the order of the outputs; one that has none is called by its number.
    pub classes: Vec<String>,
    /// Height and width that a drawing is shrunk to, before a black frame makes it what the network reads.
    pub drawn: [usize; 2],
    /// What must be known of the weights, a line each.
    pub notes: Vec<String>,
}

/// What a page needs to know of a network once, as JSON.
#[derive(Debug, Serialize)]
pub struct Opened {
    #[serde(flatten)]
    about: About,
    /// Channels, height and width of what it reads.
    pub input: [usize; 3],
    /// The diagram, as HTML.
    html: String,
    /// The nodes whose maps are sent, in this order.
    nodes: Vec<LiveNode>,
    /// The weights of a small network, for the arithmetic of each number.
    numbers: Option<Numbers>,
}

#[derive(Debug, Serialize)]
struct LiveNode {
    id: usize,
    /// Numbers of the node.
    length: usize,
    sheet: Sheet,
}

/// A network with its weights, that looks at one picture after the other.
#[derive(Debug)]
pub struct Live {
    plan: InferencePlan,
    workspace: Workspace,
    opened: Opened,
    /// The nodes of the diagram, the image among them.
    nodes: Vec<NodeId>,
    /// The values of the plan's nodes: the scores, then those of `nodes` that are computed.
    values: Vec<Vec<f32>>,
}

impl Live {
    /// A network with its weights, computed as `options` say, but for their nodes, which are those of the diagram. Auxiliary
    /// heads are not looked at.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's, an output that is no vector of scores, an input that is no picture, what memory
    /// does not hold.
    pub fn new<'a>(
        network: &'a Network,
        weights: &Weights,
        about: About,
        options: InferenceOptions<'a>,
    ) -> Result<Self> {
        let (name, score, shape) = (network.name().to_string(), network.score_node(), network.output().shape);
        let Shape::Vector { features: classes } = shape else {
            return Err(Error::NoScores { network: name, shape });
        };
        let input = match network.input().dims()[..] {
            [channels, height, width] => [channels, height, width],
            _ => return Err(Error::NoMaps { network: name, node: "input".to_string(), shape: network.input() }),
        };
        let mut about = about;
        about.classes.extend((about.classes.len()..classes).map(|class| format!("class {class}")));
        about.classes.truncate(classes);
        about.drawn = [0, 1].map(|axis| about.drawn[axis].clamp(1, input[1 + axis]));
        let stages = Stages::of(network);
        let (mut shown, each) = (BTreeMap::new(), PIXELS / stages.shown.len().max(1));
        for id in &stages.shown {
            let shape = network.node(*id).shape;
            let sheet = Sheet::new(shape, each, |count| (0..count).map(|n| n * shape.channels() / count).collect());
            shown.insert(*id, Shown { shape, sheet });
        }
        let mut html = String::new();
        write(&stages, &Facts::new(network, vec![None; network.nodes().len()]), &shown, &mut html);
        let explainer = stages.small.then(|| Explainer::new(network, weights)).transpose()?;
        let numbers = explainer.map(|explainer| numbers(&explainer, &stages.shown, None, &shown));
        let node = |id: &NodeId| {
            let Shown { shape, sheet } = shown.remove(id)?;
            Some(LiveNode { id: id.index(), length: shape.elements(), sheet })
        };
        let nodes = stages.shown.iter().filter_map(node).collect();
        let opened = Opened { about, input, html, nodes, numbers };

        let computed = stages.shown.iter().filter(|id| network.node(**id).op != Op::Input);
        let targets: Vec<&NodeId> = [&score].into_iter().chain(computed).collect();
        let paths: Vec<&str> = targets.iter().map(|id| network.node(**id).path.as_str()).collect();
        let plan = InferencePlan::new(network, weights, options.of_nodes(&paths))?;
        let workspace = plan.workspace(1)?;
        let values = targets.iter().map(|id| vec![0.0; network.node(**id).shape.elements()]).collect();
        Ok(Self { plan, workspace, opened, nodes: stages.shown, values })
    }

    /// What a page needs to know once.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What the network makes of a picture, prepared numbers `(C, H, W)`; with `exact`, of a small network, all numbers of
    /// the nodes too.
    ///
    /// # Errors
    ///
    /// Numbers that are not one picture; scores that are not finite.
    pub fn look(&mut self, image: &[f32], exact: bool) -> Result<Vec<u8>> {
        let network = self.plan.network();
        if image.len() != network.input().elements() {
            let (expected, found) = (network.input(), image.len());
            return Err(Error::Image { network: network.name().to_string(), expected, found });
        }
        let mut slices: Vec<&mut [f32]> = self.values.iter_mut().map(Vec::as_mut_slice).collect();
        self.plan.run(&mut self.workspace, image, &mut slices)?;
        let mut bytes = Vec::new();
        let put = |bytes: &mut Vec<u8>, numbers: &[f32]| bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        put(&mut bytes, &probabilities(network, self.values[0].clone())?);
        let mut exactly = Vec::new();
        let mut computed = 1;
        for (id, LiveNode { sheet, .. }) in self.nodes.iter().zip(&self.opened.nodes) {
            let node = network.node(*id);
            // Lent to the maps, and given back.
            let numbers = match node.op {
                Op::Input => image.to_vec(),
                _ => std::mem::take(&mut self.values[computed]),
            };
            let maps = Maps { shape: node.shape, numbers };
            let (range, places) = sheet.places(&maps);
            put(&mut bytes, &range);
            bytes.extend_from_slice(&places);
            if exact && self.opened.numbers.is_some() {
                put(&mut exactly, &maps.numbers);
            }
            if node.op != Op::Input {
                self.values[computed] = maps.numbers;
                computed += 1;
            }
        }
        bytes.append(&mut exactly);
        Ok(bytes)
    }
}
