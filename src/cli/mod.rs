//! The roof: one file per command; an args struct becomes options, one call, one output.

use clap::{CommandFactory, Parser, Subcommand};
use repgeo::{Error, Result};

mod attention_modify;
mod attribution;
mod bench;
mod choice;
mod clones;
mod completions;
mod density_peaks;
mod estimators;
mod events;
mod forward;
mod head_pattern;
mod id_profile;
mod imbalance;
mod inspect;
mod landscape;
mod layers;
mod logit_lens;
mod neighbours;
mod output;
mod overlap;
mod pairs;
mod peaks;
mod progress;
mod prompts;
mod queries;
mod rows;
mod search;
mod shared;
mod similarity;

/// Exact, reproducible geometry of hidden representations.
///
/// Reads activations dumped layer by layer (.npy, .npz, .safetensors) and reports how their
/// geometry changes with depth. Reports go to stdout: a table on a terminal, JSON into a pipe.
#[derive(Parser)]
#[command(name = "repgeo", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Worker threads; results do not depend on them [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = positive)]
    threads: Option<usize>,
}

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::InspectArgs),
    IdProfile(Box<id_profile::IdProfileArgs>),
    Imbalance(Box<imbalance::ImbalanceArgs>),
    Overlap(Box<overlap::OverlapArgs>),
    Similarity(Box<similarity::SimilarityArgs>),
    DensityPeaks(Box<density_peaks::DensityPeaksArgs>),
    Landscape(Box<landscape::LandscapeArgs>),
    Clones(Box<clones::ClonesArgs>),
    Events(events::EventsArgs),
    Neighbours(neighbours::NeighboursArgs),
    Forward(Box<forward::ForwardArgs>),
    LogitLens(Box<logit_lens::LogitLensArgs>),
    Attribution(Box<attribution::AttributionArgs>),
    HeadPattern(Box<head_pattern::HeadPatternArgs>),
    AttentionModify(Box<attention_modify::AttentionModifyArgs>),
    Bench(bench::BenchArgs),
    Completions(completions::CompletionsArgs),
}

/// Parses the command line and does what it says.
pub fn run() -> Result<()> {
    let cli = Cli::parse();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(cli.threads.unwrap_or(0))
        .build()
        .map_err(|error| Error::Usage(format!("--threads: {error}")))?;
    pool.install(|| match cli.command {
        Command::Inspect(args) => inspect::run(args),
        Command::IdProfile(args) => id_profile::run(*args),
        Command::Imbalance(args) => imbalance::run(*args),
        Command::DensityPeaks(args) => density_peaks::run(*args),
        Command::Landscape(args) => landscape::run(*args),
        Command::Overlap(args) => overlap::run(*args),
        Command::Neighbours(args) => neighbours::run(args),
        Command::Events(args) => events::run(args),
        Command::Forward(args) => forward::run(*args),
        Command::LogitLens(args) => logit_lens::run(*args),
        Command::Attribution(args) => attribution::run(*args),
        Command::HeadPattern(args) => head_pattern::run(*args),
        Command::AttentionModify(args) => attention_modify::run(*args),
        Command::Similarity(args) => similarity::run(*args),
        Command::Clones(args) => clones::run(*args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions(args) => completions::run(args, &mut Cli::command()),
    })
}

/// A whole number from 1 on.
fn positive(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

/// A whole number from 2 on.
fn at_least_two(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(number @ 2..) => Ok(number),
        _ => Err("give a whole number from 2 on".into()),
    }
}

/// A share of the rows.
fn share(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("give a share of the rows in (0, 1]".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
