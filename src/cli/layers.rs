//! Flags that turn a dump into layers of points.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::choice::Choice;
use repgeo::input::{
    Axes, Dump, DumpOptions, Join, LayerInfo, Mask, Pooling, Selection, TableSource, endings,
    find_tables, read_lines, split_name,
};
use repgeo::neighbours::Metric;
use repgeo::profile::{DuplicatePolicy, LayerOptions};
use repgeo::{Error, Result};

use super::choice::choice;
use super::output::input_name;
use super::rows::RowArgs;

/// Help of the dump that a command reads.
pub fn acts() -> String {
    let endings = endings();
    format!("Directory, {endings}, *.safetensors.index.json, FILE#NAME, or - for stdin")
}

/// Which layers, and how an array becomes points.
#[derive(Args)]
#[command(next_help_heading = "Layers")]
pub struct LayerArgs {
    /// Layers to keep, in this order: indices and ranges (0,3.., -1), names or globs on names,
    /// comma-separated; name:4 and index:4 tell a name from an index
    #[arg(long, value_name = "SELECTION", allow_hyphen_values = true)]
    layers: Option<Selection>,

    #[command(flatten)]
    read: ReadArgs,

    /// What to do with rows that repeat an earlier row exactly [default: drop; keep where layers are
    /// compared]
    #[arg(long, value_parser = choice::<DuplicatePolicy>(), value_name = "POLICY")]
    duplicates: Option<DuplicatePolicy>,

    /// Distance between rows; cosine is the chord between directions
    #[arg(long, value_parser = choice::<Metric>(), value_name = "METRIC",
        default_value = Metric::default().flag())]
    metric: Metric,
}

/// How an array becomes rows.
#[derive(Args)]
#[command(next_help_heading = "Layers")]
pub struct ReadArgs {
    /// How [N,T,D] or [N,C,H,W] arrays become rows: last, mean, max, first, cls, token:I, last:K,
    /// tokens (each is a row), flatten, gap
    #[arg(long, value_name = "RULE")]
    pub pool: Option<Pooling>,

    /// Tokens that count when pooling: an [N,T] array of 0 and 1 (FILE or FILE#NAME), not:FILE where
    /// its ones are padding, or none [default: the attention_mask or lengths of the dump, if any]
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,

    /// Which axis of stored arrays is which, a letter each, e.g. LND, NLD, LNTD, NHWC: L layer,
    /// N row, T token, D column, C channel, H height, W width
    #[arg(long, value_name = "LETTERS")]
    axes: Option<Axes>,

    /// Rows in several files: auto joins pieces that are numbered without gaps
    /// (layer_03_batch_0007), rows joins arrays of one name file after file, never takes every array
    /// for a layer; in similarity also a CSV with a row per layer to correlate with [default: auto]
    #[arg(long, value_name = "RULE", value_parser = join_arg)]
    join: Vec<JoinArg>,

    /// Read 16-bit integers as the bits of bfloat16, which numpy cannot name
    #[arg(long)]
    bf16_bits: bool,

    /// Names of the layers in order of depth, one a line
    #[arg(long, value_name = "FILE")]
    order_file: Option<PathBuf>,

    /// Leave rows with NaN or infinity out instead of refusing the layer
    #[arg(long)]
    pub drop_nonfinite: bool,
}

/// What may stand after `--join`.
#[derive(Clone)]
enum JoinArg {
    Rule(Join),
    /// A table for `similarity`, the one command that correlates layers with something else.
    Table(PathBuf),
}

fn join_arg(text: &str) -> std::result::Result<JoinArg, String> {
    match Join::named(text) {
        Some(rule) => Ok(JoinArg::Rule(rule)),
        None if Path::new(text).exists() || text == "-" => Ok(JoinArg::Table(text.into())),
        None => Err("give auto, rows or never, or in similarity a CSV that is there".into()),
    }
}

/// The neighbour tables at `path`, whose distances may be squares.
pub fn tables(path: &Path, squared: bool) -> Result<Vec<TableSource>> {
    let tables = find_tables(path)?.into_iter();
    Ok(match squared {
        true => tables.map(TableSource::of_squares).collect(),
        false => tables.collect(),
    })
}

impl LayerArgs {
    /// Opens the dump and keeps the chosen layers.
    pub fn open(&self, path: &Path, rows: &RowArgs) -> Result<Dump> {
        self.read
            .open(path, self.layers.as_ref(), rows.provenance())
    }

    /// Takes the table out of `--join`, for the one command that has a use for it.
    pub fn take_join_table(&mut self) -> Option<PathBuf> {
        let is_table = |join: &JoinArg| matches!(join, JoinArg::Table(_));
        let at = self.read.join.iter().position(is_table)?;
        match self.read.join.remove(at) {
            JoinArg::Table(path) => Some(path),
            JoinArg::Rule(_) => None,
        }
    }

