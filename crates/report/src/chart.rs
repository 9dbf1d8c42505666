//! Curves over epochs: panels side by side, one legend below.

use crate::style::{COLOURS, PICTURE};
use cnn_core::svg::{Canvas, Point, Rectangle};

const WIDTH: f64 = 960.0;
const PANEL_HEIGHT: f64 = 280.0;
/// A line of the legend, and the width of its columns.
const LEGEND: [f64; 2] = [18.0, 320.0];

/// A curve.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Which of the colours, counted on beyond the last.
    pub(crate) colour: usize,
    /// Whether it is of training, drawn dotted.
    pub(crate) dotted: bool,
    pub(crate) points: Vec<Point>,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Number,
    /// Values from 0 to 1.
    Percent,
}

/// Curves that share their axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) series: Vec<Series>,
}

/// The panels in one picture. What has the same name in several has one line in the legend.
pub(crate) fn draw(title: &str, panels: &[Panel]) -> String {
    let mut canvas = Canvas::new(PICTURE);
    let width = WIDTH / panels.len().max(1) as f64;
    for (index, panel) in panels.iter().enumerate() {
        let at = [index as f64 * width + 56.0, 30.0];
        panel.draw(&mut canvas, Rectangle { at, width: width - 76.0, height: PANEL_HEIGHT - 70.0 });
    }
    let bottom = legend(&mut canvas, panels);
    canvas.finish(title, [WIDTH, bottom])
}

fn legend(canvas: &mut Canvas, panels: &[Panel]) -> f64 {
    let mut named: Vec<&Series> = Vec::new();
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if named.iter().all(|other| other.name != series.name) {
            named.push(series);
        }
    }
    let [line, column] = LEGEND;
    let columns = (WIDTH / column) as usize;
    for (index, series) in named.iter().enumerate() {
        let at = [56.0 + (index % columns) as f64 * column, PANEL_HEIGHT + 8.0 + (index / columns) as f64 * line];
        canvas.line(&series.class(), &[at, [at[0] + 26.0, at[1]]]);
        canvas.text("small", [at[0] + 34.0, at[1] + 4.0], &shortened(&series.name, 44));
    }
    PANEL_HEIGHT + 8.0 + named.len().div_ceil(columns) as f64 * line
}

impl Series {
    fn class(&self) -> String {
        let kind = match (self.dotted, self.colour < COLOURS) {
            (true, _) => " dotted",
            (false, true) => "",
            (false, false) => " dashed",
        };
        format!("series c{}{kind}", self.colour % COLOURS)
    }
}

impl Panel {
    fn draw(&self, canvas: &mut Canvas, plot: Rectangle) {
        let Rectangle { at: [left, top], width, height } = plot;
        canvas.text("title", [left, top - 12.0], self.title);
        let finite = |point: &&Point| point.iter().all(|number| number.is_finite());
        let points = || self.series.iter().flat_map(|series| series.points.iter().filter(finite));
        let x = Axis::over(points().map(|point| point[0]), width / 50.0).whole();
        let y = Axis::over(points().map(|point| point[1]), height / 36.0);
        let place = |[a, b]: Point| [left + width * x.share(a), top + height * (1.0 - y.share(b))];
        for tick in x.ticks() {
            let [at, _] = place([tick, y.low]);
            canvas.line("grid", &[[at, top], [at, top + height]]);
            canvas.text("middle", [at, top + height + 16.0], &format!("{tick:.0}"));
        }
        for tick in y.ticks() {
            let [_, at] = place([x.low, tick]);
            canvas.line("grid", &[[left, at], [left + width, at]]);
            canvas.text("end", [left - 6.0, at + 4.0], &self.unit.write(tick, y.step));
        }
        canvas.rectangle("frame", plot);
        canvas.text("middle", [left + width / 2.0, top + height + 32.0], "epoch");
        for series in &self.series {
            let points: Vec<Point> = series.points.iter().filter(finite).map(|point| place(*point)).collect();
            if let [only] = points.as_slice() {
                canvas.circle(&format!("dot c{}", series.colour % COLOURS), *only, 3.0);
            } else if !points.is_empty() {
                canvas.line(&series.class(), &points);
            }
        }
    }
}

impl Unit {
    fn write(self, value: f64, step: f64) -> String {
        let (value, step, sign) = match self {
            Self::Number => (value, step, ""),
            Self::Percent => (100.0 * value, 100.0 * step, " %"),
        };
        let digits = (-step.log10() + 1e-9).ceil().clamp(0.0, 8.0) as usize;
        if self == Self::Number && step < 1e-4 {
            return format!("{value:.1e}");
        }
        format!("{value:.digits$}{sign}")
    }
}

/// The range that is shown, and the distance of its ticks: 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// Over these values, with about `ticks` ticks.
    fn over(values: impl Iterator<Item = f64>, ticks: f64) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = match (low <= high, low < high) {
            (false, _) => (0.0, 1.0),
            // One value, in the middle.
            (true, false) => (low - (low.abs() * 0.5).max(1e-12), low + (low.abs() * 0.5).max(1e-12)),
            (true, true) => (low, high),
        };
        let rough = (high - low) / ticks.max(1.0);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    /// With ticks at whole numbers only, and nothing beyond the values.
    fn whole(self) -> Self {
        let step = self.step.max(1.0);
        Self { low: (self.low / step).floor() * step, high: (self.high / step).ceil() * step, step }
    }

    fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        (0..=count).map(move |tick| self.low + tick as f64 * self.step)
    }
}

/// At most `length` characters.
pub(crate) fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length.saturating_sub(1)) {
        Some((end, _)) if text.chars().count() > length => format!("{}…", &text[..end]),
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        let axis = Axis::over([0.13, 0.87].into_iter(), 5.0);
        assert_eq!(axis, Axis { low: 0.0, high: 1.0, step: 0.2 });
        assert_eq!(Axis::over([3.0].into_iter(), 4.0).whole().step, 1.0);
        let one = Axis::over([0.02].into_iter(), 4.0);
        assert!(one.low < 0.02 && one.high > 0.02);
        assert_eq!(Axis::over(std::iter::empty(), 4.0), Axis { low: 0.0, high: 1.0, step: 0.5 });
        assert_eq!(Unit::Percent.write(0.974, 0.002), "97.4 %");
        assert_eq!(Unit::Number.write(0.02, 0.005), "0.020");
    }

    #[test]
    fn long_names_are_cut_at_characters() {
        assert_eq!(shortened("größer", 4), "grö…");
        assert_eq!(shortened("groß", 4), "groß");
    }
}
