//! `repgeo bench`: what this machine can do, for reports of problems.

use clap::Args;
use repgeo::memory::machine_memory;
use repgeo::neighbours::{gpus, measure_speed};
use repgeo::report::{BenchReport, Report};
use repgeo::{Error, Result};

use super::output::OutputArgs;

/// Time the neighbour search on made-up activations: what this machine chooses, and its ceiling
///
/// The ceiling is the rate of the matrix products alone; the share is what a whole neighbour table
/// reaches of it, counting N*N*D operations (half of what a search without symmetry needs).
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
    let [n, d, k] = [args.rows, args.columns, args.k].map(|count| count as u64);
    // The rows, their packed copy, and lists and table of neighbours.
    let needed = n.saturating_mul(8 * d + 36 * k.min(n));
    if let Some(limit) = machine_memory().filter(|&limit| needed > limit) {
        return Err(Error::Usage(format!(
            "--rows {n} with --columns {d} and -k {k} take {} MiB, and there are {} MiB; give less",
            needed >> 20,
            limit >> 20
        )));
    }
    let speed = measure_speed(args.rows, args.columns, args.k, args.rounds)?;
    let sizes = [args.rows, args.columns, args.k];
    let report = BenchReport::new(&speed, gpus(), sizes, rayon::current_num_threads());
    args.output
        .write(&Report::new("bench", Vec::new(), &report))
}
