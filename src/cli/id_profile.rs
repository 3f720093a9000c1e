//! `repgeo id-profile`: the intrinsic dimension of every layer.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use repgeo::cluster::{Analysis, Source, Work};
use repgeo::geometry::id::{ESTIMATORS, Estimator, Fit, FitRule, Fraction, GRIDE, TWO_NN};
use repgeo::input::{Dump, Series, check_files, list_runs};
use repgeo::overview::{Analysis as OverRunsAnalysis, OpenedRun, OverRuns};
use repgeo::profile::dynamics::{DynamicsOptions, DynamicsQuantity, dynamics};
use repgeo::profile::events::EventOptions;
use repgeo::profile::id::IdProfile;
use repgeo::profile::{
    Bench, Control, Decimation, IdOptions, OrderRule, PartitionOrder, Partitioning, id_profile,
    id_profile_of_tables,
};
use repgeo::progress::Within;
use repgeo::report::{Report, ScalingView, explain, npy, write_atomically, write_local};
use repgeo::storage::check_writable;
use repgeo::{Error, Result};

use super::choice::{Pick, choice, choice_or};
use super::ending::require_ending;
use super::estimators::{k_help, local_help, local_names};
use super::events::EventArgs;
use super::layers::tables;
use super::output::input_name;
use super::shared::SharedArgs;

/// Intrinsic dimension of every layer: TwoNN, and Gride over scales
///
/// An intrinsic dimension describes data at a scale: the report names estimator, order, number of
/// rows and mean distance beside every value.
#[derive(Args)]
pub struct IdProfileArgs {
    #[arg(value_name = "ACTS", required_unless_present_any = ["neighbours", "explain"],
        help = format!("{}; several, or NAME=PATH, are runs side by side, as in dynamics", super::layers::acts()))]
    input: Vec<PathBuf>,

    /// Read precomputed neighbour tables (distances and indices) instead of activations
    #[arg(long, value_name = "PATH", conflicts_with_all = ["input", "layers", "pool", "mask", "rows",
        "subsample", "per_class", "labels", "duplicates", "drop_nonfinite", "metric", "axes", "join", "order_file",
        "bf16_bits", "cache", "max_memory"])]
    neighbours: Option<PathBuf>,

    /// The distances of --neighbours are squares, as faiss gives them; take their roots
    #[arg(long, requires = "neighbours")]
    squared: bool,

    /// Say what N, d and the scale mean for the numbers, with measured biases, and do nothing else
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    estimate: EstimateArgs,

    #[command(flatten)]
    errors: ErrorArgs,

    #[command(flatten)]
    events: EventArgs,

    #[arg(long, value_name = "FILE", help_heading = "Output", help = local_help())]
    local: Option<PathBuf>,

    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Estimators")]
struct EstimateArgs {
    /// Which estimators, comma-separated, or all [default: two-nn,gride]
    #[arg(long, value_name = "NAME", value_delimiter = ',',
        value_parser = choice_or::<&'static Estimator>(ALL))]
    estimator: Vec<Pick<&'static Estimator>>,

    #[arg(short, long, value_name = "K", value_parser = super::parse::between(2, super::parse::MOST_ROWS), help = k_help())]
    k: Option<usize>,

    /// How TwoNN is fitted
    #[arg(long, value_parser = choice::<FitRule>(), value_name = "FIT",
        default_value = FitRule::default().flag())]
    fit: FitRule,

    /// Share of the smallest ratios that base and mle-censored use [default: 0.9]
    #[arg(long, value_name = "F")]
    fraction: Option<f64>,

    /// Gride's headline order n1: a number, match-density, or plateau [default: plateau where gride is
    /// the only estimator of a scale, none beside two-nn]; further orders after commas join the
    /// scaling, and are repeated in parts
    #[arg(long, value_name = "N|RULE", value_delimiter = ',')]
    order: Vec<OrderName>,

    /// Neighbours of the density that --order match-density matches
    #[arg(long, value_name = "K", default_value_t = 16, value_parser = super::parse::count(super::parse::MOST_ROWS))]
    density_k: usize,

    /// Largest neighbour order n2 of Gride's scaling
    #[arg(long, value_name = "N2", default_value_t = 64, value_parser = range_max)]
    range_max: usize,

    /// Share of variance that lpca_ratio counts eigenvalues to: 0.99 for 99 % [default: 0.95]
    #[arg(long, value_name = "SHARE", value_parser = super::parse::part)]
    variance: Option<f64>,

    /// Eigenvalues that the report lists of each spectrum; all where there are fewer [default: 64]
    #[arg(long, value_name = "N", value_parser = super::parse::count(super::parse::MOST_ROWS))]
    eigenvalues: Option<usize>,

    /// The same estimates on made-up layers: gaussian has the same covariance, shuffle the same
    /// columns, null is both
    #[arg(long, value_parser = choice_or::<Control>(BOTH), value_name = "CONTROL",
        value_delimiter = ',')]
    control: Vec<Pick<Control>>,

    /// Print the dimension against scale for each layer, in each part too with --partitions or
    /// --decimate; =decimation adds TwoNN on sub-samples
    #[arg(long, value_enum, ignore_case = true, value_name = "RULE", num_args = 0..=1,
        require_equals = true,
        default_missing_value = "orders")]
    id_scaling: Option<ScalingName>,
}

