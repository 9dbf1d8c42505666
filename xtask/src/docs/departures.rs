//! What a model crate's documentation says about departures, read from its source so that it is written once.

use anyhow::{Context, Result};
use cnn_zoo::Family;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a page takes from a crate's documentation.
pub struct Documentation {
    /// The first sentence.
    pub title: String,
    /// The section *Departures* of the crate; empty where the networks have their own.
    pub departures: String,
    /// The paragraph *Departures* of a network's function, by its name.
    pub of_network: BTreeMap<String, String>,
}

impl Documentation {
    pub fn read(family: Family, root: &Path) -> Result<Self> {
        let folder = root.join("crates").join(family.name()).join("src");
        let source =
            |path: &Path| fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()));
        let library = source(&folder.join("lib.rs"))?;
        let lines: Vec<&str> = comment(&library, "//!").collect();
        let section = lines.iter().skip_while(|line| **line != "# Departures").skip(1);
        let section: Vec<&str> = section.take_while(|line| !line.starts_with("# ")).copied().collect();
        let mut of_network = BTreeMap::new();
        for file in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
            of_network.extend(paragraphs(&source(&file?.path())?));
        }
        let title = lines.first().copied().unwrap_or_default();
        Ok(Self { title: without_links(title), departures: without_links(section.join("\n").trim()), of_network })
    }
}

/// The lines of all comments of this kind, without the mark.
fn comment<'a>(source: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = source.lines().filter_map(move |line| line.strip_prefix(mark));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line))
}

/// For each function the paragraph of its documentation that begins with *Departures*.
fn paragraphs(source: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            lines.push(text.trim());
            continue;
        }
        if let Some(name) = line.strip_prefix("pub fn ").and_then(|rest| rest.split(['(', '<']).next()) {
            let paragraph = lines.iter().skip_while(|line| !line.starts_with("*Departures*"));
            let paragraph: Vec<&str> = paragraph.take_while(|line| !line.is_empty()).copied().collect();
            if !paragraph.is_empty() {
                found.insert(name.to_string(), without_links(&paragraph.join("\n")));
            }
        }
        lines.clear();
    }
    found
}

/// Links between items, which only rustdoc resolves, as plain code: ``[`resnet`](target)`` becomes `` `resnet` ``.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("[`") {
        let Some(end) = rest[start..].find("`]").map(|length| start + length) else { break };
        plain += &rest[..start];
        plain += &rest[start + 1..=end];
        rest = &rest[end + 2..];
        if rest.starts_with('(') {
            rest = &rest[closing(rest)..];
        }
    }
    plain + rest
}

/// How far the parenthesis reaches with which `text` begins.
fn closing(text: &str) -> usize {
    let mut open = 0;
    for (position, letter) in text.char_indices() {
        match letter {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return position + letter.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_code() {
        assert_eq!(without_links("of [`googlenet`](crate::googlenet()). Two"), "of `googlenet`. Two");
        assert_eq!(without_links("[`a`] and [`b::c`](d), <http://e>"), "`a` and `b::c`, <http://e>");
    }

    #[test]
    fn a_functions_paragraph_is_found() {
        let source = "/// One.\n///\n/// *Departures*: two,\n/// three.\n///\n/// Four.\npub fn five(six: u8) {}\n";
        assert_eq!(paragraphs(source)["five"], "*Departures*: two,\nthree.");
    }
}
