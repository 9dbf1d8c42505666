//! `serve`: a classifier behind HTTP.

use crate::cli::{self, Mode};
use crate::trained::{self, Opened};
use anyhow::{Context, Result, bail};
use cnn_classifier::embedded;
use cnn_figures::printable;
use cnn_serve::{Server, Settings};
use cnn_system::Bytes;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

pub fn run(args: &cli::Serve) -> Result<()> {
    let mut opened = networks(args)?;
    if args.reading.no_exif {
        opened.iter_mut().for_each(|opened| opened.unturned("--no-exif"));
    }
    let (usual, body) = (Settings::default(), Bytes(u64::from(args.body) * 1_000_000));
    let settings = Settings {
        address: SocketAddr::new(args.address, args.port),
        reading: args.reading.reading(),
        batch: usize::from(args.batch),
        queue: usize::from(args.queue),
        body,
        bodies: usual.bodies.max(body),
        patience: Duration::from_secs(u64::from(args.patience)),
        ..usual
    };
    let first = opened.first().context("there is no network to classify with")?;
    let numbers = first.numbers(&args.numbers)?;
    let networks = opened.iter().map(|opened| opened.trained.clone()).collect();
    let server = Server::by(networks, numbers.options(), settings)?;
    let end = server.ended_by_signal()?;
    opened.iter().for_each(Opened::announce);
    numbers.announce();
    if args.numbers.mode != Mode::F32 {
        let name = printable(&first.trained.card.network);
        eprintln!("POST /predict answers so, by {name}; the page, with whatever network, computes in f32");
    }
    eprintln!("listening on http://{}; Ctrl-C ends it", server.address());
    server.run(end)?;
    eprintln!("ended");
    Ok(())
}

/// The networks of a command line, each with its weights.
fn networks(args: &cli::Serve) -> Result<Vec<Opened>> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = args.networks.iter().find(|network| !seen.insert(*network)) {
        bail!("{} is named twice; which weights differ is written NET=WEIGHTS", printable(twice));
    }
    let one = |network: Option<&str>| trained::open(&args.trained, network, None);
    match (&args.networks[..], &args.trained.weights) {
        ([], Some(_)) => Ok(vec![one(None)?]),
        // What comes with the program costs nothing. What is said of weights is of one network's.
        ([], None) => match known(&args.trained) {
            Some(flag) => {
                let first = trained::USUAL;
                eprintln!("{flag} is about one network: {first} alone is served; name others to serve them");
                Ok(vec![one(Some(first))?])
            }
            None => embedded::NAMES.iter().map(|name| one(Some(name))).collect(),
        },
        ([network], Some(_)) if !network.contains('=') => Ok(vec![one(Some(network))?]),
        (networks, Some(_)) if networks.iter().any(|network| network.contains('=')) => {
            bail!("--weights and NET=WEIGHTS both name weights: leave one out")
        }
        (networks, Some(_)) => {
            bail!("--weights is for one network; of {} write each as NET=WEIGHTS", networks.len())
        }
        (networks, None) => networks
            .iter()
            .map(|network| match network.split_once('=') {
                Some(("", _) | (_, "")) => {
                    bail!("{}: NET=WEIGHTS was expected, and a side of it is empty", printable(network))
                }
                Some((network, weights)) => {
                    trained::of_weights(&trained::read(weights)?, &args.trained, Some(network), None)
                }
                None => one(Some(network)),
            })
            .collect(),
    }
}

/// The first flag that says something of weights.
fn known(args: &cli::Trained) -> Option<&'static str> {
    let cli::PreparationArgs { mean, std, crop, interpolation } = &args.known.preparation;
    let flags = [
        ("--class-names", args.known.class_names.is_some()),
        ("--mean", mean.is_some()),
        ("--std", std.is_some()),
        ("--crop", crop.is_some()),
        ("--interpolation", interpolation.is_some()),
        ("--other-channels", args.other_channels),
    ];
    flags.into_iter().find_map(|(flag, given)| given.then_some(flag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};

    /// What is served, or the sentence that refuses it.
    fn served(words: &[&str]) -> Result<Vec<String>> {
        let cli = Cli::read([&["xtask", "serve"], words].concat())?;
        let Command::Serve(args) = cli.command else { bail!("another command") };
        Ok(networks(&args)?.into_iter().map(|opened| opened.trained.card.network).collect())
    }

    #[test]
    fn what_is_said_of_weights_is_said_of_one_network() -> Result<()> {
        assert_eq!(served(&[])?, embedded::NAMES);
        assert_eq!(served(&["--class-names", "mnist"])?, ["lenet"]);
        assert_eq!(served(&["--mean", "0.1307", "--std", "0.3081"])?, ["lenet"]);
        assert_eq!(served(&["--crop", "32/36", "--interpolation", "box"])?, ["lenet"]);
        assert_eq!(served(&["--other-channels"])?, ["lenet"]);
        Ok(())
    }

    #[test]
    fn a_runs_folder_is_taken_for_its_weights() -> Result<()> {
        let run = tempfile::tempdir()?;
        std::fs::write(run.path().join(cnn_data::RUN_MARK), "")?;
        let Some(weights) = embedded::weights("lenet")? else { bail!("no weights") };
        std::fs::write(run.path().join("best.safetensors"), weights.to_bytes()?)?;
        assert_eq!(served(&[&run.path().to_string_lossy()])?, ["lenet"]);
        Ok(())
    }

    #[test]
    fn weights_are_named_once() {
        let refused = |words: &[&str]| served(words).err().map(|error| error.to_string());
        let twice = Some("--weights and NET=WEIGHTS both name weights: leave one out".to_string());
        assert_eq!(refused(&["lenet=runs/a", "--weights", "runs/b"]), twice);
        assert_eq!(refused(&["lenet=runs/a", "resnet18", "--weights", "runs/b"]), twice);
        let several = Some("--weights is for one network; of 2 write each as NET=WEIGHTS".to_string());
        assert_eq!(refused(&["lenet", "resnet18", "--weights", "runs/b"]), several);
    }
}
