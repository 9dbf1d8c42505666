//! A network as a picture: its stages from top to bottom, branches side by side, repetitions drawn once.

use crate::describe::describe;
use crate::network::Network;
use crate::op::{Kind, Op};
use crate::outline::Part;
use crate::shape::Shape;
use cnn_figures::svg::{Canvas, Rectangle};

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
";

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
/// Between a stage's border and what it holds; height of its heading; between stages.
const INSET: f64 = 12.0;
const HEADING: f64 = 24.0;
const BETWEEN: f64 = 18.0;

impl Network {
    /// The network as an SVG document.
    pub fn diagram(&self) -> String {
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
        let title = format!("{}, input {}", self.name(), self.input());
        let width = stages.iter().map(Panel::width).fold(text_width(&title), f64::max);
        let mut canvas = Canvas::new(STYLE);
        let centre = BETWEEN + width / 2.0;
        canvas.text("small", [centre, BETWEEN + 4.0], &title);
        let mut y = BETWEEN + 10.0;
        for panel in &stages {
            if !panel.head {
                canvas.line("wire", &[[centre, y], [centre, y + BETWEEN]]);
            }
            y = panel.draw(&mut canvas, centre, y + BETWEEN, width);
        }
        canvas.finish(&format!("{} as a diagram", self.name()), [width + 2.0 * BETWEEN, y + BETWEEN])
    }
}

/// A stage, or equal ones in a row.
struct Panel {
    label: String,
    last_label: Option<String>,
    times: usize,
    pieces: Vec<Piece>,
    output: Shape,
    head: bool,
}

impl Panel {
    fn heading(&self) -> String {
        match &self.last_label {
            Some(last) => format!("{} … {last}  ×{}", self.label, self.times),
            None => self.label.clone(),
        }
    }

    fn width(&self) -> f64 {
        let heading = text_width(&self.heading()) * 1.1 + text_width(&self.output.to_string()) + 24.0;
        run_size(&self.pieces)[0].max(heading) + 2.0 * INSET
    }

    /// Draws the panel below `y`; returns its lower edge.
    fn draw(&self, canvas: &mut Canvas, centre: f64, y: f64, width: f64) -> f64 {
        let left = centre - width / 2.0;
        let height = HEADING + run_size(&self.pieces)[1] + INSET;
        let class = if self.head { "head" } else { "stage" };
        canvas.rectangle(class, Rectangle { at: [left, y], width, height });
        canvas.text("label", [left + 8.0, y + 15.0], &self.heading());
        canvas.text("shape", [left + width - 8.0, y + 15.0], &self.output.to_string());
        draw_run(&self.pieces, canvas, [centre, y + HEADING]);
        y + height
    }
}

/// What is drawn as one thing, once or several times in a row.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    drawing: Drawing,
    times: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Drawing {
    /// A box of lines; operations on single elements share the box of the layer they belong to.
    Box { class: &'static str, lines: Vec<String>, title: usize },
    /// Branches and the sign that joins them, with the operations on single elements behind it.
    Fork { join: &'static str, behind: Vec<String>, branches: Vec<Vec<Piece>> },
}

/// The parts of a run as they are drawn.
///
/// Operations on single elements go with the layer before them; in a run that begins with one, with the layer after
/// them, since that is how a pre-activation network is meant.
fn pieces(network: &Network, parts: &[Part]) -> Vec<Piece> {
    let op = |part: &Part| &network.node(part.output()).op;
    let forward = parts.first().is_some_and(|part| op(part).is_elementwise());
    let mut drawings: Vec<Drawing> = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    for part in parts {
        let node = network.node(part.output());
        match part {
            Part::Op(_) if node.op.is_elementwise() => {
                let name = describe(&node.op, node.shape).brief();
                match drawings.last_mut() {
                    Some(Drawing::Fork { behind, .. }) if !forward => behind.push(name),
                    Some(Drawing::Box { lines, .. }) if !forward => lines.push(name),
                    _ => waiting.push(name),
                }
            }
            Part::Op(_) if node.op == Op::Flatten => {}
            Part::Op(_) => {
                let before = std::mem::take(&mut waiting);
                let title = before.len();
                let lines = before.into_iter().chain([describe(&node.op, node.shape).brief()]).collect();
                drawings.push(Drawing::Box { class: class(&node.op), lines, title });
            }
            Part::Fork { branches, .. } => {
                drawings.extend(loose(&mut waiting));
                let branches = branches.iter().map(|branch| pieces(network, branch)).collect();
                let join = sign(&node.op);
                drawings.push(Drawing::Fork { join, behind: Vec::new(), branches });
            }
        }
    }
    drawings.extend(loose(&mut waiting));
    let mut pieces: Vec<Piece> = Vec::new();
    for drawing in drawings {
        match pieces.last_mut() {
            Some(last) if last.drawing == drawing => last.times += 1,
            _ => pieces.push(Piece { drawing, times: 1 }),
        }
    }
    pieces
}

/// A box of operations on single elements that no layer takes in.
fn loose(waiting: &mut Vec<String>) -> Option<Drawing> {
    let lines = std::mem::take(waiting);
    (!lines.is_empty()).then_some(Drawing::Box { class: "other", title: lines.len(), lines })
}

/// What stands where branches meet.
fn sign(op: &Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Concat => "concat",
        other => other.name(),
    }
}

fn class(op: &Op) -> &'static str {
    match op.kind() {
        Kind::Convolution => "conv",
        Kind::Linear | Kind::RadialBasis => "linear",
        Kind::Pool | Kind::AdaptivePool => "pool",
        Kind::Input | Kind::Normalisation | Kind::Activation | Kind::Elementwise | Kind::Layout | Kind::Join => "other",
    }
}

/// Elementwise names in one line below or above the title.
fn box_lines(lines: &[String], title: usize) -> Vec<(bool, String)> {
    let before = lines[..title.min(lines.len())].join(", ");
    let after = lines.get(title + 1..).unwrap_or_default().join(", ");
    let shown = [(false, before), (true, lines.get(title).cloned().unwrap_or_default()), (false, after)];
    shown.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// Width of a text of the usual size, roughly: the reader's font is not known.
fn text_width(text: &str) -> f64 {
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

fn run_size(pieces: &[Piece]) -> [f64; 2] {
    let sizes: Vec<[f64; 2]> = pieces.iter().map(size).collect();
    let width = sizes.iter().map(|[width, _]| *width).fold(IDENTITY, f64::max);
    let gaps = GAP * sizes.len().saturating_sub(1) as f64;
    [width, sizes.iter().map(|[_, height]| height).sum::<f64>() + gaps]
}

/// Draws a run from the middle of its upper edge downwards.
fn draw_run(pieces: &[Piece], canvas: &mut Canvas, [centre, mut y]: [f64; 2]) {
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
