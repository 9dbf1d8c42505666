//! VGG.
