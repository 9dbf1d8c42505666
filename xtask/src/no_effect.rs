//! Flags that would change nothing. They are refused: whoever gives one expects something of it.

use crate::cli;
use crate::data::folder_of;
use anyhow::{Result, bail};
use cnn_core::{Network, Op};
use cnn_data::Dataset;
use cnn_train::{DataChoice, Settings};

/// Of a data set.
pub fn of_data(args: &cli::Data, choice: &DataChoice, dataset: &Dataset) -> Result<()> {
    if choice.dataset.as_deref().and_then(folder_of).is_none() {
        let of_folders = [
            ("--test-share", args.test_share.is_some()),
            ("--skip-damaged", args.skip_damaged),
            ("--no-exif", args.no_exif),
            ("--max-pixels", args.max_pixels.is_some()),
        ];
        if let Some((flag, _)) = of_folders.into_iter().find(|(_, given)| *given) {
            bail!("{flag} is about a folder of images, and {} is none: leave it out", dataset.name());
        }
    }
    if args.test_share.is_none() {
        return Ok(());
    }
    if let Some(fold) = choice.fold {
        bail!("--test-share has no effect beside the fold {fold}, which says what is judged: leave out one of the two");
    }
    match dataset.origins() {
        Some(origins) if !origins.drawn => {
            bail!("--test-share has no effect: {} is judged, so nothing is drawn; leave it out", origins.test)
        }
        _ => Ok(()),
    }
}

/// Of a training on so many ranks.
pub fn of_training(args: &cli::Train, settings: &Settings, network: &Network, ranks: usize) -> Result<()> {
    if args.bucket.is_some() && ranks == 1 {
        bail!("--bucket is about gradients that ranks send each other, and this process is alone: leave it out");
    }
    if !args.settings.sync_batch_norm {
        return Ok(());
    }
    if !network.nodes().iter().any(|node| matches!(node.op, Op::BatchNorm(_))) {
        bail!("--sync-batch-norm: {} has no batch normalisation", network.name());
    }
    if settings.shards == 1 {
        bail!("--sync-batch-norm: a batch is whole; --set 'shards = N' or --processes N cuts it into shards");
    }
    Ok(())
}
