//! `repgeo density-peaks`: the probability landscape of every layer.

use std::path::PathBuf;

use clap::Args;
use repgeo::cluster::{Analysis, Source, Work};
use repgeo::input::Series;
use repgeo::profile::LayerOptions;
use repgeo::profile::events::EventOptions;
use repgeo::profile::landscape::{density_peaks, density_peaks_of_tables};
use repgeo::report::Report;
use repgeo::{Error, Result};

use super::events::EventArgs;
use super::layers::tables;
use super::output::input_name;
use super::peaks::{PeakArgs, RowFileArgs};
use super::shared::SharedArgs;

/// Density peaks of every layer: how many, how large, and which classes they hold
///
/// A peak is a maximum of the density that stands out from the saddles around it by more than
/// fluctuations explain. With --labels (may be repeated) peaks are compared with classes: the layer
/// where they first agree is the nucleation layer.
#[derive(Args)]
pub struct DensityPeaksArgs {
    #[arg(value_name = "ACTS", help = super::layers::acts(), required_unless_present = "neighbours")]
    input: Option<PathBuf>,

    /// Read precomputed neighbour tables (distances and indices) instead of activations
    #[arg(long, value_name = "PATH", conflicts_with_all = ["input", "layers", "pool", "mask", "rows",
        "subsample", "per_class", "duplicates", "drop_nonfinite", "metric", "axes", "join", "order_file",
        "bf16_bits", "cache", "max_memory"])]
    neighbours: Option<PathBuf>,

    /// The distances of --neighbours are squares, as faiss gives them; take their roots
    #[arg(long, requires = "neighbours")]
    squared: bool,

    #[command(flatten)]
    peaks: PeakArgs,

    #[command(flatten)]
    events: EventArgs,

    #[command(flatten)]
    files: RowFileArgs,

    #[command(flatten)]
    pub shared: SharedArgs,
}

/// Finds peaks and reports.
pub fn run(args: DensityPeaksArgs) -> Result<()> {
    let setting = args.shared.setting(Vec::new())?;
    args.files.check()?;
    let keep_rows = args.files.wanted();
    let (profile, input, dump, tokens) = match (&args.input, &args.neighbours) {
        (_, Some(path)) => {
            let sources = tables(path, args.squared)?;
            let events = args.event_options(sources.iter().map(|source| &source.name))?;
            let n = match sources.first() {
                Some(first) => first.read(1)?.n,
                None => 0,
            };
            let labels = args.shared.rows.labels(n, None)?;
            let options = args
                .peaks
                .options(labels, LayerOptions::default(), keep_rows)?;
            let profile = density_peaks_of_tables(&sources, &options, &setting.progress)?;
            (profile.with_events(&events), path, None, None)
        }
        (Some(path), None) => {
            let dump = args.shared.open(path)?;
            let events = args.event_options(dump.layers().iter().map(|layer| &layer.name))?;
            let layers = args.shared.layers.options(&dump, &args.shared.rows)?;
            let labels = args.shared.rows.labels_of(&dump, &layers)?;
            let options = args.peaks.options(labels, layers, keep_rows)?;
            let profile = density_peaks(&dump, &options, &setting.bench())?;
            (
                profile.with_events(&events),
                path,
                Some(dump),
                options.layers.tokens,
            )
        }
        (None, None) => return Err(Error::Usage("name the activations to analyse".into())),
    };
    args.files.write(&profile.layers, tokens.as_ref())?;
    let input = vec![input_name(input)];
    args.shared
        .output
        .write(&Report::new("density-peaks", input, &profile).understood(&dump))
}

impl DensityPeaksArgs {
    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        let Some(path) = &self.input else {
            return Err(Error::Usage("name the activations to analyse".into()));
        };
        let shared = &self.shared;
        let dump = shared.open(path)?;
        self.event_options(dump.layers().iter().map(|layer| &layer.name))?;
        let layers = shared.layers.options(&dump, &shared.rows)?;
        let labels = shared.rows.labels_of(&dump, &layers)?;
        Ok(vec![Work {
            left: Source {
                dump,
                options: layers.clone(),
            },
            right: None,
            analysis: Analysis::Peaks(self.peaks.options(labels, layers, false)?),
        }])
    }

    /// How events are sought on layers of these names; an error now, not after hours of work.
    fn event_options<'a>(&self, names: impl Iterator<Item = &'a String>) -> Result<EventOptions> {
        self.events
            .options(&Series::new(names.map(|name| (name.as_str(), None))))
    }
}
