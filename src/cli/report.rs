//! `repgeo report`: every analysis that a dump allows, on one page.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};
use repgeo::Result;
use repgeo::input::{list_runs, read_runs};
use repgeo::overview::{
    OpenedRun, Opening, Runs, Source, Subject, Topic, page_stem, write_overview,
};
use repgeo::profile::DuplicatePolicy;
use repgeo::report::check_writable;

use super::choice::choice;
use super::layers::LayerArgs;
use super::output::input_name;
use super::progress::Bar;
use super::rows::RowArgs;
use super::search::{CacheArgs, SearchArgs};

/// Everything that a dump allows on one page: figures, tables, numbers, and the commands behind them
///
/// The page is one file that opens from disk and asks the network for nothing. Beside it stand
/// NAME.json, every report whole, and NAME-TOPIC.csv, the numbers of each.
#[derive(Args)]
pub struct ReportArgs {
    #[arg(value_name = "ACTS", help = super::layers::acts())]
    input: PathBuf,

    /// The page to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,

    /// Compare with another dump over the same rows
    #[arg(long, value_name = "ACTS2")]
    against: Option<PathBuf>,

    /// Runs to follow over their layers: dumps, or a .csv with their paths, as dynamics has them
    #[arg(long, value_name = "RUN", num_args = 1..)]
    runs: Vec<PathBuf>,

    /// Only these topics, comma-separated
    #[arg(long, value_parser = choice::<Topic>(), value_name = "TOPIC", value_delimiter = ',')]
    only: Vec<Topic>,

    /// All but these topics, comma-separated
    #[arg(long, value_parser = choice::<Topic>(), value_name = "TOPIC", value_delimiter = ',',
        conflicts_with = "only")]
    skip: Vec<Topic>,

    /// No progress
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    layers: LayerArgs,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    search: SearchArgs,

    #[command(flatten)]
    cache: CacheArgs,
}

/// Options that say nothing about which numbers a command of the page gives.
const OWN: [&str; 10] = [
    "output",
    "against",
    "runs",
    "only",
    "skip",
    "quiet",
    "threads",
    "cache",
    "max_memory",
    "kernel",
];

/// The flags that chose layers, rows and labels, with their values, as the commands of the page
/// repeat them.
pub fn typed(program: &Command, matches: &ArgMatches) -> Vec<[String; 2]> {
    let Some((name, given)) = matches.subcommand() else {
        return Vec::new();
    };
    let command = program.find_subcommand(name);
    let options = command.into_iter().flat_map(Command::get_arguments);
    let is_typed = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    options
        .filter_map(|option| Some((option.get_id().as_str(), option.get_long()?)))
        .filter(|(id, _)| !OWN.contains(id) && is_typed(id))
        .flat_map(|(id, long)| {
            let values = given.get_raw(id).into_iter().flatten();
            values.map(move |value| {
                let value = value.to_string_lossy();
                // A switch has its own state for a value.
                let value = if value == "true" {
                    String::new()
                } else {
                    value.into_owned()
                };
                [format!("--{long}"), value]
            })
        })
        .collect()
}

/// Analyses, then writes the page and what stands beside it.
pub fn run(args: ReportArgs, typed: Vec<[String; 2]>) -> Result<()> {
    page_stem(&args.output)?;
    check_writable(&args.output)?;
    let (progress, cache) = (Bar::new(args.quiet), args.cache.open());
    let words = args.rows.words();
    let dump = args.layers.open(&args.input, &args.rows)?;
    let other = args.against.as_deref();
    let other = other
        .map(|path| args.layers.open(path, &args.rows))
        .transpose()?;
    let bench = repgeo::profile::Bench {
        cache: cache.as_ref(),
        finished: None,
        metric: args.layers.metric(),
        search: args.search.options()?,
        progress: &progress,
        rows: &words,
    };
    let source = |dump, path: &Path| Source {
        dump,
        path: path.to_string_lossy().into_owned(),
        input: input_name(path),
    };
    let layers = args
        .layers
        .options_or(&dump, &args.rows, DuplicatePolicy::Keep)?;
    let open = |path: &Path| args.open_run(path);
    let subject = Subject {
        runs: args.followed(&open)?,
        dump: source(&dump, &args.input),
        against: other
            .as_ref()
            .zip(args.against.as_deref())
            .map(|(dump, path)| source(dump, path)),
        labels: args.rows.labels_of(&dump, &layers)?,
        flags: typed,
        layers,
    };
    write_overview(&args.output, &subject, &args.topics(), &bench)
}

impl ReportArgs {
    /// A run as `repgeo dynamics` opens it.
    fn open_run(&self, path: &Path) -> Result<OpenedRun> {
        let dump = self.layers.open(path, &self.rows)?;
        let layers = self
            .layers
            .options_or(&dump, &self.rows, DuplicatePolicy::Drop)?;
        Ok(OpenedRun {
            dump,
            layers,
            labels: Vec::new(),
        })
    }

    /// The runs that are followed, if any.
    fn followed<'a>(&self, open: Opening<'a>) -> Result<Option<Runs<'a>>> {
        let typed = |path: &PathBuf| path.to_string_lossy().into_owned();
        let is_table = |path: &PathBuf| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| matches!(ending, "csv" | "tsv"))
        };
        let (sources, words) = match &self.runs[..] {
            [] => return Ok(None),
            [table] if is_table(table) => {
                (read_runs(table)?, vec!["--runs".to_owned(), typed(table)])
            }
            runs => (list_runs(runs)?, runs.iter().map(typed).collect()),
        };
        Ok(Some(Runs {
            sources,
            open,
            typed: words,
            input: self.runs.iter().map(|path| input_name(path)).collect(),
        }))
    }

    fn topics(&self) -> Vec<Topic> {
        let wanted = |topic: &Topic| match self.only.is_empty() {
            true => !self.skip.contains(topic),
            false => self.only.contains(topic),
        };
        Topic::ALL.iter().copied().filter(wanted).collect()
    }
}
