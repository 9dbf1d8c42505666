//! The graph that is being written: its operations, tensors and names.

use crate::attribute::signed;
use crate::schema::tensor_proto::DataType;
use crate::schema::tensor_shape_proto::{Dimension, dimension};
use crate::schema::type_proto::{self, Value};
use crate::schema::{AttributeProto, NodeProto, TensorShapeProto, TypeProto, ValueInfoProto};
use crate::tensor::{Content, Tensor};
use cnn_network::network::Node;
use cnn_network::tensors::TensorSpec;
use cnn_network::{Network, Shape};
use cnn_weights::Weights;
use std::collections::BTreeSet;

/// The name of the batch's dimension.
const BATCH: &str = "N";

/// What has been written so far.
pub(crate) struct Graph<'a> {
    pub(crate) network: &'a Network,
    pub(crate) weights: &'a Weights,
    pub(crate) nodes: Vec<NodeProto>,
    pub(crate) tensors: Vec<Tensor<'a>>,
    pub(crate) inputs: Vec<ValueInfoProto>,
    pub(crate) outputs: Vec<ValueInfoProto>,
    pub(crate) values: Vec<ValueInfoProto>,
    names: BTreeSet<String>,
}

/// A node of the network on its way into the graph.
pub(crate) struct Place<'a> {
    /// The node.
    pub(crate) node: &'a Node,
    /// Shape of its first input.
    pub(crate) input: Shape,
    /// The values it reads.
    pub(crate) inputs: Vec<String>,
    /// The value it gives.
    pub(crate) output: String,
}

impl Place<'_> {
    /// The first value it reads.
    pub(crate) fn x(&self) -> String {
        self.inputs.first().cloned().unwrap_or_default()
    }

    /// What stands behind the node's path.
    pub(crate) fn inner(&self, what: &str) -> String {
        format!("{}/{what}", self.node.path)
    }
}

impl<'a> Graph<'a> {
    /// An empty graph in which `reserved` names are taken, and those of the network's tensors.
    pub(crate) fn new(network: &'a Network, weights: &'a Weights, reserved: &[&str]) -> Self {
        let tensors = network.tensors().map(|spec| spec.name.as_str());
        Self {
            network,
            weights,
            nodes: Vec::new(),
            tensors: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            values: Vec::new(),
            names: reserved.iter().copied().chain(tensors).map(str::to_string).collect(),
        }
    }

    /// A name for a value or a constant: this one, or one like it where it is taken.
    pub(crate) fn value(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_string();
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// An operation that gives `output`.
    pub(crate) fn node(&mut self, op: &str, name: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|input| (*input).to_string()).collect(),
            output: vec![output.to_string()],
            name: Some(name.to_string()),
            op_type: Some(op.to_string()),
            attribute,
        });
    }

    /// The operation of `place` that gives its value.
    pub(crate) fn last(&mut self, op: &str, place: &Place<'_>, inputs: &[&str], attributes: Vec<AttributeProto>) {
        self.node(op, &place.node.path, inputs, &place.output, attributes);
    }

    /// An operation of `place` on the way to its value.
    pub(crate) fn step(
        &mut self,
        op: &str,
        place: &Place<'_>,
        what: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let value = self.value(&place.inner(what));
        self.node(op, &value, inputs, &value, attributes);
        value
    }

    /// Constants; the name they got.
    pub(crate) fn numbers(&mut self, wanted: &str, dims: &[usize], values: Vec<f32>) -> String {
        let name = self.value(wanted);
        self.tensors.push(Tensor { name: name.clone(), dims: dims.to_vec(), content: Content::Numbers(values) });
        name
    }

    /// Positions, sizes or axes; the name they got.
    pub(crate) fn integers(&mut self, wanted: &str, values: Vec<i64>) -> String {
        let name = self.value(wanted);
        let dims = vec![values.len()];
        self.tensors.push(Tensor { name: name.clone(), dims, content: Content::Integers(values) });
        name
    }

    /// A tensor of the network under its own name, in its own or other dimensions.
    pub(crate) fn weight(&mut self, spec: &'a TensorSpec, dims: &[usize]) -> String {
        self.tensors.push(Tensor { name: spec.name.clone(), dims: dims.to_vec(), content: Content::Weight(spec) });
        spec.name.clone()
    }
}

/// A value's name, type and dimensions, the batch before them.
pub(crate) fn value_info(name: &str, shape: Shape) -> ValueInfoProto {
    let counted = shape.dims().into_iter().map(|dim| dimension::Value::DimValue(signed(dim)));
    let values = std::iter::once(dimension::Value::DimParam(BATCH.to_string())).chain(counted);
    let dim = values.map(|value| Dimension { value: Some(value) }).collect();
    let tensor = type_proto::Tensor { elem_type: Some(DataType::Float as i32), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: Some(name.to_string()), r#type: Some(TypeProto { value: Some(Value::TensorType(tensor)) }) }
}
