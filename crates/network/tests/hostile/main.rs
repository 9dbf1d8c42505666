//! Definitions with numbers that no network should have: `at` gives a network or a sentence, never a panic, and what it
//! gives can be summed up and computed.

mod draw;

use cnn_network::definition::*;
use cnn_network::error::Error;
use cnn_network::initialisation::{Law, Scheme};
use cnn_network::op::{Conv, Lrn};
use cnn_network::shape::{Axis, Pair, Window, adaptive_spans};
use cnn_network::{Network, Op, Shape, Summary, seed};
use draw::{TRIED, block, input};

type Failure = Box<dyn std::error::Error>;

fn refusal(block: impl Into<Block>, input: [usize; 3]) -> String {
    let network = chain().then("it", block).named("net", input).at_usual_input();
    network.map_or_else(|error| error.to_string(), |network| format!("{} is accepted", network.summary()))
}

#[test]
fn every_number_out_of_range_is_refused_with_the_node_and_the_number() {
    let map = [4, 8, 8];
    let huge = usize::MAX;
    let vector = |block: Block| chain().flatten().then("it", block);
    let law = |law| conv(1).weights(law);
    let window = |change: fn(&mut Window)| {
        let mut window = Window::new(2.into());
        change(&mut window);
        window
    };
    let cases: Vec<(Block, &str)> = vec![
        (
            conv(3).pad(1 << 63).into(),
            "it: padding 9223372036854775808×9223372036854775808 is more than 65536 along an axis",
        ),
        (conv(huge).into(), "it: kernel 18446744073709551615×18446744073709551615 is more than 65536 along an axis"),
        (
            conv(3).stride(huge).into(),
            "it: stride 18446744073709551615×18446744073709551615 is more than 65536 along an axis",
        ),
        (conv(3).dilation([1, huge]).into(), "it: dilation 1×18446744073709551615 is more than 65536 along an axis"),
        (conv(3).stride(65536).into(), "it: stride 65536×65536 is more than 1048576 positions"),
        (conv(0).into(), "it: kernel positions must be at least 1"),
        (conv(3).stride(0).into(), "it: stride must be at least 1"),
        (conv(3).dilation(0).into(), "it: dilation must be at least 1"),
        (conv(3).out(0).into(), "it: output channels must be at least 1"),
        (conv(3).groups(0).into(), "it: groups must be at least 1"),
        (conv(3).groups(3).into(), "it: 3 groups do not divide 4 channels in, 4 out"),
        (
            conv(3).out(huge).into(),
            "it: conv of 4×8×8 to 18446744073709551615×6×6 is larger than anything that can be computed",
        ),
        (conv(3).depthwise_by(0).into(), "it: output channels must be at least 1"),
        (conv(3).depthwise_by(huge).into(), "it: 4 times 18446744073709551615 output channels cannot be counted"),
        (conv(3).depthwise().out(6).into(), "it: 6 output channels are not 4 times 1"),
        (
            conv(3).connections(vec![vec![0], vec![1]]).out(9).into(),
            "it: a connection table of 2 rows for 9 output channels",
        ),
        (
            Op::Conv(Conv { connections: Some(vec![vec![0], vec![1]]), ..conv(3) }).into(),
            "it: a connection table of 2 rows for 4 output channels",
        ),
        (
            conv(3).connections(vec![vec![0, 4]]).into(),
            "it: output channel 0 is connected to [0, 4], not to some of 0..4 in order",
        ),
        (
            conv(3).connections(vec![vec![]]).into(),
            "it: output channel 0 is connected to [], not to some of 0..4 in order",
        ),
        (conv(3).connections(vec![]).into(), "it: output channels must be at least 1"),
        (conv(3).connections(vec![vec![0]]).groups(2).into(), "it: a connection table and groups exclude each other"),
        (conv(3).connections(vec![vec![0]]).depthwise().into(), "it: a connection table and groups exclude each other"),
        (Op::Input.into(), "it: the input stands at the beginning of a network alone"),
        (
            Op::Conv(Conv { window: window(|w| w.ceil = true), ..conv(2) }).into(),
            "it: a convolution has no window that hangs over the edge",
        ),
        (Op::MaxPool(window(|w| w.dilation = 2.into())).into(), "it: a pool has no dilation, not 2×2"),
        (max_pool(2).pad(2).into(), "it: padding 2×2 is more than half of kernel 2×2"),
        (
            max_pool(2).pad(huge).into(),
            "it: padding 18446744073709551615×18446744073709551615 is more than 65536 along an axis",
        ),
        (avg_pool(2).stride([1, 0]).into(), "it: stride must be at least 1"),
        (adaptive_avg_pool([0, 3]).into(), "it: output positions must be at least 1"),
        (
            adaptive_avg_pool([huge, 1]).into(),
            "it: adaptive_avg_pool of 4×8×8 to 4×18446744073709551615×1 is larger than anything that can be computed",
        ),
        (zero_channels(huge, 1).into(), "it: 18446744073709551615 + 4 + 1 channels cannot be counted"),
        (
            zero_channels(1 << 62, 1).into(),
            "it: zero_channels of 4×8×8 to 4611686018427387909×8×8 is larger than anything that can be computed",
        ),
        (vector(linear(0).into()).into(), "it.it: output features must be at least 1"),
        (
            vector(linear(huge).into()).into(),
            "it.it: linear of 256 to 18446744073709551615 is larger than anything that can be computed",
        ),
        (Lrn { size: huge, ..lrn() }.into(), "it: 18446744073709551615 channels in the sum are more than 4096"),
        (Lrn { size: 0, ..lrn() }.into(), "it: channels in the sum must be at least 1"),
        (Lrn { alpha: -1.0, ..lrn() }.into(), "it: α -1 is negative"),
        (Lrn { beta: f64::NAN, ..lrn() }.into(), "it: β NaN is not a finite number in f32"),
        (Lrn { k: 0.0, ..lrn() }.into(), "it: k 0 divides channels of zeros by 0"),
        (batch_norm().eps(-1e-3).into(), "it: ε -0.001 is negative"),
        (batch_norm().eps(f64::NAN).into(), "it: ε NaN is not a finite number in f32"),
        (batch_norm().momentum(1.5).into(), "it: momentum 1.5 is not between 0 and 1"),
        (batch_norm().momentum(f64::NAN).into(), "it: momentum NaN is not between 0 and 1"),
        (dropout(1.0).into(), "it: dropout rate 1 is not in [0, 1)"),
        (dropout(f64::NAN).into(), "it: dropout rate NaN is not in [0, 1)"),
        (dropout(1.0 - 1e-12).into(), "it: dropout rate 0.999999999999 is not in [0, 1)"),
        (scale(f64::INFINITY).into(), "it: factor inf is not a finite number in f32"),
        (scale(1e39).into(), "it: factor 1000000000000000000000000000000000000000 is not a finite number in f32"),
        (tanh(f64::NAN, 1.0).into(), "it: amplitude NaN is not a finite number in f32"),
        (tanh(1.0, f64::NEG_INFINITY).into(), "it: slope -inf is not a finite number in f32"),
        (channel_affine(f64::NAN).into(), "it: coefficient NaN is not a finite number in f32"),
        (input_affine(&[f64::NAN; 4], &[0.0; 4]).into(), "it: scale NaN is not a finite number in f32"),
        (input_affine(&[1.0; 4], &[f64::INFINITY; 4]).into(), "it: shift inf is not a finite number in f32"),
        (input_affine(&[1.0; 4], &[0.0; 3]).into(), "it: 3 constants for 4 input channels"),
        (
            vector(radial_basis(vec![vec![f64::NAN; 256]]).into()).into(),
            "it.it: a centre's entry NaN is not a finite number in f32",
        ),
        (vector(radial_basis(vec![]).into()).into(), "it.it: centres must be at least 1"),
        (law(Law::Normal(-1.0)).into(), "it.weight: initial standard deviation -1 is negative"),
        (law(Law::Normal(f64::NAN)).into(), "it.weight: initial standard deviation NaN is not a finite number in f32"),
        (
            law(Law::TruncatedNormal(f64::INFINITY)).into(),
            "it.weight: initial standard deviation inf is not a finite number in f32",
        ),
        (law(Law::Constant(f64::NAN)).into(), "it.weight: initial value NaN is not a finite number in f32"),
        (chain().tap("head", f64::NAN, relu()).into(), "it.head: loss weight NaN is not a finite number in f32"),
        (chain().tap("head", -0.3, relu()).into(), "it.head: loss weight -0.3 is negative"),
        (
            sum().branch(zero_channels(1 << 62, 0)).branch(zero_channels(1 << 62, 0)).into(),
            "it.zero_channels: zero_channels of 4×8×8 to 4611686018427387908×8×8 is larger than anything that can be computed",
        ),
    ];
    for (block, expected) in cases {
        assert_eq!(refusal(block, map), expected);
    }
    let scheme = Scheme::TORCH.conv(Law::Normal(f64::NAN));
    let network = chain().then("c", conv(1)).named("net", map).initialised(scheme).at_usual_input();
    let message = network.map(|_| ()).unwrap_err().to_string();
    assert_eq!(message, "c.weight: initial standard deviation NaN is not a finite number in f32");
}