#[derive(Args)]
#[command(next_help_heading = "Errors")]
struct ErrorArgs {
    /// Jackknife errors over B blocks of ratios, for every estimator
    #[arg(long, value_name = "B", value_parser = super::parse::between(2, super::parse::MOST))]
    blocks: Option<usize>,

    /// Repeat the estimates in P disjoint parts of the rows
    #[arg(long, value_name = "P", value_parser = super::parse::count(super::parse::MOST), conflicts_with = "decimate")]
    partitions: Option<usize>,

    /// Deal rows into parts at random, or in the order given
    #[arg(long, value_parser = choice::<PartitionOrder>(), value_name = "ORDER",
        default_value = PartitionOrder::default().flag(), requires = "partitions")]
    partition_order: PartitionOrder,

    /// Repeat the estimates in sub-samples of this share of the rows
    #[arg(long, value_name = "Q", value_parser = super::parse::share)]
    decimate: Option<f64>,

    /// How many such sub-samples
    #[arg(long, value_name = "T", default_value_t = Decimation::REPEATS, value_parser = super::parse::count(super::parse::MOST),
        requires = "decimate")]
    repeats: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScalingName {
    /// Gride at every neighbour order
    Orders,
    /// The same, and TwoNN on N/2, N/4, … rows
    Decimation,
}

/// What may stand after `--order`.
#[derive(Clone, Copy)]
pub enum OrderName {
    Fixed(usize),
    MatchDensity,
    Plateau,
}

impl FromStr for OrderName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "match-density" => Ok(Self::MatchDensity),
            "plateau" => Ok(Self::Plateau),
            _ => match text.parse() {
                Ok(order @ 1..=0x7fff_ffff) => Ok(Self::Fixed(order)),
                _ => Err("give an order from 1 on, match-density or plateau".into()),
            },
        }
    }
}

fn range_max(text: &str) -> std::result::Result<usize, String> {
    super::parse::between(2, super::parse::MOST_ROWS)(text)
}

/// The word for both controls.
pub const BOTH: &[(&str, &str)] = &[("null", "Both")];

const ALL: &[(&str, &str)] = &[("all", "All of these")];

/// The controls that are meant, in the order of reports.
pub fn controls(picks: &[Pick<Control>]) -> Vec<Control> {
    let wanted = |one: &Control| {
        let given =
            |pick: &Pick<Control>| matches!(pick, Pick::Word(_)) || *pick == Pick::One(*one);
        picks.iter().any(given)
    };
    Control::ALL.into_iter().filter(wanted).collect()
}

impl EstimateArgs {
    fn wants(&self, estimator: &'static Estimator) -> bool {
        let [two_nn, gride] = [&TWO_NN, &GRIDE].map(|one| *one == *estimator);
        let all = self
            .estimator
            .iter()
            .any(|one| matches!(one, Pick::Word(_)));
        (self.estimator.is_empty() && (two_nn || gride))
            || self.estimator.contains(&Pick::One(estimator))
            || (all && estimator.part_of.is_none())
    }

