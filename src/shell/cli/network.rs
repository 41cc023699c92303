//! `greenwave network`: check and show network files.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::Failure;
use crate::shell::load;
use crate::shell::terminal::Terminal;

/// Check and show network files.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find every fault of a network file at once, each with its place.
    Check {
        /// The network file, JSON.
        file: PathBuf,
        /// Limits that override those of the network, JSON.
        #[arg(long)]
        limits: Option<PathBuf>,
    },
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match &args.command {
        Command::Check { file, limits } => {
            let network = load::network(file, limits.as_deref())?;
            let (junctions, links) = (network.junctions().len(), network.links().len());
            let object = json!({"junctions": junctions, "links": links, "faults": []});
            terminal.result(&object, format_args!("{junctions} junctions, {links} links, no fault"))?;
            Ok(())
        }
    }
}
