//! The file's bytes: all that is small is encoded as one message, the tensors' numbers are written where they belong, one
//! tensor after the other, so that they are never in memory twice.

use crate::error::{Error, Result};
use crate::export::Export;
use crate::graph::Graph;
use crate::lower::lower;
use crate::schema::{GraphProto, ModelProto, OperatorSetIdProto};
use cnn_network::Network;
use cnn_system::{Bytes, memory};
use cnn_weights::Weights;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

/// The most bytes that protobuf's readers take.
const MOST: u64 = i32::MAX as u64;

/// `ModelProto.graph`.
const GRAPH: u32 = 7;
/// `GraphProto.initializer`.
const INITIALIZER: u32 = 5;
/// `TensorProto.raw_data`.
const RAW_DATA: u32 = 9;

impl Export {
    /// The bytes of the file. The same network, weights and options give the same bytes. Beside them, one tensor at a time
    /// is in memory.
    ///
    /// # Errors
    ///
    /// Weights that are not the network's; class names or statistics that do not fit it; a file of more than 2 GiB, which
    /// no reader of ONNX takes; more memory than there is.
    pub fn to_bytes(&self, network: &Network, weights: &Weights) -> Result<Vec<u8>> {
        weights.check_for(network, &[network.outputs()[0].node])?;
        self.about.check(network)?;
        let graph = lower(network, weights, self)?;
        let model = ModelProto {
            ir_version: Some(crate::FORMAT),
            opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(crate::OPERATORS) }],
            producer_name: Some(env!("CARGO_PKG_NAME").to_string()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
            graph: None,
            metadata_props: self.about.entries(network, self.normalise),
        };
        bytes(&model, graph)
    }
}

/// The bytes of a file with this graph; `model` is all the rest.
fn bytes(model: &ModelProto, graph: Graph<'_>) -> Result<Vec<u8>> {
    let network = graph.network;
    let rest = GraphProto {
        node: graph.nodes,
        name: Some(network.name().to_string()),
        initializer: Vec::new(),
        input: graph.inputs,
        output: graph.outputs,
        value_info: graph.values,
    };
    let heads: Vec<_> = graph.tensors.iter().map(|tensor| tensor.head()).collect();
    let lengths: Vec<u64> = heads
        .iter()
        .zip(&graph.tensors)
        .map(|(head, tensor)| (head.encoded_len() as u64).saturating_add(field(RAW_DATA, tensor.bytes() as u64)))
        .collect();
    let tensors = lengths.iter().fold(0, |sum: u64, length| sum.saturating_add(field(INITIALIZER, *length)));
    let length = (rest.encoded_len() as u64).saturating_add(tensors);
    let total = (model.encoded_len() as u64).saturating_add(field(GRAPH, length));
    if total > MOST {
        return Err(Error::TooLarge { network: network.name().to_string(), bytes: Bytes(total) });
    }
    memory::ask(Bytes(total)).map_err(|shortage| Error::Memory { network: network.name().to_string(), shortage })?;

    // At most `MOST`, so that it is a `usize`.
    let mut out = Vec::with_capacity(total as usize);
    out.extend(model.encode_to_vec());
    begin(GRAPH, length, &mut out);
    out.extend(rest.encode_to_vec());
    for ((tensor, head), length) in graph.tensors.iter().zip(heads).zip(lengths) {
        begin(INITIALIZER, length, &mut out);
        out.extend(head.encode_to_vec());
        begin(RAW_DATA, tensor.bytes() as u64, &mut out);
        tensor.write(network, graph.weights, &mut out)?;
    }
    Ok(out)
}

/// Bytes of a field with so many bytes of content.
fn field(number: u32, content: u64) -> u64 {
    (key_len(number) as u64).saturating_add(encoded_len_varint(content) as u64).saturating_add(content)
}

/// Writes what comes before a field's content.
fn begin(number: u32, content: u64, out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(content, out);
}
