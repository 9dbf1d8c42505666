//! Table 1 of the paper.

use Layer::{Conv1, Conv3, Lrn};

/// A column of table 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// 11 layers with weights.
    A,
    /// A with a local response normalisation behind the first layer, with AlexNet's numbers.
    ALrn,
    /// 13 layers with weights.
    B,
    /// 16 layers with weights, three of them 1×1 convolutions.
    C,
    /// 16 layers with weights.
    D,
    /// 19 layers with weights.
    E,
}

/// An entry of table 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layer {
    /// `conv3-`: a 3×3 convolution to this many channels.
    Conv3(usize),
    /// `conv1-`: a 1×1 convolution to this many channels.
    Conv1(usize),
    /// `LRN`.
    Lrn,
}

impl Column {
    /// Every column, in the order of the table.
    pub const ALL: [Self; 6] = [Self::A, Self::ALrn, Self::B, Self::C, Self::D, Self::E];

    /// torchvision's name of the column, or one made like it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::A => "vgg11",
            Self::ALrn => "vgg11_lrn_paper",
            Self::B => "vgg13",
            Self::C => "vgg16_1x1_paper",
            Self::D => "vgg16",
            Self::E => "vgg19",
        }
    }

    /// The layers of the column, stage by stage; a max pool closes each stage.
    #[rustfmt::skip]
    pub(crate) fn stages(self) -> [&'static [Layer]; 5] {
        match self {
            Self::A => [
                &[Conv3(64)],
                &[Conv3(128)],
                &[Conv3(256), Conv3(256)],
                &[Conv3(512), Conv3(512)],
                &[Conv3(512), Conv3(512)],
            ],
            Self::ALrn => [
                &[Conv3(64), Lrn],
                &[Conv3(128)],
                &[Conv3(256), Conv3(256)],
                &[Conv3(512), Conv3(512)],
                &[Conv3(512), Conv3(512)],
            ],
            Self::B => [
                &[Conv3(64), Conv3(64)],
                &[Conv3(128), Conv3(128)],
                &[Conv3(256), Conv3(256)],
                &[Conv3(512), Conv3(512)],
                &[Conv3(512), Conv3(512)],
            ],
            Self::C => [
                &[Conv3(64), Conv3(64)],
                &[Conv3(128), Conv3(128)],
                &[Conv3(256), Conv3(256), Conv1(256)],
                &[Conv3(512), Conv3(512), Conv1(512)],
                &[Conv3(512), Conv3(512), Conv1(512)],
            ],
            Self::D => [
                &[Conv3(64), Conv3(64)],
                &[Conv3(128), Conv3(128)],
                &[Conv3(256), Conv3(256), Conv3(256)],
                &[Conv3(512), Conv3(512), Conv3(512)],
                &[Conv3(512), Conv3(512), Conv3(512)],
            ],
            Self::E => [
                &[Conv3(64), Conv3(64)],
                &[Conv3(128), Conv3(128)],
                &[Conv3(256), Conv3(256), Conv3(256), Conv3(256)],
                &[Conv3(512), Conv3(512), Conv3(512), Conv3(512)],
                &[Conv3(512), Conv3(512), Conv3(512), Conv3(512)],
            ],
        }
    }
}
