//! Which biases train nothing: those that a batch normalisation subtracts again.

use crate::network::{Network, Node};
use crate::op::Op;
use crate::tensors::{Role, TensorSpec};

impl Network {
    /// The biases whose gradient in training is zero but for rounding: whatever they add, a batch normalisation
    /// subtracts before anything else could see it.
    pub fn cancelled_biases(&self) -> Vec<&TensorSpec> {
        let mut seen = vec![false; self.nodes().len()];
        for output in self.outputs() {
            seen[output.node.index()] = true;
        }
        // Backwards: a node's shift is seen if one reader neither subtracts it nor only passes it on, unseen, itself.
        for id in (0..self.nodes().len()).rev() {
            let reader = &self.nodes()[id];
            let shows = match reader.op {
                Op::BatchNorm(_) => false,
                _ => seen[id] || !passes_shifts(reader),
            };
            for input in reader.inputs.iter().filter(|_| shows) {
                seen[input.index()] = true;
            }
        }
        let unseen = self.nodes().iter().zip(seen).filter(|(_, seen)| !seen).map(|(node, _)| node);
        unseen.flat_map(|node| &node.tensors).filter(|tensor| tensor.role == Role::Bias).collect()
    }
}

/// Whether a constant added to a channel of the input adds a constant to each channel of the output.
fn passes_shifts(node: &Node) -> bool {
    match &node.op {
        Op::Conv(conv) => conv.window.padding == 0.into(),
        Op::AvgPool(pool) => pool.window.padding == 0.into() || !pool.count_padding,
        Op::Dropout { rate } => *rate == 0.0,
        Op::Linear(_)
        | Op::BatchNorm(_)
        | Op::MaxPool(_)
        | Op::AdaptiveAvgPool { .. }
        | Op::Flatten
        | Op::Scale { .. }
        | Op::ZeroChannels { .. }
        | Op::ChannelAffine { .. }
        | Op::InputAffine { .. }
        | Op::Add
        | Op::Concat => true,
        Op::Input | Op::Lrn(_) | Op::Relu | Op::Sigmoid | Op::Tanh { .. } | Op::Softmax | Op::RadialBasis { .. } => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::*;
    use crate::error::Result;

    fn cancelled(body: Chain) -> Result<Vec<String>> {
        let network = body.named("it", [3, 8, 8]).at_usual_input()?;
        Ok(network.cancelled_biases().into_iter().map(|tensor| tensor.name.clone()).collect())
    }

    #[test]
    fn a_normalisation_cancels_what_reaches_it_as_a_constant() -> Result<()> {
        let padded = || conv(3).out(3).pad(1);
        assert_eq!(cancelled(chain().then("c", padded()).then("bn", batch_norm()))?, ["c.bias"]);
        assert_eq!(cancelled(chain().then("c", padded()).relu().then("bn", batch_norm()))?, [""; 0]);
        let pooled = chain().then("c", padded()).and(max_pool(2)).then("d", conv(1)).then("bn", batch_norm());
        assert_eq!(cancelled(pooled)?, ["c.bias", "d.bias"]);
        // Padded with zeros, a constant is no longer constant.
        assert_eq!(cancelled(chain().then("c", padded()).then("d", padded()).then("bn", batch_norm()))?, ["d.bias"]);
        let shared = |other: Chain| {
            chain().then("c", padded()).and(sum().branch(chain().then("bn", batch_norm())).branch(other))
        };
        assert_eq!(cancelled(shared(chain().relu()))?, [""; 0]);
        assert_eq!(cancelled(shared(chain().then("bn2", batch_norm())))?, ["c.bias"]);
        Ok(())
    }
}
