//! GoogLeNet: one structure, the block and five details as parameters.

use crate::ends::{googlenet_stem, stage_pool, transform_input};
use crate::table::*;
use crate::weights;
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};
use cnn_core::op::{Conv, Lrn};
use cnn_inception::{Widths, conv_bn, conv_relu, four_branch, naive};

/// What the versions do differently.
struct Version {
    /// The layer of stem and heads.
    unit: fn(Conv) -> Chain,
    /// What stands under this label before `conv2` and after `conv3`.
    normalise: fn(&str) -> Chain,
    /// What becomes of a row of the table.
    block: fn(Widths) -> Branches,
    /// The pool in front of the last two blocks.
    pool4: MaxPool,
    /// The pool of the heads.
    head_pool: Block,
    /// Dropout before the main classifier.
    dropout: f64,
}

/// GoogLeNet as torchvision has it, for 224×224: Table 1 with batch normalisation.
///
/// *Departures* from the paper, all torchvision's: batch normalisation (ε = 1e-3) and no biases for the convolutions;
/// no local response normalisation; a 3×3 where the block has a 5×5; a 2×2 window for the pool before 5a; heads that
/// average to 4×4 from any size; dropout 0.2. Begins truncated normal with standard deviation 0.01. 6,624,904
/// parameters, 13,004,888 with both heads (outputs `aux1`, `aux2`).
pub fn googlenet(classes: usize) -> Architecture {
    torchvision(chain(), classes).named("googlenet", [3, 224, 224]).initialised(weights(Law::TruncatedNormal(0.01)))
}

/// [`googlenet`] behind [`transform_input`], as torchvision's published weights want it.
pub fn googlenet_transformed(classes: usize) -> Architecture {
    torchvision(chain().and(transform_input()), classes)
        .named("googlenet_transformed", [3, 224, 224])
        .initialised(weights(Law::TruncatedNormal(0.01)))
}

/// GoogLeNet as the paper has it, for 224×224: Table 1, figure 3, section 5 for the heads.
///
/// Biases, real 5×5 convolutions, local response normalisation, 3×3 pools, dropout 0.4. Two heads on 4a and 4d: average
/// pool 5×5 with stride 3, 128 1×1 convolutions, 1024 units, dropout 0.7, loss weight 0.3. 6,998,552 parameters,
/// 13,378,280 with both heads.
///
/// *Departures*: the paper gives no constants for its normalisation, so Caffe's are taken: five channels, α = 1e-4
/// divided by five, k = 1. It gives no initialisation either; He's keeps the signal through 22 layers with ReLU and no
/// normalisation, where torchvision's 0.01 would leave nothing of it. The parameter counts printed in Table 1 do not
/// follow from its widths (the first layer's 2.7K are 9,472).
pub fn googlenet_paper(classes: usize) -> Architecture {
    paper(four_branch::inception, classes).named("googlenet_paper", [3, 224, 224]).initialised(he())
}

/// [`googlenet_paper`] from naive blocks (figure 2a): what the 1×1 reductions save.
///
/// Every block passes its whole input on through the pool, so 4,944 channels leave the last one instead of 1,024.
/// Nobody trains this network; it is there to be summed up: 97,526,008 parameters without the heads.
///
/// ```
/// use cnn_googlenet::{googlenet_naive, googlenet_paper};
///
/// let naive = googlenet_naive(1000).at_usual_input()?.summary();
/// let reduced = googlenet_paper(1000).at_usual_input()?.summary();
/// assert!(naive.parameters_without_heads > 13 * reduced.parameters_without_heads);
/// assert!(naive.macs > 7 * reduced.macs);
/// # Ok::<(), cnn_googlenet::cnn_core::Error>(())
/// ```
pub fn googlenet_naive(classes: usize) -> Architecture {
    paper(naive::inception, classes).named("googlenet_naive", [3, 224, 224]).initialised(he())
}

fn torchvision(input: Chain, classes: usize) -> Chain {
    let version = Version {
        unit: conv_bn,
        normalise: |_| chain(),
        block: four_branch::inception_bn,
        pool4: max_pool(2).ceil(),
        head_pool: adaptive_avg_pool(4).into(),
        dropout: 0.2,
    };
    input.and(version.network(classes))
}

fn paper(block: fn(Widths) -> Branches, classes: usize) -> Chain {
    let version = Version {
        unit: conv_relu,
        normalise: |label| chain().then(label, Lrn { alpha: 1e-4 / 5.0, k: 1.0, ..lrn() }),
        block,
        pool4: stage_pool(),
        head_pool: avg_pool(5).stride(3).into(),
        dropout: 0.4,
    };
    version.network(classes)
}

impl Version {
    /// Table 1 from the image to the logits.
    fn network(&self, classes: usize) -> Chain {
        googlenet_stem(self.unit, self.normalise)
            .then("inception3a", (self.block)(INCEPTION_3A))
            .then("inception3b", (self.block)(INCEPTION_3B))
            .then("maxpool3", stage_pool())
            .then("inception4a", (self.block)(INCEPTION_4A))
            .tap("aux1", 0.3, self.head(classes))
            .then("inception4b", (self.block)(INCEPTION_4B))
            .then("inception4c", (self.block)(INCEPTION_4C))
            .then("inception4d", (self.block)(INCEPTION_4D))
            .tap("aux2", 0.3, self.head(classes))
            .then("inception4e", (self.block)(INCEPTION_4E))
            .then("maxpool4", self.pool4)
            .then("inception5a", (self.block)(INCEPTION_5A))
            .then("inception5b", (self.block)(INCEPTION_5B))
            .then("avgpool", adaptive_avg_pool(1))
            .flatten()
            .then("dropout", dropout(self.dropout))
            .then("fc", linear(classes))
    }

    /// The auxiliary classifier of section 5.
    fn head(&self, classes: usize) -> Chain {
        chain()
            .then("pool", self.head_pool.clone())
            .then("conv", (self.unit)(conv(1).out(128)))
            .flatten()
            .then("fc1", linear(1024))
            .relu()
            .then("dropout", dropout(0.7))
            .then("fc2", linear(classes))
    }
}

fn he() -> Scheme {
    let zero = Law::Constant(0.0);
    weights(Law::KaimingFanIn).conv_bias(zero).linear_bias(zero)
}
