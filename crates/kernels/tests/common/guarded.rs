//! Memory whose neighbours may not be touched: a single number too far ends the test.

use std::ops::{Deref, DerefMut};

/// Which end of a buffer touches a protected page. The other is less than a page away from one.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    Start,
    End,
}

/// Numbers between two protected pages.
#[derive(Debug)]
pub struct Guarded<T> {
    pages: *mut libc::c_void,
    bytes: usize,
    start: *mut T,
    len: usize,
}

// SAFETY: it owns its pages as a `Vec` does.
unsafe impl<T: Send> Send for Guarded<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Guarded<T> {}

impl<T: Copy> Guarded<T> {
    pub fn new(values: &[T], side: Side) -> Self {
        // SAFETY: a question about the system.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).expect("pages have a size");
        let held = size_of_val(values);
        let inside = held.next_multiple_of(page);
        let bytes = inside + 2 * page;
        // SAFETY: new memory, which overlaps nothing.
        let pages = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            )
        };
        assert_ne!(pages, libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
        let offset = match side {
            Side::Start => page,
            Side::End => page + inside - held,
        };
        // SAFETY: the pages are ours; the values lie between the first and the last.
        let start = unsafe {
            assert_eq!(libc::mprotect(pages, page, libc::PROT_NONE), 0);
            assert_eq!(libc::mprotect(pages.byte_add(page + inside), page, libc::PROT_NONE), 0);
            let start = pages.byte_add(offset).cast::<T>();
            std::ptr::copy_nonoverlapping(values.as_ptr(), start, values.len());
            start
        };
        Self { pages, bytes, start, len: values.len() }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, and read by nobody any more.
        unsafe { libc::munmap(self.pages, self.bytes) };
    }
}

impl<T> Deref for Guarded<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: written in `new`, and ours. Pages are aligned, and so are multiples of a number's size from either end.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T> AsRef<[T]> for Guarded<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}
