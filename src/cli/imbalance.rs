//! `repgeo imbalance`: what one layer says about the neighbours of another.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::cluster::{Analysis, Work};
use repgeo::input::{Dump, index_list};
use repgeo::profile::compare::Comparison;
use repgeo::profile::imbalance::{
    Criterion, Greedy, ImbalanceOptions, SubsetOptions, SubsetRule, imbalance, subsets,
    target_subsets,
};
use repgeo::profile::{Bench, PartitionOrder, Partitioning};
use repgeo::report::Report;
use repgeo::{Error, Result};

use super::choice::choice;
use super::output::input_name;
use super::pairs::PairArgs;
use super::shared::SharedArgs;

/// Information imbalance: how well one layer predicts the neighbours of another
///
/// Near the floor (k+1)/N where a predicts b, 1 where it says nothing. Ranks are counted exactly;
/// a matrix of all layers takes two sweeps a layer.
#[derive(Args)]
pub struct ImbalanceArgs {
    #[arg(value_name = "ACTS", help = super::layers::acts(), required_unless_present = "neighbours")]
    input: Option<PathBuf>,

    /// Read precomputed neighbour tables instead of activations, which must hold every rank that is
    /// asked for; --against names other tables of the same samples
    #[arg(long, value_name = "PATH", conflicts_with_all = ["input", "other", "against_layers",
        "against_rows", "layers", "pool", "mask", "rows", "subsample", "per_class", "duplicates",
        "drop_nonfinite", "metric", "axes", "join", "order_file", "bf16_bits", "cache", "max_memory",
        "device", "partitions", "coordinates", "greedy"])]
    neighbours: Option<PathBuf>,

    /// The distances of --neighbours are squares, as faiss gives them; take their roots
    #[arg(long, requires = "neighbours")]
    squared: bool,

    #[command(flatten)]
    pairs: PairArgs,

    #[command(flatten)]
    estimate: EstimateArgs,

    #[command(flatten)]
    subsets: SubsetArgs,

    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Imbalance")]
struct EstimateArgs {
    /// Numbers of neighbours, comma-separated
    #[arg(short, long, value_name = "K", value_delimiter = ',', default_value = "1",
        value_parser = super::parse::count(super::parse::MOST_ROWS))]
    k: Vec<usize>,

    /// Compute everything again in P disjoint parts of the rows: mean and spread
    #[arg(long, value_name = "P", value_parser = super::parse::count(super::parse::MOST))]
    partitions: Option<usize>,

    /// Deal rows into parts at random, or in the order given
    #[arg(long, value_parser = choice::<PartitionOrder>(), value_name = "ORDER",
        default_value = PartitionOrder::default().flag(), requires = "partitions")]
    partition_order: PartitionOrder,

    /// Permute the rows of the second layer S times, for a null (expected 1) and p-values
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = super::parse::between(0, super::parse::MOST))]
    shuffle: usize,
}

#[derive(Args)]
#[command(next_help_heading = "Subsets of columns")]
struct SubsetArgs {
    /// Compare each layer with some of its columns, e.g. 0..8 or 0,3,5, or with --to or --against
    /// another layer with them; may be repeated
    #[arg(long, value_name = "COLUMNS", conflicts_with_all = ["greedy", "partitions",
        "shuffle"])]
    coordinates: Vec<String>,

    /// Grow the subset of columns that keeps most information of the layer, or with --to or
    /// --against of another one, up to M columns
    #[arg(long, value_name = "M", value_parser = super::parse::count(super::parse::MOST),
        conflicts_with_all = ["partitions", "shuffle"])]
    greedy: Option<usize>,

    /// Subsets of each size that the greedy search keeps
    #[arg(long, value_name = "B", default_value_t = 10, value_parser = super::parse::count(super::parse::MOST),
        requires = "greedy")]
    beam: usize,

    /// What the greedy search makes small: symmetric, or forward for the subset's prediction alone
    #[arg(long, value_parser = choice::<Criterion>(), value_name = "NAME",
        default_value = Criterion::default().flag(), requires = "greedy")]
    criterion: Criterion,
}

impl ImbalanceArgs {
    /// What is computed.
    fn options(&self) -> ImbalanceOptions {
        ImbalanceOptions {
            target: self.pairs.target(),
            k: self.estimate.k.clone(),
            partitioning: self.estimate.partitions.map(|partitions| Partitioning {
                partitions,
                partition_order: self.estimate.partition_order,
            }),
            shuffle: self.estimate.shuffle,
            seed: self.shared.rows.seed,
        }
    }

    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        if self.subsets.greedy.is_some() || !self.subsets.coordinates.is_empty() {
            return Err(Error::Usage(
                "--coordinates and --greedy make many small searches, which are not divided among \
                 machines; run the command itself"
                    .into(),
            ));
        }
        let input = self.input.as_ref().ok_or_else(|| {
            Error::Usage("tables hold all neighbours, so that there is nothing to divide".into())
        })?;
        let (left, right) = self.pairs.sources(input, &self.shared)?;
        Ok(vec![Work {
            left,
            right,
            analysis: Analysis::Imbalance(self.options()),
        }])
    }
}

