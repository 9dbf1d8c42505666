//! `summary`: what a network costs, as a table or as JSON.

use crate::cli::{self, Switch};
use anyhow::Result;
use cnn_core::Network;
use serde_json::{Value, json};

pub fn run(args: &cli::Summary) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let mut architecture = entry.architecture(args.classes.map_or(entry.classes, |classes| classes as usize));
    if args.heads == Switch::Off {
        architecture = architecture.without_heads();
    }
    let network = architecture.at(args.shape.map_or(architecture.usual_input(), |shape| shape.0))?;
    if args.json {
        println!("{:#}", as_json(&network));
    } else {
        println!("{}", network.summary());
    }
    Ok(())
}

fn as_json(network: &Network) -> Value {
    let summary = network.summary();
    let nodes: Vec<Value> = summary
        .nodes
        .iter()
        .map(|node| {
            json!({
                "path": node.path,
                "op": node.op,
                "output": node.output.dims(),
                "parameters": node.parameters,
                "macs": node.macs,
            })
        })
        .collect();
    let tensors: Vec<Value> =
        network.tensors().map(|tensor| json!({ "name": tensor.name, "shape": tensor.dims })).collect();
    json!({
        "name": summary.name,
        "input": summary.input.dims(),
        "parameters": summary.parameters,
        "macs": summary.macs,
        "nodes": nodes,
        "tensors": tensors,
    })
}
