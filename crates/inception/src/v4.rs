//! The blocks of Inception-v4 (Szegedy et al. 2017), with timm's names.

use crate::unit::{average_path, conv_bn, path};
use cnn_core::definition::{Block, Branches, chain, concat, conv, max_pool};

/// Figure 3: the six steps from 299×299 to 35×35 and 384 channels. The last three fork into convolutions and pools.
pub fn stem() -> [Block; 6] {
    let fourth =
        concat().labelled("maxpool", max_pool(3).stride(2)).labelled("conv", conv_bn(conv(3).out(96).stride(2)));
    let fifth = concat().labelled("branch0", path([conv(1).out(64), conv(3).out(96)])).labelled(
        "branch1",
        path([conv(1).out(64), conv([1, 7]).out(64).pad([0, 3]), conv([7, 1]).out(64).pad([3, 0]), conv(3).out(96)]),
    );
    let sixth =
        concat().labelled("conv", conv_bn(conv(3).out(192).stride(2))).labelled("maxpool", max_pool(3).stride(2));
    [
        conv_bn(conv(3).out(32).stride(2)).into(),
        conv_bn(conv(3).out(32)).into(),
        conv_bn(conv(3).out(64).pad(1)).into(),
        fourth.into(),
        fifth.into(),
        sixth.into(),
    ]
}

/// Figure 4, on 35×35 maps: 384 channels.
pub fn inception_a() -> Branches {
    concat()
        .labelled("branch0", conv_bn(conv(1).out(96)))
        .labelled("branch1", path([conv(1).out(64), conv(3).out(96).pad(1)]))
        .labelled("branch2", path([conv(1).out(64), conv(3).out(96).pad(1), conv(3).out(96).pad(1)]))
        .labelled("branch3", average_path(conv(1).out(96)))
}

/// A row of Table 1: the widths of [`reduction_a`], by the letters of figure 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReductionA {
    /// 1×1 of the long path.
    pub k: usize,
    /// 3×3 of the long path.
    pub l: usize,
    /// 3×3 with stride 2 of the long path.
    pub m: usize,
    /// 3×3 with stride 2 on the input.
    pub n: usize,
}

/// Figure 7, from 35×35 to 17×17: `n + m` channels and all of the input's. Inception-v4 and both Inception-ResNets
/// use it.
pub fn reduction_a(widths: ReductionA) -> Branches {
    let ReductionA { k, l, m, n } = widths;
    concat()
        .labelled("branch0", conv_bn(conv(3).out(n).stride(2)))
        .labelled("branch1", path([conv(1).out(k), conv(3).out(l).pad(1), conv(3).out(m).stride(2)]))
        .labelled("branch2", max_pool(3).stride(2))
}

/// Figure 5, on 17×17 maps: 1024 channels.
pub fn inception_b() -> Branches {
    let row = || conv([1, 7]).pad([0, 3]);
    let column = || conv([7, 1]).pad([3, 0]);
    concat()
        .labelled("branch0", conv_bn(conv(1).out(384)))
        .labelled("branch1", path([conv(1).out(192), row().out(224), column().out(256)]))
        .labelled(
            "branch2",
            path([conv(1).out(192), column().out(192), row().out(224), column().out(224), row().out(256)]),
        )
        .labelled("branch3", average_path(conv(1).out(128)))
}

/// Figure 8, from 17×17 to 8×8: 512 channels and all of the input's.
pub fn reduction_b() -> Branches {
    concat()
        .labelled("branch0", path([conv(1).out(192), conv(3).out(192).stride(2)]))
        .labelled(
            "branch1",
            path([
                conv(1).out(256),
                conv([1, 7]).out(256).pad([0, 3]),
                conv([7, 1]).out(320).pad([3, 0]),
                conv(3).out(320).stride(2),
            ]),
        )
        .labelled("branch2", max_pool(3).stride(2))
}

/// Figure 6, on 8×8 maps: 1536 channels.
pub fn inception_c() -> Branches {
    let row = || conv([1, 3]).pad([0, 1]);
    let column = || conv([3, 1]).pad([1, 0]);
    let side_by_side = |label: &str| {
        concat()
            .labelled(format!("{label}a"), conv_bn(row().out(256)))
            .labelled(format!("{label}b"), conv_bn(column().out(256)))
    };
    concat()
        .labelled("branch0", conv_bn(conv(1).out(256)))
        .branch(chain().then("branch1_0", conv_bn(conv(1).out(384))).and(side_by_side("branch1_1")))
        .branch(
            chain()
                .then("branch2_0", conv_bn(conv(1).out(384)))
                .then("branch2_1", conv_bn(column().out(448)))
                .then("branch2_2", conv_bn(row().out(512)))
                .and(side_by_side("branch2_3")),
        )
        .labelled("branch3", average_path(conv(1).out(256)))
}
