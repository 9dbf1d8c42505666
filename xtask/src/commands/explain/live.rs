//! `explain --live`: a page that computes by itself.

use super::{module, with_bar};
use crate::cli;
use crate::trained::{self, Opened};
use crate::way_out::ends_in;
use anyhow::{Result, bail};
use cnn_explain::{Engine, Explainer, LivePage, Page, Subject};
use cnn_figures::{bytes, path};

/// A page larger than this loads slowly.
const USUAL: usize = 1_500_000;

pub fn run(args: &cli::Explain, network: Option<&str>, pictures: &[String]) -> Result<()> {
    if !pictures.is_empty() {
        bail!("with --live pictures are drawn on the page, or dropped on it; none is named");
    }
    let opened = trained::open(&args.trained, network, None)?;
    trained::reads(&opened.trained, &args.trained).allow(&args.out)?;
    ends_in(&args.out, &["html"])?;
    let name = opened.trained.card.network.clone();
    // The classes and the preparation that the command line says go with the weights.
    let weights = opened.trained.card.put_on(opened.trained.weights.clone())?.to_bytes()?;
    let (html, still) = match module::compiled() {
        Ok(module) => (moving(&opened, &name, &module, &weights)?, None),
        Err(problem) => (still(&opened, &name)?, Some(problem)),
    };
    cnn_train::write_whole(&args.out, html.as_bytes())?;
    opened.announce();
    if let Some(problem) = still {
        eprintln!("the page stays still and shows a black picture: {problem:#}");
    } else if html.len() > USUAL {
        eprintln!("the page is larger than {}: most of it is weights", bytes(USUAL as u64));
    }
    println!("{}: {name}, {}", path(&args.out), bytes(html.len() as u64));
    Ok(())
}

fn moving(opened: &Opened, name: &str, module: &[u8], weights: &[u8]) -> Result<String> {
    let (title, notes) = (format!("{name} looks at what you draw"), opened.trained.provenance());
    let (networks, weights) = ([name.to_string()], [weights]);
    let engine = Engine::Module { module, weights: &weights };
    Ok(LivePage { title: &title, networks: &networks, notes: &notes, engine }.html()?)
}

fn still(opened: &Opened, name: &str) -> Result<String> {
    let trained = &opened.trained;
    let (title, notes) = (format!("{name} looks at nothing"), trained.provenance());
    let pixels = vec![0; trained.network.input().elements()];
    let image = trained.card.preparation.of_bytes(pixels.clone(), trained.card.input)?;
    let subjects = [Subject { name: "a black picture", image, pixels }];
    let page = Page {
        title: &title,
        classes: &trained.card.classes,
        notes: &notes,
        subjects: &subjects,
        top: 5,
        collection: None,
    };
    with_bar(&page, &mut Explainer::new(&trained.network, &trained.weights)?)
}
