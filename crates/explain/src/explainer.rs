//! A network with its weights, ready to be looked into.

use crate::error::{Error, Result};
use crate::maps::Maps;
use cnn_network::network::NodeId;
use cnn_network::{Network, Op, Shape};
use cnn_plan::{Evaluation, EvaluationPlan, GradientPlan, GradientRun, Parameters, softmax};
use cnn_weights::Weights;
use std::time::Duration;

/// A network with its weights, in f32 on the CPU, in evaluation mode: batch normalisation by its running statistics, no
/// dropout.
///
/// Images are what the network reads: prepared numbers `(C, H, W)`, one image after the other.
#[derive(Debug)]
pub struct Explainer {
    network: Network,
    parameters: Parameters<f32>,
}

/// The value of a node and the gradient of a class's score with respect to it, for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Slope {
    /// The value.
    pub value: Maps,
    /// The gradient.
    pub gradient: Maps,
}

impl Explainer {
    /// A network with its weights. Auxiliary heads are not looked at, and their weights may be missing.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's, numbers that are not finite.
    pub fn new(network: &Network, weights: &Weights) -> Result<Self> {
        let parameters = Parameters::for_nodes(network, weights, &[network.outputs()[0].node])?;
        Ok(Self { network: network.clone(), parameters })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The numbers of a tensor of the network, row by row; `None` where there is no tensor of this name, or only an
    /// auxiliary head has it.
    pub fn tensor(&self, name: &str) -> Option<&[f32]> {
        let position = self.network.tensors().position(|spec| spec.name == name)?;
        self.parameters.values().nth(position).filter(|values| !values.is_empty())
    }

    /// How many classes there are.
    ///
    /// # Errors
    ///
    /// An output that is a map.
    pub fn classes(&self) -> Result<usize> {
        match self.network.output().shape {
            Shape::Vector { features } => Ok(features),
            shape => Err(Error::NoScores { network: self.network.name().to_string(), shape }),
        }
    }

    /// The values of some nodes for each image: first by image, then in the order of `nodes`.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images, nodes of another network or that only an auxiliary head needs, a batch that memory
    /// does not hold.
    pub fn activations(&self, images: &[f32], nodes: &[NodeId]) -> Result<Vec<Vec<Maps>>> {
        self.run(&self.evaluation(nodes)?, images, nodes)
    }

    /// What computes the values of some nodes.
    pub(crate) fn evaluation(&self, nodes: &[NodeId]) -> Result<Evaluation<f32>> {
        Ok(Evaluation::new(&EvaluationPlan::of_nodes(&self.network, nodes)?))
    }

    /// [`Explainer::activations`] by an evaluation of these nodes.
    pub(crate) fn run(&self, evaluation: &Evaluation, images: &[f32], nodes: &[NodeId]) -> Result<Vec<Vec<Maps>>> {
        let outputs = evaluation.outputs(&self.parameters, images)?;
        let batch = images.len() / self.network.input().elements();
        Ok((0..batch).map(|image| self.of_image(nodes, &outputs, image)).collect())
    }

    /// The probability of each class: first by image.
    ///
    /// # Errors
    ///
    /// As [`Explainer::activations`]; an output that is a map, scores that are not finite.
    pub fn probabilities(&self, images: &[f32]) -> Result<Vec<Vec<f32>>> {
        self.classes()?;
        let values = self.activations(images, &[self.network.score_node()])?;
        let of = |mut values: Vec<Maps>| probabilities(&self.network, values.swap_remove(0).numbers);
        values.into_iter().map(of).collect()
    }

    /// The time that evaluation takes at each node that computes something, in the order of the network's nodes: the
    /// shortest of `times` passes over one image. What is applied while a value is read, as ReLU is, has none of its own.
    ///
    /// # Errors
    ///
    /// As [`Explainer::activations`].
    pub fn times(&self, image: &[f32], times: usize) -> Result<Vec<Option<Duration>>> {
        let evaluation = Evaluation::new(&EvaluationPlan::new(&self.network)?);
        // The first pass brings memory and code into the caches.
        evaluation.outputs(&self.parameters, image)?;
        let so_far = || evaluation.times().into_iter().map(|(_, _, time)| time.forward).collect::<Vec<_>>();
        let positions: Vec<Option<usize>> = evaluation
            .times()
            .iter()
            .map(|(path, _, _)| self.network.nodes().iter().position(|node| node.path == *path))
            .collect();
        let mut least: Vec<Option<Duration>> = vec![None; self.network.nodes().len()];
        for _ in 0..times.max(1) {
            let before = so_far();
            evaluation.outputs(&self.parameters, image)?;
            let mut own: Vec<Option<Duration>> = vec![None; least.len()];
            for ((position, before), after) in positions.iter().zip(before).zip(so_far()) {
                let Some(position) = *position else { continue };
                own[position] = Some(own[position].unwrap_or_default() + after.saturating_sub(before));
            }
            for (least, own) in least.iter_mut().zip(own) {
                *least = [*least, own].into_iter().flatten().min();
            }
        }
        Ok(least)
    }

    /// For each image the score of a class, and the gradients of that score with respect to some nodes, with their
    /// values: first by image, then in the order of `nodes`. `classes` has a class for each image.
    ///
    /// The scores are those of [`Network::score_node`], before a softmax: it mixes all classes into each, and its gradient
    /// is almost zero where the network is sure.
    ///
    /// # Errors
    ///
    /// As [`Explainer::activations`]; a class that there is not, classes that are not one for each image.
    pub fn slopes(&mut self, images: &[f32], classes: &[usize], nodes: &[NodeId]) -> Result<Vec<Vec<Slope>>> {
        self.slopes_through(images, classes, nodes, &[], |_| {})
    }

    /// [`Explainer::slopes`], where `change` changes the gradients of the nodes `changed` before they go on.
    pub(crate) fn slopes_through(
        &mut self,
        images: &[f32],
        classes: &[usize],
        nodes: &[NodeId],
        changed: &[NodeId],
        change: impl Fn(&mut [f32]),
    ) -> Result<Vec<Vec<Slope>>> {
        let count = self.classes()?;
        let name = || self.network.name().to_string();
        if let Some(class) = classes.iter().copied().find(|class| *class >= count) {
            return Err(Error::Class { network: name(), class, classes: count });
        }
        let mut watched = nodes.to_vec();
        watched.extend(changed.iter().filter(|node| !nodes.contains(node)));
        let plan = GradientPlan::new(&self.network, &[self.network.score_node()], &watched)?;
        let mut run = GradientRun::new(&plan);
        let forward = run.forward(&mut self.parameters, images)?;
        let batch = images.len() / self.network.input().elements();
        if batch != classes.len() {
            return Err(Error::Classes { network: name(), expected: batch, found: classes.len() });
        }
        let values: Vec<Vec<f32>> = (0..nodes.len()).map(|node| forward.output(1 + node)).collect();
        let mut scores = vec![0.0; batch * count];
        classes.iter().enumerate().for_each(|(image, class)| scores[image * count + class] = 1.0);
        let begin = forward.gradients(&[Some(&scores)])?;
        let mut gradients: Vec<Vec<f32>> = vec![Vec::new(); nodes.len()];
        forward.backward(&begin, &mut |id, gradient: &mut [f32]| {
            if changed.contains(&id) {
                change(gradient);
            }
            nodes.iter().zip(&mut gradients).filter(|(node, _)| **node == id).for_each(|(_, kept)| {
                *kept = gradient.to_vec();
            });
        })?;
        let slopes = (0..batch).map(|image| {
            let pairs = self.of_image(nodes, &values, image).into_iter().zip(self.of_image(nodes, &gradients, image));
            pairs.map(|(value, gradient)| Slope { value, gradient }).collect()
        });
        Ok(slopes.collect())
    }

    /// The nodes of ReLUs that the scores need.
    pub(crate) fn rectifiers(&self) -> Vec<NodeId> {
        let needed = self.network.needed_for(&[self.network.score_node()]);
        let ids = self.network.ids().filter(|id| needed[id.index()] && self.network.node(*id).op == Op::Relu);
        ids.collect()
    }

    /// Whether these numbers are one image.
    pub(crate) fn check_image(&self, image: &[f32]) -> Result<()> {
        let expected = self.network.input();
        if image.len() != expected.elements() {
            return Err(Error::Image { network: self.network.name().to_string(), expected, found: image.len() });
        }
        Ok(())
    }

    /// The numbers of one image among those of a batch.
    fn of_image(&self, nodes: &[NodeId], values: &[Vec<f32>], image: usize) -> Vec<Maps> {
        let maps = nodes.iter().zip(values).map(|(node, values)| {
            let shape = self.network.node(*node).shape;
            let length = shape.elements();
            Maps { shape, numbers: values[image * length..(image + 1) * length].to_vec() }
        });
        maps.collect()
    }
}

/// The probabilities of the classes by the numbers of a network's [`Network::score_node`] for an image: their softmax,
/// unless no node has scores. Those that are not finite are no answer.
pub(crate) fn probabilities(network: &Network, mut scores: Vec<f32>) -> Result<Vec<f32>> {
    let output = network.outputs()[0].node;
    let given = network.score_node() == output && network.gives_probabilities(output);
    if !given {
        softmax(&mut scores);
    }
    match scores.iter().all(|probability| probability.is_finite()) {
        true => Ok(scores),
        false => Err(Error::NoAnswer { network: network.name().to_string() }),
    }
}
