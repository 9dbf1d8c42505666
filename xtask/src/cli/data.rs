//! The arguments that name a data set.

use clap::Args;
use cnn_data::Fold;
use std::path::PathBuf;

/// A data set and where it lies.
#[derive(Clone, Debug, Default, Args)]
pub struct Data {
    /// digits, mnist, fashion-mnist, cifar10, cifar100, two of them as mnist+digits, or the path of a folder of images
    #[arg(long, value_name = "NAME|FOLDER")]
    pub dataset: Option<String>,
    /// Folder of the classic files; without it mnist, fashion-mnist, cifar10 and cifar100 come from the Hugging Face hub
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Train on this many images, or judge so many with eval, drawn by the seed, of each class its share
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Share of a folder's images to judge, where it has neither val nor test: about so many, by their names and the seed
    #[arg(long, value_name = "X")]
    pub test_share: Option<f64>,
    /// Judge one part of the images to train on, as 2/5, and train on the others: a part of a cross-validation
    #[arg(long, value_name = "K/N")]
    pub fold: Option<Fold>,
    /// Take images in grey (1) or in colours (3) [default: as they are; grey pictures grey for a network that reads grey]
    #[arg(long, value_name = "1|3", value_parser = channels)]
    pub channels: Option<u8>,
    /// Leave damaged files of a folder out, with a warning
    #[arg(long)]
    pub skip_damaged: bool,
    /// Take images as they lie in their files, not turned as their cameras noted (EXIF): what torchvision does
    #[arg(long)]
    pub no_exif: bool,
    /// Refuse images of a folder with more pixels than this, before any is decoded [default: 89478485]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_pixels: Option<u64>,
}

fn channels(text: &str) -> Result<u8, String> {
    text.parse()
        .ok()
        .filter(|channels| [1, 3].contains(channels))
        .ok_or_else(|| "expected 1, which is grey, or 3".into())
}
