//! A network as a picture: its stages from top to bottom, branches side by side, repetitions drawn once.

mod columns;
mod drawing;
mod folding;
mod panel;
mod pieces;

use crate::network::Network;
use cnn_figures::svg::Canvas;
use columns::{BETWEEN, columns_of};
use drawing::text_width;
use folding::fold;
use panel::Panel;
use pieces::pieces;

const STYLE: &str = "
    text { font: 11px Helvetica, Arial, sans-serif; fill: #222; text-anchor: middle }
    .small { font-size: 10px; fill: #666 }
    .label { font: bold 11px ui-monospace, Consolas, monospace; text-anchor: start }
    .shape { font: 11px ui-monospace, Consolas, monospace; fill: #666; text-anchor: end }
    .times { font-weight: bold; text-anchor: start }
    .stage { fill: #fafafa; stroke: #ccc }
    .head { fill: #fafafa; stroke: #999; stroke-dasharray: 5 3 }
    .repeat { fill: none; stroke: #888; stroke-dasharray: 2 3 }
    .wire { fill: none; stroke: #777 }
    .join { fill: #fff; stroke: #555 }
    .conv { fill: #dbe9f6; stroke: #5b8db8 }
    .linear { fill: #fde7cf; stroke: #d08a3c }
    .pool { fill: #e2f0d9; stroke: #7da453 }
    .other { fill: #eee; stroke: #999 }
    .again { fill: #fff; stroke: #999; stroke-dasharray: 2 3 }
";

/// Width over height of the wide form.
const WIDE: f64 = 16.0 / 9.0;

impl Network {
    /// The network as an SVG document, from top to bottom. What computes the same as an earlier stage or unit, with all
    /// channels so many times as many, is drawn once and named from there on.
    pub fn diagram(&self) -> String {
        self.in_columns(|_| 1)
    }

    /// The same for slides: from left to right in columns, about as wide as a screen.
    pub fn wide_diagram(&self) -> String {
        self.in_columns(|panels| {
            let ratio = |columns: &usize| {
                let sizes = columns_of(panels, *columns);
                let width: f64 = sizes.iter().map(|column| column.width + BETWEEN).sum();
                let height = sizes.iter().map(|column| column.height).fold(1.0, f64::max);
                (width / height / WIDE).ln().abs()
            };
            (1..=panels.len().max(1)).min_by(|a, b| ratio(a).total_cmp(&ratio(b))).unwrap_or(1)
        })
    }

    fn in_columns(&self, count: impl FnOnce(&[Panel]) -> usize) -> String {
        let panels = self.panels();
        let columns = columns_of(&panels, count(&panels));
        let title = format!("{}, input {}", self.name(), self.input());
        let all = columns.iter().map(|column| column.width + BETWEEN).sum::<f64>() - BETWEEN;
        let beside = (text_width(&title) - all).max(0.0) / 2.0;
        let mut canvas = Canvas::new(STYLE);
        let mut left = BETWEEN + beside;
        canvas.text("small", [BETWEEN + beside + all / 2.0, BETWEEN + 4.0], &title);
        let top = BETWEEN + 10.0;
        let (mut lowest, mut before) = (top, None::<[f64; 2]>);
        for column in &columns {
            let (centre, mut y) = (left + column.width / 2.0, top);
            for (number, panel) in column.panels.iter().enumerate() {
                match before.filter(|_| number == 0 && !panel.head) {
                    // Down from the column before, between the two, and in again from above.
                    Some([x, end]) => {
                        let (between, over) = (left - BETWEEN / 2.0, top + BETWEEN / 3.0);
                        let under = end + BETWEEN / 3.0;
                        let way = [
                            [x, end],
                            [x, under],
                            [between, under],
                            [between, over],
                            [centre, over],
                            [centre, y + BETWEEN],
                        ];
                        canvas.line("wire", &way);
                    }
                    None if !panel.head => canvas.line("wire", &[[centre, y], [centre, y + BETWEEN]]),
                    None => {}
                }
                y = panel.draw(&mut canvas, centre, y + BETWEEN, column.width);
            }
            (lowest, before) = (f64::max(lowest, y), Some([centre, y]));
            left += column.width + BETWEEN;
        }
        let size = [all + 2.0 * (BETWEEN + beside), lowest + BETWEEN];
        canvas.finish(&format!("{} as a diagram", self.name()), size)
    }

    /// The stages, equal ones in a row as one, repetitions folded.
    fn panels(&self) -> Vec<Panel> {
        let mut stages: Vec<Panel> = Vec::new();
        for stage in self.outline().stages {
            let pieces = pieces(self, &stage.parts);
            match stages.last_mut() {
                Some(last) if last.pieces == pieces && last.output == stage.output && !last.head => {
                    last.last_label = Some(stage.label);
                    last.times += 1;
                }
                _ => stages.push(Panel {
                    label: stage.reads.map_or(stage.label.clone(), |from| format!("{} ← {from}", stage.label)),
                    last_label: None,
                    times: 1,
                    pieces,
                    output: stage.output,
                    head: self.outputs()[1..].iter().any(|output| output.name == stage.label),
                }),
            }
        }
        fold(&mut stages);
        stages
    }
}
