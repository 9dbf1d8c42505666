//! The arguments of `serve`.

use super::predict::ReadingArgs;
use super::{Numbers, Trained};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};

pub const EXAMPLES: &str = "Answers POST /predict, a picture's file as its body, with JSON; GET / is a page on which one draws, or drops a picture, and
watches every layer; GET /healthz and GET /metrics are for whoever watches. SIGTERM or Ctrl-C ends it once what has come is
answered. Of several networks the first answers, and the page shows each.

Examples:
  cargo xtask serve
  cargo xtask serve runs/resnet18-flowers --port 9000
  cargo xtask serve lenet=runs/first lenet=runs/second resnet18
  curl --data-binary @picture.jpg 'http://127.0.0.1:8080/predict?top=3'";

/// What a server answers with, and what it keeps to.
#[derive(Debug, Args)]
pub struct Serve {
    /// Networks, each with its weights behind `=` where these are others than its published ones, or runs' folders [default:
    /// the weights that come with the program, LeNet's for digits first]
    #[arg(value_name = "NET[=WEIGHTS]|RUN")]
    pub networks: Vec<String>,
    #[command(flatten)]
    pub trained: Trained,
    #[command(flatten)]
    pub numbers: Numbers,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// The address to listen on; 0.0.0.0 is all of this machine's, for whoever reaches it
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub address: IpAddr,
    /// The port to listen on; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// The most images computed at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub batch: u16,
    /// Pictures that may wait; beyond them the answer is 503
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    pub queue: u16,
    /// The most megabytes of a picture's file; all that come at once have 512, or as many as one may have
    #[arg(long, value_name = "MB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub body: u32,
    /// Seconds in which a picture must have come
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub patience: u32,
}
