//! What is asked for beside the picture: what stands behind the `?` of an address.

use crate::answer::Refusal;
use axum::extract::Query;
use axum::http::Uri;
use cnn_figures::shortened;
use std::num::IntErrorKind;

/// Characters of somebody's words that a sentence quotes.
const QUOTED: usize = 40;

/// How many classes, from `?top=K`; five where nothing is said.
pub fn top(uri: &Uri) -> Result<usize, Refusal> {
    let Some(found) = value(uri, "top")? else { return Ok(5) };
    match found.parse() {
        Ok(top) if top > 0 => Ok(top),
        // There are not as many classes: all.
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Ok(usize::MAX),
        _ => Err(expected("top", "a number from 1", &found)),
    }
}

/// Whether the numbers themselves are wanted, from `?exact=true`.
pub fn exact(uri: &Uri) -> Result<bool, Refusal> {
    let Some(found) = value(uri, "exact")? else { return Ok(false) };
    found.parse().map_err(|_| expected("exact", "true or false", &found))
}

/// The value of the one name that can be given.
fn value(uri: &Uri, name: &str) -> Result<Option<String>, Refusal> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Query(pairs) = pairs.map_err(|error| Refusal::unfit(error.body_text()))?;
    if let Some((other, _)) = pairs.iter().find(|(given, _)| given != name) {
        return Err(Refusal::unfit(format!("{}: not known here, only {name} is", shortened(other, QUOTED))));
    }
    let mut values = pairs.into_iter().map(|(_, value)| value);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Refusal::unfit(format!("{name}: expected once, found more often"))),
        (value, None) => Ok(value),
    }
}

fn expected(name: &str, what: &str, found: &str) -> Refusal {
    let found = if found.is_empty() { "nothing".into() } else { shortened(found, QUOTED) };
    Refusal::unfit(format!("{name}: expected {what}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was understood, or the sentence.
    fn said<T>(ask: fn(&Uri) -> Result<T, Refusal>, question: &str) -> Result<T, String> {
        let uri = format!("/predict{question}").parse().map_err(|error| format!("{error}"))?;
        ask(&uri).map_err(|refusal| refusal.sentence)
    }

    #[test]
    fn a_number_of_classes_is_understood_or_refused_in_a_sentence() {
        for (question, expected) in
            [("", 5), ("?", 5), ("?top=1", 1), ("?top=300", 300), ("?top=99999999999999999999", usize::MAX)]
        {
            assert_eq!(said(top, question), Ok(expected), "{question}");
        }
        for (question, found) in [("0", "0"), ("-1", "-1"), ("x", "x"), ("1.5", "1.5"), ("", "nothing"), ("%22", "\"")]
        {
            let sentence = format!("top: expected a number from 1, found {found}");
            assert_eq!(said(top, &format!("?top={question}")), Err(sentence), "{question}");
        }
        assert_eq!(said(top, "?best=3"), Err("best: not known here, only top is".to_string()));
        assert_eq!(said(top, "?top=3&top=4"), Err("top: expected once, found more often".to_string()));
        assert!(said(top, &format!("?top={}", "x".repeat(1000))).is_err_and(|sentence| sentence.len() < 100));
    }

    #[test]
    fn exact_is_true_or_false() {
        assert_eq!(
            [said(exact, ""), said(exact, "?exact=true"), said(exact, "?exact=false")],
            [Ok(false), Ok(true), Ok(false)]
        );
        assert_eq!(said(exact, "?exact=1"), Err("exact: expected true or false, found 1".to_string()));
        assert_eq!(said(exact, "?top=1"), Err("top: not known here, only exact is".to_string()));
    }
}