/// Compares and reports.
pub fn run(args: ImbalanceArgs) -> Result<()> {
    let setting = args.shared.setting(args.pairs.words())?;
    let bench = setting.bench();
    if let Some(path) = &args.neighbours {
        return run_tables(&args, path, &bench);
    }
    let Some(input) = &args.input else {
        return Err(Error::Usage("name the activations to analyse".into()));
    };
    if args.subsets.greedy.is_some() || !args.subsets.coordinates.is_empty() {
        return run_subsets(&args, input, &bench);
    }
    let first = args.shared.open(input)?;
    let second = args.pairs.open(&args.shared)?;
    let (left, right) = args.pairs.sides(
        &first,
        second.as_ref(),
        &args.shared.layers,
        &args.shared.rows,
    )?;
    let comparison = Comparison::new(left, right, bench.progress)?;
    let options = args.options();
    let mut profile = imbalance(&comparison, &options, &bench)?;
    for dump in [Some(&first), second.as_ref()].into_iter().flatten() {
        profile.warnings.extend_from_slice(dump.warnings());
    }
    let mut input = vec![input_name(input)];
    input.extend(args.pairs.second().map(input_name));
    let dumps = [Some(&first), second.as_ref()].into_iter().flatten();
    args.shared
        .output
        .write(&Report::new("imbalance", input, &profile).understood(dumps))
}

/// The same of tables that somebody computed before.
fn run_tables(args: &ImbalanceArgs, path: &Path, bench: &Bench<'_>) -> Result<()> {
    let (first, second) = args.pairs.tables(path, args.squared)?;
    let options = args.options();
    // One neighbour more than k: the error replaces each of them by the next.
    let most = options.k.iter().copied().max().unwrap_or(1);
    let comparison = Comparison::of_tables(&first, second.as_deref(), most + 1, usize::MAX)?;
    let profile = imbalance(&comparison, &options, bench)?;
    let mut input = vec![input_name(path)];
    input.extend(args.pairs.second().map(input_name));
    args.shared
        .output
        .write(&Report::new("imbalance", input, &profile))
}

fn run_subsets(args: &ImbalanceArgs, input: &Path, bench: &Bench<'_>) -> Result<()> {
    let [k] = args.estimate.k[..] else {
        return Err(Error::Usage(
            "--coordinates and --greedy take one --k".into(),
        ));
    };
    let shared = &args.shared;
    let dump = shared.open(input)?;
    let rule = match args.subsets.greedy {
        Some(columns) => SubsetRule::Greedy(Greedy {
            columns,
            beam: args.subsets.beam,
            criterion: args.subsets.criterion,
        }),
        None => SubsetRule::Given(given_columns(args, &dump)?),
    };
    let second = args.pairs.open(shared)?;
    let target = match (args.pairs.asked(), &second) {
        (None, None) => None,
        _ => Some(args.pairs.target()),
    };
    let options = SubsetOptions { target, rule, k };
    let (left, right) = args
        .pairs
        .sides(&dump, second.as_ref(), &shared.layers, &shared.rows)?;
    let mut profile = match options.target {
        None => subsets(&dump, &left.options, &options, bench)?,
        Some(_) => {
            let comparison = Comparison::new(left, right, bench.progress)?;
            let mut profile = target_subsets(&comparison, &options, bench)?;
            profile.warnings.extend_from_slice(dump.warnings());
            profile
        }
    };
    if let Some(second) = &second {
        profile.warnings.extend_from_slice(second.warnings());
    }
    let mut input = vec![input_name(input)];
    input.extend(args.pairs.second().map(input_name));
    shared
        .output
        .write(&Report::new("imbalance-subsets", input, &profile).understood([&dump]))
}

/// The columns of each `--coordinates`, which every layer must have.
fn given_columns(args: &ImbalanceArgs, dump: &Dump) -> Result<Vec<Vec<usize>>> {
    let narrowest = dump
        .layers()
        .iter()
        .map(|layer| layer.shape.last().copied().unwrap_or(0))
        .min()
        .unwrap_or(0);
    let columns = args.subsets.coordinates.iter();
    columns
        .map(|text| index_list(text, narrowest, "--coordinates"))
        .collect()
}
