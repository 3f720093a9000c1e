//! `repgeo merge`: the report of a planned analysis.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;

use super::super::output::OutputArgs;
use super::super::search::SearchArgs;
use super::super::signals;
use super::{Divided, enter, for_scripts, from_root, open};

/// Check all parts of a planned analysis and write its report
///
/// The report is that of the analysis itself, byte for byte: the analysis is run, and finds the
/// neighbours in the parts. For neighbours -o is the folder of the tables. Exit codes: 3 parts are
/// missing, 4 a layer is not what it was when the run was planned, 5 a part or the plan is of
/// something else, 75 stopped or no room on the disk: try again.
#[derive(Args)]
pub struct MergeArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,

    #[command(flatten)]
    search: SearchArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Checks, then runs the analysis.
pub fn run(args: MergeArgs) -> Result<()> {
    signals::try_again_when_stopped();
    merge(args).map_err(for_scripts)
}

fn merge(mut args: MergeArgs) -> Result<()> {
    let run = open(&args.run)?;
    for path in args.output.output.iter_mut().chain(&mut args.output.plot) {
        *path = from_root(path)?;
    }
    let finished = run.finished()?;
    enter(&run)?;
    Divided::of(&run.plan)?.run(finished, args.search, args.output)
}
