//! Flags that every analysis of a dump has, and the bench that they set up.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use repgeo::Result;
use repgeo::cache::Cache;
use repgeo::cluster::Shards;
use repgeo::input::Dump;
use repgeo::neighbours::{Metric, SearchOptions};
use repgeo::profile::Bench;

use super::layers::LayerArgs;
use super::output::OutputArgs;
use super::progress::Bar;
use super::rows::RowArgs;
use super::search::{CacheArgs, SearchArgs};

/// How layers and rows are chosen, how neighbours are sought, and where the report goes.
#[derive(Args)]
pub struct SharedArgs {
    #[command(flatten)]
    pub layers: LayerArgs,

    #[command(flatten)]
    pub rows: RowArgs,

    #[command(flatten)]
    pub search: SearchArgs,

    #[command(flatten)]
    pub cache: CacheArgs,

    #[command(flatten)]
    pub output: OutputArgs,

    /// Searches that were done elsewhere.
    #[arg(skip)]
    finished: Option<Arc<Shards>>,
}

/// What the bench of a command borrows.
pub struct Setting {
    pub metric: Metric,
    pub search: SearchOptions,
    pub cache: Option<Cache>,
    pub rows: Vec<String>,
    pub progress: Bar,
    finished: Option<Arc<Shards>>,
}

impl SharedArgs {
    /// Takes neighbours from a finished run, searches what it lacks in this way, and writes there.
    pub fn take(&mut self, finished: Arc<Shards>, search: SearchArgs, output: OutputArgs) {
        self.finished = Some(finished);
        self.search = search;
        self.output = output;
    }

    /// Opens the dump that is analysed.
    pub fn open(&self, path: &Path) -> Result<Dump> {
        self.layers.open(path, &self.rows)
    }

    /// Opens the cache and sets the bar up; fails now where the report could not be written. `words`
    /// say, beside those of the rows, how rows were chosen.
    pub fn setting(&self, words: Vec<String>) -> Result<Setting> {
        self.output.check()?;
        Ok(Setting {
            metric: self.layers.metric(),
            search: self.search.options()?,
            cache: self.cache.open(),
            rows: [self.rows.words(), words].concat(),
            progress: Bar::new(self.output.quiet),
            finished: self.finished.clone(),
        })
    }
}

impl Setting {
    /// The bench.
    pub fn bench(&self) -> Bench<'_> {
        Bench {
            cache: self.cache.as_ref(),
            finished: self.finished.as_deref().map(|found| found as _),
            metric: self.metric,
            search: self.search,
            progress: &self.progress,
            rows: &self.rows,
        }
    }
}
