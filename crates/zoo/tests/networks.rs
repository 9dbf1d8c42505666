//! Laws that every network keeps, and its numbers from its source, from torchvision's or timm's, or counted by hand. What
//! only one family has, such as the rows of its paper's tables, is tested in that family's crate.

use cnn_zoo::cnn_core::Network;
use cnn_zoo::{Entry, Family};

type Failure = Box<dyn std::error::Error>;

/// A network's name, its trained numbers with the auxiliary heads, and its multiply-accumulates without them.
type Cost = (&'static str, usize, usize);

/// Every network at its usual input.
const COSTS: [Cost; 90] = [
    ("lenet", 61_706, 416_520),
    ("lenet_paper", 60_000, 326_520),
    ("lenet_d2l", 61_706, 416_520),
    ("lenet_d2l_max", 61_706, 416_520),
    ("lenet_linear", 61_610, 341_256),
    ("mnist_conv", 8_490, 467_200),
    ("mnist_mlp", 11_935, 11_910),
    ("alexnet", 61_100_840, 714_188_480),
    ("alexnet_paper", 60_965_224, 724_406_816),
    ("alexnet_paper_pool_lrn", 60_965_224, 724_406_816),
    ("alexnet_d2l", 46_764_746, 938_146_176),
    ("nin", 7_595_176, 1_100_188_800),
    ("nin_cifar", 966_986, 222_486_528),
    ("nin_d2l", 1_992_166, 762_297_352),
    ("nin_one_1x1_d2l", 1_769_112, 669_884_996),
    ("vgg11", 132_863_336, 7_609_090_048),
    ("vgg11_bn", 132_868_840, 7_609_090_048),
    ("vgg11_lrn_paper", 132_863_336, 7_609_090_048),
    ("vgg13", 133_047_848, 11_308_466_176),
    ("vgg13_bn", 133_053_736, 11_308_466_176),
    ("vgg16_1x1_paper", 133_638_952, 11_770_888_192),
    ("vgg16", 138_357_544, 15_470_264_320),
    ("vgg16_bn", 138_365_992, 15_470_264_320),
    ("vgg19", 143_667_240, 19_632_062_464),
    ("vgg19_bn", 143_678_248, 19_632_062_464),
    ("vgg11_d2l", 128_806_154, 7_547_232_256),
    ("vgg_small_d2l", 43_093_322, 512_155_648),
    ("vgg_whitened_cifar", 1_972_792, 118_147_360),
    ("googlenet", 13_004_888, 1_498_376_192),
    ("googlenet_paper", 13_378_280, 1_582_671_872),
    ("googlenet_naive", 104_274_376, 12_568_061_056),
    ("googlenet_d2l", 5_977_530, 276_066_304),
    ("bn_inception", 11_285_224, 2_032_600_064),
    ("inception_v3", 27_161_264, 5_713_216_096),
    ("inception_v4", 42_679_816, 12_253_974_624),
    ("inception_resnet_v1", 22_756_328, 6_206_361_696),
    ("inception_resnet_v2", 55_843_464, 13_155_794_016),
    ("mnist_inception", 97_298, 6_019_200),
    ("resnet18", 11_689_512, 1_814_073_344),
    ("resnet34", 21_797_672, 3_663_761_408),
    ("resnet50", 25_557_032, 4_089_184_256),
    ("resnet101", 44_549_160, 7_801_405_440),
    ("resnet152", 60_192_808, 11_513_626_624),
    ("resnet200", 64_673_832, 15_007_481_856),
    ("resnet50_v1", 25_557_032, 3_857_973_248),
    ("resnet101_v1", 44_549_160, 7_570_194_432),
    ("resnet152_v1", 60_192_808, 11_282_415_616),
    ("resnet18_preact", 11_687_720, 1_814_073_344),
    ("resnet34_preact", 21_795_880, 3_663_761_408),
    ("resnet50_preact", 25_549_352, 4_089_184_256),
    ("resnet101_preact", 44_541_480, 7_801_405_440),
    ("resnet152_preact", 60_185_128, 11_513_626_624),
    ("resnet200_preact", 64_666_152, 15_007_481_856),
    ("resnext50_32x4d", 25_028_904, 4_230_479_872),
    ("resnext101_32x8d", 88_791_336, 16_414_015_488),
    ("resnext101_64x4d", 83_455_272, 15_460_270_080),
    ("wide_resnet50_2", 68_883_240, 11_398_021_120),
    ("wide_resnet101_2", 126_886_696, 22_753_050_624),
    ("resnet18_small_stem", 11_173_962, 555_422_720),
    ("plain18", 11_515_688, 1_794_805_760),
    ("plain34", 21_623_848, 3_644_493_824),
    ("resnet20_cifar", 269_722, 40_551_040),
    ("resnet32_cifar", 464_154, 68_862_592),
    ("resnet44_cifar", 658_586, 97_174_144),
    ("resnet56_cifar", 853_018, 125_485_696),
    ("resnet110_cifar", 1_727_962, 252_887_680),
    ("resnet1202_cifar", 19_421_274, 2_829_238_912),
    ("plain20_cifar", 269_722, 40_551_040),
    ("plain32_cifar", 464_154, 68_862_592),
    ("plain44_cifar", 658_586, 97_174_144),
    ("plain56_cifar", 853_018, 125_485_696),
    ("plain110_cifar", 1_727_962, 252_887_680),
    ("resnet110_preact_cifar", 1_730_522, 253_149_824),
    ("resnet164_preact_cifar", 1_703_258, 247_646_720),
    ("resnet1001_preact_cifar", 10_327_706, 1_490_995_712),
    ("resnet18_d2l", 11_178_378, 318_657_536),
    ("mnist_residual", 41_514, 2_013_184),
    ("densenet121", 7_978_856, 2_834_161_664),
    ("densenet161", 28_681_000, 7_727_907_072),
    ("densenet169", 14_149_480, 3_359_843_328),
    ("densenet201", 20_013_928, 4_291_365_888),
    ("densenet264", 33_337_704, 5_751_653_376),
    ("densenet121_small_stem", 6_956_426, 888_350_720),
    ("densenet40_cifar", 1_019_722, 264_812_928),
    ("densenet100_cifar", 6_979_642, 1_769_516_448),
    ("densenet100_k24_cifar", 27_249_082, 6_889_347_744),
    ("densenet100bc_cifar", 769_162, 287_929_692),
    ("densenet250bc_cifar", 15_324_406, 5_418_785_724),
    ("densenet190bc_cifar", 25_624_430, 9_301_945_740),
    ("densenet_d2l", 758_226, 129_077_168),
];

fn usual(entry: &Entry) -> Result<Network, Failure> {
    Ok(entry.architecture(entry.classes).at_usual_input()?)
}

#[test]
fn parameters_and_multiply_accumulates() -> Result<(), Failure> {
    for (entry, cost) in cnn_zoo::all().zip(COSTS) {
        let summary = usual(&entry)?.summary();
        assert_eq!((entry.name, summary.parameters, summary.macs), cost);
    }
    assert_eq!(cnn_zoo::all().count(), COSTS.len());
    Ok(())
}

#[test]
fn the_main_output_has_one_number_a_class_for_any_classes_and_inputs() -> Result<(), Failure> {
    for entry in cnn_zoo::all() {
        let architecture = entry.architecture(7).without_heads();
        let [channels, height, width] = architecture.usual_input();
        // The paper's LeNet ends in a window as large as its maps.
        let narrow = if entry.name == "lenet_paper" { width } else { width - width / 9 };
        let tall = [channels, height + height / 5, narrow];
        let other_channels = [if channels == 1 { 3 } else { 1 }, height, width];
        for input in [[channels, height, width], tall, other_channels] {
            let network = architecture.at(input)?;
            assert_eq!(network.output().shape.dims(), [7], "{} at {input:?}", entry.name);
            // Wherever the first tensor is a convolution's or a linear layer's, it is as wide as the input.
            let first = network.tensors().find(|tensor| tensor.dims.len() > 1).map(|tensor| tensor.dims[1]);
            let seen = if entry.name == "mnist_mlp" { network.input().elements() } else { input[0] };
            assert_eq!(first, Some(seen), "{} at {input:?}", entry.name);
        }
    }
    Ok(())
}

#[test]
fn an_image_too_small_is_an_error_with_its_node() {
    let refusals: [(&str, [usize; 3], &str); 15] = [
        ("lenet", [1, 12, 12], "conv2: kernel 5×5 exceeds padded input 4×4 (input 4×4)"),
        ("lenet_paper", [1, 28, 28], "c5: kernel 5×5 exceeds padded input 4×4 (input 4×4)"),
        ("alexnet", [3, 62, 62], "features.12: kernel 3×3 exceeds padded input 2×2 (input 2×2)"),
        ("alexnet_d2l", [1, 8, 8], "0: kernel 11×11 exceeds padded input 10×10 (input 8×8)"),
        ("vgg16", [3, 31, 32], "features.30: kernel 2×2 exceeds padded input 1×2 (input 1×2)"),
        ("vgg11_d2l", [1, 7, 7], "2.4: kernel 2×2 exceeds padded input 1×1 (input 1×1)"),
        ("nin", [3, 10, 10], "0.0: kernel 11×11 exceeds padded input 10×10 (input 10×10)"),
        ("nin_d2l", [1, 47, 47], "5: kernel 3×3 exceeds padded input 1×1 (input 1×1)"),
        // torchvision takes and refuses the same sizes of Inception v3, whose head needs more than the network.
        ("inception_v3", [3, 298, 298], "AuxLogits.conv1.conv: kernel 5×5 exceeds padded input 4×4 (input 4×4)"),
        ("inception_v3", [3, 74, 74], "Mixed_7a.branch3x3_2.conv: kernel 3×3 exceeds padded input 2×2 (input 2×2)"),
        ("googlenet", [3, 14, 14], "maxpool3: kernel 3×3 exceeds padded input 1×1 (input 1×1)"),
        ("googlenet_paper", [3, 64, 64], "aux1.pool: kernel 5×5 exceeds padded input 4×4 (input 4×4)"),
        ("mnist_residual", [1, 11, 28], "conv2: kernel 5×5 exceeds padded input 3×12 (input 3×12)"),
        ("densenet121", [3, 28, 29], "features.transition3.pool: kernel 2×2 exceeds padded input 1×2 (input 1×2)"),
        ("densenet40_cifar", [3, 16, 3], "features.transition2.pool: kernel 2×2 exceeds padded input 8×1 (input 8×1)"),
    ];
    for (name, input, expected) in refusals {
        let entry = cnn_zoo::find(name).unwrap();
        let architecture = entry.architecture(10);
        // The head of Inception v3 is refused before the rest of it.
        let architecture = if input == [3, 74, 74] { architecture.without_heads() } else { architecture };
        assert_eq!(architecture.at(input).map(|_| ()).unwrap_err().to_string(), expected, "{name}");
    }
}

#[test]
fn every_crates_front_page_names_the_papers_of_its_networks() {
    let page = |family: Family| match family {
        Family::LeNet => include_str!("../../lenet/src/lib.rs"),
        Family::AlexNet => include_str!("../../alexnet/src/lib.rs"),
        Family::Nin => include_str!("../../nin/src/lib.rs"),
        Family::Vgg => include_str!("../../vgg/src/lib.rs"),
        Family::GoogLeNet => include_str!("../../googlenet/src/lib.rs"),
        Family::ResNet => include_str!("../../resnet/src/lib.rs"),
        Family::DenseNet => include_str!("../../densenet/src/lib.rs"),
    };
    for entry in cnn_zoo::all() {
        let lines = page(entry.family).lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim);
        let text = lines.collect::<Vec<_>>().join(" ");
        let paper = entry.paper();
        let cited = format!("*{}*, {}", paper.title, paper.year_text());
        let cited = cited.trim_end_matches(", ");
        assert!(text.contains(cited), "{}: the front page does not say {cited}", entry.name);
        if let Some(link) = paper.link {
            assert!(text.contains(&format!("<{link}")), "{}: the front page has no link {link}", entry.name);
        }
    }
}

