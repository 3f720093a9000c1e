//! `repgeo bench`: what this machine can do, for reports of problems.

use std::fmt::Write;
use std::io;

use clap::Args;
use repgeo::Result;
use repgeo::neighbours::{Speed, measure_speed};
use repgeo::report::write_stream;
use serde_json::json;

/// Time the neighbour search on made-up activations: what this machine chooses, and its ceiling
///
/// The ceiling is the rate of the matrix products alone; the share is what a whole neighbour table
/// reaches of it, counting N*N*D operations (half of what a search without symmetry needs).
#[derive(Args)]
pub struct BenchArgs {
    /// Rows
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = super::at_least_two)]
    rows: usize,

    /// Columns
    #[arg(long, value_name = "D", default_value_t = 768, value_parser = super::positive)]
    columns: usize,

    /// Neighbours of each row
    #[arg(short, long, value_name = "K", default_value_t = 30, value_parser = super::positive)]
    k: usize,

    /// Rounds, of which medians are shown
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = super::positive)]
    rounds: usize,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub fn run(args: &BenchArgs) -> Result<()> {
    let speed = measure_speed(args.rows, args.columns, args.k, args.rounds)?;
    let text = if args.json {
        as_json(args, &speed)
    } else {
        as_table(args, &speed)
    };
    write_stream(&mut io::stdout().lock(), "stdout", text.as_bytes())
}

fn as_json(args: &BenchArgs, speed: &Speed) -> String {
    let kernels: Vec<_> = speed
        .kernels
        .iter()
        .map(|found| {
            json!({
                "kernel": found.kernel.as_str(),
                "ceiling_gflops": found.ceiling / 1e9,
                "seconds": found.seconds,
                "share": found.share,
            })
        })
        .collect();
    let whole = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "threads": rayon::current_num_threads(),
        "rows": args.rows,
        "columns": args.columns,
        "k": args.k,
        "chosen": speed.chosen.as_str(),
        "kernels": kernels,
    });
    format!("{whole:#}\n")
}

fn as_table(args: &BenchArgs, speed: &Speed) -> String {
    let mut text = format!(
        "{} rows, {} columns, k = {}, threads {}\n{:14}{:>16}{:>12}{:>10}\n",
        args.rows,
        args.columns,
        args.k,
        rayon::current_num_threads(),
        "kernel",
        "ceiling GFLOP/s",
        "table s",
        "share"
    );
    for found in &speed.kernels {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:14}{:>16.0}{:>12.3}{:>9.0}%{}",
            found.kernel.as_str(),
            found.ceiling / 1e9,
            found.seconds,
            100.0 * found.share,
            if found.kernel == speed.chosen {
                "  chosen"
            } else {
                ""
            }
        );
    }
    text
}
