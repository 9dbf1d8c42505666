//! Where networks are from.

use crate::entry::Entry;

/// A paper, or the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Paper {
    /// Title.
    pub title: &'static str,
    /// Authors.
    pub authors: &'static str,
    /// Year of publication.
    pub year: u16,
    /// Where to read it.
    pub link: &'static str,
}

const LENET: Paper = Paper {
    title: "Gradient-Based Learning Applied to Document Recognition",
    authors: "Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner",
    year: 1998,
    link: "http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
};

const BOOK: Paper = Paper {
    title: "Dive into Deep Learning",
    authors: "Aston Zhang, Zachary C. Lipton, Mu Li, Alexander J. Smola",
    year: 2023,
    link: "https://d2l.ai",
};

impl Paper {
    pub(crate) fn of(entry: &Entry) -> Self {
        match entry.name {
            name if name.contains("_d2l") => BOOK,
            _ => LENET,
        }
    }
}
