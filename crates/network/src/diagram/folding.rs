//! What repeats an earlier stage or unit: named, not drawn again.

use super::panel::Panel;
use super::pieces::{Drawing, Piece};

/// Numbers of channels in a longer text are not read; what has so many is drawn.
const LONGEST: usize = 80;

/// What is drawn without its numbers of channels, and these numbers.
#[derive(Default)]
struct Form {
    text: String,
    channels: Vec<f64>,
}

impl Form {
    fn of(pieces: &[Piece]) -> Self {
        let mut form = Self::default();
        form.add(pieces);
        form
    }

    fn add(&mut self, pieces: &[Piece]) {
        for Piece { drawing, times } in pieces {
            self.text += &format!("[{times}");
            match drawing {
                Drawing::Box { class, lines, title } => {
                    self.text += &format!("{class}{title}");
                    lines.iter().for_each(|line| self.line(line));
                }
                Drawing::Fork { join, behind, branches } => {
                    self.text += &format!("{join}{}", behind.join(","));
                    for branch in branches {
                        self.text.push('(');
                        self.add(branch);
                        self.text.push(')');
                    }
                }
            }
            self.text.push(']');
        }
    }

    /// Of `conv 3×3, 128, stride 2` the second is a number of channels.
    fn line(&mut self, line: &str) {
        for part in line.split(", ") {
            match part.parse() {
                Ok(channels) => self.channels.push(channels),
                Err(_) => self.text += part,
            }
            self.text.push(';');
        }
    }

    /// How many times as many channels this has as an earlier one that is the same but for that.
    fn times(&self, earlier: &Self) -> Option<f64> {
        let ratio = match (self.channels.first(), earlier.channels.first()) {
            (Some(own), Some(earlier)) => own / earlier,
            _ => 1.0,
        };
        let mut pairs = self.channels.iter().zip(&earlier.channels);
        (self.text == earlier.text && pairs.all(|(own, earlier)| (own - ratio * earlier).abs() < 1e-6)).then_some(ratio)
    }
}

/// Replaces stages and units by their names where an earlier one is drawn that computes the same.
pub(super) fn fold(panels: &mut [Panel]) {
    let mut stages: Vec<(String, Form)> = Vec::new();
    let mut units: Vec<(String, Form)> = Vec::new();
    for panel in panels {
        // A stage of a few layers is read sooner than looked up.
        if !panel.pieces.iter().any(is_fork) {
            continue;
        }
        let form = Form::of(&panel.pieces);
        if let Some(lines) = found(&stages, &form, &panel.pieces, "as") {
            panel.pieces = vec![Piece { drawing: again(lines), times: 1 }];
            continue;
        }
        for piece in panel.pieces.iter_mut().filter(|piece| is_fork(piece)) {
            let once = [Piece { drawing: piece.drawing.clone(), times: 1 }];
            let form = Form::of(&once);
            match found(&units, &form, &once, "unit as in") {
                Some(lines) => piece.drawing = again(lines),
                None => units.push((panel.label.clone(), form)),
            }
        }
        stages.push((panel.label.clone(), form));
    }
}

fn is_fork(piece: &Piece) -> bool {
    matches!(piece.drawing, Drawing::Fork { .. })
}

fn again(lines: Vec<String>) -> Drawing {
    Drawing::Box { class: "again", lines, title: 0 }
}

/// What is said in the place of what an earlier one shows but for its channels: its name, and how many times as many
/// channels there are; else, below it, how many.
fn found(earlier: &[(String, Form)], form: &Form, pieces: &[Piece], how: &str) -> Option<Vec<String>> {
    let proportional = earlier.iter().find_map(|(label, earlier)| {
        let channels = match form.times(earlier)? {
            1.0 => String::new(),
            times => format!(", channels ×{}", (1000.0 * times).round() / 1000.0),
        };
        Some(vec![format!("{how} {label}{channels}")])
    });
    proportional.or_else(|| {
        let (label, _) = earlier.iter().find(|(_, earlier)| earlier.text == form.text)?;
        let channels = channels(pieces);
        (channels.chars().count() <= LONGEST).then(|| vec![format!("{how} {label}, channels"), channels])
    })
}

