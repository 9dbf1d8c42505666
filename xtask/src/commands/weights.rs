//! `weights`: published weights by name.

use crate::cli::{Weights, WeightsCommand};
use anyhow::Result;
use cnn_catalogue::{Options, Origin, Published};
use cnn_core::shape::times;
use cnn_figures::{Table, bytes, count, path, printable};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

pub fn run(args: &Weights) -> Result<()> {
    match &args.command {
        WeightsCommand::List { name } => list(name.as_deref()),
        WeightsCommand::Show { name } => show(&cnn_catalogue::find(name)?),
        WeightsCommand::Fetch { name, offline } => {
            let options = fetching(*offline);
            println!("{}", path(&cnn_catalogue::find_with(name, &options)?.fetch(&options)?));
            Ok(())
        }
    }
}

/// What a list shows: all, those of a network, or those that are named. An unknown network, or one without weights, is an
/// error that says so.
fn listed(name: Option<&str>) -> Result<Vec<Published>> {
    let Some(name) = name else { return Ok(cnn_catalogue::all().cloned().collect()) };
    let found = cnn_catalogue::find(name)?;
    match name.trim().eq_ignore_ascii_case(&found.network) {
        true => Ok(cnn_catalogue::all().filter(|weights| weights.network == found.network).cloned().collect()),
        false => Ok(vec![found]),
    }
}

fn list(name: Option<&str>) -> Result<()> {
    let options = Options::new();
    let header = ["weights", "", "cached", "input", "parameters", "file", "top-1", "top-5"];
    let mut table = Table::new(header).text_columns(3);
    for weights in listed(name)? {
        let share = |share: Option<f64>| share.map_or(String::new(), |share| format!("{share:.2}"));
        table.row([
            weights.name.clone(),
            if weights.is_default { "usual" } else { "" }.to_string(),
            if weights.cached(&options)?.is_some() { "yes" } else { "" }.to_string(),
            times(&weights.input),
            weights.parameters.map_or(String::new(), count),
            weights.bytes.map_or(String::new(), bytes),
            share(weights.top1),
            share(weights.top5),
        ]);
    }
    print!("{table}");
    Ok(())
}

fn show(weights: &Published) -> Result<()> {
    let options = Options::new();
    let mut table = Table::without_header().text_columns(2);
    let mut line = |what: &str, value: String| table.row([what, &*printable(&value)]);
    line("weights", weights.name.clone());
    line("network", weights.network.clone());
    line("published by", weights.publisher.clone());
    line("described at", weights.source.clone());
    line("licence", weights.licence.clone().unwrap_or_else(|| "none is published".to_string()));
    line("file", weights.address(&options));
    if let Origin::Hub { repository, .. } = &weights.origin {
        line("repository", repository.to_string());
    }
    let size = weights.bytes.map(bytes);
    line("size", size.unwrap_or_else(|| "not published; the server says it".to_string()));
    let digest = weights.digest.as_ref().map(|digest| match digest.is_whole() {
        true => digest.to_string(),
        false => format!("{digest}… (so it begins; more is not published)"),
    });
    line("sha-256", digest.unwrap_or_else(|| "not published; the server's is taken where it has one".to_string()));
    line("parameters", weights.parameters.map_or("not published".to_string(), count));
    line("pictures", crate::preparation::in_words(&weights.preparation));
    if weights.transforms_input {
        line("", "the publisher's network makes this mean and deviation of ImageNet's (transform_input)".to_string());
    }
    line("input", times(&weights.input));
    let names = weights.classes.names();
    let (first, more) = names.split_at(names.len().min(3));
    let more = if more.is_empty() { "" } else { ", …" };
    line("classes", format!("{} of {}: {}{more}", names.len(), weights.dataset, first.join(", ")));
    let accuracy = [("top-1", weights.top1), ("top-5", weights.top5)];
    for (what, share) in accuracy {
        line(what, share.map_or("not published".to_string(), |share| format!("{share} %")));
    }
    let place = path(&weights.place(&options)?);
    line("cache", format!("{place}{}", if weights.cached(&options)?.is_some() { "" } else { " (not there)" }));
    print!("{table}");
    Ok(())
}

/// How files are fetched: with a bar where somebody watches a terminal.
pub fn fetching(offline: bool) -> Options {
    let options = if offline { Options::new().offline() } else { Options::new() };
    if !std::io::stderr().is_terminal() {
        return options;
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    options.with_progress(move |progress| {
        bar.set_length(progress.total.unwrap_or(progress.done));
        bar.set_position(progress.done);
        if progress.total == Some(progress.done) {
            bar.finish_and_clear();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_of_a_network_or_of_the_weights_that_are_named() -> Result<()> {
        let names =
            |name| -> Result<Vec<String>> { Ok(listed(name)?.into_iter().map(|weights| weights.name).collect()) };
        assert_eq!(names(None)?.len(), cnn_catalogue::all().len());
        let of_network = names(Some("resnet50"))?;
        assert!(of_network.len() > 2 && of_network.iter().all(|name| name.starts_with("resnet50:")), "{of_network:?}");
        assert_eq!(names(Some("ResNet50"))?, of_network);
        assert_eq!(names(Some("resnet50:imagenet1k_v2"))?, ["resnet50:imagenet1k_v2"]);
        assert_eq!(names(Some("ResNet50_Weights.IMAGENET1K_V1"))?, ["resnet50:imagenet1k_v1"]);
        assert!(names(Some("lenet")).is_err());
        Ok(())
    }
}
