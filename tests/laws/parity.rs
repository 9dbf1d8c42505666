//! Small networks of each kind in candle and in the oracle are torch's. `cargo xtask verify-parity` holds all of them.

use crate::Failure;
use cnn_verify::golden::Golden;
use cnn_verify::parity::compare;
use std::path::Path;

#[test]
fn small_networks_are_torchs() -> Result<(), Failure> {
    let goldens = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/parity"));
    let mut asked_the_oracle = 0;
    for name in
        ["lenet", "lenet_paper", "lenet_d2l", "mnist_inception", "mnist_residual", "resnet20_cifar", "googlenet"]
    {
        let golden = Golden::read(goldens, name)?.ok_or(format!("{name} has no golden"))?;
        let comparison = compare(&cnn_zoo::find(name)?, &golden)?;
        assert!(comparison.mismatches.is_empty(), "{:#?}", comparison.mismatches);
        assert!(comparison.gradients > 0 && comparison.nodes > 0);
        asked_the_oracle += usize::from(comparison.oracle.is_some());
    }
    assert!(asked_the_oracle >= 5);
    Ok(())
}
