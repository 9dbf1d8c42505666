//! The terminal in a build without a dashboard: nobody takes it.

pub(crate) fn is_taken() -> bool {
    false
}

pub(crate) fn give_back() {}
