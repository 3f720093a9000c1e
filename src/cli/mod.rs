//! Flags in, reports out: one file per command; an args struct becomes options, one call, one output.

use std::io::Write;
use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use repgeo::input::watch_files;
use repgeo::report::safe_lines;
use repgeo::{Error, Result};

mod ablate;
mod attention_modify;
mod attribution;
mod bench;
mod choice;
mod clones;
mod cluster;
mod completions;
mod correlate;
mod density_peaks;
mod dynamics;
mod ending;
mod estimators;
mod events;
mod examples;
mod explain;
mod forecast;
mod forward;
mod given;
mod head_pattern;
mod id_estimates;
mod id_profile;
mod imbalance;
mod inspect;
mod landscape;
mod layers;
mod logit_lens;
mod man;
mod needs;
mod neighbours;
mod output;
mod overlap;
mod pairs;
mod parse;
mod pass_memory;
mod peaks;
mod probe;
mod progress;
mod prompts;
mod queries;
mod report;
mod rows;
mod search;
mod shared;
mod short_help;
mod signals;
mod similarity;
mod threads;
mod tips;
mod unembed;

/// Columns of help at most.
const WIDEST_HELP: usize = 100;

/// Exact, reproducible geometry of hidden representations.
///
/// Reads activations dumped layer by layer (.npy, .npz, .safetensors, .pt) and reports how their
/// geometry changes with depth. Reports go to stdout: a table on a terminal, JSON into a pipe.
#[derive(Parser)]
#[command(name = "repgeo", version, max_term_width = WIDEST_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Worker threads; results do not depend on them [default: the least of the processors that may
    /// be used, RAYON_NUM_THREADS, OMP_NUM_THREADS and SLURM_CPUS_PER_TASK]
    #[arg(long, global = true, hide_short_help = true, value_name = "N", value_parser = parse::threads)]
    threads: Option<usize>,

    /// How progress is shown on stderr [default: bar on a terminal, none elsewhere]
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        value_name = "WAY",
        value_enum
    )]
    progress: Option<progress::Shown>,
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
    Dynamics(Box<dynamics::DynamicsArgs>),
    Correlate(Box<correlate::CorrelateArgs>),
    Probe(Box<probe::ProbeArgs>),
    Events(events::EventsArgs),
    Neighbours(neighbours::NeighboursArgs),
    Forward(Box<forward::ForwardArgs>),
    LogitLens(Box<logit_lens::LogitLensArgs>),
    Attribution(Box<attribution::AttributionArgs>),
    HeadPattern(Box<head_pattern::HeadPatternArgs>),
    AttentionModify(Box<attention_modify::AttentionModifyArgs>),
    Ablate(Box<ablate::AblateArgs>),
    Report(Box<report::ReportArgs>),
    Plan(Box<cluster::plan::PlanArgs>),
    Shard(cluster::shard::ShardArgs),
    Status(cluster::status::StatusArgs),
    Merge(Box<cluster::merge::MergeArgs>),
    Verify(cluster::verify::VerifyArgs),
    Clean(cluster::clean::CleanArgs),
    Submit(cluster::submit::SubmitArgs),
    Explain(explain::ExplainArgs),
    Bench(bench::BenchArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Parses the command line and does what it says.
pub fn run() -> Result<()> {
    let program = cluster::plan::shown(examples::shown(Cli::command()));
    let program = match output::columns() {
        Some(columns) => program.term_width(columns.min(WIDEST_HELP)),
        None => program,
    };
    let matches = program.clone().try_get_matches();
    let matches = matches.unwrap_or_else(|error| refuse(&tips::of(error)));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| refuse(&error));
    needs::check(&program, &matches)?;
    if cli
        .progress
        .is_some_and(|shown| shown != progress::Shown::None)
        && is_quiet(&matches)
    {
        return Err(Error::Usage(
            "--quiet shows no progress and --progress asks for some; leave one out".into(),
        ));
    }
    progress::show(cli.progress);
    signals::advise(advice(&matches));
    signals::install();
    watch_files();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(cli.threads.unwrap_or_else(threads::by_default))
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
        Command::Dynamics(args) => dynamics::run(*args),
        Command::Correlate(args) => correlate::run(*args),
        Command::Probe(args) => probe::run(*args),
        Command::Events(args) => events::run(args),
        Command::Forward(args) => forward::run(*args),
        Command::LogitLens(args) => logit_lens::run(*args),
        Command::Attribution(args) => attribution::run(*args),
        Command::HeadPattern(args) => head_pattern::run(*args),
        Command::AttentionModify(args) => attention_modify::run(*args),
        Command::Ablate(args) => ablate::run(*args),
        Command::Similarity(args) => similarity::run(*args),
        Command::Clones(args) => clones::run(*args),
        Command::Report(args) => report::run(*args, report::typed(&program, &matches)),
        Command::Plan(args) => cluster::plan::run(*args, cluster::plan::typed(&program, &matches)?),
        Command::Shard(args) => cluster::shard::run(args),
        Command::Status(args) => cluster::status::run(args),
        Command::Merge(args) => cluster::merge::run(*args),
        Command::Verify(args) => cluster::verify::run(args),
        Command::Clean(args) => cluster::clean::run(args),
        Command::Submit(args) => cluster::submit::run(args),
        Command::Bench(args) => bench::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Completions(args) => completions::run(args, &mut Cli::command()),
        Command::Man(args) => man::run(&args, examples::whole(Cli::command())),
    })
}

/// Says what is wrong with the command line, or shows the help, and ends the process.
fn refuse(error: &clap::Error) -> ! {
    let plain = error.render().to_string();
    let safe = safe_lines(&plain);
    let example = tips::example(error).unwrap_or_default();
    if plain == safe {
        let shown = error
            .print()
            .and_then(|()| std::io::stderr().write_all(example.as_bytes()))
            .and_then(|()| std::io::stdout().flush());
        let lost = shown.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
        std::process::exit(if lost { 1 } else { error.exit_code() });
    }
    // The names of files may come from a pattern of the shell; colours are not worth the risk.
    let _ = std::io::stderr().write_all((safe + &example).as_bytes());
    std::process::exit(error.exit_code())
}

fn is_quiet(matches: &ArgMatches) -> bool {
    let Some((_, command)) = matches.subcommand() else {
        return false;
    };
    let quiet = command.try_get_one::<bool>("quiet");
    quiet.is_ok_and(|quiet| quiet == Some(&true))
}

/// What helps whoever runs the command again after it was stopped.
fn advice(matches: &ArgMatches) -> String {
    let Some((_, command)) = matches.subcommand() else {
        return String::new();
    };
    match command.try_get_one::<PathBuf>("cache") {
        Ok(Some(folder)) => format!(
            "; the same command goes on from the tables in {}",
            folder.display()
        ),
        Ok(None) => "; with --cache DIR finished tables are kept and the next run goes on".into(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        cluster::plan::shown(examples::shown(Cli::command())).debug_assert();
    }
}
