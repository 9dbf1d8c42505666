//! Memory that a thread computes in, kept from call to call.

use crate::buffer::Buffer;
use crate::element::Element;
use std::any::{Any, TypeId};
use std::cell::RefCell;

/// Whether scratch memory is there of exactly the length asked for, and full of NaN: whoever looks for
/// errors sees every step past the end, and every number read before it is written.
pub(crate) const EXACT_SCRATCH: bool = cfg!(any(miri, exact_scratch));

/// A thread's scratch memory, kept from call to call; it comes with whatever it held.
///
/// Kernels take it before [`dispatch`](crate::simd::dispatch) and get it as a field: a closure is not compiled for the
/// instruction set of the function that calls it.
pub(crate) fn with_scratch<T: Element, R>(len: usize, use_it: impl FnOnce(&mut [T]) -> R) -> R {
    if EXACT_SCRATCH {
        let mut buffer = Buffer::zeros(len);
        buffer.fill(T::NAN);
        return use_it(&mut buffer);
    }
    let mut buffer = take_scratch(len);
    let result = use_it(&mut buffer[..len]);
    SCRATCH.with(|kept| kept.borrow_mut().shelf::<T>().push(buffer));
    result
}

thread_local! {
    static SCRATCH: RefCell<Shelves> = const { RefCell::new(Shelves(Vec::new())) };
}

/// Buffers by the type of their numbers: one or two types, which no hash finds faster.
struct Shelves(Vec<(TypeId, Vec<Box<dyn Any>>)>);

impl Shelves {
    fn shelf<T: Element>(&mut self) -> &mut Vec<Box<dyn Any>> {
        let own = TypeId::of::<T>();
        let number = self.0.iter().position(|(of, _)| *of == own).unwrap_or_else(|| {
            self.0.push((own, Vec::new()));
            self.0.len() - 1
        });
        &mut self.0[number].1
    }
}

/// Nested calls find the shelf without the buffers in use, and take or make another.
fn take_scratch<T: Element>(len: usize) -> Box<Buffer<T>> {
    let kept = SCRATCH.with(|kept| kept.borrow_mut().shelf::<T>().pop());
    match kept.and_then(|buffer| buffer.downcast::<Buffer<T>>().ok()) {
        Some(buffer) if buffer.len() >= len => buffer,
        small => {
            // Before there is another.
            drop(small);
            Box::new(Buffer::zeros(len.next_multiple_of(1 << 14)))
        }
    }
}