#[test]
fn networks_of_teaching_texts_are_not_the_papers() {
    for (name, author) in [
        ("mnist_mlp", "Nielsen"),
        ("mnist_conv", "Sung Kim"),
        ("mnist_inception", "Sung Kim"),
        ("mnist_residual", "unknown"),
        ("lenet_linear", "unknown"),
        ("lenet", "LeCun"),
        ("lenet_d2l_max", "Zhang"),
        ("resnet18_d2l", "Zhang"),
    ] {
        let authors = cnn_zoo::find(name).unwrap().paper().authors;
        assert!(authors.contains(author), "{name} by {authors}");
    }
}

#[test]
fn transformed_networks_differ_by_their_first_node_alone() -> Result<(), Failure> {
    let with: Vec<Entry> = cnn_zoo::all().filter(|entry| entry.transformed(10).is_some()).collect();
    assert_eq!(with.iter().map(|entry| entry.name).collect::<Vec<_>>(), ["googlenet", "inception_v3"]);
    for entry in with {
        let plain = entry.architecture(10).at_usual_input()?;
        let transformed = entry.transformed(10).ok_or("gone")?.at_usual_input()?;
        assert!(plain.tensors().eq(transformed.tensors()), "{}", entry.name);
        let paths = |network: &Network| network.nodes().iter().map(|node| node.path.clone()).collect::<Vec<_>>();
        let mut expected = paths(&plain);
        expected.insert(1, "input_affine".to_string());
        assert_eq!(expected, paths(&transformed));
    }
    Ok(())
}
