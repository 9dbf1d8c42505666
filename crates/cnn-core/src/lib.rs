//! Convolutional networks as values over candle.

pub mod seed;
