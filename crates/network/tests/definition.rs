//! The definition language, tried on the constructions of the networks it has to carry: what is named how, and what
//! comes out where.

use cnn_network::definition::*;
use cnn_network::initialisation::{Law, Scheme};
use cnn_network::{Network, Op, Result, Shape};

fn conv_bn(conv: cnn_network::op::Conv) -> Chain {
    chain().then("conv", conv.no_bias()).then("bn", batch_norm().eps(1e-3)).relu()
}

fn shapes(network: &Network) -> Vec<(String, String)> {
    network.nodes().iter().map(|node| (node.path.clone(), node.shape.to_string())).collect()
}

fn tensor_names(network: &Network) -> Vec<String> {
    network.tensors().map(|t| t.name.clone()).collect()
}

#[test]
fn unlabelled_operations_are_counted_within_their_path() -> Result<()> {
    let block = || {
        chain()
            .and(
                sum()
                    .branch(
                        chain()
                            .then("conv1", conv(3).out(8).pad(1).no_bias())
                            .then("bn1", batch_norm())
                            .relu()
                            .then("conv2", conv(3).out(8).pad(1).no_bias())
                            .then("bn2", batch_norm()),
                    )
                    .branch(chain()),
            )
            .relu()
    };
    let net = chain()
        .then("layer1", chain().numbered().and_all([block(), block()]))
        .global_avg_pool()
        .then("fc", linear(10))
        .named("tiny", [8, 6, 6])
        .at_usual_input()?;
    let paths: Vec<String> = net.nodes().iter().map(|node| node.path.clone()).collect();
    let block =
        |i: usize| ["conv1", "bn1", "relu", "conv2", "bn2", "add", "relu_1"].map(|op| format!("layer1.{i}.{op}"));
    let ends = ["adaptive_avg_pool", "flatten", "fc"].map(String::from);
    let expected: Vec<String> = ["input".to_string()].into_iter().chain(block(0)).chain(block(1)).chain(ends).collect();
    assert_eq!(paths, expected);
    assert_eq!(net.node(net.find("layer1.0")?).path, "layer1.0.relu_1");
    assert_eq!(net.node(net.find("layer1")?).path, "layer1.1.relu_1");
    Ok(())
}

#[test]
fn nested_concats_and_one_sided_kernels_as_in_inception_v3() -> Result<()> {
    // The last block of the paper's figure 7, with torchvision's names.
    let split = |prefix: &str, label: &str| {
        concat()
            .labelled(format!("{prefix}_{label}a"), conv_bn(conv([1, 3]).out(384).pad([0, 1])))
            .labelled(format!("{prefix}_{label}b"), conv_bn(conv([3, 1]).out(384).pad([1, 0])))
    };
    let block = concat()
        .labelled("branch1x1", conv_bn(conv(1).out(320)))
        .branch(chain().then("branch3x3_1", conv_bn(conv(1).out(384))).and(split("branch3x3", "2")))
        .branch(
            chain()
                .then("branch3x3dbl_1", conv_bn(conv(1).out(448)))
                .then("branch3x3dbl_2", conv_bn(conv(3).out(384).pad(1)))
                .and(split("branch3x3dbl", "3")),
        )
        .branch(chain().and(avg_pool(3).stride(1).pad(1)).then("branch_pool", conv_bn(conv(1).out(192))));
    let net = chain().then("Mixed_7b", block).named("v3", [1280, 8, 8]).at_usual_input()?;
    assert_eq!(net.node(net.find("Mixed_7b")?).shape, Shape::Map { channels: 2048, height: 8, width: 8 });
    let names = tensor_names(&net);
    for name in ["Mixed_7b.branch3x3_2a.conv.weight", "Mixed_7b.branch3x3dbl_3b.bn.running_var"] {
        assert!(names.contains(&name.to_string()), "{name} is not among {names:?}");
    }
    let one_sided = net.tensors().find(|t| t.name == "Mixed_7b.branch3x3_2a.conv.weight").map(|t| t.dims.clone());
    assert_eq!(one_sided, Some(vec![384, 384, 1, 3]));
    Ok(())
}

