//! Text from files in sentences.

/// The longest that is told of what a file holds, in characters.
const LONGEST: usize = 200;

/// The first line, without what acts on a terminal, and not too long.
pub(crate) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut plain: String = line.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
    if line.chars().nth(LONGEST).is_some() {
        plain.push('…');
    }
    plain
}
