//! `repgeo overlap`: how many neighbours layers share, and how many have the row's label.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::cluster::{Analysis, Work};
use repgeo::input::{ExpectedLabels, Labels, TokenRows};
use repgeo::profile::Bench;
use repgeo::profile::compare::Comparison;
use repgeo::profile::overlap::{OverlapOptions, overlap};
use repgeo::report::Report;
use repgeo::{Error, Result};

use super::output::input_name;
use super::pairs::PairArgs;
use super::shared::SharedArgs;

/// Neighbour overlap: the share of neighbours that layers have in common, or with the row's label
///
/// Chance level stands beside every value. With --labels and neither --to nor a second dump, only
/// labels are looked at.
#[derive(Args)]
pub struct OverlapArgs {
    #[arg(value_name = "ACTS", help = super::layers::acts(), required_unless_present = "neighbours")]
    input: Option<PathBuf>,

    /// Read precomputed neighbour tables (distances and indices) instead of activations; --against
    /// names other tables of the same samples
    #[arg(long, value_name = "PATH", conflicts_with_all = ["input", "other", "against_layers",
        "against_rows", "layers", "pool", "mask", "rows", "subsample", "per_class", "duplicates",
        "drop_nonfinite", "metric", "axes", "join", "order_file", "bf16_bits", "cache", "max_memory",
        "device", "partitions"])]
    neighbours: Option<PathBuf>,

    /// The distances of --neighbours are squares, as faiss gives them; take their roots
    #[arg(long, requires = "neighbours")]
    squared: bool,

    #[command(flatten)]
    pairs: PairArgs,

    #[command(flatten)]
    estimate: EstimateArgs,

    /// Put the overlap of every row into the JSON
    #[arg(long, help_heading = "Output")]
    per_row: bool,

    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Overlap")]
struct EstimateArgs {
    /// Numbers of neighbours, comma-separated [default: 30]
    #[arg(short, long, value_name = "K", value_delimiter = ',', value_parser = super::parse::count(super::parse::MOST_ROWS),
        conflicts_with = "class_fraction")]
    k: Vec<usize>,

    /// For labels: look at this share of the rows of each row's class instead of k
    #[arg(long, value_name = "F", value_parser = super::parse::share, requires = "labels")]
    class_fraction: Option<f64>,

    /// For labels: leave out neighbours that share this second label of the row, as the family in
    /// searches for remote homologues; k counts those that are left
    #[arg(long, value_name = "FILE", requires = "labels")]
    exclude: Option<PathBuf>,

    /// Blocks of rows behind the errors
    #[arg(long, value_name = "B", default_value_t = 10, value_parser = super::parse::between(2, super::parse::MOST))]
    blocks: usize,

    /// Compute everything again in P disjoint parts of the rows, for the errors
    #[arg(long, value_name = "P", value_parser = super::parse::between(2, super::parse::MOST))]
    partitions: Option<usize>,
}

impl OverlapArgs {
    /// What is computed with these labels of all rows.
    fn options(&self, labels: Vec<Labels>, tokens: Option<&TokenRows>) -> Result<OverlapOptions> {
        let n = labels.first().map_or(0, |labels| labels.codes.len());
        let expected = ExpectedLabels {
            remedy: "give --exclude with one label per row of the dump",
            ..ExpectedLabels::rows(n, "the dump")
        };
        let second = |path: &PathBuf| match tokens {
            None => Labels::open_for(path, expected),
            Some(tokens) => Labels::open_for_tokens(path, tokens),
        };
        let of_pairs = self.pairs.second().is_some() || self.pairs.asked().is_some();
        let wants_pairs = labels.is_empty() || of_pairs;
        let defaults = OverlapOptions::default();
        Ok(OverlapOptions {
            target: wants_pairs.then(|| self.pairs.target()),
            k: if self.estimate.k.is_empty() {
                defaults.k
            } else {
                self.estimate.k.clone()
            },
            class_fraction: self.estimate.class_fraction,
            labels,
            exclude: self.estimate.exclude.as_ref().map(second).transpose()?,
            blocks: self.estimate.blocks,
            partitions: self.estimate.partitions,
            per_row: self.per_row,
            seed: self.shared.rows.seed,
        })
    }

    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        let input = self.input.as_ref().ok_or_else(|| {
            Error::Usage("tables hold all neighbours, so that there is nothing to divide".into())
        })?;
        let (left, right) = self.pairs.sources(input, &self.shared)?;
        let labels = self.shared.rows.labels_of(&left.dump, &left.options)?;
        let options = self.options(labels, left.options.tokens.as_ref())?;
        Ok(vec![Work {
            left,
            right,
            analysis: Analysis::Overlap(options),
        }])
    }
}

/// Compares and reports.
pub fn run(args: OverlapArgs) -> Result<()> {
    let setting = args.shared.setting(args.pairs.words())?;
    let bench = setting.bench();
    if let Some(path) = &args.neighbours {
        return run_tables(&args, path, &bench);
    }
    let Some(input) = &args.input else {
        return Err(Error::Usage("name the activations to analyse".into()));
    };
    let first = args.shared.open(input)?;
    let second = args.pairs.open(&args.shared)?;
    let (left, right) = args.pairs.sides(
        &first,
        second.as_ref(),
        &args.shared.layers,
        &args.shared.rows,
    )?;
    let labels = args.shared.rows.labels_of(&first, &left.options)?;
    let options = args.options(labels, left.options.tokens.as_ref())?;
    let comparison = Comparison::new(left, right, bench.progress)?;
    let mut profile = overlap(&comparison, &options, &bench)?;
    for dump in [Some(&first), second.as_ref()].into_iter().flatten() {
        profile.warnings.extend_from_slice(dump.warnings());
    }
    let mut input = vec![input_name(input)];
    input.extend(args.pairs.second().map(input_name));
    let dumps = [Some(&first), second.as_ref()].into_iter().flatten();
    args.shared
        .output
        .write(&Report::new("overlap", input, &profile).understood(dumps))
}

/// The same of tables that somebody computed before.
fn run_tables(args: &OverlapArgs, path: &Path, bench: &Bench<'_>) -> Result<()> {
    let (first, second) = args.pairs.tables(path, args.squared)?;
    let n = match first.first() {
        Some(first) => first.read(1)?.n,
        None => 0,
    };
    let options = args.options(args.shared.rows.labels(n, None)?, None)?;
    let k = options.deepest(n);
    let comparison = Comparison::of_tables(&first, second.as_deref(), k, k)?;
    let profile = overlap(&comparison, &options, bench)?;
    let mut input = vec![input_name(path)];
    input.extend(args.pairs.second().map(input_name));
    args.shared
        .output
        .write(&Report::new("overlap", input, &profile))
}
