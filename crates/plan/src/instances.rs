//! Where what runs a plan is compiled: for `f32` and for `f64`, in this crate, once.
//!
//! It is generic over its numbers. If callers ran it directly, each crate that does would compile it again, and as well or
//! as badly as its own profile has it. So a public function only calls those of [`Instances`], which are not generic.

use crate::error::Result;
use crate::parameters::{Parameters, Receive};
use crate::plan::{Plan, Turn};
use crate::run::{AllSums, OutputGradients, Pass, RunWorkspace, loss, maps};
use cnn_kernels::loss::Targets;
use cnn_kernels::{Element, InstructionSet};
use cnn_network::Network;
use cnn_network::network::NodeId;
use cnn_weights::{Number, Weights};

/// The numbers in which a plan is run: `f32`, and `f64` to check it.
pub trait Real: Element + Number + Instances {}

impl Real for f32 {}
impl Real for f64 {}

cnn_kernels::instances! {
    /// What runs a plan, compiled for one type of number.
    for f32, f64 where Sized;
    {
        fn plan_parameters(network: &Network, weights: &Weights, nodes: &[NodeId]) -> Result<Parameters<Self>> {
            Parameters::read
        }
        fn plan_weights(parameters: &Parameters<Self>, network: &Network) -> Weights { Parameters::write }
        fn plan_check(parameters: &Parameters<Self>, plan: &Plan) -> Result<()> { Parameters::check }
        fn plan_workspace(plan: &Plan) -> RunWorkspace<Self> { RunWorkspace::new }
        fn plan_prepare(workspace: &mut RunWorkspace<Self>, plan: &Plan, batch: usize) -> Result<()> { RunWorkspace::prepare }
        fn plan_output(workspace: &RunWorkspace<Self>, plan: &Plan, number: usize, batch: usize) -> Vec<Self> {
            RunWorkspace::output
        }
        fn plan_forward(pass: &mut Pass<'_, Self>, parameters: &Parameters<Self>) { Pass::forward }
        fn plan_stage(pass: &mut Pass<'_, Self>, index: usize, parameters: &Parameters<Self>) { Pass::stage }
        fn plan_move_statistics(
            plan: &Plan, workspace: &RunWorkspace<Self>, batch: usize, parameters: &mut Parameters<Self>,
        ) { maps::move_statistics }
        fn plan_loss_of_outputs(
            plan: &Plan, set: InstructionSet, batch: usize, targets: &Targets<'_>, workspace: &RunWorkspace<Self>,
        ) -> Result<loss::Loss<Self>> { loss::cross_entropy }
        fn plan_output_gradients(plan: &Plan, batch: usize, rows: &[Option<&[Self]>]) -> Result<OutputGradients<Self>> {
            OutputGradients::read
        }
        fn plan_backward(
            pass: &mut Pass<'_, Self>, parameters: &mut Parameters<Self>, gradients: &OutputGradients<Self>,
            receiver: &mut dyn Receive<Self>,
        ) { Pass::backward }
        fn plan_begin_back(pass: &mut Pass<'_, Self>, gradients: &OutputGradients<Self>) { Pass::begin_back }
        fn plan_turn(
            pass: &mut Pass<'_, Self>, turn: Turn, parameters: &mut Parameters<Self>, receiver: &mut dyn Receive<Self>,
            all: Option<&AllSums>,
        ) { Pass::turn }
    }
}
