//! What the reader says of a file, as one short sentence.

use crate::text::short;
use pytorch_reader::{PickleError, PytorchError};

/// What is said of a whole module with the sources of its classes, where they cannot be left out.
pub(super) const OLD_MODULE: &str = "it is a whole module as torch before 1.6 pickled it; save the module's state_dict";

/// What is wrong.
pub(super) fn of(error: &PytorchError) -> String {
    match error {
        PytorchError::Pickle(PickleError::UnsupportedType(found)) => unsupported(found),
        PytorchError::Pickle(PickleError::NoDataSource) => {
            "it is a plain pickle whose tensors are not in it; save the state_dict with torch.save".to_string()
        }
        PytorchError::Io(error) | PytorchError::Tar(error) | PytorchError::Pickle(PickleError::Io(error))
            if error.kind() == std::io::ErrorKind::UnexpectedEof =>
        {
            "it ends too early".to_string()
        }
        PytorchError::Pickle(PickleError::InvalidData(text)) if text.contains("persistent id has 4 fields") => {
            OLD_MODULE.to_string()
        }
        PytorchError::Pickle(PickleError::InvalidData(text)) if text.contains("expected a storage") => {
            "its tensors are written in a way that is not read; save the state_dict with torch.save".to_string()
        }
        other => short(&other.to_string()),
    }
}

/// A tensor that is none of plain numbers, or an object of its own class that holds tensors.
fn unsupported(found: &str) -> String {
    let holds = |parts: &[&str]| parts.iter().any(|part| found.contains(part));
    let what = if holds(&["qtensor", "QInt", "QUInt"]) {
        "it holds quantised tensors"
    } else if holds(&["sparse"]) {
        "it holds sparse tensors"
    } else if holds(&["Complex"]) {
        "it holds tensors of complex numbers"
    } else if holds(&["nested"]) {
        "it holds nested tensors"
    } else if found.starts_with("__torch__") {
        "it is a TorchScript program; save the state_dict of the module that it was made from"
    } else {
        "it holds tensors in an object that is not read; save the module's state_dict"
    };
    short(&format!("{what} ({found})"))
}

/// What is said of a file on which the reader panics.
pub(super) fn gave_up(panic: &str) -> String {
    format!("its reader gave up: {}", short(panic))
}
