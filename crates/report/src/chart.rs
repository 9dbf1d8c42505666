//! Curves over epochs: panels side by side, one legend below.

use crate::style::{COLOURS, canvas};
use cnn_figures::axis::Unit;
use cnn_figures::svg::{Canvas, Point, Rectangle};
use cnn_figures::{Axis, Plot, fixed, percent, shortened};

const WIDTH: f64 = 960.0;
const PANEL_HEIGHT: f64 = 280.0;
/// A line of the legend, and the width of its columns.
const LEGEND: [f64; 2] = [18.0, 320.0];
/// A curve of as many points has them as dots too.
const FEW: usize = 10;
/// Values farther apart than this by their ratio have a logarithmic axis.
const FAR: f64 = 100.0;
/// Of two curves or more, up to so many, each has its name where it ends, instead of in a legend.
const NAMED: usize = 6;
/// Room for these names, on the right; letters that fit; from one to the next.
const NAMES: f64 = 150.0;
const LETTERS: usize = 16;
const APART: f64 = 15.0;
/// A curve is drawn with at most so many points: twice what a panel has pixels.
const POINTS: usize = 1600;

/// A curve.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Which of the colours, counted on beyond the last.
    pub(crate) colour: usize,
    /// Whether it is of training, drawn dotted.
    pub(crate) dotted: bool,
    pub(crate) points: Vec<Point>,
    /// An epoch whose point has a ring.
    pub(crate) ring: Option<usize>,
}

/// Curves that share their axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) series: Vec<Series>,
}

/// The panels in one picture. What has the same name in several has one line in the legend. `best` is an epoch that is
/// marked in all.
pub(crate) fn draw(title: &str, panels: &[Panel], best: Option<usize>) -> String {
    let mut canvas = canvas();
    let width = WIDTH / panels.len().max(1) as f64;
    let names = best.is_none() && panels.iter().all(Panel::has_names);
    for (index, panel) in panels.iter().enumerate() {
        let at = [index as f64 * width + 56.0, 30.0];
        let beside = if names { NAMES } else { 0.0 };
        let frame = Rectangle { at, width: width - 76.0 - beside, height: PANEL_HEIGHT - 70.0 };
        panel.draw(&mut canvas, frame, best, names);
    }
    let bottom = if names { PANEL_HEIGHT } else { legend(&mut canvas, panels, best) };
    canvas.finish(title, [WIDTH, bottom])
}

fn legend(canvas: &mut Canvas, panels: &[Panel], best: Option<usize>) -> f64 {
    let mut named: Vec<&Series> = Vec::new();
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if named.iter().all(|other| other.name != series.name) {
            named.push(series);
        }
    }
    let [line, column] = LEGEND;
    let best = best.map(|epoch| ("best".to_string(), format!("best epoch, {epoch}")));
    let entries: Vec<(String, String)> =
        named.iter().map(|series| (series.class(), shortened(&series.name, 44).to_string())).chain(best).collect();
    // As many columns as there are names, but for long ones.
    let columns = if entries.len() < 5 { 4 } else { (WIDTH / column) as usize };
    let column = if entries.len() < 5 { WIDTH / 4.0 - 14.0 } else { column };
    for (index, (class, name)) in entries.iter().enumerate() {
        let at = [56.0 + (index % columns) as f64 * column, PANEL_HEIGHT + 8.0 + (index / columns) as f64 * line];
        canvas.line(class, &[at, [at[0] + 26.0, at[1]]]);
        canvas.text("small", [at[0] + 34.0, at[1] + 4.0], name);
    }
    PANEL_HEIGHT + 8.0 + entries.len().div_ceil(columns) as f64 * line
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
    /// Whether each curve that is not dotted can have its name where it ends.
    fn has_names(&self) -> bool {
        let solid: Vec<&Series> = self.series.iter().filter(|series| !series.dotted).collect();
        let finite = |series: &&Series| series.points.iter().flatten().all(|n| n.is_finite());
        let short = |series: &&Series| series.name.chars().count() <= LETTERS && !series.points.is_empty();
        (2..=NAMED).contains(&solid.len()) && solid.iter().all(|series| finite(series) && short(series))
    }

    fn draw(&self, canvas: &mut Canvas, frame: Rectangle, best: Option<usize>, names: bool) {
        let Rectangle { at: [left, top], width, height } = frame;
        canvas.text("title", [left, top - 12.0], self.title);
        let curves: Vec<Vec<Point>> = self.series.iter().map(|series| thinned(&series.points)).collect();
        let values = |axis: usize| curves.iter().flatten().map(move |point| point[axis]);
        let x = Axis::over(values(0), width / 50.0, Unit::Whole);
        let y = match self.unit == Unit::Number && falls_far(values(1)) {
            true => Axis::by_decades(values(1), self.unit),
            false => Axis::over(values(1), height / 36.0, self.unit),
        };
        let plot = Plot { frame, x, y };
        plot.grid(canvas);
        plot.frame(canvas, "epoch");
        if let Some(best) = best {
            let [at, _] = plot.place([best as f64, 0.0]);
            canvas.line("best", &[[at, top], [at, top + height]]);
        }
        for (series, curve) in self.series.iter().zip(&curves) {
            let points: Vec<Point> = curve.iter().map(|point| plot.place(*point)).collect();
            if points.len() > 1 {
                canvas.line(&series.class(), &points);
            }
            // Of few points each is seen, a single one too.
            for point in points.iter().filter(|_| points.len() <= FEW) {
                canvas.circle(&format!("dot c{}", series.colour % COLOURS), *point, 3.0);
            }
            let ringed = series
                .points
                .iter()
                .find(|[epoch, value]| Some(*epoch) == series.ring.map(|at| at as f64) && value.is_finite());
            if let Some(point) = ringed {
                canvas.circle(&format!("ring series c{}", series.colour % COLOURS), plot.place(*point), 5.5);
            }
        }
        if names {
            self.names(canvas, &plot);
        }
    }

    /// The name of each curve that is not dotted and its last value, beside its end.
    fn names(&self, canvas: &mut Canvas, plot: &Plot) {
        let Rectangle { at: [left, top], width, height } = plot.frame;
        let ends = self.series.iter().filter(|series| !series.dotted).filter_map(|series| {
            let last = series.points.last()?;
            Some((series, last[1], plot.place(*last)))
        });
        let mut ends: Vec<(&Series, f64, Point)> = ends.collect();
        ends.sort_by(|a, b| a.2[1].total_cmp(&b.2[1]));
        let places = apart(&ends.iter().map(|(_, _, end)| end[1]).collect::<Vec<_>>(), [top, top + height]);
        for ((series, value, end), y) in ends.into_iter().zip(places) {
            let x = left + width;
            canvas.line(&format!("series c{}", series.colour % COLOURS), &[end, [x + 4.0, end[1]], [x + 12.0, y]]);
            let value = match self.unit {
                Unit::Percent => percent(value),
                _ => fixed(value, 3),
            };
            canvas.text("small", [x + 16.0, y + 4.0], &format!("{} {value}", series.name));
        }
    }
}