    /// Whichever are wanted, in the order of reports.
    fn estimators(&self) -> Vec<&'static Estimator> {
        let all = ESTIMATORS.into_iter();
        all.filter(|&one| self.wants(one)).collect()
    }

    fn fit(&self) -> Result<Fit> {
        let fraction = match self.fraction {
            None => None,
            Some(share) => Some(
                Fraction::new(share)
                    .ok_or_else(|| Error::Usage(format!("--fraction {share} is not in (0, 1]")))?,
            ),
        };
        self.fit.with(fraction).ok_or_else(|| {
            Error::Usage(
                "--fraction has no part in this --fit, which uses all ratios; use --fit base or \
                 mle-censored"
                    .into(),
            )
        })
    }

    fn order(&self) -> Result<Option<OrderRule>> {
        if !self.wants(&GRIDE) {
            return Ok(None);
        }
        Ok(match self.order.first() {
            Some(&OrderName::Fixed(order)) => Some(OrderRule::Fixed(order)),
            Some(OrderName::MatchDensity) => Some(OrderRule::MatchDensity { k: self.density_k }),
            Some(OrderName::Plateau) => Some(OrderRule::Plateau),
            // Alone, Gride needs a number for the profile: where its scaling is steady.
            None if !self.wants(&TWO_NN) => Some(OrderRule::Plateau),
            None => None,
        })
    }

    /// The orders after the headline.
    fn more_orders(&self) -> Result<Vec<usize>> {
        let more = self.order.iter().skip(1).map(|order| match order {
            OrderName::Fixed(order) => Ok(*order),
            OrderName::MatchDensity | OrderName::Plateau => Err(Error::Usage(
                "a rule of --order chooses the headline; put it first, before the numbers".into(),
            )),
        });
        more.collect()
    }
}

impl IdProfileArgs {
    /// What is estimated, but for single rows and how layers become points.
    fn options(&self) -> Result<IdOptions> {
        Ok(IdOptions {
            estimators: self.estimate.estimators(),
            k: self.estimate.k,
            fit: self.estimate.fit()?,
            order: self.estimate.order()?,
            more_orders: self.estimate.more_orders()?,
            range_max: self.estimate.range_max,
            scaling_in_parts: self.estimate.id_scaling.is_some(),
            variance: self.estimate.variance,
            eigenvalues: self.estimate.eigenvalues,
            controls: controls(&self.estimate.control),
            decimation_scaling: self.estimate.id_scaling == Some(ScalingName::Decimation),
            blocks: self.errors.blocks,
            partitioning: self.errors.partitions.map(|partitions| Partitioning {
                partitions,
                partition_order: self.errors.partition_order,
            }),
            decimation: self.errors.decimate.map(|decimate| Decimation {
                decimate,
                repeats: self.errors.repeats,
            }),
            seed: self.shared.rows.seed,
            ..IdOptions::default()
        })
    }

    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        let options = self.options()?;
        let mut names = Vec::new();
        let mut works = Vec::new();
        for run in list_runs(&self.input)? {
            let dump = self.shared.open(&run.path)?;
            names.extend(dump.layers().iter().map(|layer| layer.name.clone()));
            let layers = self.shared.layers.options(&dump, &self.shared.rows)?;
            works.push(Work {
                left: Source {
                    dump,
                    options: layers.clone(),
                },
                right: None,
                analysis: Analysis::Dimension(IdOptions {
                    layers,
                    ..options.clone()
                }),
            });
        }
        if works.len() == 1 {
            self.event_options(names.iter())?;
        }
        Ok(works)
    }

    /// The estimator whose dimensions at single rows go to `--local`.
    fn local(&self) -> Result<Option<&'static Estimator>> {
        let Some(path) = &self.local else {
            return Ok(None);
        };
        require_ending(path, &LOCAL, "--local")?;
        let wanted = self.estimate.estimators().into_iter();
        let local: Vec<&Estimator> = wanted.filter(|one| one.is_local()).collect();
        match local[..] {
            [one] => {
                check_writable(path)?;
                Ok(Some(one))
            }
            _ => Err(Error::Usage(format!(
                "--local needs exactly one of --estimator {}, not {}",
                local_names().join(", "),
                local.len()
            ))),
        }
    }

    /// How events are sought on layers of these names; an error now, not after hours of work.
    fn event_options<'a>(&self, names: impl Iterator<Item = &'a String>) -> Result<EventOptions> {
        self.events
            .options(&Series::new(names.map(|name| (name.as_str(), None))))
    }
}

