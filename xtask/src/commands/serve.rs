//! `serve`: a classifier behind HTTP.

use crate::cli;
use crate::trained;
use anyhow::Result;
use cnn_classifier::Classifier;
use cnn_serve::{Limits, Server};
use std::net::SocketAddr;

pub fn run(args: &cli::Serve) -> Result<()> {
    let opened = trained::open(&args.trained, args.network.as_deref(), None)?;
    let limits =
        Limits { batch: usize::from(args.batch_size), waiting: usize::from(args.waiting), ..Limits::default() };
    let classifier = Classifier::new(&opened.trained)?;
    let server = Server::bind(SocketAddr::new(args.address, args.port), classifier, limits)?;
    opened.announce();
    eprintln!(
        "bodies up to {} bytes within {} s, pictures up to {} pixels, {} under way, {} together",
        limits.body,
        limits.patience.as_secs(),
        limits.pixels,
        limits.waiting,
        limits.batch
    );
    println!("http://{}", server.address());
    Ok(server.run()?)
}
