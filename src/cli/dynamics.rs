//! `repgeo dynamics`: a quantity over runs, such as checkpoints, widths, models and seeds.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::cluster::{Analysis as Search, Source, Work};
use repgeo::geometry::id::{Estimator, TWO_NN};
use repgeo::geometry::similarity::{CKA, Measure};
use repgeo::input::{RunSource, Series, list_runs, read_runs};
use repgeo::overview::{Analysis, OpenedRun, OverRuns};
use repgeo::profile::clones::{ChunkId, ClonesOptions};
use repgeo::profile::compare::Target;
use repgeo::profile::dynamics::{DynamicsOptions, DynamicsQuantity, RunTarget, SCORES, dynamics};
use repgeo::profile::imbalance::ImbalanceOptions;
use repgeo::profile::landscape::PeakOptions;
use repgeo::profile::overlap::OverlapOptions;
use repgeo::profile::similarity::SimilarityOptions;
use repgeo::profile::{Bench, Control, DuplicatePolicy, IdOptions, LayerOptions};
use repgeo::progress::Within;
use repgeo::report::Report;
use repgeo::{Error, Result};

use super::choice::{Pick, choice, choice_or};
use super::events::EventArgs;
use super::id_estimates::{BOTH, OrderName, controls};
use super::output::input_name;
use super::peaks::PeakRules;
use super::shared::SharedArgs;
use super::similarity::{ALL, measures};

/// One quantity over runs and layers: checkpoints, widths, models, seeds
///
/// Every run is analysed as by the command for a single dump, one at a time. Layers that a run lacks
/// are gaps; with --cache an interrupted call goes on where it stopped.
#[derive(Args)]
pub struct DynamicsArgs {
    /// A dump each, shown in the natural order of their paths (ep2 before ep10)
    #[arg(value_name = "RUN", required_unless_present = "runs_file")]
    runs: Vec<PathBuf>,

    /// A table of runs: a column path (from its own folder on), a number x such as the epoch, in
    /// whose order they stand where each has one, and any others, kept as words
    #[arg(
        id = "runs_file",
        long = "runs",
        value_name = "FILE.csv",
        conflicts_with = "runs"
    )]
    table: Option<PathBuf>,

    /// List a run that cannot be analysed, and go on without it
    #[arg(long)]
    keep_going: bool,

    #[command(flatten)]
    follow: FollowArgs,

    #[command(flatten)]
    peaks: PeakRules,

    #[command(flatten)]
    events: EventArgs,

    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Quantity")]
struct FollowArgs {
    /// What is followed
    #[arg(long, value_parser = choice::<DynamicsQuantity>(), value_name = "NAME",
        default_value = DynamicsQuantity::default().flag())]
    quantity: DynamicsQuantity,

    /// Keep only these of its quantities, as the CSV calls them (n_peaks, ari), comma-separated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,

    /// The estimator of the intrinsic dimension
    #[arg(long, value_parser = choice::<&'static Estimator>(), value_name = "NAME",
        default_value = TWO_NN.flag)]
    estimator: &'static Estimator,

    /// Gride's order n1: a number, match-density (of 16 neighbours), or plateau [default: plateau]
    #[arg(long, value_name = "N|RULE")]
    order: Option<OrderName>,

    /// The same dimensions on made-up layers: gaussian has the same covariance, shuffle the same
    /// columns, null is both
    #[arg(long, value_parser = choice_or::<Control>(BOTH), value_name = "CONTROL",
        value_delimiter = ',')]
    control: Vec<Pick<Control>>,

    /// Measures of similarity, comma-separated [default: cka]
    #[arg(long = "measure", value_parser = choice_or::<&'static Measure>(&[(ALL, "All of these")]),
        value_name = "NAME", value_delimiter = ',')]
    measures: Vec<Pick<&'static Measure>>,

    /// Neighbours [default: as in the command for a single dump]
    #[arg(short, long, value_name = "K", value_parser = super::parse::count(super::parse::MOST_ROWS),
        conflicts_with = "class_fraction")]
    k: Option<usize>,

    /// For labels: look at this share of the rows of each row's class instead of k
    #[arg(long, value_name = "F", value_parser = super::parse::share)]
    class_fraction: Option<f64>,

    /// What each layer is compared with, in its own run: first, last, next, or a layer by name or
    /// index [default: last]
    #[arg(
        long,
        value_name = "LAYER|RULE",
        allow_hyphen_values = true,
        conflicts_with = "to_run"
    )]
    to: Option<Target>,

    /// Compare each layer with the layer of its name in one run (first, last, or a run by name), or
    /// its peaks with the peaks there
    #[arg(long, value_name = "RUN|RULE", allow_hyphen_values = true)]
    to_run: Option<RunTarget>,

    /// Neurons in the chunks of clones, comma-separated [default: W, W/2, W/4, ... 1]
    #[arg(long, value_name = "W,...", value_delimiter = ',', value_parser = super::parse::positive)]
    sizes: Vec<usize>,

    /// Random chunks of each size
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = super::parse::count(super::parse::MOST))]
    draws: usize,

    /// For clones: fit each chunk from a disjoint one of its size too, and that one from it
    #[arg(long)]
    disjoint: bool,

    /// For clones: find the intrinsic dimension of each chunk too, by --estimator
    #[arg(long)]
    chunk_id: bool,
}

