//! The page and the picture of the races: drawn from `docs/performance.json`, which `cargo xtask race --docs` writes.

use super::markers;
use crate::race::{RIVALS, Race, Records, means, ratios, table};
use anyhow::{Result, bail};
use cnn_figures::svg::{self, Canvas, Rectangle};
use cnn_figures::{Axis, fixed};

const WIDTH: f64 = 960.0;
/// Where bars begin and end; the names of the cases stand left of them.
const BARS: [f64; 2] = [210.0, 850.0];
const BAR: f64 = 12.0;
/// Between cases, and above each race.
const GAP: f64 = 10.0;
const HEADER: f64 = 58.0;
/// The width of an entry of the legend.
const ENTRY: f64 = 110.0;

const STYLE: &str = "
    .case { text-anchor: end }
    .one { stroke: #777 }
    .torch { fill: #d9822b }
    .onnxruntime { fill: #2f77b4 }
    .openvino { fill: #8c6bb1 }
    .ncnn { fill: #3a9a5b }
    .rten { fill: #c44e6c }
";

/// The text with its tables: behind `<!-- race KIND -->` the last recorded race of that kind.
pub fn fill(text: &str, records: &Records) -> Result<String> {
    markers::fill(text, "race", |kind| {
        let Some(race) = records.named(kind) else { bail!("there is no race of {kind}") };
        Ok(race.as_ref().map_or_else(|| "No race is recorded.".to_string(), table))
    })
}

/// The ratios of the recorded races in `f32` as bars.
pub fn draw(records: &Records) -> String {
    let races: Vec<&Race> = records.train.iter().chain(&records.inference).collect();
    let mut canvas = Canvas::new(&format!("{}{STYLE}", svg::STYLE));
    let ratios = races.iter().flat_map(|race| race.outcomes.iter().flat_map(ratios));
    let axis = Axis::powers_of_two(ratios.map(|(_, ratio)| ratio));
    let mut y = 8.0;
    for race in &races {
        y = section(&mut canvas, &axis, race, y) + 16.0;
    }
    if races.is_empty() {
        canvas.text("small", [16.0, 28.0], "no race is recorded");
        y = 44.0;
    }
    canvas.finish("Time of others as a multiple of this project's", [WIDTH, y])
}

/// Where a ratio lies.
fn x(axis: &Axis, ratio: f64) -> f64 {
    BARS[0] + (BARS[1] - BARS[0]) * axis.share(ratio)
}

/// Draws a race from `top` on; returns where it ends.
fn section(canvas: &mut Canvas, axis: &Axis, race: &Race, top: f64) -> f64 {
    let bars = |count: usize| count.max(1) as f64 * BAR + GAP;
    let all: Vec<_> = race.outcomes.iter().map(|outcome| (outcome.title(), ratios(outcome))).collect();
    let means: Vec<(&str, f64)> = means(race).into_iter().map(|(name, mean, _)| (name, mean)).collect();
    let bottom = top + HEADER + all.iter().map(|(_, ratios)| bars(ratios.len())).sum::<f64>() + bars(means.len());
    let what = if race.train { "Training steps" } else { "Forward passes" };
    canvas.text("title", [16.0, top + 16.0], &format!("{what}: time of others / time of this project"));
    legend(canvas, race, top + 16.0);
    let how = format!("{}, threads: {}; right of 1 this project takes less time", race.machine.processor, race.threads);
    canvas.text("small", [16.0, top + 32.0], &how);
    for tick in axis.ticks() {
        let x = x(axis, *tick);
        canvas.line(if *tick == 1.0 { "one" } else { "grid" }, &[[x, top + HEADER - 4.0], [x, bottom]]);
        canvas.text("middle", [x, top + HEADER - 8.0], &axis.label(*tick));
    }
    let mut y = top + HEADER;
    for (title, ratios) in &all {
        group(canvas, axis, title, ratios, y);
        y += bars(ratios.len());
    }
    group(canvas, axis, "geometric mean", &means, y);
    bottom
}

/// The bars of a case.
fn group(canvas: &mut Canvas, axis: &Axis, title: &str, ratios: &[(&str, f64)], top: f64) {
    let middle = top + ratios.len().max(1) as f64 * BAR / 2.0;
    canvas.text("case", [BARS[0] - 8.0, middle + 4.0], title);
    if ratios.is_empty() {
        canvas.text("small", [x(axis, 1.0) + 6.0, middle + 4.0], "failed");
    }
    for (number, (rival, ratio)) in ratios.iter().enumerate() {
        let y = top + number as f64 * BAR;
        let [one, end] = [x(axis, 1.0), x(axis, *ratio)];
        let bar = Rectangle { at: [one.min(end), y], width: (end - one).abs(), height: BAR - 2.0 };
        canvas.rectangle(&class(rival), bar);
        canvas.text("small", [one.max(end) + 6.0, y + BAR - 3.0], &fixed(*ratio, 2));
    }
}

fn legend(canvas: &mut Canvas, race: &Race, y: f64) {
    let raced = |name: &str| race.outcomes.iter().flat_map(ratios).any(|(rival, _)| rival == name);
    let names: Vec<&str> = RIVALS.iter().map(|(name, _)| *name).filter(|name| raced(name)).collect();
    for (place, name) in names.iter().enumerate() {
        let x = WIDTH - ENTRY * (names.len() - place) as f64;
        canvas.rectangle(&class(name), Rectangle { at: [x, y - 9.0], width: 10.0, height: 10.0 });
        canvas.text("small", [x + 15.0, y], name);
    }
}

fn class(rival: &str) -> String {
    rival.to_lowercase().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::example;
    use anyhow::Context;
    use std::collections::BTreeSet;

    #[test]
    fn the_picture_is_well_formed() -> Result<()> {
        for records in
            [Records::default(), Records { train: Some(example()), inference: Some(example()), ..Records::default() }]
        {
            let picture = draw(&records);
            assert_eq!(roxmltree::Document::parse(&picture)?.root_element().tag_name().name(), "svg");
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        }
        Ok(())
    }

    /// Every rival has a colour of its own, and its name lies within the picture, beside the title.
    #[test]
    fn every_rival_is_told_apart_and_named() -> Result<()> {
        let mut race = example();
        for outcome in &mut race.outcomes {
            outcome.lanes.truncate(1);
            for (_, layouts) in RIVALS {
                let mut lane = outcome.lanes[0].clone();
                lane.contestant = layouts[0].to_string();
                outcome.lanes.push(lane);
            }
        }
        let picture = draw(&Records { inference: Some(race), ..Records::default() });
        let document = roxmltree::Document::parse(&picture)?;
        let colours = RIVALS.iter().filter_map(|(name, _)| {
            let (_, rule) = picture.split_once(&format!(".{} {{ fill: ", class(name)))?;
            Some(rule.split_once(' ')?.0)
        });
        assert_eq!(colours.collect::<BTreeSet<_>>().len(), RIVALS.len(), "{STYLE}");
        for (name, _) in RIVALS {
            let entry = document.descendants().find(|node| node.text() == Some(name) && node.has_tag_name("text"));
            let x: f64 = entry.and_then(|node| node.attribute("x")).context("it is not in the legend")?.parse()?;
            assert!(x > 360.0 && x + 7.0 * name.len() as f64 <= WIDTH, "{name} at {x}");
        }
        Ok(())
    }

    #[test]
    fn the_page_gets_the_race_of_its_kind() -> Result<()> {
        let records = Records { train: Some(example()), ..Records::default() };
        let text = fill("<!-- race train -->\n<!-- /race -->\n<!-- race inference -->\n<!-- /race -->", &records)?;
        assert!(text.contains("| a b8 32 |") && text.contains("No race is recorded."), "{text}");
        assert!(fill("<!-- race x -->\n<!-- /race -->", &records).is_err());
        Ok(())
    }
}
