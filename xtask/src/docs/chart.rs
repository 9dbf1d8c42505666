//! Accuracy against cost: every result published on ImageNet, each network's MACs and parameters from its value.

use anyhow::Result;
use cnn_figures::axis::{Range, Scale, Unit};
use cnn_figures::svg::{self, Canvas, Point, Rectangle};
use cnn_figures::{Axis, Plot, count};
use cnn_zoo::{Benchmark, Family, Source};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 640.0;
/// The plot within the picture.
const PLOT: Rectangle = Rectangle { at: [64.0, 24.0], width: WIDTH - 88.0, height: HEIGHT - 80.0 };
/// Ends and ticks of the axes: multiply-accumulates in units of 10⁹, and top-1 as a share.
const MACS: (Range, [f64; 5]) = (Range { low: 0.6, high: 30.0 }, [1.0, 2.0, 5.0, 10.0, 20.0]);
const TOP1: (Range, [f64; 7]) = (Range { low: 0.55, high: 0.85 }, [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85]);

const STYLE: &str = "
    .leader { stroke: #bbb }
    .between { stroke: #bbb; stroke-dasharray: 3 3 }
    .size { fill: none; stroke: #777 }
    .alexnet, .vgg, .googlenet, .resnet, .densenet { fill-opacity: 0.55 }
    .ring { fill: none; stroke-width: 2 }
    .alexnet { fill: #8c6bb1; stroke: #8c6bb1 }
    .vgg { fill: #d9822b; stroke: #d9822b }
    .googlenet { fill: #c23b4e; stroke: #c23b4e }
    .resnet { fill: #2f77b4; stroke: #2f77b4 }
    .densenet { fill: #3f9142; stroke: #3f9142 }
    circle.ring { fill: #fff; fill-opacity: 0.6 }
";

/// A published result in the plane.
struct Dot {
    name: &'static str,
    family: Family,
    source: Source,
    at: Point,
    radius: f64,
}

/// The picture.
pub fn draw() -> Result<String> {
    let plot = plot();
    let mut dots = dots(&plot)?;
    // Large ones first, so that no dot is hidden.
    dots.sort_by(|a, b| b.radius.total_cmp(&a.radius).then(a.name.cmp(b.name)));
    let mut canvas = Canvas::new(&format!("{}{STYLE}", svg::STYLE));
    plot.grid(&mut canvas);
    plot.frame(&mut canvas, "multiply-accumulates for one image, 10⁹ (logarithmic)");
    let title = "top-1 accuracy on ImageNet, one crop, as torchvision publishes it";
    canvas.text("small", [PLOT.at[0], PLOT.at[1] - 8.0], title);
    for dot in &dots {
        for other in dots.iter().filter(|other| other.name == dot.name && other.source == Source::TorchvisionV2) {
            let ends = [[dot.at[0], dot.at[1] - dot.radius], [other.at[0], other.at[1] + other.radius]];
            if dot.source == Source::TorchvisionV1 && ends[0][1] > ends[1][1] {
                canvas.line("between", &ends);
            }
        }
    }
    for dot in &dots {
        let ring = if dot.source == Source::TorchvisionV2 { " ring" } else { "" };
        canvas.circle(&format!("{}{ring}", dot.family), dot.at, dot.radius);
    }
    labels(&mut canvas, &dots);
    legend(&mut canvas, &dots);
    Ok(canvas.finish("Top-1 accuracy on ImageNet against multiply-accumulates", [WIDTH, HEIGHT]))
}

fn dots(plot: &Plot) -> Result<Vec<Dot>> {
    let mut dots = Vec::new();
    for result in cnn_catalogue::results().filter(|result| result.source.benchmark() == Benchmark::ImageNet) {
        let entry = cnn_zoo::find(result.network)?;
        let summary = entry.architecture(entry.classes).at_usual_input()?.summary();
        dots.push(Dot {
            name: entry.name,
            family: entry.family,
            source: result.source,
            at: plot.place([summary.macs as f64 / 1e9, result.top1 / 100.0]),
            radius: radius(summary.parameters_without_heads),
        });
    }
    Ok(dots)
}

/// The frame and its axes.
fn plot() -> Plot {
    let x = Axis::fixed(MACS.0, &MACS.1, Scale::Logarithmic, Unit::Number);
    let y = Axis::fixed(TOP1.0, &TOP1.1, Scale::Linear, Unit::Percent);
    Plot { frame: PLOT, x, y }
}

/// The area is the number of parameters.
fn radius(parameters: usize) -> f64 {
    1.5 * (parameters as f64 / 1e6).sqrt()
}

/// Writes every network's name once, beside its lower dot, where it covers least.
fn labels(canvas: &mut Canvas, dots: &[Dot]) {
    let mut taken: Vec<Rectangle> = dots.iter().map(|dot| square(dot.at, dot.radius)).collect();
    let mut named: Vec<&Dot> = Vec::new();
    for dot in dots {
        let lower = dots.iter().filter(|other| other.name == dot.name).all(|other| other.at[1] <= dot.at[1]);
        if lower {
            named.push(dot);
        }
    }
    named.sort_by(|a, b| a.radius.total_cmp(&b.radius).then(a.name.cmp(b.name)));
    for dot in named {
        let (width, height) = (dot.name.chars().count() as f64 * 6.5, 13.0);
        let mut best: Option<(f64, Rectangle)> = None;
        for distance in [4.0, 8.0, 16.0, 28.0, 42.0, 60.0] {
            for [dx, dy] in [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]] {
                let [dx, dy] = [f64::from(dx), f64::from(dy)];
                let slant = if dx != 0.0 && dy != 0.0 { 0.7 } else { 1.0 };
                let reach = (dot.radius + distance) * slant;
                let middle = [dot.at[0] + dx * (reach + width / 2.0), dot.at[1] + dy * (reach + height / 2.0)];
                let at = [middle[0] - width / 2.0, middle[1] - height / 2.0];
                let label = Rectangle { at, width, height };
                let covered = taken.iter().map(|other| overlap(label, *other)).sum::<f64>()
                    + (width * height - overlap(label, PLOT)) * 10.0
                    + distance;
                // Where several places cover nothing, the first is taken, and not the one that rounding prefers.
                let covered = (covered * 1e3).round() / 1e3;
                if best.is_none_or(|(least, _)| covered < least) {
                    best = Some((covered, label));
                }
            }
        }
        if let Some((_, label)) = best {
            let middle = [label.at[0] + label.width / 2.0, label.at[1] + label.height / 2.0];
            let nearest = [
                dot.at[0].clamp(label.at[0], label.at[0] + label.width),
                dot.at[1].clamp(label.at[1], label.at[1] + label.height),
            ];
            let away = (nearest[0] - dot.at[0]).hypot(nearest[1] - dot.at[1]);
            if away > dot.radius + 9.0 {
                let edge = [0, 1].map(|axis| dot.at[axis] + (nearest[axis] - dot.at[axis]) * dot.radius / away);
                canvas.line("leader", &[edge, nearest]);
            }
            canvas.text("middle", [middle[0], middle[1] + 4.0], dot.name);
            // With some air around it: the reader's font may be wider.
            let at = label.at.map(|corner| corner - 3.0);
            taken.push(Rectangle { at, width: label.width + 6.0, height: label.height + 6.0 });
        }
    }
}

fn square(centre: Point, radius: f64) -> Rectangle {
    Rectangle { at: centre.map(|c| c - radius), width: 2.0 * radius, height: 2.0 * radius }
}

fn overlap(a: Rectangle, b: Rectangle) -> f64 {
    let along = |axis: usize, a_extent: f64, b_extent: f64| {
        ((a.at[axis] + a_extent).min(b.at[axis] + b_extent) - a.at[axis].max(b.at[axis])).max(0.0)
    };
    along(0, a.width, b.width) * along(1, a.height, b.height)
}

fn legend(canvas: &mut Canvas, dots: &[Dot]) {
    let left = PLOT.at[0] + PLOT.width - 250.0;
    let mut y = PLOT.at[1] + PLOT.height - 196.0;
    for family in Family::ALL.into_iter().filter(|family| dots.iter().any(|dot| dot.family == *family)) {
        canvas.circle(family.name(), [left, y], 6.0);
        canvas.text("small", [left + 14.0, y + 4.0], family.name());
        y += 20.0;
    }
    canvas.circle("size", [left, y], 6.0);
    canvas.text("small", [left + 14.0, y + 4.0], "ring: torchvision's second weights (V2),");
    canvas.text("small", [left + 14.0, y + 18.0], "the same network, a longer recipe");
    y += 42.0;
    let mut x = left + 4.0;
    for parameters in [10_000_000, 50_000_000, 100_000_000] {
        let radius = radius(parameters);
        canvas.circle("size", [x, y], radius);
        canvas.text("small", [x + radius + 4.0, y + 4.0], &format!("{} M", count(parameters / 1_000_000)));
        x += 2.0 * radius + 52.0;
    }
    canvas.text("small", [left - 6.0, y + 30.0], "area: parameters");
}