#[test]
fn heads_hang_on_a_chain_and_can_be_left_off() -> Result<()> {
    let head = || {
        chain()
            .and(adaptive_avg_pool(4))
            .then("conv", conv_bn(conv(1).out(16)))
            .flatten()
            .then("fc1", linear(32))
            .relu()
            .dropout(0.7)
            .then("fc2", linear(10))
    };
    let definition = chain()
        .then("conv1", conv_bn(conv(3).out(8).stride(2)))
        .tap("aux1", 0.3, head())
        .then("conv2", conv_bn(conv(3).out(8)))
        .tap("aux2", 0.3, head())
        .global_avg_pool()
        .then("fc", linear(10))
        .named("headed", [3, 21, 21]);
    let net = definition.at_usual_input()?;
    let outputs: Vec<&str> = net.outputs().iter().map(|output| output.name.as_str()).collect();
    assert_eq!(outputs, ["logits", "aux1", "aux2"]);
    assert_eq!(net.node(net.find("aux1.fc2")?).head, Some(1));
    assert_eq!(net.node(net.find("aux2")?).path, "aux2.fc2");
    assert_eq!(net.node(net.find("fc")?).head, None);
    let bare = definition.without_heads().at_usual_input()?;
    assert_eq!(bare.outputs().len(), 1);
    assert_eq!(net.summary().parameters_without_heads, bare.summary().parameters);
    assert_eq!(net.summary().macs, bare.summary().macs);
    Ok(())
}

#[test]
fn a_softmax_is_seen_through_what_keeps_its_numbers() -> Result<()> {
    let probabilities = |body: Chain| {
        let net = body.named("net", [3, 4, 4]).at_usual_input()?;
        Ok::<_, cnn_network::Error>(net.gives_probabilities(net.outputs()[0].node))
    };
    let vector = || chain().flatten().then("fc", linear(5)).softmax();
    for body in [
        vector(),
        vector().dropout(0.5),
        vector().flatten().dropout(0.5),
        chain().global_avg_pool().softmax().flatten(),
        chain().softmax().global_avg_pool(),
        chain().softmax().and(avg_pool(4)).flatten(),
        chain().softmax(),
        chain().and(sum().branch(chain().softmax())),
    ] {
        assert!(probabilities(body)?);
    }
    for body in [
        chain().relu(),
        vector().then("last", linear(3)),
        chain().softmax().flatten(),
        vector().relu(),
        chain().softmax().and(avg_pool(3)).flatten(),
        chain().and(sum().branch(chain().softmax()).branch(chain())),
    ] {
        assert!(!probabilities(body)?);
    }
    Ok(())
}

#[test]
fn the_scores_are_what_the_softmax_of_the_probabilities_reads() -> Result<()> {
    let scores = |body: Chain| {
        let net = body.named("net", [3, 4, 4]).at_usual_input()?;
        Ok::<_, cnn_network::Error>(net.node(net.score_node()).path.clone())
    };
    let vector = || chain().flatten().then("fc", linear(5));
    let map = || chain().then("maps", adaptive_avg_pool(1)).softmax();
    for body in [vector(), vector().softmax(), vector().softmax().flatten().dropout(0.5)] {
        assert_eq!(scores(body)?, "fc");
    }
    for body in [map(), map().flatten(), map().dropout(0.5).flatten()] {
        assert_eq!(scores(body)?, "maps");
    }
    // A mean over places has no scores before it, and of two softmaxes the first gives the scores of the second.
    assert_eq!(scores(chain().softmax().then("mean", adaptive_avg_pool(1)).then("end", Op::Flatten))?, "end");
    assert_eq!(scores(vector().then("first", Op::Softmax).softmax())?, "first");
    Ok(())
}

