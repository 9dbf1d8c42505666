//! The arguments that name a data set.

use clap::Args;
use std::path::PathBuf;

/// A data set and where it lies.
#[derive(Clone, Debug, Default, Args)]
pub struct Data {
    /// digits, mnist, fashion-mnist, cifar10, cifar100, two of them as mnist+digits, or folder:PATH for a folder of images
    /// [default: digits]
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Folder of the classic files; without it mnist, fashion-mnist, cifar10 and cifar100 come from the Hugging Face hub
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Train on this many images, drawn by the seed, of each class its share
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Share of each class of a folder to test on, where the folder has no images for that [default: 0.2]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub test_share: Option<f64>,
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
