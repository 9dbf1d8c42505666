//! Data sets for convolutional networks, and the way from their bytes to batches of tensors.
//!
//! A [`Dataset`] is bytes and labels: [`digits()`] drawn on the spot, the [`classic`] files from a folder, or (feature
//! `hub`) the Hugging Face hub; [`load`] takes any of them by [`Name`]. A [`Preparation`] says how bytes become numbers, a
//! [`Loader`] cuts batches. Whatever is random comes from a seed, and no result depends on the number of threads.

mod augmentation;
mod batch;
pub mod classic;
mod digits;
mod error;
mod fit;
mod folder;
#[cfg(feature = "hub")]
pub mod hub;
mod images;
mod loader;
mod name;
mod operations;
mod picture;
mod prefetch;
mod preparation;
mod resample;
mod sheet;

pub use augmentation::{
    Augmentation, ColourJitter, Erasing, Flip, Lighting, Mix, Mixed, PaddedCrop, RandomAffine, RandomResizedCrop, Step,
    TrivialAugment,
};
pub use batch::Batch;
pub use digits::{DigitsConfig, digits};
pub use error::Error;
pub use fit::Fit;
pub use folder::{Damage, FolderConfig, folder};
pub use images::{Dataset, Images};
pub use loader::{Batches, Loader};
pub use name::{Name, Source, load};
pub use picture::Picture;
pub use preparation::Preparation;
pub use sheet::{Sheet, sheet};
