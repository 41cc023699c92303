//! `greenwave audit`: whether an audit log is whole.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::Failure;
use crate::shell::http::audit::{AuditError, verify};
use crate::shell::terminal::Terminal;

/// Check the audit log of operators' deeds.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Follow the chain of hashes from the first record to the last: exit code 0, or 1 and the first line that breaks
    /// it. Compare the last hash with one that was kept elsewhere to see that no end was cut off.
    Verify {
        /// The log.
        file: PathBuf,
    },
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let What::Verify { file: path } = &args.what;
    let file = File::open(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
    let all = verify(BufReader::new(file)).map_err(|error| match error {
        AuditError::Io(source) => Failure::Read { path: path.clone(), source },
        broken => Failure::Parse { path: path.clone(), why: broken.to_string() },
    })?;
    let last = all.last().map_or("", |record| &record.hash);
    let object = json!({"records": all.len(), "last_hash": last});
    terminal.result(&object, format_args!("{} records, unbroken; the last is {last}", all.len()))?;
    Ok(())
}
