//! Whether all ranks do the same.

use crate::error::{Error, Result};
use crate::ranks::Ranks;

impl Ranks {
    /// Compares what every rank says of itself, name by name, with what rank 0 says. All ranks get the same answer. Of
    /// texts with several lines the first that differs is told.
    ///
    /// # Errors
    ///
    /// The first difference; a rank that failed.
    pub fn agree(&self, said: &[(&str, String)]) -> Result<()> {
        let bytes: Vec<u8> =
            said.iter().flat_map(|(name, value)| [*name, "\0", value, "\0"].concat().into_bytes()).collect();
        let all = self.gather(bytes)?;
        let all: Vec<Vec<(String, String)>> = all.iter().map(|bytes| pairs(bytes)).collect();
        let first = all.first().map(Vec::as_slice).unwrap_or_default();
        for (rank, other) in all.iter().enumerate().skip(1) {
            if let Some((what, here, there)) = difference(first, other) {
                return Err(Error::Differs { rank, what, here, there });
            }
        }
        Ok(())
    }
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\0');
    std::iter::from_fn(|| Some((parts.next()?.to_string(), parts.next()?.to_string()))).collect()
}

/// What differs, what it is at first, what it is elsewhere.
fn difference(first: &[(String, String)], other: &[(String, String)]) -> Option<(String, String, String)> {
    let mut pairs = (0..first.len().max(other.len())).map(|number| (first.get(number), other.get(number)));
    let (here, there) = pairs.find(|(here, there)| here != there)?;
    let (what, _) = here.or(there)?;
    let text = |pair: Option<&(String, String)>| pair.filter(|(name, _)| name == what).map(|(_, text)| text.clone());
    let [here, there] = apart(text(here), text(there));
    Some((what.clone(), here, there))
}

/// The first line that differs, of either text.
fn apart(here: Option<String>, there: Option<String>) -> [String; 2] {
    let texts = [here.unwrap_or_default(), there.unwrap_or_default()];
    let [here, there] = texts.each_ref().map(|text| text.split('\n').collect::<Vec<&str>>());
    let place = (0..here.len().max(there.len())).find(|line| here.get(*line) != there.get(*line)).unwrap_or(0);
    [here, there].map(|lines| match lines.get(place) {
        None | Some(&"") => "nothing".to_string(),
        // What cannot be seen is shown.
        Some(line) if line.ends_with(char::is_whitespace) => format!("{line:?}"),
        Some(line) => line.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_of_both() {
        let of = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
        };
        let told = |first: &[(&str, &str)], other: &[(&str, &str)]| {
            difference(&of(first), &of(other)).map(|(what, here, there)| format!("{what}: {here}, {there}"))
        };
        let first = [("network", "lenet"), ("recipe", "epochs = 3\nlr = 0.1\n")];
        assert_eq!(told(&first, &first), None);
        for (recipe, expected) in [
            ("epochs = 3\nlr = 0.2\n", "recipe: lr = 0.1, lr = 0.2"),
            ("epochs = 3\n", "recipe: lr = 0.1, nothing"),
            ("epochs = 3\r\nlr = 0.1\n", "recipe: epochs = 3, \"epochs = 3\\r\""),
            ("epochs = 3\nlr = 0.1 \n", "recipe: lr = 0.1, \"lr = 0.1 \""),
        ] {
            assert_eq!(told(&first, &[first[0], ("recipe", recipe)]).as_deref(), Some(expected));
        }
        assert_eq!(told(&first, &first[..1]).as_deref(), Some("recipe: epochs = 3, nothing"));
        assert_eq!(told(&first, &first[1..]).as_deref(), Some("network: lenet, nothing"));
    }
}