#[test]
fn a_head_may_stand_in_a_head() -> Result<()> {
    let deep = || chain().then("b", conv(1).out(3)).global_avg_pool();
    let aux = chain().then("c", conv(1).out(4)).tap("deep", 0.1, deep()).global_avg_pool();
    let net = chain().then("a", conv(1).out(5)).tap("aux", 0.3, aux).global_avg_pool().named("headed", [3, 4, 4]);
    let net = net.at_usual_input()?;
    let outputs = net.outputs().iter().map(|output| (output.name.as_str(), output.loss_weight));
    assert_eq!(outputs.collect::<Vec<_>>(), [("logits", 1.0), ("aux", 0.3), ("aux.deep", 0.1)]);
    let head = |path: &str| net.node_at(path).map(|node| node.head);
    assert_eq!([head("a")?, head("aux.c")?, head("aux")?], [None, Some(1), Some(1)]);
    assert_eq!([head("aux.deep.b")?, head("aux.deep")?], [Some(2), Some(2)]);
    for (number, output) in net.outputs().iter().enumerate().skip(1) {
        assert_eq!(net.node(output.node).head, Some(number));
    }
    let stages = net.outline().stages;
    let heads = stages.iter().filter_map(|stage| Some((stage.label.as_str(), stage.reads.as_deref()?)));
    assert_eq!(heads.collect::<Vec<_>>(), [("aux", "a"), ("aux.deep", "aux.c")]);
    Ok(())
}

#[test]
fn a_dense_layer_is_a_concat_with_the_identity() -> Result<()> {
    let layer = || {
        concat().branch(chain()).branch(
            chain()
                .then("norm1", batch_norm())
                .relu()
                .then("conv1", conv(1).out(16).no_bias())
                .then("norm2", batch_norm())
                .relu()
                .then("conv2", conv(3).out(4).pad(1).no_bias()),
        )
    };
    let block = (1..=3).fold(chain(), |block, i| block.then(format!("denselayer{i}"), layer()));
    let net = chain().then("denseblock1", block).named("dense", [6, 8, 8]).at_usual_input()?;
    let channels: Vec<usize> =
        net.nodes().iter().filter(|n| n.op.name() == "cat").map(|n| n.shape.channels()).collect();
    assert_eq!(channels, [10, 14, 18]);
    assert_eq!(net.node(net.find("denseblock1")?).path, "denseblock1.denselayer3.cat");
    Ok(())
}

#[test]
fn numbering_counts_every_item() -> Result<()> {
    let features = chain().numbered().and(conv(3).out(8).pad(1)).relu().and(max_pool(2)).and(conv(3).out(8)).relu();
    let classifier = chain().numbered().dropout(0.5).and(linear(16)).relu().and(linear(10));
    let net = chain()
        .then("features", features)
        .then("avgpool", adaptive_avg_pool(2))
        .flatten()
        .then("classifier", classifier)
        .named("vgg-like", [3, 8, 8])
        .at_usual_input()?;
    let weights: Vec<String> = tensor_names(&net).into_iter().filter(|name| name.ends_with("weight")).collect();
    assert_eq!(weights, ["features.0.weight", "features.3.weight", "classifier.1.weight", "classifier.3.weight"]);
    assert_eq!(shapes(&net)[3], ("features.2".to_string(), "8×4×4".to_string()));
    Ok(())
}

#[test]
fn elaboration_errors_name_the_node_and_both_shapes() {
    let message = |chain: Chain, input| chain.named("net", input).at(input).unwrap_err().to_string();
    let stage = chain().then("conv1", conv(7).out(4).pad(0));
    let deep = chain().then("layer2", chain().numbered().and(stage));
    assert_eq!(message(deep, [3, 4, 4]), "layer2.0.conv1: kernel 7×7 exceeds padded input 4×4 (input 4×4)");
    let uneven = sum().branch(chain()).branch(conv(3).out(3));
    assert_eq!(message(chain().and(uneven), [3, 4, 4]), "add: add joins 3×4×4 with 3×2×2");
    assert_eq!(message(chain().and(concat()), [3, 4, 4]), "cat: cat joins no branches");
    let message_of_fc = message(chain().then("fc", linear(2)), [3, 4, 4]);
    assert_eq!(message_of_fc, "fc: linear needs a vector (flatten first), but its input is 3×4×4");
    let grouped = chain().then("c", conv(1).out(4).groups(2));
    assert_eq!(message(grouped, [3, 4, 4]), "c: 2 groups do not divide 3 channels in, 4 out");
    let twice = chain().then("a", relu()).then("a", relu());
    assert_eq!(message(twice, [3, 4, 4]), "a: two nodes of net have this path");
    assert_eq!(message(chain(), [3, 0, 4]), "net: input 3×0×4 has a dimension of 0");
    let huge = message(chain().relu(), [1, 9_999_999_999, 9_999_999_999]);
    assert!(huge.starts_with("input: input of 1×9999999999×9999999999"), "{huge}");
    let padded = chain().and(max_pool(2).pad(2));
    assert_eq!(message(padded, [3, 4, 4]), "max_pool: padding 2×2 is more than half of kernel 2×2");
}

