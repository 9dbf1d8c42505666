//! A repository of the Hugging Face hub.

use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// A repository of models on the Hugging Face hub, at a revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repository {
    owner: String,
    name: String,
    revision: String,
}

/// The revision where none is named.
const MAIN: &str = "main";

impl Repository {
    /// The repository `owner/name`, at its newest revision.
    ///
    /// # Errors
    ///
    /// [`Error::Repository`] where a part is empty, or has other characters than letters, digits, `-`, `_` and `.`.
    pub fn new(path: &str) -> Result<Self> {
        Self::at(path, MAIN)
    }

    /// The repository `owner/name` at a branch, a tag or a commit.
    ///
    /// # Errors
    ///
    /// As [`Repository::new`], and for a revision that cannot be one.
    pub fn at(path: &str, revision: &str) -> Result<Self> {
        let wrong = |problem| Error::Repository { found: path.to_string(), problem };
        let (owner, name) = path.split_once('/').ok_or_else(|| wrong("it has no owner"))?;
        if ![owner, name].into_iter().all(is_part) {
            return Err(wrong("a part is empty, too long or has other characters than letters, digits, -, _ and ."));
        }
        if revision.len() > 200 || !revision.split('/').all(is_part) {
            return Err(wrong("its revision is no branch, tag or commit"));
        }
        Ok(Self { owner: owner.to_string(), name: name.to_string(), revision: revision.to_string() })
    }

    /// `owner/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// A branch, a tag or a commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The folder of the hub's cache that holds it.
    pub(crate) fn folder(&self) -> String {
        format!("models--{}--{}", self.owner, self.name)
    }
}

impl FromStr for Repository {
    type Err = Error;

    /// `owner/name`, `owner/name@revision`, with or without `hf:` in front.
    fn from_str(text: &str) -> Result<Self> {
        let bare = text.strip_prefix("hf:").unwrap_or(text);
        let (path, revision) = bare.split_once('@').unwrap_or((bare, MAIN));
        Self::at(path, revision)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision.as_str() {
            MAIN => write!(f, "{}/{}", self.owner, self.name),
            revision => write!(f, "{}/{}@{revision}", self.owner, self.name),
        }
    }
}

/// Whether it can be a part of a path, in an address and on a disk alike.
fn is_part(part: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    (1..=96).contains(&part.len()) && part.chars().all(fits) && !part.starts_with('.') && !part.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_as_it_is_written() {
        for text in ["timm/resnet50.a1_in1k", "timm/resnet50.a1_in1k@refs/pr/1", "a-b/c_d@v1.0"] {
            assert_eq!(text.parse::<Repository>().unwrap().to_string(), text);
            assert_eq!(format!("hf:{text}").parse::<Repository>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_would_lead_out_of_the_cache_is_no_repository() {
        let hostile = [
            "",
            "resnet50",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "../b",
            "a/..",
            "a/.",
            "a/b@",
            "a/b@../c",
            "a/b@/etc",
            "a/b@c//d",
            "a b/c",
            "a/b?x=1",
            "a/b#c",
            "a/b%2e",
            "a\\b/c",
            "a/ü",
            "a/b\n",
            "a/b@c\0",
            "http://a/b",
        ];
        for text in hostile {
            let error = text.parse::<Repository>().unwrap_err();
            assert!(matches!(error, Error::Repository { .. }), "{text:?}: {error}");
        }
        assert!(format!("a/{}", "b".repeat(97)).parse::<Repository>().is_err());
        assert!(format!("a/b@{}", "c/".repeat(150)).parse::<Repository>().is_err());
    }
}
