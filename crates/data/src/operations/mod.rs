//! What is done to the bytes of an image, once it is decided how much: the Python Imaging Library's operations, byte for
//! byte, since the augmentation policies were tuned with it.

mod blend;
mod hue;
mod tables;
mod warp;

pub(crate) use blend::{brightness, contrast, saturation, sharpness};
pub(crate) use hue::hue;
pub(crate) use tables::{autocontrast, equalize, posterize, solarize};
pub(crate) use warp::{Affine, rotate, warp};