#[test]
fn an_unknown_node_gets_near_names() -> Result<()> {
    let net = chain().then("layer1", relu()).then("layer2", relu()).named("net", [1, 2, 2]).at_usual_input()?;
    let message = net.find("layr1").unwrap_err().to_string();
    assert_eq!(message, "net has no node layr1; did you mean layer1, layer2?");
    let message = net.find("LAYER2").unwrap_err().to_string();
    assert_eq!(message, "net has no node LAYER2; did you mean layer2, layer1?");
    Ok(())
}

/// A stem, two stages, a head on the first, a classifier.
fn backbone() -> cnn_network::Architecture {
    let stage = |width| chain().numbered().and(conv(3).out(width).pad(1)).relu();
    chain()
        .then("stem", conv(3).out(4).stride(2).pad(1))
        .then("layer1", stage(8))
        .tap("aux", 0.4, chain().global_avg_pool().then("fc", linear(5)))
        .then("layer2", chain().and(sum().branch(conv(3).out(8).pad(1)).labelled("shortcut", conv(1).out(8))))
        .dropout(0.5)
        .global_avg_pool()
        .then("fc", linear(5))
        .named("backbone", [3, 16, 16])
        .initialised(Scheme::TORCH.conv(Law::Normal(0.5)))
}

fn paths(network: &Network) -> Vec<&str> {
    network.nodes().iter().map(|node| node.path.as_str()).collect()
}

#[test]
fn an_architecture_is_a_block_with_its_own_laws() -> Result<()> {
    let whole = backbone().at_usual_input()?;
    let twice = chain()
        .then("left", backbone())
        .named("wrapped", [3, 16, 16])
        .initialised(Scheme::TORCH.conv(Law::Constant(1.0)))
        .at_usual_input()?;
    for (node, own) in twice.nodes().iter().zip(whole.nodes()).skip(1) {
        assert_eq!((&node.op, node.shape, &node.inputs), (&own.op, own.shape, &own.inputs));
        assert_eq!(node.path, format!("left.{}", own.path));
        assert!(node.tensors.iter().zip(&own.tensors).all(|(a, b)| a.init == b.init), "{}", node.path);
    }
    let outputs: Vec<&str> = twice.outputs().iter().map(|output| output.name.as_str()).collect();
    assert_eq!(outputs, ["logits", "left.aux"]);
    let outer = chain().and(backbone().without_heads().without_dropout()).then("c", relu()).named("o", [3, 16, 16]);
    let outer = outer.at_usual_input()?;
    assert_eq!(outer.outputs().len(), 1);
    assert_eq!(outer.node_at("dropout")?.op, dropout(0.0));
    // What the outer network leaves off is off inside, too.
    let bare = chain().then("left", backbone()).named("o", [3, 16, 16]).without_heads().without_dropout();
    let bare = bare.at_usual_input()?;
    assert_eq!((bare.outputs().len(), &bare.node_at("left.dropout")?.op), (1, &dropout(0.0)));
    Ok(())
}

