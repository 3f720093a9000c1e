//! `repgeo status`: what of a planned analysis is done.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::cluster::State;
use repgeo::report::{safe_lines, write_stream};

use super::{for_scripts, open};

/// Say which parts of a planned analysis are whole, and which tasks are left
///
/// Every part is read and checked. Exit codes: 0 all are whole, 3 some are missing or not whole, 5 one
/// is of something else.
#[derive(Args)]
pub struct StatusArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Only the tasks that are left, as sbatch --array takes them; nothing where there are none
    #[arg(long, conflicts_with = "tasks")]
    array: bool,

    /// Only the tasks that are left, one a line
    #[arg(long)]
    tasks: bool,
}

/// Parts that are named one by one; more are counted.
const NAMED: usize = 20;

/// Looks and says.
pub fn run(args: StatusArgs) -> Result<()> {
    status(&args).map_err(for_scripts)
}

fn status(args: &StatusArgs) -> Result<()> {
    let run = open(&args.run)?;
    let status = run.status()?;
    let mut out = String::new();
    if args.tasks {
        for task in status.missing.iter().flatten() {
            let _ = writeln!(out, "{task}");
        }
    } else if args.array {
        if !status.array().is_empty() {
            let _ = writeln!(out, "{}", status.array());
        }
    } else {
        let units = status.units.len();
        let _ = writeln!(
            out,
            "{}: {} of {units} parts are whole",
            args.run.display(),
            status.whole()
        );
        let holes = status.units.iter().enumerate();
        let holes: Vec<_> = holes.filter(|(_, state)| **state != State::Whole).collect();
        for &(unit, state) in holes.iter().take(NAMED) {
            let (search, block) = run.plan.unit(unit);
            let fact = match state {
                State::Whole => continue,
                State::Missing => "not there",
                State::Damaged(fact) | State::Foreign(fact) => fact,
            };
            let _ = writeln!(
                out,
                "  part {unit} of task {}, layer {}, rows {}..{}: {fact}",
                run.plan.task_of(unit),
                search.layer,
                block.start,
                block.end
            );
        }
        if holes.len() > NAMED {
            let _ = writeln!(out, "  and {} more", holes.len() - NAMED);
        }
        if !holes.is_empty() {
            let _ = writeln!(out, "tasks left: --array={}", status.array());
        }
    }
    let text = safe_lines(&out);
    write_stream(&mut std::io::stdout().lock(), "stdout", text.as_bytes())?;
    status.refuse_holes(&args.run)
}