#[test]
fn a_network_too_large_as_a_whole_is_refused_at_the_node_that_makes_it_so() {
    let grow = |chain: Chain, i: usize| chain.then(i, adaptive_avg_pool(1 << 14));
    let message = refusal((0..1 << 12).fold(chain(), grow), [1 << 10, 4, 4]);
    assert!(message.starts_with("it.15: adaptive_avg_pool of 1024×16384×16384"), "{message}");
    let wide = |chain: Chain, _| chain.and(linear(1 << 20));
    let message = refusal((0..100).fold(chain().flatten(), wide), [1, 1024, 1024]);
    assert!(message.starts_with("it.linear_3: linear of 1048576 to 1048576 is larger"), "{message}");
}

#[test]
fn blocks_may_stand_in_blocks_only_so_deep() {
    let nested = |depth: usize| (0..depth).fold(chain().relu(), |inner, _| chain().and(inner));
    assert!(nested(100).named("deep", [1, 2, 2]).at_usual_input().is_ok());
    let message = nested(1000).named("deep", [1, 2, 2]).at_usual_input().map(|_| ()).unwrap_err().to_string();
    assert!(message.ends_with("blocks stand in one another more than 128 deep"), "{message}");
}

#[test]
fn a_field_that_cannot_be_counted_is_the_largest_number() -> Result<(), Failure> {
    let halving = (0..80).fold(chain(), |chain, _| chain.and(conv(3).stride(2).pad(1)));
    let summary = halving.named("halving", [1, 8, 8]).at_usual_input()?.summary();
    assert_eq!(summary.nodes[80].receptive_field.size, usize::MAX.into());
    Ok(())
}

