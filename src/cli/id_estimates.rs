//! Flags that say what `id-profile` estimates, and with which errors.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use repgeo::geometry::id::{ESTIMATORS, Estimator, Fit, FitRule, Fraction, GRIDE, TWO_NN};
use repgeo::profile::{Control, Decimation, IdOptions, OrderRule, PartitionOrder, Partitioning};
use repgeo::{Error, Result};

use super::choice::{Pick, choice, choice_or};
use super::estimators::k_help;

/// What is estimated.
#[derive(Args)]
#[command(next_help_heading = "Estimators")]
pub struct EstimateArgs {
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
    #[arg(long, value_name = "K", default_value_t = DENSITY_K, value_parser = super::parse::count(super::parse::MOST_ROWS))]
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

/// Errors beyond those of the fits.
#[derive(Args)]
#[command(next_help_heading = "Errors")]
pub struct ErrorArgs {
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

impl OrderName {
    /// The rule that stands after `--order` where `estimator` is the only one; without a number Gride
    /// is read where its scaling is steady.
    pub fn alone(given: Option<Self>, estimator: &Estimator) -> Option<OrderRule> {
        (*estimator == GRIDE).then_some(match given {
            Some(Self::Fixed(order)) => OrderRule::Fixed(order),
            Some(Self::MatchDensity) => OrderRule::MatchDensity { k: DENSITY_K },
            Some(Self::Plateau) | None => OrderRule::Plateau,
        })
    }
}

/// Neighbours of the density that `--order match-density` matches by custom.
const DENSITY_K: usize = 16;

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
    /// What is estimated, but for single rows, the seed and how layers become points.
    pub fn options(&self, errors: &ErrorArgs) -> Result<IdOptions> {
        Ok(IdOptions {
            estimators: self.estimators(),
            k: self.k,
            fit: self.fit()?,
            order: self.order()?,
            more_orders: self.more_orders()?,
            range_max: self.range_max,
            scaling_in_parts: self.id_scaling.is_some(),
            variance: self.variance,
            eigenvalues: self.eigenvalues,
            controls: controls(&self.control),
            decimation_scaling: self.id_scaling == Some(ScalingName::Decimation),
            blocks: errors.blocks,
            partitioning: errors.partitions.map(|partitions| Partitioning {
                partitions,
                partition_order: errors.partition_order,
            }),
            decimation: errors.decimate.map(|decimate| Decimation {
                decimate,
                repeats: errors.repeats,
            }),
            ..IdOptions::default()
        })
    }

    /// Whether the dimension at every scale is asked for in place of the profile.
    pub fn shows_scaling(&self) -> bool {
        self.id_scaling.is_some()
    }

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
    pub fn estimators(&self) -> Vec<&'static Estimator> {
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
