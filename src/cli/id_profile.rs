//! `repgeo id-profile`: the intrinsic dimension of every layer.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use repgeo::geometry::id::{Fit, Fraction};
use repgeo::input::find_tables;
use repgeo::profile::id::IdProfile;
use repgeo::profile::{IdOptions, OrderRule, PartitionOrder, id_profile, id_profile_of_tables};
use repgeo::report::{Report, ScalingView, explain};
use repgeo::{Error, Result};

use super::layers::LayerArgs;
use super::output::{OutputArgs, input_name};
use super::progress::Bar;
use super::rows::RowArgs;

/// Intrinsic dimension of every layer: TwoNN, and Gride over scales
///
/// An intrinsic dimension describes data at a scale: the report names estimator, order, number of
/// rows and mean distance beside every value.
#[derive(Args)]
pub struct IdProfileArgs {
    /// Directory, .npy, .npz, .safetensors, *.safetensors.index.json, FILE#NAME, or - for stdin
    #[arg(value_name = "ACTS", required_unless_present_any = ["neighbours", "explain"])]
    input: Option<PathBuf>,

    /// Read precomputed neighbour tables (distances and indices) instead of activations
    #[arg(long, value_name = "PATH", conflicts_with_all = ["input", "layers", "pool", "mask", "rows",
        "subsample", "per_class", "labels", "duplicates", "drop_nonfinite", "metric"])]
    neighbours: Option<PathBuf>,

    /// Say what N, d and the scale mean for the numbers, with measured biases, and do nothing else
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    estimate: EstimateArgs,

    #[command(flatten)]
    errors: ErrorArgs,

    #[command(flatten)]
    layers: LayerArgs,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Estimators")]
struct EstimateArgs {
    /// Which estimators [default: both]
    #[arg(long, value_enum, value_name = "NAME", value_delimiter = ',')]
    estimator: Vec<Estimator>,

    /// How TwoNN is fitted
    #[arg(long, value_enum, value_name = "FIT", default_value_t = FitName::Base)]
    fit: FitName,

    /// Share of the smallest ratios that base and mle-censored use [default: 0.9]
    #[arg(long, value_name = "F")]
    fraction: Option<f64>,

    /// Gride's headline order n1: a number, match-density, or plateau
    #[arg(long, value_name = "N|RULE")]
    order: Option<OrderName>,

    /// Neighbours of the density that --order match-density matches
    #[arg(long, value_name = "K", default_value_t = 16, value_parser = super::positive)]
    density_k: usize,

    /// Largest neighbour order n2 of Gride's scaling
    #[arg(long, value_name = "N2", default_value_t = 64, value_parser = range_max)]
    range_max: usize,

    /// Print the dimension against scale for each layer; =decimation adds TwoNN on sub-samples
    #[arg(long, value_enum, value_name = "RULE", num_args = 0..=1, require_equals = true,
        default_missing_value = "orders")]
    id_scaling: Option<ScalingName>,
}

#[derive(Args)]
#[command(next_help_heading = "Errors")]
struct ErrorArgs {
    /// Jackknife errors over B blocks of ratios, for every estimator
    #[arg(long, value_name = "B", value_parser = at_least_two)]
    blocks: Option<usize>,

    /// Repeat the estimates in P disjoint parts of the rows
    #[arg(long, value_name = "P", value_parser = super::positive, conflicts_with = "decimate")]
    partitions: Option<usize>,

    /// Deal rows into parts at random, or in the order given
    #[arg(long, value_enum, value_name = "ORDER", default_value_t = DealName::Random,
        requires = "partitions")]
    partition_order: DealName,

    /// Repeat the estimates in sub-samples of this share of the rows
    #[arg(long, value_name = "Q", value_parser = share)]
    decimate: Option<f64>,

    /// How many such sub-samples
    #[arg(long, value_name = "T", default_value_t = 4, value_parser = super::positive,
        requires = "decimate")]
    repeats: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Estimator {
    TwoNn,
    Gride,
}

#[derive(Clone, Copy, ValueEnum)]
enum FitName {
    /// Line through the origin, error by jackknife
    Base,
    /// Maximum likelihood over all ratios
    Mle,
    /// Maximum likelihood with the largest ratios censored
    MleCensored,
    /// Posterior mean under a Gamma(2, 5) prior
    Bayes,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScalingName {
    /// Gride at every neighbour order
    Orders,
    /// The same, and TwoNN on N/2, N/4, … rows
    Decimation,
}

#[derive(Clone, Copy, ValueEnum)]
enum DealName {
    Random,
    Given,
}

/// What may stand after `--order`.
#[derive(Clone, Copy)]
enum OrderName {
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
    at_least_two(text).map_err(|_| "the smallest scaling needs 2 neighbours".into())
}

fn at_least_two(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(number @ 2..) => Ok(number),
        _ => Err("give a whole number from 2 on".into()),
    }
}

