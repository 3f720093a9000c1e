//! `repgeo dynamics`: a quantity over runs, such as checkpoints, widths, models and seeds.

use std::path::PathBuf;

use clap::Args;
use repgeo::cluster::{Analysis, Source, Work};
use repgeo::geometry::id::{Estimator, Fit, GRIDE, TWO_NN};
use repgeo::input::{RunSource, list_runs, read_runs};
use repgeo::profile::compare::Target;
use repgeo::profile::dynamics::{DynamicsOptions, DynamicsQuantity, dynamics};
use repgeo::profile::imbalance::ImbalanceOptions;
use repgeo::profile::overlap::OverlapOptions;
use repgeo::profile::{DuplicatePolicy, IdOptions, OrderRule};
use repgeo::report::Report;

use repgeo::Result;

use super::choice::choice;
use super::id_profile::OrderName;
use super::output::input_name;
use super::shared::SharedArgs;

/// One quantity over runs and layers: checkpoints, widths, models, seeds
///
/// Every run is analysed as by the command for a single dump, one at a time. Layers that a run lacks
/// are gaps; with --cache an interrupted call goes on where it stopped.
#[derive(Args)]
pub struct DynamicsArgs {
    /// A dump each, shown in the natural order of their paths (ep2 before ep10)
    #[arg(value_name = "RUN", required_unless_present = "runs_file")]
    runs: Vec<PathBuf>,

    /// A table of runs, in its order: a column path (from its own folder on), a number x such as the
    /// epoch, and any others, kept as words
    #[arg(
        id = "runs_file",
        long = "runs",
        value_name = "FILE.csv",
        conflicts_with = "runs"
    )]
    table: Option<PathBuf>,

    #[command(flatten)]
    estimate: EstimateArgs,

    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Quantity")]
struct EstimateArgs {
    /// What is followed
    #[arg(long, value_parser = choice::<DynamicsQuantity>(), value_name = "NAME",
        default_value = DynamicsQuantity::default().flag())]
    quantity: DynamicsQuantity,

    /// The estimator of the intrinsic dimension
    #[arg(long, value_parser = choice::<&'static Estimator>(), value_name = "NAME",
        default_value = TWO_NN.flag)]
    estimator: &'static Estimator,

    /// Gride's order n1: a number, match-density (of 16 neighbours), or plateau [default: plateau]
    #[arg(long, value_name = "N|RULE")]
    order: Option<OrderName>,

    /// Neighbours [default: 1 of the imbalance, 30 of the overlap, its own of each estimator]
    #[arg(short, long, value_name = "K", value_parser = super::parse::count(super::parse::MOST_ROWS))]
    k: Option<usize>,

    /// What each layer is compared with, in its own run: first, last, next, or a layer by name or
    /// index [default: last]
    #[arg(long, value_name = "LAYER|RULE", allow_hyphen_values = true)]
    to: Option<Target>,
}

/// Neighbours of the density that `--order match-density` matches, as in `id-profile`.
const DENSITY_K: usize = 16;

impl EstimateArgs {
    fn options(&self, seed: u64) -> DynamicsOptions {
        let target = self.to.clone().unwrap_or(Target::Last);
        match self.quantity {
            DynamicsQuantity::Id => DynamicsOptions::Id(self.id_options(seed)),
            DynamicsQuantity::Imbalance => {
                let defaults = ImbalanceOptions::default();
                DynamicsOptions::Imbalance(ImbalanceOptions {
                    target,
                    k: self.k.map_or(defaults.k, |k| vec![k]),
                    seed,
                    ..ImbalanceOptions::default()
                })
            }
            DynamicsQuantity::Overlap => {
                let defaults = OverlapOptions::default();
                DynamicsOptions::Overlap(OverlapOptions {
                    target: Some(target),
                    k: self.k.map_or(defaults.k, |k| vec![k]),
                    seed,
                    ..OverlapOptions::default()
                })
            }
        }
    }

    fn id_options(&self, seed: u64) -> IdOptions {
        let [two_nn, gride] = [&TWO_NN, &GRIDE].map(|one| *one == *self.estimator);
        let order = gride.then_some(match self.order {
            Some(OrderName::Fixed(order)) => OrderRule::Fixed(order),
            Some(OrderName::MatchDensity) => OrderRule::MatchDensity { k: DENSITY_K },
            // Alone, Gride needs a number for the profile: where its scaling is steady.
            Some(OrderName::Plateau) | None => OrderRule::Plateau,
        });
        IdOptions {
            two_nn: two_nn.then(Fit::default),
            gride,
            order,
            others: match two_nn || gride {
                true => Vec::new(),
                false => vec![self.estimator],
            },
            k: self.k,
            seed,
            ..IdOptions::default()
        }
    }
}

/// What is done with repeated rows where nobody says.
fn duplicates(options: &DynamicsOptions) -> DuplicatePolicy {
    match options {
        DynamicsOptions::Id(_) => DuplicatePolicy::Drop,
        _ => DuplicatePolicy::Keep,
    }
}

impl DynamicsArgs {
    /// The runs, and how the report names them.
    fn runs(&self) -> Result<(Vec<RunSource>, Vec<String>)> {
        Ok(match &self.table {
            Some(table) => (read_runs(table)?, vec![input_name(table)]),
            None => {
                let runs = list_runs(&self.runs)?;
                let input = runs.iter().map(|run| input_name(&run.path)).collect();
                (runs, input)
            }
        })
    }

    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        let (runs, _) = self.runs()?;
        let (layers, rows) = (&self.shared.layers, &self.shared.rows);
        let work = |run: &RunSource| {
            let options = self.estimate.options(self.shared.rows.seed);
            let dump = layers.open(&run.path)?;
            let points = layers.options_or(dump.n_rows(), rows, duplicates(&options))?;
            Ok(Work {
                left: Source {
                    dump,
                    options: points.clone(),
                },
                right: None,
                analysis: match options {
                    DynamicsOptions::Id(options) => Analysis::Dimension(IdOptions {
                        layers: points,
                        ..options
                    }),
                    DynamicsOptions::Imbalance(options) => Analysis::Imbalance(options),
                    DynamicsOptions::Overlap(options) => Analysis::Overlap(options),
                },
            })
        };
        runs.iter().map(work).collect()
    }
}

/// Analyses every run and reports.
pub fn run(args: DynamicsArgs) -> Result<()> {
    let setting = args.shared.setting(Vec::new())?;
    let bench = setting.bench();
    let (runs, input) = args.runs()?;
    let options = args.estimate.options(args.shared.rows.seed);
    let duplicates = duplicates(&options);
    let (layers, rows) = (&args.shared.layers, &args.shared.rows);
    let profile = dynamics(
        &runs,
        &|path| {
            let dump = layers.open(path)?;
            let options = layers.options_or(dump.n_rows(), rows, duplicates)?;
            Ok((dump, options))
        },
        &options,
        &bench,
    )?;
    args.shared
        .output
        .write(&Report::new("dynamics", input, &profile))
}
