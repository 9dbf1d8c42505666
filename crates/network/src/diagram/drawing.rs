//! Boxes and forks on the canvas, and how much room they take.

use super::pieces::{Drawing, Piece};
use cnn_figures::svg::{Canvas, Rectangle};

/// Height of a box of one line, and of each further line.
const LINE: f64 = 20.0;
const FURTHER_LINE: f64 = 12.0;
/// Between two pieces of a run, and between branches.
const GAP: f64 = 12.0;
/// Between a fork's line and its branches.
const BUS: f64 = 10.0;
/// Around what is repeated, and beside it for the count on the right.
const FRAME: f64 = 6.0;
const COUNT: f64 = 32.0;
/// Width of a branch without operations.
const IDENTITY: f64 = 24.0;
/// Elementwise names in one line below or above the title.
fn box_lines(lines: &[String], title: usize) -> Vec<(bool, String)> {
    let before = lines[..title.min(lines.len())].join(", ");
    let after = lines.get(title + 1..).unwrap_or_default().join(", ");
    let shown = [(false, before), (true, lines.get(title).cloned().unwrap_or_default()), (false, after)];
    shown.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// Width of a text of the usual size, roughly: the reader's font is not known.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.1
}

fn size(piece: &Piece) -> [f64; 2] {
    let [width, height] = match &piece.drawing {
        Drawing::Box { lines, title, .. } => {
            let lines = box_lines(lines, *title);
            let widest = lines.iter().map(|(_, text)| text_width(text)).fold(0.0, f64::max);
            [widest + 14.0, LINE + FURTHER_LINE * (lines.len() - 1) as f64]
        }
        Drawing::Fork { behind, branches, .. } => {
            let sizes: Vec<[f64; 2]> = branches.iter().map(|branch| run_size(branch)).collect();
            let width = sizes.iter().map(|[width, _]| width).sum::<f64>() + GAP * (sizes.len() - 1) as f64;
            let tallest = sizes.iter().map(|[_, height]| *height).fold(0.0, f64::max);
            let behind = if behind.is_empty() { 0.0 } else { GAP + LINE };
            [width, tallest + 4.0 * BUS + LINE + behind]
        }
    };
    if piece.times > 1 { [width + 2.0 * COUNT, height + 2.0 * FRAME] } else { [width, height] }
}

pub(super) fn run_size(pieces: &[Piece]) -> [f64; 2] {
    let sizes: Vec<[f64; 2]> = pieces.iter().map(size).collect();
    let width = sizes.iter().map(|[width, _]| *width).fold(IDENTITY, f64::max);
    let gaps = GAP * sizes.len().saturating_sub(1) as f64;
    [width, sizes.iter().map(|[_, height]| height).sum::<f64>() + gaps]
}

/// Draws a run from the middle of its upper edge downwards.
pub(super) fn draw_run(pieces: &[Piece], canvas: &mut Canvas, [centre, mut y]: [f64; 2]) {
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            canvas.line("wire", &[[centre, y], [centre, y + GAP]]);
            y += GAP;
        }
        draw(piece, canvas, [centre, y]);
        y += size(piece)[1];
    }
}

fn draw(piece: &Piece, canvas: &mut Canvas, [centre, y]: [f64; 2]) {
    let [width, height] = size(piece);
    if piece.times > 1 {
        let inner = width - 2.0 * COUNT + 2.0 * FRAME;
        canvas.rectangle("repeat", Rectangle { at: [centre - inner / 2.0, y], width: inner, height });
        canvas.text("times", [centre + inner / 2.0 + 4.0, y + height / 2.0 + 4.0], &format!("×{}", piece.times));
        for edge in [y, y + height - FRAME] {
            canvas.line("wire", &[[centre, edge], [centre, edge + FRAME]]);
        }
        return draw(&Piece { drawing: piece.drawing.clone(), times: 1 }, canvas, [centre, y + FRAME]);
    }
    match &piece.drawing {
        Drawing::Box { class, lines, title } => {
            canvas.rectangle(class, Rectangle { at: [centre - width / 2.0, y], width, height });
            for (line, (is_title, text)) in box_lines(lines, *title).iter().enumerate() {
                let baseline = y + 14.0 + FURTHER_LINE * line as f64;
                canvas.text(if *is_title { "title" } else { "small" }, [centre, baseline], text);
            }
        }
        Drawing::Fork { join, behind, branches } => {
            let below = if behind.is_empty() { 0.0 } else { GAP + LINE };
            let bottom = y + height - below - LINE - BUS;
            canvas.line("wire", &[[centre, y], [centre, y + BUS]]);
            let mut left = centre - width / 2.0;
            let mut middles = Vec::new();
            for branch in branches {
                let [width, height] = run_size(branch);
                let middle = left + width / 2.0;
                let end = if branch.is_empty() { y + BUS } else { y + 2.0 * BUS + height };
                canvas.line("wire", &[[middle, y + BUS], [middle, y + 2.0 * BUS]]);
                draw_run(branch, canvas, [middle, y + 2.0 * BUS]);
                canvas.line("wire", &[[middle, end], [middle, bottom]]);
                middles.push(middle);
                left += width + GAP;
            }
            if let [first, .., last] = middles.as_slice() {
                canvas.line("wire", &[[*first, y + BUS], [*last, y + BUS]]);
                canvas.line("wire", &[[*first, bottom], [*last, bottom]]);
            }
            canvas.line("wire", &[[centre, bottom], [centre, bottom + BUS]]);
            let width = text_width(join) + 14.0;
            let at = [centre - width / 2.0, bottom + BUS];
            canvas.rectangle("join", Rectangle { at, width, height: LINE });
            canvas.text("title", [centre, at[1] + 14.0], join);
            if !behind.is_empty() {
                let text = behind.join(", ");
                let (width, top) = (text_width(&text) + 14.0, at[1] + LINE);
                canvas.line("wire", &[[centre, top], [centre, top + GAP]]);
                let at = [centre - width / 2.0, top + GAP];
                canvas.rectangle("other", Rectangle { at, width, height: LINE });
                canvas.text("small", [centre, top + GAP + 14.0], &text);
            }
        }
    }
}
