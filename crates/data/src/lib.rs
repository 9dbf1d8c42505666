//! Data sets for convolutional networks, and the way from their bytes to batches of numbers.
//!
//! A [`Dataset`] is bytes and labels: [`digits()`] drawn on the spot, the [`classic`] files from a folder, or (feature
//! `hub`) the Hugging Face hub; [`load`] takes any of them by [`Name`]. A [`Preparation`] says how bytes become numbers, a
//! [`Loader`] cuts batches. Whatever is random comes from a seed, and no result depends on the number of threads.
//!
//! ```
//! use cnn_data::{Augmentation, DigitsConfig, Fit, Loader, Preparation, digits};
//!
//! let data = digits(DigitsConfig { train: 100, test: 20, seed: 1 })?;
//! // To numbers of mean 0 and deviation 1, centred in 32×32 as LeNet reads them.
//! let preparation = Preparation::of(data.train())?.fitted(Fit::Pad { height: 32, width: 32 });
//! let augmentation: Augmentation = "affine:15:0.1".parse()?;
//! let loader = Loader::new(data.train(), preparation.clone(), 32)?.augmented(augmentation)?;
//! let mut seen = 0;
//! for batch in loader.epoch(1, 0) {
//!     let batch = batch?;
//!     assert_eq!(batch.shape, [1, 32, 32]);
//!     assert_eq!(batch.images.len(), batch.labels.len() * 32 * 32);
//!     seen += batch.indices.len();
//! }
//! assert_eq!(seen, 100);
//! // To evaluate, images come in their order and as they are.
//! assert_eq!(Loader::new(data.test(), preparation, 32)?.in_order().count(), 1);
//! # Ok::<(), cnn_data::Error>(())
//! ```
//!
//! What comes from a file has a bound, and is refused in a sentence that names the file: how large it may be
//! ([`Error::TooLarge`]), how many pixels a picture may have ([`FolderConfig::max_pixels`]), how large a prepared image
//! ([`Fit::MAX_SIDE`]) and a [`Sheet`] may be. Pipes, devices and sockets are not opened.

mod augmentation;
mod balance;
mod batch;
mod card;
mod changed;
mod channels;
mod check;
mod class_names;
pub mod classic;
mod crop_mode;
mod dataset;
mod decode;
mod digest;
mod digits;
mod error;
mod fit;
mod fitting;
mod fold;
mod folder;
#[cfg(feature = "hub")]
pub mod hub;
mod images;
mod interpolation;
mod joined;
mod limit;
mod load;
mod loader;
mod look_through;
mod name;
mod operations;
mod patches;
mod picture;
mod picture_file;
mod prefetch;
mod preparation;
mod reading;
mod repeated;
mod resample;
mod sheet;
mod sheet_of_images;
mod source;
mod stretched;

pub use augmentation::{
    AlternatingFlip, Augmentation, ColourJitter, Draws, Erasing, Flip, Lighting, Mix, Mixed, PaddedCrop, RandomAffine,
    RandomResizedCrop, ReflectedCrop, Step, Transform, TrivialAugment,
};
pub use batch::Batch;
pub use card::Card;
pub use check::{ClassCount, Duplicates, FolderCheck, Unsound, check};
pub use class_names::{ClassNote, Matched, class_notes, match_classes};
pub use crop_mode::CropMode;
pub use dataset::{Dataset, Origins};
pub use digits::{DigitsConfig, digits};
pub use error::Error;
pub use fit::Fit;
pub use fold::Fold;
pub use folder::{Damage, FolderConfig, FolderImages, RUN_BEST, RUN_MARK, folder, folder_images};
pub use images::Images;
pub use interpolation::Interpolation;
pub use load::{Source, load};
pub use loader::{Batches, Loader};
pub use name::Name;
pub use patches::{PatchWindow, Patches};
pub use picture::Picture;
pub use picture_file::is_named_like_a_picture;
pub use preparation::Preparation;
pub use reading::Reading;
pub use sheet::{Grid, Sheet};
pub use sheet_of_images::sheet;
pub use source::ImageSource;
