//! `serve`: a classifier behind HTTP.

use crate::cli;
use crate::trained;
use anyhow::Result;
use cnn_classifier::Classifier;
use cnn_serve::{Server, Settings};
use cnn_system::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

pub fn run(args: &cli::Serve) -> Result<()> {
    let opened = trained::open(&args.trained, args.network.as_deref(), None)?;
    let settings = Settings {
        address: SocketAddr::new(args.address, args.port),
        reading: args.reading.reading(),
        batch: usize::from(args.batch),
        queue: usize::from(args.queue),
        body: Bytes(u64::from(args.body) * 1_000_000),
        patience: Duration::from_secs(u64::from(args.patience)),
        ..Settings::default()
    };
    let numbers = opened.numbers(&args.numbers)?;
    let server = Server::new(Classifier::by(&opened.trained, numbers.options())?, settings)?;
    let end = server.ended_by_signal()?;
    opened.announce();
    numbers.announce();
    eprintln!("listening on http://{}; Ctrl-C ends it", server.address());
    server.run(end)?;
    eprintln!("ended");
    Ok(())
}
