//! Every network against what its source states or what follows from its source's table by hand.

use cnn_googlenet::cnn_core::{Architecture, Result};
use cnn_googlenet::*;
use std::collections::BTreeMap;

/// What a network has to be at its usual input.
struct Expected {
    name: &'static str,
    /// Without and with the auxiliary heads.
    parameters: [usize; 2],
    macs: usize,
    /// Nodes with their output shapes, in the order of the source's table.
    stages: &'static [(&'static str, &'static [usize])],
    /// Tensors with their shapes.
    tensors: &'static [(&'static str, &'static [usize])],
}

/// Output column of Table 1 in Szegedy et al. 2015.
const TABLE_1: &[(&str, &[usize])] = &[
    ("conv1", &[64, 112, 112]),
    ("maxpool1", &[64, 56, 56]),
    ("conv3", &[192, 56, 56]),
    ("maxpool2", &[192, 28, 28]),
    ("inception3a", &[256, 28, 28]),
    ("inception3b", &[480, 28, 28]),
    ("maxpool3", &[480, 14, 14]),
    ("inception4a", &[512, 14, 14]),
    ("inception4b", &[512, 14, 14]),
    ("inception4c", &[512, 14, 14]),
    ("inception4d", &[528, 14, 14]),
    ("inception4e", &[832, 14, 14]),
    ("maxpool4", &[832, 7, 7]),
    ("inception5a", &[832, 7, 7]),
    ("inception5b", &[1024, 7, 7]),
    ("avgpool", &[1024, 1, 1]),
    ("aux1.pool", &[512, 4, 4]),
    ("aux2.pool", &[528, 4, 4]),
    ("aux1", &[1000]),
    ("aux2", &[1000]),
    ("fc", &[1000]),
];

