//! The look of the pictures, on light and on dark ground.

use cnn_figures::svg::{Canvas, STYLE};

/// Colours of series; a ninth begins again, with dashes.
pub(crate) const COLOURS: usize = 8;

/// Rules of every picture, behind those of all charts.
const PICTURE: &str = "
    svg { color-scheme: light dark }
    .even { stroke: #999; stroke-dasharray: 3 3 }
    .series { fill: none; stroke-width: 1.8; stroke-linejoin: round }
    .dashed { stroke-dasharray: 5 4 }
    .dotted { stroke-dasharray: 1.5 3 }
    .dot { stroke: none }
    .best { fill: none; stroke: #888; stroke-dasharray: 4 3 }
    .c0 { stroke: #2f77b4; fill: #2f77b4 } .c1 { stroke: #d9822b; fill: #d9822b }
    .c2 { stroke: #3f9142; fill: #3f9142 } .c3 { stroke: #c23b4e; fill: #c23b4e }
    .c4 { stroke: #8c6bb1; fill: #8c6bb1 } .c5 { stroke: #1d9a9a; fill: #1d9a9a }
    .c6 { stroke: #c65d9b; fill: #c65d9b } .c7 { stroke: #83832a; fill: #83832a }
    polyline.series, circle.ring { fill: none }
    .right { fill: #2f77b4 } .wrong { fill: #c23b4e } .bar { fill: #2f77b4; fill-opacity: 0.65 }
    .s0 { fill-opacity: 0 } .s1 { fill-opacity: 0.2 } .s2 { fill-opacity: 0.28 } .s3 { fill-opacity: 0.36 }
    .s4 { fill-opacity: 0.48 } .s5 { fill-opacity: 0.6 } .s6 { fill-opacity: 0.72 } .s7 { fill-opacity: 0.85 }
    .number { font-size: 11px; text-anchor: middle } .number.over { fill: #fff }
    @media (prefers-color-scheme: dark) {
    svg > title + rect { fill: #16181c }
    text { fill: #e6e6e6 }
    .small, .middle, .end { fill: #aaa }
    .grid { stroke: #33373d }
    .frame { stroke: #777 }
    .c0 { stroke: #6cb1ee; fill: #6cb1ee } .c1 { stroke: #f0a45c; fill: #f0a45c }
    .c2 { stroke: #6fc473; fill: #6fc473 } .c3 { stroke: #ee7384; fill: #ee7384 }
    .c4 { stroke: #b99ade; fill: #b99ade } .c5 { stroke: #55c9c9; fill: #55c9c9 }
    .c6 { stroke: #e58fc0; fill: #e58fc0 } .c7 { stroke: #bcbc55; fill: #bcbc55 }
    polyline.series, circle.ring { fill: none }
    .right, .bar { fill: #3f8fd6 } .wrong { fill: #e0556a }
    }
";

/// An empty picture. The rules are the same in all, so that pictures can stand in one page.
pub(crate) fn canvas() -> Canvas {
    Canvas::new(&format!("{STYLE}{PICTURE}"))
}

/// Rules of a page.
pub(crate) const PAGE: &str = "
    :root { color-scheme: light dark; --ground: #fff; --ink: #222; --faint: #666; --line: #ddd }
    @media (prefers-color-scheme: dark) { :root { --ground: #16181c; --ink: #e6e6e6; --faint: #aaa; --line: #33373d } }
    body { font: 15px/1.45 Helvetica, Arial, sans-serif; max-width: 980px; margin: 2em auto; padding: 0 1em;
      background: var(--ground); color: var(--ink) }
    h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }
    p.faint, figcaption { color: var(--faint) }
    .wide { overflow-x: auto }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums }
    th, td { text-align: left; padding: 0.2em 1em 0.2em 0; border-bottom: 1px solid var(--line) }
    td.number, th.number { text-align: right; font-size: inherit }
    .wide svg { max-width: 100%; height: auto }
    ul.mistakes { list-style: none; padding: 0; display: grid; gap: 1em;
      grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)) }
    figure { margin: 0 } figcaption { font-size: 0.85em; overflow-wrap: anywhere }
    figure img { width: 128px; image-rendering: pixelated; border: 1px solid var(--line) }
";
