//! `repgeo correlate`: numbers of reports beside numbers of somebody else.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::geometry::correlation::{Correlation, IntervalRule};
use repgeo::input::{list_runs, read_outside};
use repgeo::profile::correlate::{CorrelateOptions, JoinKey, correlate};
use repgeo::report::{NumberChoice, Report, read_measured};
use repgeo::{Error, Result};

use super::choice::choice;
use super::output::{OutputArgs, input_name};

/// Do numbers of reports go with a loss, an accuracy or a surprisal that somebody else measured?
///
/// Joins the CSVs of any command with a table by run, layer or row. Every correlation has its n, and a
/// permutation p that is exact up to 8 values; keys without a partner are listed.
#[derive(Args)]
pub struct CorrelateArgs {
    /// CSVs of repgeo, or tables with a column named as --by says
    #[arg(value_name = "REPORT.csv", required = true)]
    reports: Vec<PathBuf>,

    /// The table to correlate with: a key a line, and columns of numbers
    #[arg(long, value_name = "FILE.csv", required = true)]
    table: PathBuf,

    #[command(flatten)]
    join: JoinArgs,

    #[command(flatten)]
    numbers: NumberArgs,

    #[command(flatten)]
    test: TestArgs,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Join")]
struct JoinArgs {
    /// What a number and a line of the table have in common; a CSV without runs is the run that its
    /// own name says
    #[arg(long, value_parser = choice::<JoinKey>(), value_name = "KEY",
        default_value = JoinKey::default().flag())]
    by: JoinKey,

    /// Column of the table that holds the keys [default: as --by is called]
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    /// Columns of the table to correlate with, comma-separated [default: all with numbers]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    column: Vec<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Numbers of the reports")]
struct NumberArgs {
    /// Only this quantity, e.g. id or event_peak
    #[arg(long, value_name = "NAME")]
    quantity: Option<String>,

    /// Only what was computed in this way, e.g. two_nn_base
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,

    /// Only this neighbour order or number of neighbours
    #[arg(long, value_name = "N")]
    scale: Option<usize>,

    /// Only this second layer or set of labels
    #[arg(long, value_name = "NAME")]
    other: Option<String>,

    /// Only this layer
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,

    /// Only this run
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Test")]
struct TestArgs {
    /// How columns are correlated
    #[arg(long, value_parser = choice::<Correlation>(), value_name = "NAME",
        default_value = Correlation::default().flag())]
    correlation: Correlation,

    /// Permute within the groups of this column of the table only, where lines of different groups
    /// could not have changed places (corpora, architectures)
    #[arg(long, value_name = "COLUMN")]
    within: Option<String>,

    /// Orders drawn where not all can be listed, and samples of a bootstrap
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = super::parse::count(super::parse::MOST))]
    draws: usize,

    /// An interval of 95 % for every correlation
    #[arg(long, value_parser = choice::<IntervalRule>(), value_name = "RULE")]
    interval: Option<IntervalRule>,

    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// Reads, joins and reports.
pub fn run(args: CorrelateArgs) -> Result<()> {
    args.output.check()?;
    let by = args.join.by;
    let choice = NumberChoice {
        quantity: args.numbers.quantity.clone(),
        variant: args.numbers.variant.clone(),
        scale: args.numbers.scale,
        other: args.numbers.other.clone(),
        layer: args.numbers.layer.clone(),
        run: args.numbers.run.clone(),
    };
    let files = named(&args.reports)?;
    let files: Vec<(&Path, String)> = files
        .iter()
        .map(|(path, name)| (path.as_path(), name.clone()))
        .collect();
    let measured = read_measured(&files, by, &choice)?;
    let key = args.join.key.as_deref().unwrap_or(by.name());
    let table = read_outside(
        &args.table,
        key,
        &args.join.column,
        args.test.within.as_deref(),
    )?;
    let options = args.test.options(by);
    let profile = correlate(&measured, &table, &options)?;
    let mut input: Vec<String> = args.reports.iter().map(|path| input_name(path)).collect();
    input.push(input_name(&args.table));
    args.output
        .write(&Report::new("correlate", input, &profile))
}

/// The reports with the names of their runs: what differs in their paths, without the ending.
fn named(reports: &[PathBuf]) -> Result<Vec<(PathBuf, String)>> {
    if reports.iter().any(|path| path.as_path() == Path::new("-")) {
        return Err(Error::Usage(
            "correlate reads files; write the report with -o FILE.csv and name it".into(),
        ));
    }
    let runs = list_runs(reports)?.into_iter();
    let plain = |name: String| match name.strip_suffix(".csv") {
        Some(stem) => stem.to_owned(),
        None => name,
    };
    Ok(runs.map(|run| (run.path, plain(run.name))).collect())
}

impl TestArgs {
    fn options(&self, by: JoinKey) -> CorrelateOptions {
        CorrelateOptions {
            by,
            correlation: self.correlation,
            within: self.within.clone(),
            draws: self.draws,
            interval: self.interval,
            seed: self.seed,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: CorrelateArgs,
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let args = Line::parse_from(["correlate", "runs.csv", "--table", "loss.csv"]).args;
        assert_eq!(args.test.options(args.join.by), CorrelateOptions::default());
    }

    #[test]
    fn a_report_is_called_by_what_differs() {
        let reports = ["r/opt125/id.csv", "r/opt1b/id.csv"].map(PathBuf::from);
        let names: Vec<String> = named(&reports)
            .map(|all| all.into_iter().map(|one| one.1).collect())
            .unwrap_or_default();
        assert_eq!(names, ["opt1b", "opt125"]);
        let reports = ["a.csv", "b.csv"].map(PathBuf::from);
        let names: Vec<String> = named(&reports)
            .map(|all| all.into_iter().map(|one| one.1).collect())
            .unwrap_or_default();
        assert_eq!(names, ["a", "b"]);
    }
}
