//! As much SVG as the pictures here need: shapes with a class, and a style sheet.
//!
//! A picture is always well formed, whatever numbers and texts go in: positions that are not finite are 0, distant ones
//! are brought near, and texts are escaped.

use crate::printable::printable;
use std::fmt::Write;

/// Rules that every chart shares.
pub const STYLE: &str = "
    text { font: 12px Helvetica, Arial, sans-serif; fill: #222 }
    .title { font-weight: bold }
    .small { font-size: 11px; fill: #555 }
    .middle { font-size: 11px; fill: #555; text-anchor: middle }
    .end { font-size: 11px; fill: #555; text-anchor: end }
    .grid { stroke: #e4e4e4 }
    .frame { fill: none; stroke: #999 }
";

/// The largest coordinate.
const FARTHEST: f64 = 1e9;

/// A point, `[x, y]` from the top left.
pub type Point = [f64; 2];

/// A picture being drawn.
#[derive(Clone, Debug)]
pub struct Canvas {
    body: String,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    /// The top left corner.
    pub at: Point,
    /// Extent to the right.
    pub width: f64,
    /// Extent downwards.
    pub height: f64,
}

impl Canvas {
    /// An empty picture with its CSS rules.
    pub fn new(style: &str) -> Self {
        let mut body = String::new();
        let rules: Vec<&str> = style.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        add(&mut body, format_args!("<style>\n{}\n</style>\n", rules.join("\n")));
        Self { body }
    }

    /// A rectangle with round corners.
    pub fn rectangle(&mut self, class: &str, rectangle: Rectangle) {
        let Rectangle { at: [x, y], width, height } = rectangle;
        let [x, y, width, height] = [x, y, width, height].map(short);
        let shape = format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>\n"
        );
        add(&mut self.body, shape);
    }

    /// A line through these points.
    pub fn line(&mut self, class: &str, points: &[Point]) {
        let points: Vec<String> = points.iter().map(|[x, y]| format!("{},{}", short(*x), short(*y))).collect();
        add(&mut self.body, format_args!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" ")));
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, centre: Point, radius: f64) {
        let [x, y, radius] = [centre[0], centre[1], radius].map(short);
        add(&mut self.body, format_args!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>\n"));
    }

    /// A line of text, its baseline through this point.
    pub fn text(&mut self, class: &str, at: Point, text: &str) {
        let [x, y] = at.map(short);
        let text = escaped(text);
        add(&mut self.body, format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>\n"));
    }

    /// The document, `width` × `height`, with a title for those who do not see it.
    pub fn finish(self, title: &str, [width, height]: [f64; 2]) -> String {
        let [width, height] = [width, height].map(|length| short(length.ceil()));
        let title = escaped(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
             {height}\">\n<title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{}</svg>\n",
            self.body
        )
    }
}

/// Writing to a string cannot fail.
fn add(body: &mut String, shape: std::fmt::Arguments<'_>) {
    let _ = body.write_fmt(shape);
}

/// Text as it may stand in a document of XML or HTML, and in an attribute: also what would act on a terminal is escaped,
/// since XML allows no control characters.
pub fn escaped(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// At most one decimal, and none that is 0.
fn short(number: f64) -> String {
    let number = if number.is_nan() { 0.0 } else { number.clamp(-FARTHEST, FARTHEST) };
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}
