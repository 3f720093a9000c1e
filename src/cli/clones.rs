//! `repgeo clones`: do random chunks of a wide layer's neurons stand for the whole?

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::geometry::clones::{Readout, Targets};
use repgeo::input::{Dump, Labels, LayerInfo, Matrix, Selection};
use repgeo::memory::machine_memory;
use repgeo::profile::clones::{
    CloneData, CloneLayer, ClonesOptions, ClonesParameters, Network, clones, targets,
};
use repgeo::profile::{DuplicatePolicy, LayerOptions, PreparedLayer, prepare};
use repgeo::report::Report;
use repgeo::{Error, Result};

use super::layers::ReadArgs;
use super::output::{OutputArgs, input_name};
use super::progress::Bar;
use super::rows::RowArgs;

/// Whether random chunks of a wide layer carry what the whole layer carries
///
/// Fits the layer from random chunks of its neurons and reads them out with the network's own
/// readout: from the critical width on, chunks are clones of the layer.
#[derive(Args)]
pub struct ClonesArgs {
    /// The last hidden layer over test rows: a file, FILE#NAME, or a dump with --layers
    #[arg(value_name = "LAYER")]
    input: PathBuf,

    /// Which layer of a dump of several: index or name
    #[arg(long, value_name = "SELECTION", allow_hyphen_values = true)]
    layers: Option<Selection>,

    #[command(flatten)]
    read: ReadArgs,

    #[command(flatten)]
    chunks: ChunkArgs,

    #[command(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Which chunks are drawn.
#[derive(Args)]
#[command(next_help_heading = "Chunks")]
struct ChunkArgs {
    /// Neurons in a chunk, comma-separated [default: W, W/2, W/4, ... 1]
    #[arg(long, value_name = "W,...", value_delimiter = ',', value_parser = super::parse::positive)]
    sizes: Vec<usize>,

    /// Random chunks of each size that are fitted
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = super::parse::count(super::parse::MOST))]
    draws: usize,

    /// Random chunks of each size that are read out
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = super::parse::count(super::parse::MOST))]
    score_draws: usize,

    /// Repeat the fits in P disjoint parts of the rows, for standard errors over data
    #[arg(long, value_name = "P", value_parser = super::parse::between(2, super::parse::MOST))]
    partitions: Option<usize>,

    /// Memory of the fits beside the mapped layer, e.g. 4G [default: what the machine, its cgroup or
    /// ulimit -v allows]
    #[arg(long, value_name = "SIZE", value_parser = super::search::size)]
    max_memory: Option<u64>,
}

/// What the network makes of the layer.
#[derive(Args)]
#[command(next_help_heading = "Readout")]
struct NetworkArgs {
    /// Weights (outputs x neurons) and bias (outputs) of the layer that reads this one out
    #[arg(long, num_args = 2, value_names = ["W", "B"], requires = "targets")]
    readout: Vec<PathBuf>,

    /// Class of each row from 0, or its sign for one output: .npy, .csv[:COLUMN] or .txt
    #[arg(long, value_name = "FILE", requires = "readout")]
    targets: Option<PathBuf>,

    /// Read chunks out with their logits times W/w as well
    #[arg(long, requires = "readout")]
    rescale: bool,

    /// The same layer over training rows
    #[arg(long, value_name = "LAYER", requires_all = ["readout", "train_targets"])]
    train: Option<PathBuf>,

    /// Targets of the training rows
    #[arg(long, value_name = "FILE", requires = "train")]
    train_targets: Option<PathBuf>,

    /// Layer, weights and bias of the same network trained from another seed; may be repeated
    #[arg(long, num_args = 3, value_names = ["LAYER", "W", "B"], requires = "readout",
          action = clap::ArgAction::Append)]
    network: Vec<PathBuf>,
}

