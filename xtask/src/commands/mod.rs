//! The commands, a file each.

mod augment;
mod bench;
mod calibrate;
mod check;
mod compare;
mod convert;
mod diagram;
mod docs;
mod eval;
#[cfg(feature = "explain")]
mod explain;
#[cfg(feature = "formats")]
mod export;
mod features;
mod forward;
mod list;
mod predict;
mod race;
mod recipes;
mod report;
#[cfg(feature = "serve")]
mod serve;
mod summary;
mod sweep;
mod train;
#[cfg(feature = "candle")]
mod verify_parity;
mod verify_shapes;
pub mod weights;

use crate::cli::{Cli, Command, DataCommand};
use crate::{no_effect, processes, rerun};
use anyhow::Result;
use std::process::ExitCode;

/// Runs the command, in a build with the hub if it turns out to need it.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    no_effect::of_common(&cli.name, &cli.common)?;
    let done: Result<ExitCode> = match &cli.command {
        Command::List => list::run().map(success),
        Command::Summary(args) => summary::run(args).map(success),
        Command::Compare(args) => compare::run(args).map(success),
        Command::Docs(args) => docs::run(args).map(success),
        Command::Recipes(args) => recipes::run(args).map(success),
        #[cfg(not(feature = "serve"))]
        Command::Train(args) if args.watching.serve.is_some() => {
            rerun::with_feature("serve", "the page of a run needs the server, which is built when it is first wanted")
        }
        #[cfg(not(feature = "dashboard"))]
        Command::Train(args) if args.watching.tui && crate::watching::has_terminal() => {
            rerun::with_feature("dashboard", "the dashboard is built when it is first wanted")
        }
        Command::Train(args) => match processes::lacking(args) {
            Ok(true) => {
                rerun::with_feature("mpi", "processes are connected by MPI, which is built in when it is first wanted")
            }
            lacking => lacking.and_then(|_| train::run(args, &cli.common)).map(success),
        },
        Command::Augment(args) => augment::run(args, &cli.common).map(success),
        Command::Report(args) => report::run(args, &cli.common).map(success),
        Command::Eval(args) => eval::run(args, &cli.common).map(success),
        Command::Calibrate(args) => calibrate::run(args, &cli.common).map(success),
        Command::Predict(args) => predict::run(args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args).map(success),
        #[cfg(not(feature = "serve"))]
        Command::Serve(_) => rerun::with_feature("serve", "the server is built when it is first wanted"),
        #[cfg(not(feature = "formats"))]
        Command::Features(args) if features::ending(args) == "npy" => {
            rerun::with_feature("formats", "what writes NumPy's files is built when it is first wanted")
        }
        Command::Features(args) => features::run(args).map(success),
        Command::Diagram(args) => diagram::run(args).map(success),
        #[cfg(feature = "explain")]
        Command::Explain(args) => explain::run(args, &cli.common).map(success),
        #[cfg(not(feature = "explain"))]
        Command::Explain(_) => rerun::with_feature("explain", "what looks inside is built when it is first wanted"),
        Command::Weights(args) => weights::run(args).map(success),
        Command::Data(args) => match &args.command {
            DataCommand::Check(args) => check::run(args),
        },
        Command::Sweep(args) => sweep::run(args, &cli.common).map(success),
        Command::VerifyShapes(args) => verify_shapes::run(args),
        #[cfg(feature = "candle")]
        Command::VerifyParity(args) => verify_parity::run(args),
        #[cfg(not(feature = "candle"))]
        Command::VerifyParity(_) => rerun::with_feature("candle", "the comparison with torch computes in candle too"),
        Command::Convert(args) => convert::run(args).map(success),
        Command::Forward(args) => forward::run(args, &cli.common).map(success),
        #[cfg(feature = "formats")]
        Command::Export(args) => export::run(args).map(success),
        #[cfg(not(feature = "formats"))]
        Command::Export(_) => rerun::with_feature("formats", "what writes ONNX files is built when it is first wanted"),
        Command::Bench(args) => bench::run(args, &cli.common).map(success),
        Command::Race(args) => race::run(args, &cli.common),
    };
    match done {
        Ok(code) => Ok(code),
        Err(error) => match lacking(&error) {
            Some((feature, reason)) => rerun::with_feature(feature, &reason),
            None => Err(error),
        },
    }
}

/// The feature that a build lacks, if that is what went wrong, and what it is needed for.
fn lacking(error: &anyhow::Error) -> Option<(&'static str, String)> {
    let published = error.downcast_ref().or_else(|| match error.downcast_ref() {
        Some(cnn_classifier::Error::Catalogue(error)) => Some(error),
        _ => None,
    });
    if let Some(cnn_catalogue::Error::HubFeature { name, .. }) = published {
        return Some(("fetch", format!("the weights {name} are not in the cache and are fetched")));
    }
    if let Some(cnn_train::Error::CandleFeature) = error.downcast_ref() {
        return Some(("candle", "the engine candle is built when it is first wanted".to_string()));
    }
    if let Some(cnn_train::Error::WhiteningFeature) = error.downcast_ref() {
        return Some(("whitening", "what whitens the first layer is built when it is first wanted".to_string()));
    }
    match error.downcast_ref() {
        Some(cnn_data::Error::HubFeature { name }) => Some(("hub", format!("{name} comes from the Hugging Face hub"))),
        _ => None,
    }
}

fn success((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise a command that a smaller build cannot do ends, where another build can do it.
    #[test]
    fn what_a_build_lacks_names_the_feature_that_brings_it() {
        let feature = |error: anyhow::Error| lacking(&error).map(|(feature, _)| feature);
        assert_eq!(feature(cnn_train::Error::CandleFeature.into()), Some("candle"));
        assert_eq!(feature(cnn_train::Error::WhiteningFeature.into()), Some("whitening"));
        assert_eq!(feature(cnn_data::Error::HubFeature { name: "mnist".into() }.into()), Some("hub"));
        assert_eq!(feature(cnn_data::Error::NoImages.into()), None);
    }
}
