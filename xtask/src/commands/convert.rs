//! `convert`: weights of any format and names that are read, as safetensors under the names asked for.

use crate::cli;
use crate::reads::Reads;
use crate::way_out::ends_in;
use crate::weights::{network_of, of_file};
use anyhow::{Context, Result};
use cnn_core::weights::{self, Allowed, Loading, Weights};
use cnn_core::{Bytes, Network};

pub fn run(args: &cli::Convert) -> Result<()> {
    Reads::files([&args.input]).allow(&args.out)?;
    ends_in(&args.out, &["safetensors"])?;
    let weights = match &args.entry {
        None => Weights::read(&args.input)?,
        Some(entry) => Weights::read_entry(&args.input, entry)?,
    };
    let name = args.net.clone().or_else(|| weights.network());
    let name = name.with_context(|| format!("{} does not say of which network it is: --net", args.input.display()))?;
    let network = network_of(&cnn_zoo::find(&name)?, &weights)?;
    let loading = weights.load_for(&network, &[network.outputs()[0].node], Allowed::default())?;
    println!("{loading}");
    let bytes = of_file(&args.input, written(loading, &network, args).map_err(cnn_train::Error::from))?;
    cnn_train::write_whole(&args.out, &bytes)?;
    println!("{}: {}", args.out.display(), Bytes::of(bytes.len()));
    Ok(())
}

/// The bytes of the file to write.
fn written(loading: Loading, network: &Network, args: &cli::Convert) -> Result<Vec<u8>, weights::Error> {
    let weights = loading.weights()?;
    weights.check_finite(network)?;
    weights.named(network, args.names.into())?.to_bytes_of(args.dtype.into())
}