const EXPECTED: &[Expected] = &[
    Expected {
        name: "googlenet",
        parameters: [6_624_904, 13_004_888],
        macs: 1_498_376_192,
        stages: TABLE_1,
        tensors: &[
            ("conv1.conv.weight", &[64, 3, 7, 7]),
            ("inception3a.branch3.1.conv.weight", &[32, 16, 3, 3]),
            ("inception4e.branch4.1.bn.running_mean", &[128]),
            ("aux2.conv.bn.bias", &[128]),
            ("aux1.fc1.weight", &[1024, 2048]),
        ],
    },
    Expected {
        name: "googlenet_paper",
        parameters: [6_998_552, 13_378_280],
        macs: 1_582_671_872,
        stages: TABLE_1,
        tensors: &[
            ("inception3a.branch1.conv.bias", &[64]),
            ("inception5b.branch3.1.conv.weight", &[128, 48, 5, 5]),
            ("aux1.conv.conv.weight", &[128, 512, 1, 1]),
        ],
    },
    Expected {
        name: "googlenet_naive",
        parameters: [97_526_008, 104_274_376],
        macs: 12_568_061_056,
        stages: &[("inception3a", &[416, 28, 28]), ("inception4e", &[3344, 14, 14]), ("inception5b", &[4944, 7, 7])],
        tensors: &[("inception3b.branch3.conv.weight", &[96, 416, 5, 5])],
    },
    Expected {
        name: "googlenet_d2l",
        parameters: [5_977_530, 5_977_530],
        macs: 276_066_304,
        stages: &[
            ("0", &[64, 24, 24]),
            ("1", &[192, 12, 12]),
            ("2", &[480, 6, 6]),
            ("3", &[832, 3, 3]),
            ("4", &[1024]),
            ("5", &[10]),
        ],
        tensors: &[("0.0.weight", &[64, 1, 7, 7]), ("2.0.p3_2.weight", &[32, 16, 5, 5]), ("5.bias", &[10])],
    },
    Expected {
        name: "bn_inception",
        parameters: [11_285_224, 11_285_224],
        macs: 2_032_600_064,
        stages: &[
            ("maxpool2", &[192, 28, 28]),
            ("inception3a", &[256, 28, 28]),
            ("inception3b", &[320, 28, 28]),
            ("inception3c", &[576, 14, 14]),
            ("inception4a", &[576, 14, 14]),
            ("inception4b", &[576, 14, 14]),
            ("inception4c", &[608, 14, 14]),
            ("inception4d", &[608, 14, 14]),
            ("inception4e", &[1056, 7, 7]),
            ("inception5a", &[1024, 7, 7]),
            ("inception5b", &[1024, 7, 7]),
        ],
        tensors: &[
            ("inception3c.branch2.1.conv.weight", &[160, 128, 3, 3]),
            ("inception5b.branch4.1.conv.weight", &[128, 1024, 1, 1]),
        ],
    },
    Expected {
        name: "inception_v3",
        parameters: [23_834_568, 27_161_264],
        macs: 5_713_216_096,
        stages: &[
            ("Conv2d_1a_3x3", &[32, 149, 149]),
            ("Conv2d_2a_3x3", &[32, 147, 147]),
            ("Conv2d_2b_3x3", &[64, 147, 147]),
            ("maxpool1", &[64, 73, 73]),
            ("Conv2d_4a_3x3", &[192, 71, 71]),
            ("Mixed_5b", &[256, 35, 35]),
            ("Mixed_5d", &[288, 35, 35]),
            ("Mixed_6a", &[768, 17, 17]),
            ("Mixed_6e", &[768, 17, 17]),
            ("Mixed_7a", &[1280, 8, 8]),
            ("Mixed_7c", &[2048, 8, 8]),
            ("AuxLogits.conv0", &[128, 5, 5]),
            ("AuxLogits", &[1000]),
        ],
        tensors: &[
            ("Mixed_5b.branch1x1.conv.weight", &[64, 192, 1, 1]),
            ("Mixed_6c.branch7x7dbl_4.conv.weight", &[160, 160, 7, 1]),
            ("Mixed_7b.branch3x3_2a.conv.weight", &[384, 384, 1, 3]),
            ("AuxLogits.conv1.conv.weight", &[768, 128, 5, 5]),
        ],
    },
    Expected {
        name: "inception_v4",
        parameters: [42_679_816, 42_679_816],
        macs: 12_253_974_624,
        stages: &[
            ("features.0", &[32, 149, 149]),
            ("features.2", &[64, 147, 147]),
            ("features.3", &[160, 73, 73]),
            ("features.4", &[192, 71, 71]),
            ("features.5", &[384, 35, 35]),
            ("features.9", &[384, 35, 35]),
            ("features.10", &[1024, 17, 17]),
            ("features.17", &[1024, 17, 17]),
            ("features.18", &[1536, 8, 8]),
            ("features.21", &[1536, 8, 8]),
            ("global_pool", &[1536]),
        ],
        tensors: &[
            ("features.3.conv.conv.weight", &[96, 64, 3, 3]),
            ("features.19.branch2_3b.conv.weight", &[256, 512, 3, 1]),
            ("last_linear.weight", &[1000, 1536]),
        ],
    },
    Expected {
        name: "inception_resnet_v1",
        parameters: [22_756_328, 22_756_328],
        macs: 6_206_361_696,
        stages: &[
            ("conv2d_4b", &[256, 35, 35]),
            ("repeat", &[256, 35, 35]),
            ("mixed_6a", &[896, 17, 17]),
            ("repeat_1", &[896, 17, 17]),
            ("mixed_7a", &[1792, 8, 8]),
            ("repeat_2", &[1792, 8, 8]),
        ],
        tensors: &[
            ("repeat.4.conv2d.bias", &[256]),
            ("repeat_1.9.branch1.1.conv.weight", &[128, 128, 1, 7]),
            ("classif.weight", &[1000, 1792]),
        ],
    },
    Expected {
        name: "inception_resnet_v2",
        parameters: [55_843_464, 55_843_464],
        macs: 13_155_794_016,
        stages: &[
            ("mixed_5b", &[320, 35, 35]),
            ("repeat", &[320, 35, 35]),
            ("mixed_6a", &[1088, 17, 17]),
            ("repeat_1", &[1088, 17, 17]),
            ("mixed_7a", &[2080, 8, 8]),
            ("block8", &[2080, 8, 8]),
            ("conv2d_7b", &[1536, 8, 8]),
        ],
        tensors: &[
            ("repeat.9.branch2.2.conv.weight", &[64, 48, 3, 3]),
            ("repeat_1.19.conv2d.weight", &[1088, 384, 1, 1]),
            ("block8.branch1.1.conv.weight", &[224, 192, 1, 3]),
        ],
    },
    Expected {
        name: "mnist_inception",
        parameters: [97_298, 97_298],
        macs: 6_019_200,
        stages: &[("conv1", &[10, 24, 24]), ("incep1", &[88, 12, 12]), ("incep2", &[88, 4, 4]), ("flatten", &[1408])],
        tensors: &[("incep1.branch5x5_2.weight", &[24, 16, 5, 5]), ("incep2.branch_pool.bias", &[24])],
    },
];

