//! `train --find-lr`: which learning rate to begin with.

use crate::data::apart;
use crate::progress::{bar, interrupted};
use crate::session::Session;
use crate::start::{self, Before};
use anyhow::{Context, Result, bail, ensure};
use cnn_figures::{number, path};
use cnn_report::write_rates;
use cnn_train::{RateSearch, RunFolder};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

pub fn run(session: &Session, out: Option<&Path>) -> Result<()> {
    let folder = out.unwrap_or(Path::new("runs"));
    apart(folder, &session.recipe.data)?;
    ensure!(!RunFolder::has_recipe(folder), "{} is a run's own folder: choose another --out", path(folder));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", path(folder)))?;
    let task = session.task(&session.recipe);
    let search = RateSearch::default();
    start::lines(session, Before::RateSearch)?.iter().for_each(|line| println!("{line}"));
    println!(
        "up to {} steps at rates from {:.0e} to {:.0e}; epochs, schedule, average and what is judged play no part",
        search.steps, search.from, search.to
    );
    let (bar, stop) = (bar(search.steps as u64), interrupted());
    bar.set_prefix("learning rates");
    let mut goes_on = |steps: usize| {
        bar.set_position(steps as u64);
        if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let found = search.run(&task, &mut goes_on)?;
    bar.finish_and_clear();
    if stop.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    let picture = free(folder, &format!("{}-learning-rates", session.name()));
    write_rates(&found, &picture)?;
    if let Some(rate) = found.steepest {
        println!("the loss falls fastest at a learning rate of {rate:.2e}");
    }
    match found.largest {
        Some(rate) => println!("a tenth of where it is least: {rate:.2e}, as large as is safe (--lr {rate:.1e})"),
        None if found.still_falls => {
            println!("the loss falls still at {:.0e}, the largest rate tried: no bound was found", search.to);
        }
        None => println!("the loss falls at no learning rate from {:.0e} to {:.0e}", search.from, search.to),
    }
    println!("the recipe has {}", number(session.recipe.training.learning_rate));
    println!("picture: {}", path(&picture));
    Ok(())
}

/// `NAME.svg` in a folder, or the first of `NAME-2.svg`, `NAME-3.svg` … that is not there.
fn free(folder: &Path, name: &str) -> PathBuf {
    let numbered = |number: usize| folder.join(format!("{name}-{number}.svg"));
    let plain = folder.join(format!("{name}.svg"));
    std::iter::once(plain.clone()).chain((2..).map(numbered)).find(|path| !path.exists()).unwrap_or(plain)
}