    /// Opens another dump the same way, with a selection of its own; `rows` say how its rows will be
    /// chosen.
    pub fn open_other(
        &self,
        path: &Path,
        selection: Option<&Selection>,
        rows: Vec<String>,
    ) -> Result<Dump> {
        self.read.open(path, selection, rows)
    }

    /// Lists the chosen layers, also of a dump whose layers do not fit together.
    pub fn list(&self, path: &Path, rows: &RowArgs) -> Result<Dump> {
        match &self.layers {
            None => {
                let (name, path) = split_name(path);
                Dump::list_with(&path, &self.read.dump_options(name, rows.provenance())?)
            }
            Some(_) => self.open(path, rows),
        }
    }

    /// How the layers of a dump become points; repeated rows are dropped by default.
    pub fn options(&self, dump: &Dump, rows: &RowArgs) -> Result<LayerOptions> {
        self.options_or(dump, rows, DuplicatePolicy::Drop)
    }

    /// The same with another default for repeated rows.
    pub fn options_or(
        &self,
        dump: &Dump,
        rows: &RowArgs,
        duplicates: DuplicatePolicy,
    ) -> Result<LayerOptions> {
        let options = self.read.options(dump, rows, duplicates)?;
        Ok(self.with_policies(options))
    }

    /// The same for one layer of a dump whose layers may have different rows.
    pub fn options_of(
        &self,
        dump: &Dump,
        layer: &LayerInfo,
        rows: &RowArgs,
    ) -> Result<LayerOptions> {
        let options = self
            .read
            .options_of(dump, Some(layer), rows, DuplicatePolicy::Drop)?;
        Ok(self.with_policies(options))
    }

    fn with_policies(&self, options: LayerOptions) -> LayerOptions {
        LayerOptions {
            duplicates: self.duplicates.unwrap_or(options.duplicates),
            directions: self.metric() == Metric::Cosine,
            ..options
        }
    }

    /// The distance.
    pub fn metric(&self) -> Metric {
        self.metric
    }
}

impl ReadArgs {
    /// Opens a dump and keeps the chosen layers; `rows` say how its rows will be chosen.
    pub fn open(
        &self,
        path: &Path,
        selection: Option<&Selection>,
        rows: Vec<String>,
    ) -> Result<Dump> {
        let (name, path) = split_name(path);
        Dump::open_with(&path, &self.dump_options(name, rows)?, selection)
    }

    /// What is done with rows in several files.
    fn join_rule(&self) -> Result<Join> {
        match self.join.as_slice() {
            [] => Ok(Join::default()),
            [JoinArg::Rule(rule)] => Ok(*rule),
            _ => Err(Error::Usage(
                "--join takes one of auto, rows and never; a table to correlate with is for \
                 similarity"
                    .into(),
            )),
        }
    }

    /// How arrays become layers.
    fn dump_options(&self, name: Option<String>, rows: Vec<String>) -> Result<DumpOptions> {
        if self.pool.is_none() && self.given_mask().is_some() {
            return Err(Error::Usage(
                "--mask says which tokens count when they become rows; say how with --pool".into(),
            ));
        }
        Ok(DumpOptions {
            axes: self.axes.clone(),
            join: self.join_rule()?,
            order: self.order_file.as_deref().map(read_lines).transpose()?,
            bf16_bits: self.bf16_bits,
            ignore_padding: self.mask.as_deref() == Some(Path::new("none")),
            pooling: self.pool,
            mask: self.given_mask().map(input_name),
            name,
            rows,
        })
    }

    /// How layers of a dump are read, over the rows that were chosen, with this policy for repeated
    /// rows.
    pub fn options(
        &self,
        dump: &Dump,
        rows: &RowArgs,
        duplicates: DuplicatePolicy,
    ) -> Result<LayerOptions> {
        self.options_of(dump, dump.layers().first(), rows, duplicates)
    }

    /// The same for one layer.
    fn options_of(
        &self,
        dump: &Dump,
        layer: Option<&LayerInfo>,
        rows: &RowArgs,
        duplicates: DuplicatePolicy,
    ) -> Result<LayerOptions> {
        let n = layer.map_or(0, LayerInfo::n_rows);
        // Rows that are tokens are as many as the mask has values; the dump checks that.
        let open = |path: &Path| match self.pool {
            Some(Pooling::Tokens) => Mask::open(path),
            _ => Mask::open_for(path, n),
        };
        let mask = self.given_mask().map(open).transpose()?;
        let tokens = match layer {
            Some(layer) => dump.token_rows_of(layer, mask.as_ref())?,
            None => None,
        };
        Ok(LayerOptions {
            pool: self.pool,
            rows: rows.resolve(n, tokens.as_ref())?,
            mask,
            tokens,
            duplicates,
            drop_nonfinite: self.drop_nonfinite,
            directions: false,
        })
    }

    /// The file of the mask.
    fn given_mask(&self) -> Option<&Path> {
        self.mask
            .as_deref()
            .filter(|path| *path != Path::new("none"))
    }
}
