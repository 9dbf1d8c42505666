//! What keeps the laws within the memory of a small computer.

use crate::Failure;
use cnn_core::definition::chain;
use cnn_core::op::Linear;
use cnn_core::{Network, Op};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most outputs of a hidden linear layer, no multiple of any vector's length.
const WIDTH: usize = 100;
/// Networks of more weights are large: 32 MB in f64.
const LARGE: usize = 4_000_000;
/// And those whose maps of one image have more numbers: candle keeps each of a batch several times.
const LARGE_MAPS: usize = 500_000;

/// The network with no hidden linear layer wider than [`WIDTH`]. The wide ones hold nine tenths of AlexNet's and VGG's
/// weights, and none of their operations is missing without them. Networks that are not a plain chain stay as they are.
pub fn narrow(network: Network) -> Result<Network, Failure> {
    let nodes = network.nodes();
    let follows = |at: usize| nodes[at].inputs.iter().map(|input| input.index()).eq([at - 1]);
    if !(1..nodes.len()).all(follows) {
        return Ok(network);
    }
    let narrowed = nodes[1..].iter().fold(chain(), |chain, node| {
        let op = match &node.op {
            Op::Linear(linear) => Op::Linear(Linear { out_features: linear.out_features.min(WIDTH), ..linear.clone() }),
            other => other.clone(),
        };
        chain.then(&node.path, op)
    });
    let input: [usize; 3] = network.input().dims().try_into().map_err(|_| "the input is no map")?;
    Ok(narrowed.named(network.name(), input).at(input)?)
}

/// Waits, if the network is large, until no other law computes a large one; for as long as the result is held.
pub fn alone(network: &Network) -> Option<MutexGuard<'static, ()>> {
    static ONE: Mutex<()> = Mutex::new(());
    let maps: usize = network.nodes().iter().map(|node| node.shape.elements()).sum();
    let is_large = maps > LARGE_MAPS || network.tensors().map(|spec| spec.elements()).sum::<usize>() > LARGE;
    // A law that failed while it held the lock leaves nothing behind that could be damaged.
    is_large.then(|| ONE.lock().unwrap_or_else(PoisonError::into_inner))
}

#[test]
fn narrow_networks_keep_every_operation() -> Result<(), Failure> {
    for (name, input) in [("alexnet_paper", [3, 99, 67]), ("vgg11_bn", [3, 64, 64]), ("vgg_small_d2l", [1, 64, 64])] {
        let whole = cnn_zoo::find(name)?.architecture(7).at(input)?;
        let narrow = narrow(whole.clone())?;
        let outline = |network: &Network| -> Vec<(String, &'static str, Vec<String>)> {
            let tensors = |node: &cnn_core::network::Node| node.tensors.iter().map(|spec| spec.name.clone()).collect();
            network.nodes().iter().map(|node| (node.path.clone(), node.op.name(), tensors(node))).collect()
        };
        assert_eq!(outline(&narrow), outline(&whole));
        let weights = |network: &Network| network.tensors().map(|spec| spec.elements()).sum::<usize>();
        assert!(2 * weights(&narrow) < weights(&whole) + LARGE, "{name} is still large");
    }
    // What branches stays.
    let network = cnn_zoo::find("resnet20_cifar")?.architecture(7).at([3, 16, 16])?;
    assert_eq!(narrow(network.clone())?, network);
    Ok(())
}