#[test]
fn every_network_is_what_its_source_states() -> Result<()> {
    assert_eq!(EXPECTED.len(), NETWORKS.len());
    for (expected, listing) in EXPECTED.iter().zip(NETWORKS) {
        let architecture = listing.architecture();
        let name = expected.name;
        assert_eq!(architecture.name(), name);
        let network = architecture.at_usual_input()?;
        let summary = network.summary();
        let bare = architecture.without_heads().at_usual_input()?.summary();
        assert_eq!([summary.parameters_without_heads, summary.parameters], expected.parameters, "{name}");
        assert_eq!((bare.parameters, bare.macs), (expected.parameters[0], expected.macs), "{name}");
        for (path, dims) in expected.stages {
            assert_eq!(network.node_at(path)?.shape.dims(), *dims, "{name}: {path}");
        }
        let tensors: BTreeMap<&str, &[usize]> =
            network.tensors().map(|tensor| (tensor.name.as_str(), tensor.dims.as_slice())).collect();
        for (tensor, dims) in expected.tensors {
            assert_eq!(tensors.get(tensor), Some(dims), "{name}: {tensor}");
        }
    }
    Ok(())
}

#[test]
fn heads_hang_where_the_papers_have_them() -> Result<()> {
    let heads = |architecture: Architecture| -> Result<Vec<(String, f64)>> {
        let network = architecture.at_usual_input()?;
        Ok(network.outputs()[1..].iter().map(|output| (output.name.clone(), output.loss_weight)).collect())
    };
    let two = [("aux1".to_string(), 0.3), ("aux2".to_string(), 0.3)];
    assert_eq!(heads(googlenet(10))?, two);
    assert_eq!(heads(googlenet_paper(10))?, two);
    assert_eq!(heads(inception_v3(10))?, [("AuxLogits".to_string(), 0.4)]);
    assert_eq!(heads(inception_v4(10))?, []);
    assert_eq!(heads(googlenet(10).without_heads())?, []);
    Ok(())
}

#[test]
fn other_sizes_fit() -> Result<()> {
    let network = googlenet(1000).at([3, 195, 251])?;
    assert_eq!(network.node_at("inception3b")?.shape.dims(), [480, 24, 31]);
    assert_eq!(network.node_at("inception5b")?.shape.dims(), [1024, 6, 8]);
    Ok(())
}

#[test]
fn sizes_that_torchvision_takes_of_inception_v3() -> Result<()> {
    // One pixel less is refused: a test of the zoo.
    inception_v3(10).at([3, 299, 299])?;
    inception_v3(10).without_heads().at([3, 75, 75])?;
    Ok(())
}

#[test]
fn transform_input_is_for_three_channels() {
    let refused = "input_affine: 3 constants for 1 input channels";
    let message = googlenet_transformed(10).at([1, 224, 224]).map(|_| ()).unwrap_err().to_string();
    assert_eq!(message, refused);
}
