//! Memory that a thread computes in, kept from call to call.

use crate::buffer::Buffer;
use crate::element::Element;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

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
    SCRATCH.with(|kept| kept.borrow_mut().entry(TypeId::of::<T>()).or_default().push(buffer));
    result
}

thread_local! {
    static SCRATCH: RefCell<HashMap<TypeId, Vec<Box<dyn Any>>>> = RefCell::new(HashMap::new());
}

/// Nested calls find the shelf without the buffers in use, and take or make another.
fn take_scratch<T: Element>(len: usize) -> Box<Buffer<T>> {
    let kept = SCRATCH.with(|kept| kept.borrow_mut().entry(TypeId::of::<T>()).or_default().pop());
    match kept.and_then(|buffer| buffer.downcast::<Buffer<T>>().ok()) {
        Some(buffer) if buffer.len() >= len => buffer,
        small => {
            // Before there is another.
            drop(small);
            Box::new(Buffer::zeros(len.next_multiple_of(1 << 14)))
        }
    }
}
