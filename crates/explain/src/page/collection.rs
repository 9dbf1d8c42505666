//! Images of a data set: a plane of points, and what excites channels.

use super::{Page, data};
use crate::collection::{Collection, Excited, Tiles};
use crate::error::Result;
use cnn_figures::svg::escaped;
use cnn_figures::{count, percent};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a script needs to draw the points.
#[derive(Debug, Serialize)]
struct Points<'a> {
    /// Each way to place them: its name, and in turns across and down, from 0 to 1000.
    ways: Vec<(&'a str, Vec<u16>)>,
    /// The class of each, the most probable one, and how probable in thousandths; classes are positions among `names`.
    labels: Vec<usize>,
    answers: Vec<usize>,
    shares: Vec<u16>,
    names: Vec<String>,
    /// The small pictures.
    sheet: String,
    cell: [usize; 2],
    columns: usize,
    size: [usize; 2],
}

/// Writes the section.
pub(super) fn section(page: &Page<'_>, collection: &Collection, body: &mut String) -> Result<()> {
    let Collection { name, labels, answers, features, shares, .. } = collection;
    let right = labels.iter().zip(answers).filter(|(label, (answer, _))| *label == answer).count();
    let (node, length) = features;
    let plane = match &collection.neighbours {
        Some(_) => "t-SNE puts near each other what has like features; distances between groups say little. ",
        None => "",
    };
    let _ = writeln!(
        body,
        "<section>\n<h2>{}</h2>\n<p class=\"faint\">{} of them are answered rightly. Each is a point, where its {} \
         features at <code>{}</code> put it; its colour and its form are its class, and those with a ring are answered wrongly. \
         {plane}The principal components keep {} of the variance.</p>",
        escaped(name),
        percent(right as f64 / labels.len().max(1) as f64),
        count(*length),
        escaped(node),
        percent(shares[0] + shares[1])
    );
    body.push_str("<div id=\"plane\"></div>\n");
    data(body, "points", &points(page, collection)?)?;
    let _ = writeln!(body, "<script>\n{}</script>", include_str!("points.js"));
    body.push_str("</section>\n");
    for (number, node) in collection.nodes.iter().enumerate() {
        excited(page, collection, node, number, body)?;
    }
    Ok(())
}

fn points<'a>(page: &Page<'_>, collection: &Collection) -> Result<Points<'a>> {
    // The classes that occur, the most frequent first.
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    collection.labels.iter().for_each(|label| *times.entry(*label).or_default() += 1);
    collection.answers.iter().for_each(|(answer, _)| {
        times.entry(*answer).or_default();
    });
    let mut classes: Vec<(usize, usize)> = times.into_iter().collect();
    if classes.len() > 21 {
        classes.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    }
    let position: BTreeMap<usize, usize> = classes.iter().enumerate().map(|(at, (class, _))| (*class, at)).collect();
    let at = |class: &usize| position.get(class).copied().unwrap_or(0);
    let mut ways = Vec::new();
    if let Some(points) = &collection.neighbours {
        ways.push(("t-SNE", scaled(points)));
    }
    ways.push(("principal components", scaled(&collection.principal)));
    let Tiles { cell, columns, .. } = collection.thumbnails;
    Ok(Points {
        ways,
        labels: collection.labels.iter().map(at).collect(),
        answers: collection.answers.iter().map(|(class, _)| at(class)).collect(),
        shares: collection.answers.iter().map(|(_, share)| (1000.0 * share).round() as u16).collect(),
        names: classes.iter().map(|(class, _)| page.class(*class)).collect(),
        sheet: collection.thumbnails.address()?,
        cell,
        columns,
        size: collection.thumbnails.size(),
    })
}

/// Points in a square of 1000, each axis from its least to its greatest.
fn scaled(points: &[[f64; 2]]) -> Vec<u16> {
    let ends = [0, 1].map(|axis| {
        let along = points.iter().map(|point| point[axis]);
        along.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)))
    });
    let place = |(x, (least, most)): (&f64, (f64, f64))| {
        let share = if most > least { (x - least) / (most - least) } else { 0.5 };
        (1000.0 * share).round() as u16
    };
    points.iter().flat_map(|point| point.iter().zip(ends).map(place).collect::<Vec<_>>()).collect()
}

/// The images that excite some channels of a node.
fn excited(page: &Page<'_>, collection: &Collection, node: &Excited, number: usize, body: &mut String) -> Result<()> {
    let [rows, columns] = node.sees;
    let shown = match node.channels.len() {
        shown if shown < node.all => format!(" ({shown} of {}, evenly chosen)", count(node.all)),
        _ => String::new(),
    };
    let [height, width] = node.tiles.cell;
    let zoom = (44 / height.max(width).max(1)).max(1);
    let [sheet_height, sheet_width] = node.tiles.size().map(|length| length * zoom);
    let _ = writeln!(
        body,
        "<section>\n<h2>What excites <code>{}</code> most</h2>\n<p class=\"faint\">For each channel of {}{shown}: of these images \
         those in which its greatest number is greatest, and of each the part that this number is made of, {rows}×{columns} \
         pixels at most. What lies beyond the image's edge is grey.</p>\n<style>.part{number} {{ width: {}px; height: {}px; background: url(\"{}\") 0 0 / {sheet_width}px \
         {sheet_height}px; {} }}</style>\n<ul class=\"excited\">",
        escaped(&node.path),
        node.shape,
        width * zoom,
        height * zoom,
        node.tiles.address()?,
        if zoom > 1 { "image-rendering: pixelated" } else { "" }
    );
    let mut tile = 0;
    for (channel, best) in &node.channels {
        let _ = write!(body, "<li><span class=\"cost\">channel {channel}</span> ");
        for exciting in best {
            let (top, left) = (tile / node.tiles.columns * height * zoom, tile % node.tiles.columns * width * zoom);
            tile += 1;
            let class = collection.labels.get(exciting.image).map_or_else(String::new, |label| page.class(*label));
            let text = escaped(&format!("{class}, {:.3}", exciting.value));
            let _ = write!(
                body,
                "<i class=\"part{number}\" role=\"img\" aria-label=\"{text}\" title=\"{text}\" style=\"background-position: \
                 -{left}px -{top}px\"></i>"
            );
        }
        body.push_str("</li>\n");
    }
    body.push_str("</ul>\n</section>\n");
    Ok(())
}
