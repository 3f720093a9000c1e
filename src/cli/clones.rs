//! `repgeo clones`: do random chunks of a wide layer's neurons stand for the whole?

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::geometry::id::{Estimator, TWO_NN};
use repgeo::input::Selection;
use repgeo::memory::machine_memory;
use repgeo::profile::clones::{ChunkId, CloneFiles, ClonesOptions, ReadoutFiles, clones_of_files};
use repgeo::profile::{Bench, DuplicatePolicy};
use repgeo::report::Report;

use super::choice::choice;
use super::estimators::k_help;
use super::id_estimates::OrderName;
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

    /// Fit each chunk from a disjoint one of its size too, and that one from it
    #[arg(long)]
    disjoint: bool,

    /// Find the intrinsic dimension of each chunk too
    #[arg(long)]
    chunk_id: bool,

    /// The estimator of that dimension
    #[arg(long, value_parser = choice::<&'static Estimator>(), value_name = "NAME",
        default_value = TWO_NN.flag)]
    estimator: &'static Estimator,

    /// Gride's order n1: a number, match-density (of 16 neighbours), or plateau [default: plateau]
    #[arg(long, value_name = "N|RULE")]
    order: Option<OrderName>,

    #[arg(short, long, value_name = "K", value_parser = super::parse::between(2, super::parse::MOST_ROWS), help = k_help())]
    k: Option<usize>,

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

    /// Class of each row from 0, or its sign for one output: .npy, .csv[:COLUMN[@ID]] or .txt
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
    let rows = args.rows.provenance();
    let dump = args.read.open(&args.input, args.layers.as_ref(), rows)?;
    let layers = args
        .read
        .options(&dump, &args.rows, DuplicatePolicy::Keep)?;
    let mut options = args.options();
    options.max_memory = options.max_memory.or_else(machine_memory);
    let (progress, words) = (Bar::new(args.output.quiet), args.rows.words());
    let bench = Bench {
        progress: &progress,
        rows: &words,
        ..Bench::default()
    };
    let named = (&dump, args.input.as_path());
    let profile = clones_of_files(named, &layers, &args.network.files(), &options, &bench)?;
    let input = vec![input_name(&args.input)];
    args.output
        .write(&Report::new("clones", input, &profile).understood([&dump]))
}

impl ClonesArgs {
    fn options(&self) -> ClonesOptions {
        ClonesOptions {
            sizes: (!self.chunks.sizes.is_empty()).then(|| self.chunks.sizes.clone()),
            draws: self.chunks.draws,
            score_draws: Some(self.chunks.score_draws),
            rescale: self.network.rescale,
            disjoint: self.chunks.disjoint,
            chunk_id: self.chunks.chunk_id.then(|| ChunkId {
                estimator: self.chunks.estimator,
                k: self.chunks.k,
                order: OrderName::alone(self.chunks.order, self.chunks.estimator),
            }),
            partitions: self.chunks.partitions,
            seed: self.rows.seed,
            max_memory: self.chunks.max_memory,
        }
    }
}

impl NetworkArgs {
    fn files(&self) -> CloneFiles {
        let readout = match (&self.readout[..], &self.targets) {
            ([weights, bias], Some(targets)) => Some(ReadoutFiles {
                weights: weights.clone(),
                bias: bias.clone(),
                targets: targets.clone(),
            }),
            _ => None,
        };
        let train = self.train.clone().zip(self.train_targets.clone());
        let networks = self.network.chunks_exact(3);
        CloneFiles {
            readout,
            train: train.map(|(layer, targets)| [layer, targets]),
            networks: networks
                .map(|one| [one[0].clone(), one[1].clone(), one[2].clone()])
                .collect(),
        }
    }
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
