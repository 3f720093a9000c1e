//! Flags that turn a dump into layers of points.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::Result;
use repgeo::input::{Dump, Mask, Pooling, Selection};
use repgeo::neighbours::Metric;
use repgeo::profile::{DuplicatePolicy, LayerOptions};

use super::choice::choice;
use super::rows::RowArgs;

/// Which layers, and how an array becomes points.
#[derive(Args)]
#[command(next_help_heading = "Layers")]
pub struct LayerArgs {
    /// Layers to keep: indices and ranges (0,3.., -1) or globs on names, comma-separated
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
    /// How [N,T,D] or [N,C,H,W] arrays become rows: last, mean, first, token:I, flatten, gap
    #[arg(long, value_name = "RULE")]
    pub pool: Option<Pooling>,

    /// Tokens that count when pooling: an [N,T] array of 0 and 1 (FILE or FILE#NAME)
    #[arg(long, value_name = "FILE", requires = "pool")]
    mask: Option<PathBuf>,

    /// Leave rows with NaN or infinity out instead of refusing the layer
    #[arg(long)]
    pub drop_nonfinite: bool,
}

impl LayerArgs {
    /// Opens the dump and keeps the chosen layers.
    pub fn open(&self, path: &Path) -> Result<Dump> {
        match &self.layers {
            None => Dump::open(path),
            Some(selection) => Dump::list(path)?.select(selection),
        }
    }

    /// Lists the chosen layers, also of a dump whose layers do not fit together.
    pub fn list(&self, path: &Path) -> Result<Dump> {
        match &self.layers {
            None => Dump::list(path),
            Some(selection) => Dump::list(path)?.select(selection),
        }
    }

    /// How the layers of a dump of `n` rows become points; repeated rows are dropped by default.
    pub fn options(&self, n: usize, rows: &RowArgs) -> Result<LayerOptions> {
        self.options_or(n, rows, DuplicatePolicy::Drop)
    }

    /// The same with another default for repeated rows.
    pub fn options_or(
        &self,
        n: usize,
        rows: &RowArgs,
        duplicates: DuplicatePolicy,
    ) -> Result<LayerOptions> {
        self.read
            .options(rows.resolve(n)?, self.duplicates.unwrap_or(duplicates))
    }

    /// The distance.
    pub fn metric(&self) -> Metric {
        self.metric
    }
}

impl ReadArgs {
    /// How layers are read over `rows`, with this policy for repeated rows.
    pub fn options(
        &self,
        rows: Option<Vec<u32>>,
        duplicates: DuplicatePolicy,
    ) -> Result<LayerOptions> {
        Ok(LayerOptions {
            pool: self.pool,
            mask: self.mask.as_deref().map(Mask::open).transpose()?,
            rows,
            duplicates,
            drop_nonfinite: self.drop_nonfinite,
        })
    }

    /// Whether a mask chooses the tokens to pool.
    pub fn is_masked(&self) -> bool {
        self.mask.is_some()
    }
}
