//! `repgeo overlap`: how many neighbours layers share, and how many have the row's label.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::cluster::{Analysis, Work};
use repgeo::profile::compare::Comparison;
use repgeo::profile::overlap::{OverlapOptions, overlap};
use repgeo::report::Report;

use super::output::input_name;
use super::pairs::PairArgs;
use super::shared::SharedArgs;

/// Neighbour overlap: the share of neighbours that layers have in common, or with the row's label
///
/// Chance level stands beside every value. With --labels and neither --to nor a second dump, only
/// labels are looked at.
#[derive(Args)]
pub struct OverlapArgs {
    #[arg(value_name = "ACTS", help = super::layers::ACTS)]
    input: PathBuf,

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

    /// Blocks of rows behind the errors
    #[arg(long, value_name = "B", default_value_t = 10, value_parser = super::parse::between(2, super::parse::MOST))]
    blocks: usize,

    /// Compute everything again in P disjoint parts of the rows, for the errors
    #[arg(long, value_name = "P", value_parser = super::parse::between(2, super::parse::MOST))]
    partitions: Option<usize>,
}

impl OverlapArgs {
    /// What is computed over a dump of `n` rows.
    fn options(&self, n: usize) -> Result<OverlapOptions> {
        let labels = self.shared.rows.labels(n)?;
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
            blocks: self.estimate.blocks,
            partitions: self.estimate.partitions,
            per_row: self.per_row,
            seed: self.shared.rows.seed,
        })
    }

    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        let (left, right) = self.pairs.sources(&self.input, &self.shared)?;
        let options = self.options(left.dump.n_rows())?;
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
    let first = args.shared.layers.open(&args.input)?;
    let second = args.pairs.open(&args.shared.layers)?;
    let options = args.options(first.n_rows())?;
    let (left, right) = args.pairs.sides(
        &first,
        second.as_ref(),
        &args.shared.layers,
        &args.shared.rows,
    )?;
    let comparison = Comparison::new(left, right, bench.progress)?;
    let mut profile = overlap(&comparison, &options, &bench)?;
    for dump in [Some(&first), second.as_ref()].into_iter().flatten() {
        profile.warnings.extend_from_slice(dump.warnings());
    }
    let mut input = vec![input_name(&args.input)];
    input.extend(args.pairs.second().map(input_name));
    let dumps = [Some(&first), second.as_ref()].into_iter().flatten();
    args.shared
        .output
        .write(&Report::new("overlap", input, &profile).understood(dumps))
}
