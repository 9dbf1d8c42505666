//! The arguments of `serve`.

use super::Trained;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};

pub const SERVE_EXAMPLES: &str = "A page with a pen is at /, answers at POST /predict, counters at /metrics. Ends at Ctrl-C or SIGTERM, once what has begun
is answered.

Examples:
  cargo xtask serve
  cargo xtask serve resnet50 --port 9000
  curl --data-binary @cat.jpg 'http://127.0.0.1:9000/predict?top=3'";

#[derive(Debug, Args)]
pub struct Serve {
    /// The network, where the weights do not say it
    #[arg(value_name = "NET")]
    pub network: Option<String>,
    #[command(flatten)]
    pub trained: Trained,
    /// The address to listen at; others than this computer reach it only if it is another than 127.0.0.1
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub address: IpAddr,
    /// The port; with 0 the system chooses one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// So many pictures go through the network together, if they wait
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub batch_size: u16,
    /// So many pictures may be under way; others are refused
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    pub waiting: u16,
}