impl DynamicsArgs {
    fn analysis(&self) -> Result<Analysis> {
        let follow = &self.follow;
        let target = follow.to.clone().unwrap_or(Target::Last);
        let seed = self.shared.rows.seed;
        let one_k = |default: Vec<usize>| follow.k.map_or(default, |k| vec![k]);
        Ok(match follow.quantity {
            DynamicsQuantity::Id => Analysis::Id(follow.id_options(seed)),
            DynamicsQuantity::Imbalance => {
                let defaults = ImbalanceOptions::default();
                Analysis::Imbalance(ImbalanceOptions {
                    target,
                    k: one_k(defaults.k.clone()),
                    seed,
                    ..defaults
                })
            }
            DynamicsQuantity::Overlap => {
                let defaults = OverlapOptions::default();
                Analysis::Overlap(OverlapOptions {
                    target: Some(target),
                    k: one_k(defaults.k.clone()),
                    seed,
                    ..defaults
                })
            }
            DynamicsQuantity::Labels => {
                if !self.shared.rows.has_labels() {
                    return Err(Error::Usage(
                        "--quantity labels needs labels of the rows; add --labels".into(),
                    ));
                }
                let defaults = OverlapOptions::default();
                Analysis::Labels(OverlapOptions {
                    target: None,
                    k: one_k(defaults.k.clone()),
                    class_fraction: follow.class_fraction,
                    seed,
                    ..defaults
                })
            }
            DynamicsQuantity::Similarity => Analysis::Similarity(SimilarityOptions {
                target,
                measures: self.measures(),
                k: follow.k,
                seed,
                ..SimilarityOptions::default()
            }),
            DynamicsQuantity::Peaks => Analysis::Peaks(self.peaks.options(
                follow.k,
                Vec::new(),
                LayerOptions::default(),
                false,
            )?),
            DynamicsQuantity::Clones => Analysis::Clones(ClonesOptions {
                sizes: (!follow.sizes.is_empty()).then(|| follow.sizes.clone()),
                draws: follow.draws,
                disjoint: follow.disjoint,
                chunk_id: follow.chunk_id.then(|| ChunkId {
                    estimator: follow.estimator,
                    k: follow.k,
                    order: OrderName::alone(follow.order, follow.estimator),
                }),
                seed,
                ..ClonesOptions::default()
            }),
        })
    }

    fn measures(&self) -> Vec<&'static Measure> {
        match self.follow.measures.is_empty() {
            true => vec![&CKA],
            false => measures(&self.follow.measures),
        }
    }

    /// The labels of a run are those of its own rows; choosing rows by them is no analysis of them.
    fn reads_labels(&self) -> bool {
        matches!(
            self.follow.quantity,
            DynamicsQuantity::Labels | DynamicsQuantity::Peaks
        )
    }
}

impl FollowArgs {
    fn id_options(&self, seed: u64) -> IdOptions {
        IdOptions {
            estimators: vec![self.estimator],
            k: self.k,
            order: OrderName::alone(self.order, self.estimator),
            controls: controls(&self.control),
            seed,
            ..IdOptions::default()
        }
    }

    /// What is done with repeated rows by default, as in the command for a single dump.
    fn duplicates(&self) -> DuplicatePolicy {
        match self.quantity {
            DynamicsQuantity::Id | DynamicsQuantity::Peaks => DuplicatePolicy::Drop,
            _ => DuplicatePolicy::Keep,
        }
    }
}

