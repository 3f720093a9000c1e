//! `repgeo report`: every analysis that a dump allows, on one page.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};
use repgeo::input::check_files;
use repgeo::overview::{Chapter, Source, Subject, Topic, chapters};
use repgeo::profile::DuplicatePolicy;
use repgeo::report::write::html;
use repgeo::report::{check_writable, write_atomically};
use repgeo::{Error, Result};

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
    #[arg(value_name = "ACTS", help = super::layers::ACTS)]
    input: PathBuf,

    /// The page to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,

    /// Compare with another dump over the same rows
    #[arg(long, value_name = "ACTS2")]
    against: Option<PathBuf>,

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
const OWN: [&str; 9] = [
    "output",
    "against",
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
    let stem = args.stem()?;
    check_writable(&args.output)?;
    let (progress, cache) = (Bar::new(args.quiet), args.cache.open());
    let words = args.rows.words();
    let dump = args.layers.open(&args.input)?;
    let other = args.against.as_deref();
    let other = other.map(|path| args.layers.open(path)).transpose()?;
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
    let subject = Subject {
        dump: source(&dump, &args.input),
        against: other
            .as_ref()
            .zip(args.against.as_deref())
            .map(|(dump, path)| source(dump, path)),
        labels: args.rows.labels(dump.n_rows())?,
        flags: typed,
        layers: args
            .layers
            .options_or(dump.n_rows(), &args.rows, DuplicatePolicy::Keep)?,
    };
    let chapters = chapters(&subject, &args.topics(), &bench);
    if chapters.is_empty() {
        return Err(Error::Usage(format!(
            "{} allows none of the topics asked for: labels need --labels, against needs --against, \
             and one layer alone is compared with nothing",
            args.input.display()
        )));
    }
    check_files()?;
    let read: Vec<String> = [&dump]
        .into_iter()
        .chain(&other)
        .map(repgeo::input::Dump::understood)
        .collect();
    args.write(&stem, &read, chapters)
}

impl ReportArgs {
    fn topics(&self) -> Vec<Topic> {
        let wanted = |topic: &Topic| match self.only.is_empty() {
            true => !self.skip.contains(topic),
            false => self.only.contains(topic),
        };
        Topic::ALL.iter().copied().filter(wanted).collect()
    }

    /// The path of the page without its ending: what stands beside it begins so.
    fn stem(&self) -> Result<PathBuf> {
        let ending = self.output.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("html" | "htm") => Ok(self.output.with_extension("")),
            _ => Err(Error::Usage(format!(
                "-o {}: the report is a page; let its name end in .html",
                self.output.display()
            ))),
        }
    }

    fn write(&self, stem: &Path, read: &[String], chapters: Vec<Chapter>) -> Result<()> {
        let beside = |ending: &str| {
            let mut name = stem.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let mut parts = serde_json::Map::new();
        let mut sections = Vec::new();
        for Chapter {
            topic,
            section,
            json,
        } in chapters
        {
            let part = match (&section.outcome, json) {
                (Ok(content), Some(json)) => {
                    let file = beside(&format!("-{}.csv", topic.flag()));
                    write_atomically(&file, content.csv.as_bytes())?;
                    serde_json::from_str(&json).expect("a report is valid JSON")
                }
                (Err(why), _) => serde_json::json!({ "error": why }),
                (Ok(_), None) => continue,
            };
            parts.insert(topic.name().to_owned(), part);
            sections.push(section);
        }
        let json = serde_json::to_string_pretty(&serde_json::json!({
            "schema": repgeo::report::SCHEMA,
            "version": env!("CARGO_PKG_VERSION"),
            "command": "report",
            "input": [input_name(&self.input)],
            "parts": parts,
        }))
        .expect("a map of reports is valid JSON");
        write_atomically(&beside(".json"), (json + "\n").as_bytes())?;
        let title = format!("Geometry of {}", input_name(&self.input));
        let page = html::document(&title, env!("CARGO_PKG_VERSION"), read, &sections);
        write_atomically(&self.output, page.as_bytes())
    }
}
