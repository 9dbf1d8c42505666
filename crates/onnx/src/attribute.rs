//! Attributes of an operation.

use crate::schema::AttributeProto;
use crate::schema::attribute_proto::AttributeType;

fn of(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_string()), r#type: Some(kind as i32), ..AttributeProto::default() }
}

/// A number.
pub(crate) fn number(name: &str, value: f64) -> AttributeProto {
    AttributeProto { f: Some(value as f32), ..of(name, AttributeType::Float) }
}

/// An integer.
pub(crate) fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..of(name, AttributeType::Int) }
}

/// Integers.
pub(crate) fn integers(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto { ints: values.iter().map(|value| signed(*value)).collect(), ..of(name, AttributeType::Ints) }
}

/// Text.
pub(crate) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec()), ..of(name, AttributeType::String) }
}

/// A count as ONNX has it; the largest for one beyond it.
pub(crate) fn signed(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
