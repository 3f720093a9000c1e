//! `repgeo plan`, `shard`, `status`, `merge`, `verify`, `clean`, `submit`: one analysis on many
//! machines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};
use repgeo::cluster::{Plan, Run, Shards, Work};
use repgeo::neighbours::Metric;
use repgeo::{Error, Result};

use super::density_peaks::{self, DensityPeaksArgs};
use super::dynamics::{self, DynamicsArgs};
use super::id_profile::{self, IdProfileArgs};
use super::imbalance::{self, ImbalanceArgs};
use super::neighbours::{self, NeighboursArgs};
use super::output::OutputArgs;
use super::overlap::{self, OverlapArgs};
use super::search::SearchArgs;

pub mod clean;
pub mod merge;
pub mod plan;
pub mod shard;
pub mod status;
pub mod submit;
pub mod verify;

/// The analyses that can be divided.
#[derive(Subcommand)]
pub enum Divided {
    IdProfile(Box<IdProfileArgs>),
    Imbalance(Box<ImbalanceArgs>),
    Overlap(Box<OverlapArgs>),
    DensityPeaks(Box<DensityPeaksArgs>),
    Dynamics(Box<DynamicsArgs>),
    Neighbours(Box<NeighboursArgs>),
}

/// The analysis of a plan, parsed as it was typed.
#[derive(Parser)]
#[command(name = "repgeo")]
struct Planned {
    #[command(subcommand)]
    analysis: Divided,
}

impl Divided {
    /// The analysis of a plan.
    fn of(plan: &Plan) -> Result<Self> {
        // Whoever merges says where the tables go.
        let placeholder = match plan.command.first() {
            Some(name) if name == "neighbours" => Some("--output=."),
            _ => None,
        };
        let name = plan.command.iter().take(1).map(String::as_str);
        let others = plan.command.iter().skip(1).map(String::as_str);
        let words = ["repgeo"].into_iter().chain(name);
        let words = words.chain(placeholder).chain(others);
        let planned = Planned::try_parse_from(words);
        let planned = planned.map_err(|error| Error::Usage(error.render().to_string()))?;
        Ok(planned.analysis)
    }

    /// What will be searched.
    fn works(&self) -> Result<Vec<Work>> {
        match self {
            Self::IdProfile(args) => args.works(),
            Self::Imbalance(args) => args.works(),
            Self::Overlap(args) => args.works(),
            Self::DensityPeaks(args) => args.works(),
            Self::Dynamics(args) => args.works(),
            Self::Neighbours(args) => args.works(),
        }
    }

    /// The distance.
    fn metric(&self) -> Metric {
        match self {
            Self::IdProfile(args) => args.shared.layers.metric(),
            Self::Imbalance(args) => args.shared.layers.metric(),
            Self::Overlap(args) => args.shared.layers.metric(),
            Self::DensityPeaks(args) => args.shared.layers.metric(),
            Self::Dynamics(args) => args.shared.layers.metric(),
            Self::Neighbours(args) => args.metric(),
        }
    }

    /// What was given for `-o`.
    fn outputs(&self) -> Vec<PathBuf> {
        match self {
            Self::IdProfile(args) => args.shared.output.output.clone(),
            Self::Imbalance(args) => args.shared.output.output.clone(),
            Self::Overlap(args) => args.shared.output.output.clone(),
            Self::DensityPeaks(args) => args.shared.output.output.clone(),
            Self::Dynamics(args) => args.shared.output.output.clone(),
            Self::Neighbours(args) => vec![args.folder().to_owned()],
        }
    }

    /// Runs the analysis over searches that are finished, and writes its report.
    fn run(self, finished: Shards, search: SearchArgs, output: OutputArgs) -> Result<()> {
        let finished = Arc::new(finished);
        match self {
            Self::IdProfile(mut args) => {
                args.shared.take(finished, search, output);
                id_profile::run(*args)
            }
            Self::Imbalance(mut args) => {
                args.shared.take(finished, search, output);
                imbalance::run(*args)
            }
            Self::Overlap(mut args) => {
                args.shared.take(finished, search, output);
                overlap::run(*args)
            }
            Self::DensityPeaks(mut args) => {
                args.shared.take(finished, search, output);
                density_peaks::run(*args)
            }
            Self::Dynamics(mut args) => {
                args.shared.take(finished, search, output);
                dynamics::run(*args)
            }
            Self::Neighbours(mut args) => {
                let folder = output.output.first().cloned();
                let folder = folder
                    .ok_or_else(|| Error::Usage("name the folder for the tables with -o".into()))?;
                args.take(finished, folder, output.into());
                neighbours::run(*args)
            }
        }
    }
}

/// The planned run in a folder.
fn open(folder: &Path) -> Result<Run> {
    Run::open(folder).map_err(|error| match error {
        Error::Read { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
            Error::Usage(format!(
                "{}: there is no plan; make one with repgeo plan ANALYSIS ACTS -o {}",
                path.display(),
                folder.display()
            ))
        }
        other => other,
    })
}

/// Goes to where the analysis was typed: its paths begin there.
fn enter(run: &Run) -> Result<()> {
    let folder = &run.plan.directory;
    std::env::set_current_dir(folder).map_err(|source| Error::Read {
        path: folder.clone(),
        source,
    })
}

/// A path that stays what it is when the folder is changed; `-` is stdout.
fn from_root(path: &Path) -> Result<PathBuf> {
    if path == Path::new("-") {
        return Ok(path.to_owned());
    }
    std::path::absolute(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

/// The error of a planned run as scripts are to take it: what another try may not meet, and inputs
/// that change.
fn for_scripts(error: Error) -> Error {
    use std::io::ErrorKind;
    let passes = |kind: ErrorKind| {
        matches!(
            kind,
            ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::StaleNetworkFileHandle
                | ErrorKind::Interrupted
                | ErrorKind::ResourceBusy
                | ErrorKind::TimedOut
        )
    };
    match error {
        Error::Read { ref source, .. } | Error::Write { ref source, .. }
            if passes(source.kind()) =>
        {
            Error::TryAgain {
                source: Box::new(error),
            }
        }
        Error::Changed { path } => Error::InputChanged {
            what: path.display().to_string(),
            fact: "it was written to while it was read".into(),
        },
        Error::Read { path, source } if source.kind() == ErrorKind::NotFound => {
            Error::InputChanged {
                what: path.display().to_string(),
                fact: "it is no longer there".into(),
            }
        }
        // It could be read when the run was planned.
        error @ (Error::Malformed { .. }
        | Error::Unsupported { .. }
        | Error::NeedsPooling { .. }
        | Error::NoLayers { .. }
        | Error::RowMismatch { .. }
        | Error::NonFinite { .. }
        | Error::TooLarge { .. }
        | Error::TooSmall { .. }
        | Error::ZeroRow { .. }
        | Error::Duplicates { .. }) => Error::InputChanged {
            what: "the input".into(),
            fact: error.to_string(),
        },
        other => other,
    }
}
