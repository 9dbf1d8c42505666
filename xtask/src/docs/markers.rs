//! Generated passages in files written by hand.

use anyhow::{Result, bail};

/// Replaces what stands between `<!-- name … -->` and `<!-- /name -->`, wherever that is, by what `make` returns for the
/// words behind the name.
pub fn fill(text: &str, name: &str, make: impl Fn(&str) -> Result<String>) -> Result<String> {
    let (opening, closing) = (format!("<!-- {name}"), format!("<!-- /{name} -->"));
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(&opening) {
        let words = &rest[start + opening.len()..];
        let (Some(length), Some(end)) = (words.find("-->"), rest.find(&closing)) else {
            bail!("{opening} … --> has no {closing} behind it");
        };
        let head = start + opening.len() + length + "-->".len();
        if end < head {
            bail!("{closing} stands before its {opening} … -->");
        }
        filled += &format!("{}\n{}\n{closing}", &rest[..head], make(words[..length].trim())?.trim_end());
        rest = &rest[end + closing.len()..];
    }
    Ok(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_changes() -> Result<()> {
        let text = "a\n<!-- it x y -->\nold\n<!-- /it -->\nb <!-- it -->\n<!-- /it -->";
        let filled = fill(text, "it", |words| Ok(format!("[{words}]")))?;
        assert_eq!(filled, "a\n<!-- it x y -->\n[x y]\n<!-- /it -->\nb <!-- it -->\n[]\n<!-- /it -->");
        assert_eq!(fill(&filled, "it", |words| Ok(format!("[{words}]")))?, filled);
        Ok(())
    }

    #[test]
    fn an_open_passage_is_an_error() {
        assert!(fill("<!-- it -->", "it", |_| Ok(String::new())).is_err());
    }
}
