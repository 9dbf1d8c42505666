//! Flags that would change nothing. They are refused: whoever gives one expects something of it.

use crate::cli::{self, Common, Computes};
use crate::data_name::folder_of;
use anyhow::{Result, bail, ensure};
use cnn_core::device::DeviceChoice;
use cnn_core::{Network, Op};
use cnn_data::{Dataset, Name};
use cnn_train::{DataChoice, Settings};
use std::path::Path;

/// Lines of a recipe about a folder of images.
const OF_RECIPE: [&str; 4] = [
    "test-share in the recipe's [data]",
    "skip-damaged in the recipe's [data]",
    "no-exif in the recipe's [data]",
    "max-pixels in the recipe's [data]",
];

/// The first of some flags that is given.
fn given<const N: usize>(flags: [(&'static str, bool); N]) -> Option<&'static str> {
    flags.into_iter().find_map(|(flag, given)| given.then_some(flag))
}

/// Flags that every command takes, where the command of a name does nothing that they are about.
pub fn of_common(command: &str, common: &Common) -> Result<()> {
    if let Some(seed) = common.seed.filter(|_| !cli::draws(command)) {
        bail!("--seed {seed} has no effect: this command draws nothing by it; leave it out");
    }
    match (common.device, cli::computes(command)) {
        (DeviceChoice::Auto, _) | (_, Computes::OnDevices) | (DeviceChoice::Cpu, Computes::OnCpu) => Ok(()),
        (other, Computes::OnCpu) => bail!("this command computes on the CPU, not on {other}: leave --device out"),
        (_, Computes::Nothing) => bail!("--device has no effect: this command computes nothing; leave it out"),
    }
}

/// A seed where it turned out that nothing is drawn.
pub fn of_seed(common: &Common, drawn: bool) -> Result<()> {
    match common.seed.filter(|_| !drawn) {
        Some(seed) => bail!("--seed {seed} has no effect: nothing is drawn here; leave it out"),
        None => Ok(()),
    }
}

/// Flags about another kind of data set than the one chosen, before any of it is read.
pub fn of_choice(args: &cli::Data, choice: &DataChoice) -> Result<()> {
    let name = choice.dataset.as_deref().unwrap_or(Name::Digits.as_str());
    // A flag, or a line of a recipe.
    let of_folders = given([
        ("--test-share", args.test_share.is_some()),
        ("--skip-damaged", args.skip_damaged),
        ("--no-exif", args.no_exif),
        ("--max-pixels", args.max_pixels.is_some()),
        (OF_RECIPE[0], choice.test_share.is_some()),
        (OF_RECIPE[1], choice.skip_damaged),
        (OF_RECIPE[2], choice.no_exif),
        (OF_RECIPE[3], choice.max_pixels.is_some()),
    ]);
    match (of_folders, choice.fold, share(args, choice)) {
        (Some(given), ..) if folder_of(name).is_none() => {
            bail!("{given} is about a folder of images, and {name} is none: leave it out")
        }
        (_, Some(fold), Some(share)) => {
            bail!("{share} has no effect beside the fold {fold}, which says what is judged: leave out one of the two")
        }
        _ => Ok(()),
    }
}

/// What says which share is to be drawn: the flag, or the recipe.
fn share(args: &cli::Data, choice: &DataChoice) -> Option<&'static str> {
    given([("--test-share", args.test_share.is_some()), (OF_RECIPE[0], choice.test_share.is_some())])
}

/// Flags about a data set where none is named, and pictures alone are read.
#[cfg(feature = "explain")]
pub fn of_pictures(args: &cli::Data) -> Result<()> {
    let cli::Data { dataset, data_dir, limit, test_share, fold, channels, skip_damaged, .. } = args;
    let of_data = given([
        ("--data-dir", data_dir.is_some()),
        ("--limit", limit.is_some()),
        ("--test-share", test_share.is_some()),
        ("--fold", fold.is_some()),
        ("--channels", channels.is_some()),
        ("--skip-damaged", *skip_damaged),
    ]);
    match of_data {
        Some(flag) if dataset.is_none() => {
            bail!("{flag} is about a data set, and none is named: add --dataset, or leave it out")
        }
        _ => Ok(()),
    }
}

/// A share to be drawn of a data set that has images to judge.
pub fn of_share(args: &cli::Data, choice: &DataChoice, dataset: &Dataset) -> Result<()> {
    match (dataset.origins(), share(args, choice)) {
        (Some(origins), Some(share)) if !origins.drawn => {
            bail!("{share} has no effect: {} is judged, so nothing is drawn; leave it out", origins.test)
        }
        _ => Ok(()),
    }
}

/// Flags that choose among the images of a folder to judge, all of whose test images are judged.
pub fn of_folder_to_judge(args: &cli::Data, folder: &Path) -> Result<()> {
    let drawn = "nothing is drawn of it: its folder test is judged, else val, else all of it";
    let flags = [
        ("--test-share", args.test_share.is_some(), drawn),
        ("--fold", args.fold.is_some(), drawn),
        ("--channels", args.channels.is_some(), "its images are read in the channels of the weights"),
        ("--data-dir", args.data_dir.is_some(), "it is a folder of images, not the name of a data set"),
    ];
    match flags.into_iter().find(|(_, given, _)| *given) {
        Some((flag, _, why)) => bail!("{flag} has no effect on {}: {why}; leave it out", cnn_figures::path(folder)),
        None => Ok(()),
    }
}

/// Flags about several ranks where there is one.
pub fn of_ranks(args: &cli::Train, ranks: usize) -> Result<()> {
    if args.bucket.is_some() && ranks == 1 {
        bail!("--bucket is about gradients that ranks send each other, and this process is alone: leave it out");
    }
    ensure!(!args.find_lr || ranks == 1, "--find-lr looks by one process, and {ranks} have started: start it alone");
    Ok(())
}

/// Settings of shards where there are none, or nothing to normalise; by a flag or by a recipe.
pub fn of_shards(settings: &Settings, network: &Network) -> Result<()> {
    if settings.shards == 1 && settings.wire != Settings::default().wire {
        bail!(
            "wire: a batch is whole, and no gradients are added; --set 'shards = N' or --processes N cuts it into shards"
        );
    }
    if !settings.sync_batch_norm {
        return Ok(());
    }
    if !network.nodes().iter().any(|node| matches!(node.op, Op::BatchNorm(_))) {
        bail!("sync-batch-norm: {} has no batch normalisation", network.name());
    }
    if settings.shards == 1 {
        bail!("sync-batch-norm: a batch is whole; --set 'shards = N' or --processes N cuts it into shards");
    }
    Ok(())
}
