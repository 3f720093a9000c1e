//! `repgeo verify`: random rows of a planned analysis, by definition.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::cluster::verify;
use repgeo::report::write_stream;

use super::super::parse;
use super::super::progress::Bar;
use super::{Divided, enter, for_scripts, open};

/// Recompute random rows of a finished run by their definition
///
/// Every distance of such a row is summed in f64 and sorted, and what the parts hold is compared bit
/// by bit. Exit codes: 3 parts are missing, 4 a layer changed, 5 a row is not what it must be.
#[derive(Args)]
pub struct VerifyArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// How many rows
    #[arg(long, value_name = "ROWS", default_value_t = 8, value_parser = parse::count(parse::MOST))]
    rows: usize,

    /// Which rows
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// No progress
    #[arg(short, long)]
    quiet: bool,
}

/// Recomputes and says.
pub fn run(args: VerifyArgs) -> Result<()> {
    recompute(&args).map_err(for_scripts)
}

fn recompute(args: &VerifyArgs) -> Result<()> {
    let run = open(&args.run)?;
    enter(&run)?;
    let works = Divided::of(&run.plan)?.works()?;
    let progress = Bar::new(args.quiet);
    let verified = verify(&run, &works, args.rows, args.seed, &progress)?;
    let text = format!(
        "{} rows of {} parts are what their definition gives\n",
        verified.rows, verified.units
    );
    write_stream(&mut std::io::stdout().lock(), "stdout", text.as_bytes())
}