/// Draws, fits and scores.
pub fn run(args: ClonesArgs) -> Result<()> {
    args.output.check()?;
    let dump = args.read.open(&args.input, args.layers.as_ref())?;
    let info = only_layer(&dump, &args.input, "choose one with --layers")?;
    let read = |n: usize, rows: Option<Vec<u32>>| -> Result<LayerOptions> {
        if args.read.is_masked() && n != dump.n_rows() {
            return Err(Error::Usage(
                "--mask is of the rows of LAYER only; pool the other layers before dumping".into(),
            ));
        }
        args.read.options(rows, DuplicatePolicy::Keep)
    };
    let layer = prepare(
        &dump,
        info,
        &read(dump.n_rows(), args.rows.resolve(dump.n_rows())?)?,
    )?;
    let other = |path: &Path| -> Result<PreparedLayer> {
        let dump = Dump::open(path)?;
        let info = only_layer(&dump, path, "name it as FILE#NAME")?;
        prepare(&dump, info, &read(dump.n_rows(), None)?)
    };
    let mut data = CloneData::default();
    if let [weights, bias] = &args.network.readout[..] {
        let readout = readout(weights, bias)?;
        let test = args.network.targets.as_deref();
        let test = test.map(|path| targets_of(path, dump.n_rows(), &layer.rows, &readout));
        let test = test.transpose()?;
        if let (Some(path), Some(train_targets)) =
            (&args.network.train, &args.network.train_targets)
        {
            let train = other(path)?;
            let n = train.diagnostics.n_rows;
            let targets = targets_of(train_targets, n, &train.rows, &readout)?;
            data.train = Some((train.matrix, targets));
        }
        for network in args.network.network.chunks_exact(3) {
            let features = other(&network[0])?;
            data.networks.push(Network {
                features: same_rows(features, &layer, dump.n_rows(), &network[0])?,
                readout: self::readout(&network[1], &network[2])?,
            });
        }
        data.readout = test.map(|targets| (readout, targets));
    }
    let mut options = args.options();
    options.max_memory = options.max_memory.or_else(machine_memory);
    let parameters = args.parameters(&options, data.readout.is_some());
    let described = CloneLayer {
        layer: info.name.clone(),
        dtype: info.dtype.as_str().to_owned(),
        n_rows: layer.matrix.n_rows(),
        width: layer.matrix.n_columns(),
        n_constant: layer.diagnostics.n_constant_columns.unwrap_or(0),
    };
    let warnings = [dump.warnings(), &layer.warnings].concat();
    let progress = Bar::new(args.output.quiet);
    let profile = clones(
        &layer.matrix,
        described,
        &data,
        &options,
        parameters,
        warnings,
        &progress,
    )?;
    let input = vec![input_name(&args.input)];
    args.output.write(&Report::new("clones", input, &profile))
}

impl ClonesArgs {
    fn options(&self) -> ClonesOptions {
        ClonesOptions {
            sizes: (!self.chunks.sizes.is_empty()).then(|| self.chunks.sizes.clone()),
            draws: self.chunks.draws,
            score_draws: self.chunks.score_draws,
            rescale: self.network.rescale,
            partitions: self.chunks.partitions,
            seed: self.rows.seed,
            max_memory: self.chunks.max_memory,
        }
    }

    fn parameters(&self, options: &ClonesOptions, scored: bool) -> ClonesParameters {
        ClonesParameters {
            draws: options.draws,
            score_draws: scored.then_some(options.score_draws),
            rescale: options.rescale,
            partitions: options.partitions,
            drop_nonfinite: self.read.drop_nonfinite,
            pool: self.read.pool.map(|pool| pool.to_string()),
            masked: self.read.is_masked(),
            rows: self.rows.words(),
            seed: options.seed,
        }
    }
}

/// The layer of a dump that holds one.
fn only_layer<'a>(dump: &'a Dump, path: &Path, remedy: &str) -> Result<&'a LayerInfo> {
    match dump.layers() {
        [layer] => Ok(layer),
        layers => Err(Error::NoLayers {
            path: path.to_owned(),
            fact: format!("there are {} layers inside and one is needed", layers.len()),
            remedy: remedy.into(),
        }),
    }
}

/// A readout from its two files.
fn readout(weights: &Path, bias: &Path) -> Result<Readout> {
    let weights_of = array(weights)?;
    let bias_of: Matrix = array(bias)?;
    let count = bias_of.n_rows() * bias_of.n_columns();
    if weights_of.n_rows() != count {
        return Err(Error::Usage(format!(
            "{} has shape [{}, {}] and {} has {count} values; a readout is W of outputs x neurons \
             and B with one value an output",
            weights.display(),
            weights_of.n_rows(),
            weights_of.n_columns(),
            bias.display(),
        )));
    }
    let mut values = Vec::with_capacity(count);
    let mut row = vec![0.0; bias_of.n_columns()];
    for at in 0..bias_of.n_rows() {
        bias_of.widen_row(at, &mut row);
        values.extend_from_slice(&row);
    }
    Ok(Readout::new(&weights_of, values))
}

/// The finite values of one array, one row for each entry of its first axis.
fn array(path: &Path) -> Result<Matrix> {
    let dump = Dump::open(path)?;
    let info = only_layer(&dump, path, "name it as FILE#NAME")?;
    let options = LayerOptions {
        duplicates: DuplicatePolicy::Keep,
        ..LayerOptions::default()
    };
    Ok(prepare(&dump, info, &options)?.matrix)
}

/// The targets of the rows `rows` of `n`.
fn targets_of(path: &Path, n: usize, rows: &[u32], readout: &Readout) -> Result<Targets> {
    let labels = Labels::open(path)?;
    labels.check_rows(n, "the layer")?;
    targets(&labels, rows, readout.n_outputs())
}

/// The features of another network over the rows that `layer` keeps of `n`.
fn same_rows(other: PreparedLayer, layer: &PreparedLayer, n: usize, path: &Path) -> Result<Matrix> {
    if other.rows.len() != n {
        return Err(Error::RowMismatch {
            first: "the layer".into(),
            n_first: n,
            second: path.display().to_string(),
            n_second: other.rows.len(),
            remedy: "every network needs the same test rows".into(),
        });
    }
    Ok(other.matrix.select(&layer.rows))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ClonesArgs,
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let line = Line::parse_from(["clones", "layer.npy"]);
        assert_eq!(line.args.options(), ClonesOptions::default());
    }
}
