//! Table 1 of Szegedy et al. 2015: the nine blocks of GoogLeNet, whatever a block does with its row.

use cnn_inception::Widths;

/// Row `inception (3a)`.
pub const INCEPTION_3A: Widths = Widths { one: 64, three: [96, 128], five: [16, 32], pool: 32 };
/// Row `inception (3b)`.
pub const INCEPTION_3B: Widths = Widths { one: 128, three: [128, 192], five: [32, 96], pool: 64 };
/// Row `inception (4a)`.
pub const INCEPTION_4A: Widths = Widths { one: 192, three: [96, 208], five: [16, 48], pool: 64 };
/// Row `inception (4b)`.
pub const INCEPTION_4B: Widths = Widths { one: 160, three: [112, 224], five: [24, 64], pool: 64 };
/// Row `inception (4c)`.
pub const INCEPTION_4C: Widths = Widths { one: 128, three: [128, 256], five: [24, 64], pool: 64 };
/// Row `inception (4d)`.
pub const INCEPTION_4D: Widths = Widths { one: 112, three: [144, 288], five: [32, 64], pool: 64 };
/// Row `inception (4e)`.
pub const INCEPTION_4E: Widths = Widths { one: 256, three: [160, 320], five: [32, 128], pool: 128 };
/// Row `inception (5a)`.
pub const INCEPTION_5A: Widths = Widths { one: 256, three: [160, 320], five: [32, 128], pool: 128 };
/// Row `inception (5b)`.
pub const INCEPTION_5B: Widths = Widths { one: 384, three: [192, 384], five: [48, 128], pool: 128 };
