//! `repgeo bench`: what this machine can do, for reports of problems.

use clap::Args;
use repgeo::Result;
use repgeo::neighbours::{BenchOptions, bench};
use repgeo::report::Report;

use super::output::OutputArgs;

/// Time the neighbour search on made-up activations: what this machine chooses, and its ceiling
///
/// The ceiling is the rate of the matrix products alone; the share is what a whole neighbour table
/// reaches of it, counting N*N*D operations (half of what a search without symmetry needs). Beside
/// it stand the seconds of each part of a table, measured by itself: lists are what the sweep takes
/// with products that are only read from memory.
#[derive(Args)]
pub struct BenchArgs {
    /// Rows
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = super::parse::between(2, super::parse::MOST_ROWS))]
    rows: usize,

    /// Columns
    #[arg(long, value_name = "D", default_value_t = 768, value_parser = super::parse::count(super::parse::MOST))]
    columns: usize,

    /// Neighbours of each row
    #[arg(short, long, value_name = "K", default_value_t = 30, value_parser = super::parse::count(super::parse::MOST_ROWS))]
    k: usize,

    /// Rounds, of which medians are shown
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = super::parse::count(1000))]
    rounds: usize,

    #[command(flatten)]
    output: OutputArgs,
}

/// Measures and reports.
pub fn run(args: &BenchArgs) -> Result<()> {
    args.output.check()?;
    let report = bench(BenchOptions {
        rows: args.rows,
        columns: args.columns,
        k: args.k,
        rounds: args.rounds,
    })?;
    args.output
        .write(&Report::new("bench", Vec::new(), &report))
}