/// How `--local` may end.
const LOCAL: [&str; 2] = ["npy", "csv"];

/// Estimates and reports.
pub fn run(args: IdProfileArgs) -> Result<()> {
    if args.explain {
        args.shared.output.check()?;
        return args.shared.output.write_page(&explain());
    }
    let setting = args.shared.setting(Vec::new())?;
    let bench = setting.bench();
    let local = args.local()?;
    let options = IdOptions {
        local,
        ..args.options()?
    };
    if args.input.len() > 1 {
        return run_several(&args, &bench);
    }
    let mut tokens = None;
    let (profile, input, dump) = match (args.input.first(), &args.neighbours) {
        (_, Some(path)) => {
            let tables = tables(path, args.squared)?;
            let events = args.event_options(tables.iter().map(|table| &table.name))?;
            let profile = id_profile_of_tables(&tables, &options, &bench)?;
            (profile.with_events(&events), path, None)
        }
        (Some(path), None) => {
            let dump = args.shared.open(path)?;
            let events = args.event_options(dump.layers().iter().map(|layer| &layer.name))?;
            let layers = args.shared.layers.options(&dump, &args.shared.rows)?;
            tokens.clone_from(&layers.tokens);
            let options = IdOptions { layers, ..options };
            let profile = id_profile(&dump, &options, &bench)?;
            (profile.with_events(&events), path, Some(dump))
        }
        (None, None) => return Err(Error::Usage("name the activations to analyse".into())),
    };
    if let Some(path) = &args.local {
        check_files()?;
        let (shape, values) = profile.local().ok_or_else(|| {
            Error::Usage("--local needs layers with the same number of rows".into())
        })?;
        let tokens = tokens.as_ref();
        match require_ending(path, &LOCAL, "--local")? {
            "csv" => write_local(path, &profile, tokens)?,
            _ => write_atomically(path, &npy(&shape, &values))?,
        }
    }
    write(&args, vec![input_name(input)], &profile, dump.as_ref())
}

/// The dimensions of several runs side by side, as `dynamics` reports them.
fn run_several(args: &IdProfileArgs, bench: &Bench<'_>) -> Result<()> {
    for (given, flag) in [
        (args.local.is_some(), "--local"),
        (args.estimate.id_scaling.is_some(), "--id-scaling"),
    ] {
        if given {
            return Err(Error::Usage(format!(
                "{flag} is of one dump, and {} are named; run it for each of them",
                args.input.len()
            )));
        }
    }
    let runs = list_runs(&args.input)?;
    let shared = &args.shared;
    let open = |path: &Path| {
        let dump = shared.open(path)?;
        let layers = shared.layers.options(&dump, &shared.rows)?;
        Ok(OpenedRun {
            dump,
            layers,
            labels: Vec::new(),
        })
    };
    let options = DynamicsOptions::new(DynamicsQuantity::Id, &[])?;
    let events = |series: &Series| args.events.options(series);
    let within = Within::new(bench.progress);
    let inner = Bench {
        progress: &within,
        ..*bench
    };
    let analysis = OverRuns::new(OverRunsAnalysis::Id(args.options()?), &open, None, inner)?;
    let profile = dynamics(&runs, &analysis, &options, &events, bench.progress)?;
    let input = runs.iter().map(|run| input_name(&run.path)).collect();
    shared
        .output
        .write(&Report::new("dynamics", input, &profile))
}

fn write(
    args: &IdProfileArgs,
    input: Vec<String>,
    profile: &IdProfile,
    dump: Option<&Dump>,
) -> Result<()> {
    match args.estimate.id_scaling {
        Some(_) => args
            .shared
            .output
            .write(&Report::new("id-profile", input, &ScalingView(profile)).understood(dump)),
        None => args
            .shared
            .output
            .write(&Report::new("id-profile", input, profile).understood(dump)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: IdProfileArgs,
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let args = Line::parse_from(["id-profile", "acts"]).args;
        let defaults = IdOptions::default();
        assert_eq!(args.estimate.fit().ok(), Some(defaults.fit));
        assert_eq!(args.estimate.order().ok(), Some(defaults.order));
        assert_eq!(args.estimate.range_max, defaults.range_max);
        assert_eq!(args.estimate.estimators(), defaults.estimators);
        assert_eq!(args.shared.rows.seed, defaults.seed);
    }
}