#[test]
fn an_architecture_ends_where_it_is_told() -> Result<()> {
    let ends = |path: &str| backbone().up_to(path).at_usual_input();
    assert_eq!(paths(&ends("layer1")?), ["input", "stem", "layer1.0", "layer1.1"]);
    assert_eq!(paths(&ends("layer1.0")?), ["input", "stem", "layer1.0"]);
    // The head behind the first stage is before the end of the second.
    assert_eq!(ends("layer1")?.outputs().len(), 1);
    let second = ends("layer2")?;
    assert_eq!((second.output().path.as_str(), second.outputs().len()), ("layer2.add", 2));
    // An unlabelled operation's name is a path, too; and an end can be moved forward, not back.
    assert_eq!(ends("dropout")?.output().path, "dropout");
    assert_eq!(backbone().up_to("layer2").up_to("stem").at_usual_input()?.output().path, "stem");
    let beyond = backbone().up_to("stem").up_to("layer2").at_usual_input().map(|_| ()).unwrap_err();
    assert_eq!(beyond.to_string(), "backbone has no node layer2");
    assert_eq!(backbone().up_to("layer1").with_softmax().at_usual_input()?.output().path, "softmax");
    Ok(())
}

#[test]
fn an_end_that_is_not_there_or_not_alone_is_refused() {
    let message = |architecture: cnn_network::Architecture| {
        architecture.at_usual_input().map_or_else(|error| error.to_string(), |network| format!("{network:?}"))
    };
    assert_eq!(
        message(backbone().up_to("layer3")),
        "backbone has no node layer3; did you mean layer1, layer2, layer1.0?"
    );
    let beside = |block: cnn_network::Architecture| chain().then("b", block).named("outer", [3, 16, 16]);
    assert_eq!(
        message(beside(backbone().up_to("layer3"))),
        "backbone has no node layer3; did you mean layer1, layer2, layer1.0?"
    );
    let inside = "layer2.shortcut: backbone cannot end here, inside a branch or a head";
    assert_eq!(message(backbone().up_to("layer2.shortcut")), inside);
    assert_eq!(message(backbone().up_to("aux.fc")), "aux.fc: backbone cannot end here, inside a branch or a head");
    assert_eq!(message(beside(backbone()).up_to("b.aux")), "b.aux: outer cannot end here, inside a branch or a head");
}

#[test]
fn ends_are_counted_from_where_the_block_stands() -> Result<()> {
    // Both branches end early, each in its own maps; the outer end lies inside the first architecture.
    let two = sum().labelled("a", backbone().up_to("layer1")).labelled("b", backbone().up_to("layer2"));
    let network = chain().then("two", two).then("next", relu()).named("siamese", [3, 16, 16]).at_usual_input()?;
    assert_eq!(network.node_at("two.b")?.path, "two.b.layer2.add");
    assert_eq!(network.node_at("two.a")?.path, "two.a.layer1.1");
    assert_eq!(network.output().path, "next");
    let outer = chain().then("b", backbone().up_to("layer2")).then("next", relu()).named("outer", [3, 16, 16]);
    assert_eq!(outer.clone().up_to("b.layer1").at_usual_input()?.output().path, "b.layer1.1");
    assert_eq!(outer.up_to("b").at_usual_input()?.output().path, "b.layer2.add");
    let numbered = chain().numbered().and(backbone().up_to("stem")).relu().named("outer", [3, 16, 16]);
    assert_eq!(paths(&numbered.at_usual_input()?), ["input", "0.stem", "1"]);
    Ok(())
}

#[test]
fn depthwise_convolutions_count_their_groups() -> Result<()> {
    let with = |conv: cnn_network::op::Conv| chain().then("c", conv).named("depthwise", [6, 8, 8]).at_usual_input();
    assert_eq!(with(conv(3).depthwise())?, with(conv(3).out(6).groups(6))?);
    assert_eq!(with(conv(3).stride(2).depthwise_by(2))?, with(conv(3).stride(2).out(12).groups(6))?);
    assert_eq!(with(conv(3).depthwise().groups(2))?, with(conv(3).groups(2))?);
    assert_eq!(with(conv(3).depthwise_by(2).out(12))?, with(conv(3).out(12).groups(6))?);
    let twice = chain().then("c", conv(3).depthwise_by(2)).then("d", conv(3).depthwise());
    let network = twice.named("depthwise", [6, 8, 8]).at_usual_input()?;
    assert_eq!(network.tensor("d.weight").map(|tensor| tensor.dims.clone()), Some(vec![12, 1, 3, 3]));
    Ok(())
}
