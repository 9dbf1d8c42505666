//! Just enough SVG for the pictures drawn here: shapes with a class, and a style sheet.

use std::fmt::Write;

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
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        add(&mut self.body, format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>\n"));
    }

    /// The document, `width` × `height`, with a title for those who do not see it.
    pub fn finish(self, title: &str, [width, height]: [f64; 2]) -> String {
        let [width, height] = [width, height].map(|length| short(length.ceil()));
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

/// At most one decimal, and none that is 0.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}