impl DynamicsArgs {
    /// Refuses a name after `--only` of which this call computes nothing.
    fn check_only(&self) -> Result<()> {
        let follow = &self.follow;
        let absent = |name: &str| match follow.quantity {
            DynamicsQuantity::Similarity => {
                let mut measured = self.measures().into_iter();
                let measured = measured.any(|measure| measure.name == name);
                (!measured)
                    .then(|| "it is not among the measures; name it with --measure".to_owned())
            }
            DynamicsQuantity::Peaks => {
                let compared = self.shared.rows.has_labels() || follow.to_run.is_some();
                (SCORES.contains(&name) && !compared)
                    .then(|| "peaks are compared with nothing; add --labels or --to-run".to_owned())
            }
            DynamicsQuantity::Clones => (name == "chunk_id" && !follow.chunk_id)
                .then(|| "no dimensions are sought; add --chunk-id".to_owned()),
            _ => None,
        };
        match follow
            .only
            .iter()
            .find_map(|name| Some((name, absent(name)?)))
        {
            None => Ok(()),
            Some((name, why)) => Err(Error::Usage(format!("--only {name}: {why}"))),
        }
    }

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

    /// The run that all are compared with, where there is one.
    fn reference(&self, runs: &[RunSource]) -> Result<Option<RunSource>> {
        let to = self.follow.to_run.as_ref();
        Ok(to.map(|to| to.find(runs)).transpose()?.cloned())
    }

    /// A run, opened, with what is known of its rows.
    fn open(&self, path: &Path) -> Result<OpenedRun> {
        let (layers, rows) = (&self.shared.layers, &self.shared.rows);
        let dump = layers.open(path, rows)?;
        let layers = layers.options_or(&dump, rows, self.follow.duplicates())?;
        let labels = match self.reads_labels() {
            true => rows.labels_of(&dump, &layers)?,
            false => Vec::new(),
        };
        Ok(OpenedRun {
            dump,
            layers,
            labels,
        })
    }

    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        let (runs, _) = self.runs()?;
        let reference = self.reference(&runs)?;
        let source = |run: OpenedRun| Source {
            dump: run.dump,
            options: run.layers,
        };
        let work = |run: &RunSource| {
            let run = self.open(&run.path)?;
            let target = |own: Target| match reference {
                Some(_) => Target::Same,
                None => own,
            };
            let analysis = match self.analysis()? {
                Analysis::Id(options) => Search::Dimension(IdOptions {
                    layers: run.layers.clone(),
                    ..options
                }),
                Analysis::Imbalance(options) => Search::Imbalance(ImbalanceOptions {
                    target: target(options.target),
                    ..options
                }),
                Analysis::Overlap(options) => Search::Overlap(OverlapOptions {
                    target: options.target.map(target),
                    ..options
                }),
                Analysis::Labels(options) => Search::Overlap(OverlapOptions {
                    labels: run.labels.clone(),
                    ..options
                }),
                Analysis::Peaks(options) => Search::Peaks(PeakOptions {
                    layers: run.layers.clone(),
                    ..options
                }),
                Analysis::Similarity(_) | Analysis::Clones(_) => {
                    return Err(Error::Usage(format!(
                        "--quantity {} cannot be divided among machines; run it whole",
                        self.follow.quantity.flag()
                    )));
                }
            };
            let compared = self.follow.quantity.compares_layers();
            let other = reference.as_ref().filter(|_| compared);
            let other = other.map(|run| self.open(&run.path)).transpose()?;
            Ok(Work {
                left: source(run),
                right: other.map(source),
                analysis,
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
    let reference = args.reference(&runs)?;
    let open = |path: &Path| args.open(path);
    let mut options = DynamicsOptions::new(args.follow.quantity, &args.follow.only)?;
    args.check_only()?;
    options.to_run = reference.as_ref().map(|run| run.name.clone());
    options.keep_going = args.keep_going;
    let events = |series: &Series| args.events.options(series);
    let within = Within::new(bench.progress);
    let inner = Bench {
        progress: &within,
        ..bench
    };
    let analysis = OverRuns::new(args.analysis()?, &open, reference, inner)?;
    let profile = dynamics(&runs, &analysis, &options, &events, bench.progress)?;
    args.shared
        .output
        .write(&Report::new("dynamics", input, &profile))
}
