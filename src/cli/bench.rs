//! `repgeo bench`: what this machine can do, for reports of problems.

use clap::Args;
use repgeo::Result;
use repgeo::neighbours::measure_speed;
use repgeo::report::{BenchReport, Report};

use super::output::OutputArgs;

/// Time the neighbour search on made-up activations: what this machine chooses, and its ceiling
///
/// The ceiling is the rate of the matrix products alone; the share is what a whole neighbour table
/// reaches of it, counting N*N*D operations (half of what a search without symmetry needs).
#[derive(Args)]
pub struct BenchArgs {
    /// Rows
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = super::parse::at_least_two)]
    rows: usize,

    /// Columns
    #[arg(long, value_name = "D", default_value_t = 768, value_parser = super::parse::positive)]
    columns: usize,

    /// Neighbours of each row
    #[arg(short, long, value_name = "K", default_value_t = 30, value_parser = super::parse::positive)]
    k: usize,

    /// Rounds, of which medians are shown
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = super::parse::positive)]
    rounds: usize,

    #[command(flatten)]
    output: OutputArgs,
}

/// Measures and reports.
pub fn run(args: &BenchArgs) -> Result<()> {
    args.output.check()?;
    let speed = measure_speed(args.rows, args.columns, args.k, args.rounds)?;
    let sizes = [args.rows, args.columns, args.k];
    let report = BenchReport::new(&speed, sizes, rayon::current_num_threads());
    args.output
        .write(&Report::new("bench", Vec::new(), &report))
}
