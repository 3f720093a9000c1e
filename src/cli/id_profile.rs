//! `repgeo id-profile`: the intrinsic dimension of every layer.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::cluster::{Analysis, Source, Work};
use repgeo::geometry::id::Estimator;
use repgeo::input::{Dump, Series, check_files, list_runs};
use repgeo::overview::{Analysis as OverRunsAnalysis, OpenedRun, OverRuns};
use repgeo::profile::dynamics::{DynamicsOptions, DynamicsQuantity, dynamics};
use repgeo::profile::events::EventOptions;
use repgeo::profile::id::IdProfile;
use repgeo::profile::{Bench, IdOptions, id_profile, id_profile_of_tables};
use repgeo::progress::Within;
use repgeo::report::{Report, ScalingView, explain, npy, write_atomically, write_local};
use repgeo::storage::check_writable;
use repgeo::{Error, Result};

use super::ending::require_ending;
use super::estimators::{local_help, local_names};
use super::events::EventArgs;
use super::id_estimates::{ErrorArgs, EstimateArgs};
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

impl IdProfileArgs {
    /// What is estimated, but for single rows and how layers become points.
    fn options(&self) -> Result<IdOptions> {
        Ok(IdOptions {
            seed: self.shared.rows.seed,
            ..self.estimate.options(&self.errors)?
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
        (args.estimate.shows_scaling(), "--id-scaling"),
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
    let output = &args.shared.output;
    match args.estimate.shows_scaling() {
        true => {
            output.write(&Report::new("id-profile", input, &ScalingView(profile)).understood(dump))
        }
        false => output.write(&Report::new("id-profile", input, profile).understood(dump)),
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
        let found = args.options().expect("good flags");
        let defaults = IdOptions::default();
        assert_eq!(found.fit, defaults.fit);
        assert_eq!(found.order, defaults.order);
        assert_eq!(found.range_max, defaults.range_max);
        assert_eq!(found.estimators, defaults.estimators);
        assert_eq!(found.seed, defaults.seed);
    }
}
