//! A page about networks before training, and a picture that is made by formula:
//!
//! ```text
//! cargo run -p cnn-explain --example page -- FOLDER [NET …]
//! ```
//!
//! Without a name it writes a page of every network of the zoo. It prints their sizes in MB and the seconds they took.

use cnn_explain::{Explainer, Page, Subject};
use cnn_weights::Weights;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("say which folder")?;
    let named: Vec<String> = arguments.collect();
    std::fs::create_dir_all(&folder)?;
    for entry in cnn_zoo::all().filter(|entry| named.is_empty() || named.iter().any(|name| name == entry.name)) {
        let network = entry.architecture(entry.classes).without_heads().at_usual_input()?;
        let started = Instant::now();
        let mut explainer = Explainer::new(&network, &Weights::initialised(&network, 1))?;
        let [height, width] = network.input().size().ok_or("no picture")?.axes();
        let pixels: Vec<u8> = (0..network.input().channels()).flat_map(|c| rings(c, height, width)).collect();
        let image = pixels.iter().map(|pixel| f32::from(*pixel) / 64.0 - 2.0).collect();
        let page = Page {
            title: &format!("{} before training", entry.name),
            classes: &[],
            notes: &["weights drawn from the seed 1: the answers mean nothing".to_string()],
            subjects: &[Subject { name: "rings", image, pixels }],
            top: 5,
            collection: None,
        };
        let html = page.html(&mut explainer)?;
        let path = Path::new(&folder).join(format!("{}.html", entry.name));
        std::fs::write(path, &html)?;
        let megabytes = html.len() as f64 / 1e6;
        println!("| `{}` | {megabytes:.2} | {:.1} |", entry.name, started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Rings around a point that differs by channel.
fn rings(channel: usize, height: usize, width: usize) -> impl Iterator<Item = u8> {
    let centre = [(height * (channel + 2) / 6) as f64, (width * (4 - channel) / 6) as f64];
    let scale = 24.0 / height as f64;
    (0..height * width).map(move |place| {
        let distance = ((place / width) as f64 - centre[0]).hypot((place % width) as f64 - centre[1]);
        (127.5 + 127.5 * (scale * distance).sin()) as u8
    })
}
