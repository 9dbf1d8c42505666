//! What a run of operations is drawn as: boxes and forks, each so many times in a row.

use crate::describe::describe;
use crate::network::Network;
use crate::op::{Kind, Op};
use crate::outline::Part;

/// What is drawn as one thing, once or several times in a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) drawing: Drawing,
    pub(super) times: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Drawing {
    /// A box of lines; operations on single elements share the box of the layer they belong to.
    Box { class: &'static str, lines: Vec<String>, title: usize },
    /// Branches and the sign that joins them, with the operations on single elements behind it.
    Fork { join: &'static str, behind: Vec<String>, branches: Vec<Vec<Piece>> },
}

/// The parts of a run as they are drawn.
///
/// Operations on single elements go with the layer before them; in a run that begins with one, with the layer after
/// them, since that is how a pre-activation network is meant.
pub(super) fn pieces(network: &Network, parts: &[Part]) -> Vec<Piece> {
    let op = |part: &Part| &network.node(part.output()).op;
    let forward = parts.first().is_some_and(|part| op(part).is_elementwise());
    let mut drawings: Vec<Drawing> = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    for part in parts {
        let node = network.node(part.output());
        match part {
            Part::Op(_) if node.op.is_elementwise() => {
                let name = describe(&node.op, node.shape).brief();
                match drawings.last_mut() {
                    Some(Drawing::Fork { behind, .. }) if !forward => behind.push(name),
                    Some(Drawing::Box { lines, .. }) if !forward => lines.push(name),
                    _ => waiting.push(name),
                }
            }
            Part::Op(_) if node.op == Op::Flatten => {}
            Part::Op(_) => {
                let before = std::mem::take(&mut waiting);
                let title = before.len();
                let lines = before.into_iter().chain([describe(&node.op, node.shape).brief()]).collect();
                drawings.push(Drawing::Box { class: class(&node.op), lines, title });
            }
            Part::Fork { branches, .. } => {
                drawings.extend(loose(&mut waiting));
                let branches = branches.iter().map(|branch| pieces(network, branch)).collect();
                let join = sign(&node.op);
                drawings.push(Drawing::Fork { join, behind: Vec::new(), branches });
            }
        }
    }
    drawings.extend(loose(&mut waiting));
    let mut pieces: Vec<Piece> = Vec::new();
    for drawing in drawings {
        match pieces.last_mut() {
            Some(last) if last.drawing == drawing => last.times += 1,
            _ => pieces.push(Piece { drawing, times: 1 }),
        }
    }
    pieces
}

/// A box of operations on single elements that no layer takes in.
fn loose(waiting: &mut Vec<String>) -> Option<Drawing> {
    let lines = std::mem::take(waiting);
    (!lines.is_empty()).then_some(Drawing::Box { class: "other", title: lines.len(), lines })
}

/// What stands where branches meet.
fn sign(op: &Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Concat => "concat",
        other => other.name(),
    }
}

fn class(op: &Op) -> &'static str {
    match op.kind() {
        Kind::Convolution => "conv",
        Kind::Linear | Kind::RadialBasis => "linear",
        Kind::Pool | Kind::AdaptivePool => "pool",
        Kind::Input | Kind::Normalisation | Kind::Activation | Kind::Elementwise | Kind::Layout | Kind::Join => "other",
    }
}
