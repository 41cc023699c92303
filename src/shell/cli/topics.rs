//! `greenwave topics`: what Kafka needs before a run.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Failure;
use crate::engine::Settings;
use crate::shell::config::Config;
use crate::shell::kafka::{settings, topics};
use crate::shell::load;
use crate::shell::terminal::Terminal;

/// Create Kafka's topics, or look at them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = settings::DESCRIBED)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Create what is missing: a partition a zone, compacted where state lives. What is there stays as it is.
    Create(Place),
    /// Say what is missing or not as it should be.
    Check(Place),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The configuration, TOML: broker, prefix, network.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The network file, in place of the configuration's: its zones are the partitions.
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let (What::Create(place) | What::Check(place)) = &args.what;
    let config = Config::load(place.config.as_deref(), Settings::default())?;
    let network = place.network.clone().or(config.network);
    let missing = || Failure::Usage("--network, or a configuration that names one, is needed: its zones count".into());
    let zones =
        load::network(&network.ok_or_else(missing)?, config.limits.as_deref().map(Path::new))?.partitions().len();
    match &args.what {
        What::Create(_) => {
            let made = topics::create(&config.kafka, zones)?;
            let made: Vec<String> = made.into_iter().map(|topic| topic.full(&config.kafka)).collect();
            let text = if made.is_empty() { "all topics were there".into() } else { made.join("\n") };
            Ok(terminal.result(&json!({"created": made, "zones": zones}), text)?)
        }
        What::Check(_) => {
            let partitions = topics::check(&config.kafka, zones)?;
            let rows: Vec<String> = topics::Topic::ALL
                .iter()
                .zip(&partitions)
                .map(|(topic, count)| format!("{}: {count} partitions", topic.full(&config.kafka)))
                .collect();
            Ok(terminal.result(&json!({"topics": rows.len(), "zones": zones}), rows.join("\n"))?)
        }
    }
}