/// Ascending places, moved as little as is needed to lie so far apart that names can be read, from the first of `ends`
/// on; those that would lie below the second move up.
fn apart(places: &[f64], ends: [f64; 2]) -> Vec<f64> {
    let mut moved: Vec<f64> = Vec::new();
    for place in places {
        let least = moved.last().map_or(ends[0], |before| before + APART);
        moved.push(place.max(least));
    }
    let mut most = ends[1];
    for place in moved.iter_mut().rev() {
        *place = place.min(most);
        most = *place - APART;
    }
    moved
}

/// Whether values are so far apart, all above 0, that the small ones would be one line.
fn falls_far(values: impl Iterator<Item = f64>) -> bool {
    let (least, most) =
        values.fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    least > 0.0 && most > FAR * least
}

/// The points whose coordinates are finite. Of many, the lowest and the highest of each group of neighbours: the curve
/// looks the same, and the picture stays small.
fn thinned(points: &[Point]) -> Vec<Point> {
    let finite: Vec<Point> = points.iter().copied().filter(|point| point.iter().all(|n| n.is_finite())).collect();
    if finite.len() <= POINTS {
        return finite;
    }
    let group = finite.len().div_ceil(POINTS / 2);
    let ends = |group: &[Point]| {
        let lower = |a: &usize, b: &usize| group[*a][1].total_cmp(&group[*b][1]);
        let [least, most] =
            [(0..group.len()).min_by(lower), (0..group.len()).max_by(lower)].map(Option::unwrap_or_default);
        [group[least.min(most)], group[least.max(most)]]
    };
    finite.chunks(group).flat_map(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lie_apart_and_within() {
        assert_eq!(apart(&[10.0, 50.0, 90.0], [0.0, 100.0]), [10.0, 50.0, 90.0]);
        let close = apart(&[96.0, 97.0, 99.0], [0.0, 100.0]);
        assert_eq!(close, [70.0, 85.0, 100.0]);
        assert_eq!(apart(&[0.0, 0.0], [0.0, 100.0]), [0.0, APART]);
    }

    /// A curve whose name is long, or a single one, has a legend.
    #[test]
    fn two_curves_have_their_names_where_they_end() {
        let series = |name: &str, colour| {
            let points = vec![[1.0, 0.5], [2.0, 0.25]];
            Series { name: name.to_string(), colour, dotted: false, points, ring: None }
        };
        let panel = |series| [Panel { title: "accuracy", unit: Unit::Percent, series }];
        let both = draw("two", &panel(vec![series("first", 0), series("second", 1)]), None);
        assert!(both.contains("first 25.00 %") && both.contains("second 25.00 %"), "{both}");
        assert!(!both.contains("class=\"ring"), "{both}");
        let ringed = |epoch| draw("ring", &panel(vec![Series { ring: Some(epoch), ..series("first", 0) }]), None);
        assert_eq!(ringed(2).matches("class=\"ring series c0\"").count(), 1);
        assert!(!ringed(7).contains("class=\"ring"));
        let long = "a name that is longer than what fits";
        let long = draw("long", &panel(vec![series("first", 0), series(long, 1)]), None);
        let single = draw("one", &panel(vec![series("first", 0)]), None);
        assert!(long.contains(">first</text>") && single.contains(">first</text>"));
    }

    #[test]
    fn a_long_curve_keeps_its_peaks() {
        let mut points: Vec<Point> = (0..1_000_000).map(|x| [f64::from(x), 1.0]).collect();
        (points[123_456][1], points[654_321][1], points[7][1]) = (9.0, -9.0, f64::NAN);
        let thin = thinned(&points);
        assert!(thin.len() <= POINTS && thin.contains(&[123_456.0, 9.0]) && thin.contains(&[654_321.0, -9.0]));
        assert!(thin.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
        assert_eq!(thinned(&points[5..9]), [[5.0, 1.0], [6.0, 1.0], [8.0, 1.0]]);
    }
}
