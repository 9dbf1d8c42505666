//! The messages: `Event` and `Summary` of TensorFlow, with the fields that scalars need.

/// What is in an event.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum What<'a> {
    /// The version of the format, first in each file.
    Version,
    /// Values by name.
    Scalars(&'a [(&'a str, f64)]),
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    /// Seconds since 1970.
    pub wall_time: f64,
    /// Where on the horizontal axis.
    pub step: i64,
    /// What is in it.
    pub what: What<'a>,
}

/// How a field's bytes are to be read, the low three bits of its key.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

impl Event<'_> {
    /// The message's bytes.
    pub fn encoded(&self) -> Vec<u8> {
        let mut event = Vec::new();
        key(&mut event, 1, Wire::Fixed64);
        event.extend(self.wall_time.to_le_bytes());
        // As everywhere in proto3, a zero is left out.
        if self.step != 0 {
            key(&mut event, 2, Wire::Varint);
            varint(&mut event, self.step as u64);
        }
        match self.what {
            What::Version => bytes(&mut event, 3, b"brain.Event:2"),
            What::Scalars(scalars) => bytes(&mut event, 5, &summary(scalars)),
        }
        event
    }
}

fn summary(scalars: &[(&str, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, number) in scalars {
        let mut value = Vec::new();
        bytes(&mut value, 1, tag.as_bytes());
        // One of several kinds of value: written even if it is zero.
        key(&mut value, 2, Wire::Fixed32);
        value.extend((*number as f32).to_le_bytes());
        bytes(&mut summary, 1, &value);
    }
    summary
}

fn key(to: &mut Vec<u8>, field: u64, wire: Wire) {
    varint(to, field << 3 | wire as u64);
}

fn bytes(to: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    key(to, field, Wire::Bytes);
    varint(to, bytes.len() as u64);
    to.extend(bytes);
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}
