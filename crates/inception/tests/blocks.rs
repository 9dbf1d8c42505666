//! Every block by itself: the channels its figure states, and the size of the map kept or halved.

use cnn_core::Result;
use cnn_core::definition::{Block, chain};
use cnn_core::initialisation::{Init, Law, Scheme};
use cnn_inception::residual::{self, ReductionB, ResidualA, ResidualBc};
use cnn_inception::v4::{self, ReductionA};
use cnn_inception::{Widths, bn_inception, book, four_branch, mnist, naive, v3};

fn output(block: impl Into<Block>, input: [usize; 3]) -> Result<Vec<usize>> {
    let network = chain().then("block", block).named("block", input).at_usual_input()?;
    Ok(network.node(network.find("block")?).shape.dims())
}

#[test]
fn the_blocks_of_googlenet() -> Result<()> {
    let row_3a = Widths { one: 64, three: [96, 128], five: [16, 32], pool: 32 };
    for block in [four_branch::inception, four_branch::inception_bn, book::inception] {
        assert_eq!(output(block(row_3a), [192, 28, 31])?, [256, 28, 31]);
    }
    assert_eq!(output(naive::inception(row_3a), [192, 28, 31])?, [64 + 128 + 32 + 192, 28, 31]);
    assert_eq!(output(mnist::inception(), [10, 12, 12])?, [88, 12, 12]);
    Ok(())
}

#[test]
fn the_blocks_of_bn_inception() -> Result<()> {
    use bn_inception::{Pool, ReductionWidths, Widths, inception, reduction};
    for pool in [Pool::Average(32), Pool::Max(32)] {
        let row_3a = Widths { one: 64, three: [64, 64], double: [64, 96], pool };
        assert_eq!(output(inception(row_3a), [192, 28, 28])?, [256, 28, 28]);
    }
    let row_3c = ReductionWidths { three: [128, 160], double: [64, 96] };
    for (size, halved) in [(28, 14), (29, 15)] {
        assert_eq!(output(reduction(row_3c), [320, size, size])?, [576, halved, halved]);
    }
    Ok(())
}

/// As torchvision's `init_weights` leaves them: 0.1 whatever stands beside a convolution, 0.001 of the last layer.
#[test]
fn the_head_of_inception_v3_begins_as_torchvisions() -> Result<()> {
    let tenth = Scheme::TORCH.conv(Law::TruncatedNormal(0.1)).linear(Law::TruncatedNormal(0.1));
    let head = v3::auxiliary_head(7).named("head", [768, 17, 17]).initialised(tenth).at_usual_input()?;
    let law = |name: &str| head.tensor(name).map(|spec| spec.init);
    let normal = |std| Some(Init::TruncatedNormal { std, bound: 2.0 });
    assert_eq!([law("conv0.conv.weight"), law("conv1.conv.weight")], [normal(0.1); 2]);
    assert_eq!(law("fc.weight"), normal(0.001));
    Ok(())
}

#[test]
fn the_blocks_of_inception_v3() -> Result<()> {
    assert_eq!(output(v3::inception_a(32), [192, 35, 35])?, [256, 35, 35]);
    assert_eq!(output(v3::inception_b(), [288, 35, 35])?, [768, 17, 17]);
    assert_eq!(output(v3::inception_c(128), [768, 17, 17])?, [768, 17, 17]);
    assert_eq!(output(v3::inception_d(), [768, 17, 17])?, [1280, 8, 8]);
    assert_eq!(output(v3::inception_e(), [1280, 8, 8])?, [2048, 8, 8]);
    assert_eq!(output(v3::auxiliary_head(7), [768, 17, 17])?, [7]);
    Ok(())
}

#[test]
fn the_blocks_of_inception_v4() -> Result<()> {
    assert_eq!(output(chain().numbered().and_all(v4::stem()), [3, 299, 299])?, [384, 35, 35]);
    assert_eq!(output(v4::inception_a(), [384, 35, 35])?, [384, 35, 35]);
    let widths = ReductionA { k: 192, l: 224, m: 256, n: 384 };
    assert_eq!(output(v4::reduction_a(widths), [384, 35, 35])?, [1024, 17, 17]);
    assert_eq!(output(v4::inception_b(), [1024, 17, 17])?, [1024, 17, 17]);
    assert_eq!(output(v4::reduction_b(), [1024, 17, 17])?, [1536, 8, 8]);
    assert_eq!(output(v4::inception_c(), [1536, 8, 8])?, [1536, 8, 8]);
    Ok(())
}

#[test]
fn the_blocks_of_inception_resnet() -> Result<()> {
    let a = ResidualA { one: 32, three: [32, 32], double_three: [32, 32, 32], channels: 256, scale: 0.17 };
    assert_eq!(output(residual::inception_a(a), [256, 35, 35])?, [256, 35, 35]);
    let b = ResidualBc { one: 128, factorised: [128, 128, 128], channels: 896, scale: 0.1 };
    assert_eq!(output(residual::inception_b(b), [896, 17, 17])?, [896, 17, 17]);
    let reduction = ReductionB { three: [256, 384], other_three: [256, 256], double_three: [256, 256, 256] };
    assert_eq!(output(residual::reduction_b(reduction), [896, 17, 17])?, [1792, 8, 8]);
    let c = ResidualBc { one: 192, factorised: [192, 192, 192], channels: 1792, scale: 0.2 };
    assert_eq!(output(residual::inception_c(c), [1792, 8, 8])?, [1792, 8, 8]);
    assert_eq!(output(residual::entry(), [192, 35, 35])?, [320, 35, 35]);
    let wrong = ResidualBc { channels: 1000, ..c };
    let message =
        output(residual::linear_c(wrong), [1792, 8, 8]).map_or_else(|error| error.to_string(), |_| String::new());
    assert_eq!(message, "block.add: add joins 1000×8×8 with 1792×8×8");
    Ok(())
}
