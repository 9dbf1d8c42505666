//! Plans of evaluation with a backward pass.

use super::lower::{Purpose, lower};
use super::recompute::{Recompute, schedule};
use super::{Deref, Plan, check_nodes};
use crate::error::{Result, instructions};
use cnn_network::Network;
use cnn_network::network::NodeId;
use std::sync::Arc;

/// A plan of evaluation whose outputs have gradients with respect to nodes: batch normalisation by its running
/// statistics, no dropout, and a backward pass that goes no further than to those nodes. Of tensors there are no
/// gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientPlan(Arc<Plan>);

impl GradientPlan {
    /// Plans the values of `outputs` and their gradients with respect to `nodes`, the input among them if it is wanted.
    /// The targets of the plan are the outputs, then the nodes, whose values a run gives too.
    ///
    /// # Errors
    ///
    /// No output, a node of another network, a max pool whose window is too large, instructions
    /// asked for by `CNN_INSTRUCTION_SET` that are not there.
    pub fn new(network: &Network, outputs: &[NodeId], nodes: &[NodeId]) -> Result<Self> {
        check_nodes(network, outputs)?;
        network.check_nodes(nodes)?;
        instructions()?;
        let targets = [outputs, nodes].concat();
        let lowered = lower(network, &targets, Purpose::Gradients { nodes });
        let schedule = schedule(&lowered, Recompute::default());
        Ok(Self(Arc::new(Plan::new(network, targets, lowered, schedule)?)))
    }
}

impl Deref for GradientPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}