fn share(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("give a share of the rows in (0, 1]".into()),
    }
}

impl EstimateArgs {
    fn wants(&self, estimator: Estimator) -> bool {
        self.estimator.is_empty() || self.estimator.contains(&estimator)
    }

    fn fit(&self) -> Result<Fit> {
        let fraction = match self.fraction {
            None => Fraction::default(),
            Some(share) => Fraction::new(share)
                .ok_or_else(|| Error::Usage(format!("--fraction {share} is not in (0, 1]")))?,
        };
        let whole = |fit| match self.fraction {
            None => Ok(fit),
            Some(_) => Err(Error::Usage(
                "--fraction has no part in this --fit, which uses all ratios; use --fit base or \
                 mle-censored"
                    .into(),
            )),
        };
        match self.fit {
            FitName::Base => Ok(Fit::Base { fraction }),
            FitName::MleCensored => Ok(Fit::MleCensored { fraction }),
            FitName::Mle => whole(Fit::Mle),
            FitName::Bayes => whole(Fit::BAYES),
        }
    }

    fn order(&self) -> Result<Option<OrderRule>> {
        if !self.wants(Estimator::Gride) {
            return match self.order {
                None => Ok(None),
                Some(_) => Err(Error::Usage(
                    "--order is Gride's; add --estimator gride".into(),
                )),
            };
        }
        Ok(match self.order {
            Some(OrderName::Fixed(order)) => Some(OrderRule::Fixed(order)),
            Some(OrderName::MatchDensity) => Some(OrderRule::MatchDensity { k: self.density_k }),
            Some(OrderName::Plateau) => Some(OrderRule::Plateau),
            // Alone, Gride needs a number for the profile: where its scaling is steady.
            None if !self.wants(Estimator::TwoNn) => Some(OrderRule::Plateau),
            None => None,
        })
    }
}

/// Estimates and reports.
pub fn run(args: IdProfileArgs) -> Result<()> {
    args.output.check()?;
    if args.explain {
        return args.output.write_text(explain);
    }
    let fit = args.estimate.fit()?;
    let options = IdOptions {
        two_nn: args.estimate.wants(Estimator::TwoNn).then_some(fit),
        gride: args.estimate.wants(Estimator::Gride),
        order: args.estimate.order()?,
        range_max: args.estimate.range_max,
        decimation_scaling: args.estimate.id_scaling == Some(ScalingName::Decimation),
        blocks: args.errors.blocks,
        partitions: args.errors.partitions,
        partition_order: match args.errors.partition_order {
            DealName::Random => PartitionOrder::Random,
            DealName::Given => PartitionOrder::Given,
        },
        decimate: args.errors.decimate,
        repeats: args.errors.repeats,
        metric: args.layers.metric(),
        seed: args.rows.seed,
        ..IdOptions::default()
    };
    let progress = Bar::new(args.output.quiet);
    let (profile, input) = match (&args.input, &args.neighbours) {
        (_, Some(path)) => (
            id_profile_of_tables(&find_tables(path)?, &options, &progress)?,
            path,
        ),
        (Some(path), None) => {
            let dump = args.layers.open(path)?;
            let layers = args.layers.options(dump.n_rows(), &args.rows)?;
            let options = IdOptions { layers, ..options };
            (
                id_profile(&dump, &options, args.rows.words(), &progress)?,
                path,
            )
        }
        (None, None) => return Err(Error::Usage("name the activations to analyse".into())),
    };
    write(&args, vec![input_name(input)], &profile)
}

fn write(args: &IdProfileArgs, input: Vec<String>, profile: &IdProfile) -> Result<()> {
    match args.estimate.id_scaling {
        Some(_) => args
            .output
            .write(&Report::new("id-profile", input, &ScalingView(profile))),
        None => args
            .output
            .write(&Report::new("id-profile", input, profile)),
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
        assert_eq!(args.estimate.fit().ok(), defaults.two_nn);
        assert_eq!(args.estimate.order().ok(), Some(defaults.order));
        assert_eq!(args.estimate.range_max, defaults.range_max);
        assert_eq!(args.errors.repeats, defaults.repeats);
        assert_eq!(args.layers.metric(), defaults.metric);
        assert_eq!(args.rows.seed, defaults.seed);
        assert!(args.estimate.wants(Estimator::Gride) && args.estimate.wants(Estimator::TwoNn));
    }
}