/// Numbers of channels in the order in which they are drawn: `→` one after the other, `|` side by side.
fn channels(pieces: &[Piece]) -> String {
    let mut all = Vec::new();
    for Piece { drawing, times } in pieces {
        let text = match drawing {
            Drawing::Box { lines, .. } => {
                let numbers = lines.iter().flat_map(|line| line.split(", ")).filter(|part| part.parse::<f64>().is_ok());
                numbers.collect::<Vec<_>>().join(", ")
            }
            Drawing::Fork { branches, .. } => {
                let branches: Vec<String> = branches.iter().map(|branch| channels(branch)).collect();
                let text = branches.iter().map(String::as_str).filter(|text| !text.is_empty()).collect::<Vec<_>>();
                if pieces.len() > 1 { format!("({})", text.join(" | ")) } else { text.join(" | ") }
            }
        };
        all.extend(std::iter::repeat_n(text, *times).filter(|text| !text.is_empty()));
    }
    all.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    /// A stage of one fork: convolutions of these channels, and nothing beside them.
    fn stage(label: &str, channels: &[usize], kernel: &str) -> Panel {
        let piece = |channels: &usize| {
            let lines = vec![format!("conv {kernel}, {channels}"), "relu".to_string()];
            Piece { drawing: Drawing::Box { class: "conv", lines, title: 0 }, times: 1 }
        };
        let branches = vec![channels.iter().map(piece).collect(), Vec::new()];
        let drawing = Drawing::Fork { join: "+", behind: Vec::new(), branches };
        Panel {
            label: label.to_string(),
            last_label: None,
            times: 1,
            pieces: vec![Piece { drawing, times: 1 }],
            output: Shape::Vector { features: 1 },
            head: false,
        }
    }

    fn said(panel: &Panel) -> Option<Vec<String>> {
        match &panel.pieces[0].drawing {
            Drawing::Box { class: "again", lines, .. } => Some(lines.clone()),
            _ => None,
        }
    }

    #[test]
    fn what_repeats_is_named_and_what_differs_is_drawn() {
        let mut panels = [
            stage("a", &[64, 32], "3×3"),
            stage("b", &[64, 32], "3×3"),
            stage("c", &[128, 64], "3×3"),
            stage("d", &[128, 32], "3×3"),
            stage("e", &[64, 32], "5×5"),
            stage("f", &[64], "3×3"),
        ];
        fold(&mut panels);
        let said: Vec<Option<Vec<String>>> = panels.iter().map(said).collect();
        let lines = |lines: &[&str]| Some(lines.iter().map(|line| line.to_string()).collect::<Vec<_>>());
        let expected =
            [None, lines(&["as a"]), lines(&["as a, channels ×2"]), lines(&["as a, channels", "128 → 32"]), None, None];
        assert_eq!(said, expected);
    }

    /// A first unit that differs is drawn, and the others name the unit of the stage before.
    #[test]
    fn a_unit_of_an_earlier_stage_is_named() {
        let mut panels = [stage("a", &[64], "3×3"), stage("b", &[128], "1×1")];
        let repeated = stage("", &[128], "3×3").pieces.remove(0);
        panels[1].pieces.push(Piece { times: 3, ..repeated });
        fold(&mut panels);
        assert!(said(&panels[1]).is_none());
        let [_, last] = &panels[1].pieces[..] else { panic!("{} pieces", panels[1].pieces.len()) };
        assert_eq!(last.times, 3);
        assert!(matches!(&last.drawing, Drawing::Box { lines, .. } if lines[0] == "unit as in a, channels ×2"));
    }
}
