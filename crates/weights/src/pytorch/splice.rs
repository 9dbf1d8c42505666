//! Plain pickles, as `pickle.dump(model.state_dict(), file)` writes them.
//!
//! Each storage is a byte string in them that holds a whole file of `torch.save`'s before 1.6, and a call that reads it:
//! `_load_from_bytes(b"…")`. The reader knows no such call. So the pickle is written anew as one file of that kind, in
//! which the call's place is taken by a reference to a storage, and the storages follow on the pickle.

use super::pickle::{Argument, Operation, Walk};
use std::io::Cursor;

/// The size of an element of a storage class, in bytes.
pub(super) fn element_size(class: &str) -> Option<usize> {
    Some(match class {
        "DoubleStorage" | "LongStorage" => 8,
        "FloatStorage" | "IntStorage" => 4,
        "HalfStorage" | "ShortStorage" | "BFloat16Storage" => 2,
        "CharStorage" | "ByteStorage" | "BoolStorage" => 1,
        _ => return None,
    })
}

/// The pickle as a file of `torch.save`'s before 1.6, if it holds storages as such a pickle does.
pub(super) fn legacy(pickle: &[u8]) -> Option<Vec<u8>> {
    let mut storages: Vec<Storage<'_>> = Vec::new();
    let mut main = Vec::new();
    let mut expected = Expected::Anything;
    let mut at = 0;
    loop {
        let (end, string) = operation_at(pickle, at)?;
        let code = pickle[at];
        let storage = || string.and_then(Storage::of);
        match (expected, code) {
            (Expected::Anything, b'B' | 0x8e) => match storage() {
                Some(storage) => {
                    // What was to be called lies on the stack, and is not needed.
                    main.push(b'0');
                    storage.refer(storages.len(), &mut main);
                    storages.push(storage);
                    expected = Expected::Tuple;
                }
                None => main.extend(&pickle[at..end]),
            },
            (Expected::Tuple, 0x85) => expected = Expected::Call,
            (Expected::Call, b'R') => expected = Expected::Anything,
            // What remembers the top of the stack, and what begins a frame.
            (Expected::Anything, _) | (_, 0x94 | b'q' | b'r' | 0x95) => main.extend(&pickle[at..end]),
            _ => return None,
        }
        at = end;
        if code == b'.' {
            break;
        }
    }
    let mut file = storages.first()?.head.to_vec();
    file.append(&mut main);
    file.extend(b"\x80\x02](");
    for index in 0..storages.len() {
        text(&index.to_string(), &mut file);
    }
    file.extend(b"e.");
    storages.iter().for_each(|storage| file.extend(storage.content));
    Some(file)
}

/// What has to follow on a storage before anything else.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    Tuple,
    Call,
}

/// The end of the operation that begins at a place, and its string of bytes if it has one.
pub(super) fn operation_at(pickle: &[u8], at: usize) -> Option<(usize, Option<&[u8]>)> {
    let begin = at + 1;
    let line = |from: usize| Some(from + pickle.get(from..)?.iter().position(|byte| *byte == b'\n')? + 1);
    let (end, string) = match Operation::of(*pickle.get(at)?).argument {
        Argument::Fixed(bytes) => (begin.checked_add(bytes as usize)?, None),
        Argument::Lines(count) => ((0..count).try_fold(begin, |from, _| line(from))?, None),
        Argument::Counted(width) => {
            let mut length = [0; 8];
            length[..width].copy_from_slice(pickle.get(begin..begin + width)?);
            let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
            let end = (begin + width).checked_add(length)?;
            (end, Some(pickle.get(begin + width..end)?))
        }
    };
    (end <= pickle.len()).then_some((end, string))
}

/// A storage in a file of its own.
struct Storage<'a> {
    /// The pickles before the object: magic number, version, system.
    head: &'a [u8],
    class: String,
    elements: u64,
    /// The number of elements in 8 bytes, then these.
    content: &'a [u8],
}

impl<'a> Storage<'a> {
    fn of(file: &'a [u8]) -> Option<Self> {
        let (mut walk, mut cursor) = (Walk::default(), Cursor::new(file));
        let mut next = || Some((walk.pickle(&mut cursor).ok()?, cursor.position() as usize));
        next()?;
        next()?;
        let (_, head) = next()?;
        let (class, _) = next()?;
        let (_, keys) = next()?;
        let (class, content) = (class?, file.get(keys..)?);
        let (count, numbers) = content.split_first_chunk::<8>()?;
        let elements = u64::from_le_bytes(*count);
        let size = u64::try_from(element_size(&class)?).ok()?;
        let whole = elements.checked_mul(size) == Some(numbers.len() as u64);
        whole.then_some(Self { head: &file[..head], class, elements, content })
    }

    /// Writes what refers to the storage of this number.
    fn refer(&self, index: usize, out: &mut Vec<u8>) {
        out.push(b'(');
        text("storage", out);
        out.extend(format!("ctorch\n{}\n", self.class).as_bytes());
        text(&index.to_string(), out);
        text("cpu", out);
        out.extend([0x8a, 8]);
        out.extend(self.elements.to_le_bytes());
        out.extend(b"NtQ");
    }
}

/// Writes a short text.
fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}
