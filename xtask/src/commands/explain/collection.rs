//! `explain --dataset`: images of a data set on the page.

use crate::cli::{self, Common};
use crate::commands::eval::Ready;
use crate::data_name::folder_of;
use crate::no_effect;
use crate::progress::bar;
use crate::trained;
use crate::way_out;
use anyhow::{Result, bail};
use cnn_core::network::NodeId;
use cnn_explain::{Collection, Explainer, Sample};

/// So many images where nobody says how many.
const USUAL: u32 = 1000;

/// The images with the weights that are to look at them.
pub fn open(args: &cli::Explain, common: &Common, network: Option<&str>) -> Result<Ready> {
    let limit = args.data.limit.unwrap_or(USUAL);
    if !(2..=Collection::MOST).contains(&(limit as usize)) {
        bail!("--limit {limit}: a page shows from 2 to {} images of a data set", Collection::MOST);
    }
    // Where the data set has no files, --no-exif and --max-pixels are about the pictures that are named.
    let files = args.data.dataset.as_deref().is_some_and(|name| folder_of(name).is_some());
    let of_pictures = !files && !trained::split(&args.names).1.is_empty();
    let (no_exif, max_pixels) = if of_pictures { (false, None) } else { (args.data.no_exif, args.data.max_pixels) };
    let judge = cli::Judge {
        network: network.map(str::to_string),
        trained: args.trained.clone(),
        data: cli::Data { limit: Some(limit), no_exif, max_pixels, ..args.data.clone() },
        test_time: None,
        batch_size: 1,
    };
    let ready = Ready::new(&judge, common)?;
    no_effect::of_seed(common, ready.drawn)?;
    Ok(ready)
}

/// One of the images.
pub fn sample(ready: &Ready, position: usize) -> Result<Sample> {
    let card = &ready.opened.trained.card;
    let image = card.preparation.apply(&ready.images, &[position])?;
    let pixels = card.preparation.bytes(&image, card.input);
    let label = ready.images.labels().get(position).map_or(0, |label| *label as usize);
    Ok(Sample { image, pixels, label })
}

/// What the network makes of them.
pub fn look(explainer: &Explainer, ready: &Ready, nodes: &[String]) -> Result<Collection> {
    let nodes: Vec<NodeId> =
        nodes.iter().map(|path| way_out::node(explainer.network(), path)).collect::<Result<_, _>>()?;
    let count = ready.images.len();
    let (bar, mut looked) = (bar(count as u64), 0);
    let name = ready.of.clone();
    let collection = Collection::of(explainer, &name, &nodes, count, |position| {
        looked += 1;
        if looked <= count {
            bar.inc(1);
        }
        sample(ready, position)
    });
    bar.finish_and_clear();
    collection
}
