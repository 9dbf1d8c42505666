//! Memory aligned to cache lines, and writes to it from several threads.

use crate::prefetch::LINE;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;

/// From this size on memory is asked for in huge pages: with small ones the kernels' strides miss the TLB.
const HUGE: usize = 1 << 21;

/// Numbers whose first lies on a cache line.
pub struct Buffer<T> {
    start: NonNull<T>,
    len: usize,
}

// SAFETY: a buffer owns its memory as a `Vec` does.
unsafe impl<T: Send> Send for Buffer<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Buffer<T> {}

/// Numbers whose bits may all be zero, which is what they are in new memory. They take some memory each, and need no more
/// alignment than a cache line has, or no buffer of them is compiled:
///
/// ```compile_fail
/// #[derive(Clone, Copy)]
/// struct Nothing;
/// // SAFETY: there are no bits.
/// unsafe impl cnn_kernels::Plain for Nothing {}
/// let nothing = cnn_kernels::Buffer::<Nothing>::zeros(1);
/// ```
///
/// # Safety
///
/// All bits zero must be a value of the type.
pub unsafe trait Plain: Copy + Send + Sync + 'static {}

// SAFETY: numbers, all of them.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}
// SAFETY: as above.
unsafe impl Plain for half::bf16 {}
// SAFETY: as above.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}

impl<T: Plain> Buffer<T> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= LINE) };
        if len == 0 {
            return Self { start: NonNull::dangling(), len };
        }
        let layout = Self::layout(len);
        // SAFETY: neither the length nor a number is of size zero.
        let start = unsafe { alloc(layout) }.cast::<T>();
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        // Before the first write, which settles the size of a page.
        #[cfg(all(target_os = "linux", not(miri)))]
        if layout.size() >= HUGE {
            // SAFETY: advice on memory that is ours; that it may be refused does not matter.
            unsafe { libc::madvise(start.as_ptr().cast(), layout.size(), libc::MADV_HUGEPAGE) };
        }
        // SAFETY: the memory was allocated above, aligned to a line. All bits zero is a value, as [`Plain`] says.
        unsafe { start.as_ptr().write_bytes(0, len) };
        Self { start, len }
    }

    /// Whether there is memory for `len` numbers. Asking costs nothing: what is not touched is not there.
    pub fn fits(len: usize) -> bool {
        Vec::<T>::new().try_reserve_exact(len).is_ok()
    }

    /// A copy of these numbers.
    pub fn from_slice(values: &[T]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl<T> Buffer<T> {
    /// Where it starts, for writes that a caller keeps disjoint.
    pub(crate) fn start(&self) -> *mut T {
        self.start.as_ptr()
    }

    fn layout(len: usize) -> Layout {
        let bytes = len.checked_mul(size_of::<T>()).expect("a buffer's size fits the address space");
        let line = if bytes >= HUGE { HUGE } else { LINE };
        Layout::from_size_align(bytes, line).expect("a buffer's size fits the address space")
    }
}

impl<T: Plain> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self::from_slice(self)
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: allocated in `zeros` with this layout.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.len)) }
        }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `len` initialised numbers from `start`, ours.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: `len` initialised numbers from `start`, ours alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> std::fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer of {}", self.len)
    }
}

/// A slice whose disjoint parts are written by the tasks of one parallel loop.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    life: PhantomData<&'a mut [T]>,
}

// SAFETY: only a pointer; whoever turns it into a slice vouches for disjointness.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), life: PhantomData }
    }

    /// The same of a pointer.
    ///
    /// # Safety
    ///
    /// `start` must be valid for writing `len` values as long as any part is.
    pub(crate) unsafe fn of_pointer(start: *mut T, len: usize) -> Self {
        Self { start, len, life: PhantomData }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A part of the slice; panics where it is out of bounds.
    ///
    /// # Safety
    ///
    /// No other part alive at the same time may overlap it.
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: in bounds, and disjoint from all others as the caller says.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.end - range.start) }
    }
}

impl<T> Shared<'_, T> {
    /// Where it begins; for addresses alone.
    pub(crate) fn start(&self) -> *const T {
        self.start
    }

    /// A pointer to a part of the slice; panics where it is out of bounds.
    ///
    /// # Safety
    ///
    /// What is written through it within that range must not be read or written by another thread meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn pointer(&self, range: Range<usize>) -> *mut T {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: in bounds.
        unsafe { self.start.add(range.start) }
    }
}
