//! `repgeo shard`: some tasks of a planned analysis.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use repgeo::cluster::Done;
use repgeo::{Error, Result};

use super::super::progress::Bar;
use super::super::search::SearchArgs;
use super::super::signals;
use super::{Divided, enter, for_scripts, open};

/// Do some tasks of a planned analysis
///
/// Parts that are there and whole are left alone, so tasks may be done twice, at once, or again. Exit
/// codes: 3 ranks whose tables are not whole yet, 4 a layer is not what it was when the run was
/// planned, 5 the plan was edited, 75 stopped or no room on the disk: try again.
#[derive(Args)]
pub struct ShardArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Tasks: a number, a range (0..7 holds 0 and 7), or several (0-3,7) [default: SLURM_ARRAY_TASK_ID]
    #[arg(long, value_name = "TASKS")]
    task: Option<String>,

    /// No progress, and no word about what was done
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    search: SearchArgs,
}

/// Searches and writes.
pub fn run(args: ShardArgs) -> Result<()> {
    signals::try_again_when_stopped();
    work(&args).map_err(for_scripts)
}

fn work(args: &ShardArgs) -> Result<()> {
    let run = open(&args.run)?;
    let given = args.task.clone();
    let task = given.or_else(|| std::env::var("SLURM_ARRAY_TASK_ID").ok());
    let task = task.ok_or_else(|| {
        Error::Usage("say which tasks with --task; SLURM_ARRAY_TASK_ID is not set".into())
    })?;
    let tasks = run.tasks(&task)?;
    let search = args.search.options()?;
    enter(&run)?;
    let works = Divided::of(&run.plan)?.works()?;
    let progress = Bar::new(args.quiet);
    let (mut found, mut made) = (0, 0);
    run.work(
        &works,
        &tasks,
        &search,
        &progress,
        &mut |_, done| match done {
            Done::Found => found += 1,
            Done::Made => made += 1,
        },
    )?;
    if !args.quiet {
        // The parts are written; nobody may be left to read this.
        let _ = writeln!(
            std::io::stderr(),
            "repgeo: {made} parts done, {found} were there and whole"
        );
    }
    Ok(())
}
