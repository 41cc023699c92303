//! `greenwave network`: import, check and show network files, and lay out sensors for them.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::Failure;
use crate::network::compose::compose;
use crate::network::import::{ImportError, Imported, cityflow, sumo};
use crate::network::layout::{Layout, layout};
use crate::network::limits::Limits;
use crate::network::{Network, Sensors};
use crate::shell::load;
use crate::shell::show::{described, told};
use crate::shell::terminal::Terminal;

/// Import, check and show network files, and lay out sensors for them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a network file from somebody else's. What had to be assumed is noted on stderr, or in the JSON object.
    Import {
        /// Whose format it is.
        #[arg(value_enum)]
        format: Format,
        /// The file: SUMO's net.xml, CityFlow's roadnet.json.
        file: PathBuf,
        /// Where the network file goes.
        #[arg(short, long)]
        output: PathBuf,
        /// What people call the place; the file's name if not given.
        #[arg(long)]
        name: Option<String>,
        /// SUMO: a file with further signal programs, which take precedence as they do there. May be given repeatedly.
        #[arg(long)]
        additional: Vec<PathBuf>,
        /// Which stages its signals have: composed for SUMO and program for CityFlow, if not given.
        #[arg(long, value_enum)]
        stages: Option<Stages>,
    },
    /// Find every fault of a network file at once, each with its place.
    Check {
        /// The network file, JSON.
        file: PathBuf,
        /// Limits that override those of the network, JSON.
        #[arg(long)]
        limits: Option<PathBuf>,
    },
    /// Tell what a network file holds: counts, and each signal's stages and groups.
    Show {
        /// The network file, JSON.
        file: PathBuf,
        /// Limits that override those of the network, JSON.
        #[arg(long)]
        limits: Option<PathBuf>,
    },
    /// Lay out sensors at every signal of a network and write a sensors file.
    Sensors {
        /// The network file, JSON.
        file: PathBuf,
        /// What to lay out.
        #[arg(long, value_enum, default_value = "full")]
        layout: What,
        /// Where the sensors file goes.
        #[arg(short, long)]
        output: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// SUMO's net.xml.
    Sumo,
    /// CityFlow's roadnet.json.
    Cityflow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stages {
    /// Those of its programs alone: for controllers that can show no others.
    Program,
    /// And others that its conflicts allow, such as an approach alone with its left turn.
    Composed,
}

impl Format {
    /// What is usual: SUMO's signals can show anything, CityFlow's stages are those of the file.
    fn stages(self) -> Stages {
        match self {
            Self::Sumo => Stages::Composed,
            Self::Cityflow => Stages::Program,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// Loops, and a camera over every approach.
    Full,
    /// The same, and a loop in each lane where a long approach begins: who comes is known to the second, and how fast
    /// drivers drive is learned between there and the camera.
    Entries,
    /// Loops only.
    Loops,
}

impl From<What> for Layout {
    fn from(what: What) -> Self {
        match what {
            What::Full => Self::Full,
            What::Entries => Self::Entries,
            What::Loops => Self::Loops,
        }
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match &args.command {
        Command::Import { format, file, output, name, additional, stages } => {
            let stem = file.file_name().map(|n| n.to_string_lossy().split('.').next().unwrap_or_default().to_owned());
            let name = name.clone().or(stem).unwrap_or_default();
            let Imported { mut spec, mut notes } = import(*format, &name, file, additional)?;
            if stages.unwrap_or(format.stages()) == Stages::Composed {
                let added = compose(&mut spec);
                notes.extend((added > 0).then(|| format!("stages beside those of the programs ({added})")));
            }
            let network =
                Network::build(spec.clone(), &Limits::default()).map_err(|faults| load::faulty(file, faults))?;
            write(output, &spec)?;
            for note in notes.iter().filter(|_| !terminal.is_json()) {
                terminal.note(note);
            }
            let (junctions, links) = (network.junctions().len(), network.links().len());
            let object = json!({"output": output, "junctions": junctions, "links": links, "notes": notes});
            terminal.result(&object, format_args!("{junctions} junctions, {links} links: {}", output.display()))?;
        }
        Command::Check { file, limits } => {
            let network = load::network(file, limits.as_deref())?;
            let (junctions, links) = (network.junctions().len(), network.links().len());
            let object = json!({"junctions": junctions, "links": links, "faults": []});
            terminal.result(&object, format_args!("{junctions} junctions, {links} links, no fault"))?;
        }
        Command::Show { file, limits } => {
            let network = load::network(file, limits.as_deref())?;
            terminal.result(&described(&network), told(&network))?;
        }
        Command::Sensors { file, layout: which, output } => {
            let network = load::network(file, None)?;
            let spec = layout(&network, (*which).into());
            let sensors = Sensors::build(&spec, &network).map_err(|faults| load::faulty(file, faults))?;
            write(output, &spec)?;
            let count = sensors.table().len();
            let object = json!({"output": output, "sensors": count});
            terminal.result(&object, format_args!("{count} sensors: {}", output.display()))?;
        }
    }
    Ok(())
}

fn import(format: Format, name: &str, file: &Path, additional: &[PathBuf]) -> Result<Imported, Failure> {
    let open = |path: &Path| match File::open(path) {
        Ok(file) => Ok(BufReader::with_capacity(1 << 16, file)),
        Err(source) => Err(Failure::Read { path: path.to_owned(), source }),
    };
    let failed = |error: ImportError| match error {
        ImportError::Io(source) => Failure::Read { path: file.to_owned(), source },
        other => Failure::Parse { path: file.to_owned(), why: other.to_string() },
    };
    match format {
        Format::Sumo => {
            let additional = additional.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
            sumo::import(name, open(file)?, additional).map_err(failed)
        }
        Format::Cityflow if !additional.is_empty() => {
            Err(Failure::Usage("--additional is for SUMO: CityFlow has no such files".into()))
        }
        Format::Cityflow => cityflow::import(name, &load::bytes(file)?).map_err(failed),
    }
}

fn write(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    let failed = |source| Failure::Write { path: path.to_owned(), source };
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    serde_json::to_writer(&mut out, content).map_err(|e| failed(e.into()))?;
    out.write_all(b"\n").and_then(|()| out.flush()).map_err(failed)
}