#[test]
fn window_arithmetic_is_total() {
    let numbers = [0, 1, 2, 3, 7, 1 << 31, 1 << 62, usize::MAX / 2, usize::MAX - 1, usize::MAX];
    for kernel in numbers {
        for stride in numbers {
            for padding in numbers {
                for dilation in numbers {
                    for ceil in [false, true] {
                        let axis = Axis { kernel, stride, padding, dilation, ceil };
                        for n in numbers {
                            axis.output(n);
                            let span = axis.span(n, n / 2);
                            assert!(span.start <= n / 2 && span.end <= n / 2, "{axis:?}");
                        }
                    }
                }
            }
        }
    }
    let spans = adaptive_spans(usize::MAX, 3);
    assert_eq!((spans[0].start, spans[2].end), (0, usize::MAX));
    assert_eq!(Shape::map(usize::MAX, Pair::from(2)).elements(), usize::MAX);
    assert_eq!(Pair::from(usize::MAX).area(), usize::MAX);
}

/// The totals of a summary, counted again in numbers that cannot overflow.
fn check(network: &Network, summary: &Summary) {
    let sum = |of: &dyn Fn(usize) -> usize| (0..network.nodes().len()).map(|id| of(id) as u128).sum::<u128>();
    let elements = |dims: &[usize]| dims.iter().map(|n| *n as u128).product::<u128>();
    let parameters: u128 = network.tensors().filter(|t| t.trained()).map(|t| elements(&t.dims)).sum();
    assert_eq!(summary.parameters as u128, parameters);
    assert_eq!(summary.macs_with_heads as u128, sum(&|id| summary.nodes[id].macs));
    let values: u128 = network.nodes().iter().map(|node| elements(&node.shape.dims())).sum();
    assert_eq!(summary.training_memory as u128, 4 * values);
    let weights: u128 = network.tensors().map(|t| elements(&t.dims)).sum();
    assert_eq!(summary.weights_memory as u128, 4 * weights);
    assert!(summary.inference_memory <= summary.training_memory && summary.macs <= summary.macs_with_heads);
    assert!(summary.parameters_without_heads <= summary.parameters);
    for node in network.nodes() {
        assert!(!node.shape.dims().contains(&0), "{} is empty", node.path);
        assert!(!matches!(&node.op, Op::Conv(conv) if conv.depthwise.is_some()), "{}", node.path);
    }
    // Every other reading ends, too.
    assert!(!summary.to_string().is_empty() && network.diagram().starts_with("<svg"));
    network.cancelled_biases();
}

#[test]
fn any_definition_is_a_network_with_a_true_summary_or_a_sentence() {
    let mut rng = seed::stream(7, "hostile definitions");
    let (mut networks, mut sentences) = (0, 0);
    for _ in 0..TRIED {
        let definition = chain().and(block(&mut rng, 3)).named("hostile", input(&mut rng));
        match definition.at_usual_input() {
            Ok(network) => {
                networks += 1;
                check(&network, &network.summary());
            }
            Err(error) => {
                sentences += 1;
                let text = error.to_string();
                let at_a_node = matches!(
                    error,
                    Error::Invalid { .. }
                        | Error::Window { .. }
                        | Error::Rank { .. }
                        | Error::Join { .. }
                        | Error::EmptyInput { .. }
                );
                assert!(at_a_node || matches!(error, Error::DuplicatePath { .. }), "{text}");
                assert!(text.contains(": ") && !text.contains('\n'), "{text}");
            }
        }
    }
    assert!(networks > TRIED / 10 && sentences > TRIED / 10, "{networks} networks, {sentences} sentences");
}
