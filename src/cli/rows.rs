//! Flags that choose rows.

use std::cell::OnceCell;
use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::input::{Dump, ExpectedLabels, Labels, RowChoice, RowSource, Sample, TokenRows};
use repgeo::profile::LayerOptions;

use super::output::input_name;

/// Which rows take part; the same rows of every layer.
#[derive(Args)]
#[command(next_help_heading = "Rows")]
pub struct RowArgs {
    /// Rows to keep: a range (0..1000), or a file of indices or of a boolean mask
    #[arg(long, value_name = "FILE|RANGE", allow_hyphen_values = true)]
    rows: Option<String>,

    /// Keep M rows drawn at random
    #[arg(long, value_name = "M", value_parser = super::parse::count(super::parse::MOST_ROWS), conflicts_with = "per_class")]
    subsample: Option<usize>,

    /// Keep M rows of each class drawn at random
    #[arg(long, value_name = "M", value_parser = super::parse::count(super::parse::MOST_ROWS), requires = "labels")]
    per_class: Option<usize>,

    /// One label per row: .npy, .csv[:COLUMN[@ID]] or .txt; may be repeated where a command reads several,
    /// --per-class counts classes of the first
    #[arg(long, value_name = "FILE")]
    labels: Vec<PathBuf>,

    /// Seed of every random choice
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// What was read before: a pipe gives its labels and rows once.
    #[arg(skip)]
    read: OnceCell<Vec<Labels>>,
    #[arg(skip)]
    chosen: OnceCell<(usize, Option<Vec<u32>>)>,
}

impl RowArgs {
    /// The chosen rows of `n`, ascending, among the `tokens` that count where tokens are rows; `None`
    /// for all.
    pub fn resolve(&self, n: usize, tokens: Option<&TokenRows>) -> Result<Option<Vec<u32>>> {
        if let Some((of, rows)) = self.chosen.get()
            && *of == n
        {
            return Ok(rows.clone());
        }
        // Only a draw by class asks for them: runs beside a dump may have other rows than its labels.
        let labels = match self.per_class {
            Some(_) => self.labels(n, tokens)?,
            None => Vec::new(),
        };
        let source = match &self.rows {
            None => RowSource::All,
            Some(text) => text.parse()?,
        };
        let sample = match (self.subsample, self.per_class) {
            (Some(m), _) => Sample::Rows { m },
            (None, Some(m)) => Sample::PerClass { m },
            (None, None) => Sample::All,
        };
        let choice = RowChoice {
            source,
            sample,
            seed: self.seed,
        };
        let rows = choice.resolve_among(n, tokens.and_then(TokenRows::kept), labels.first())?;
        // Layers of another length choose among their own rows.
        let _ = self.chosen.set((n, rows.clone()));
        Ok(rows)
    }

    /// Whether labels were given.
    pub fn has_labels(&self) -> bool {
        !self.labels.is_empty()
    }

    /// Every set of labels, one label for each of the `n` rows of the dump; where they are `tokens`,
    /// each may have that of its prompt.
    pub fn labels(&self, n: usize, tokens: Option<&TokenRows>) -> Result<Vec<Labels>> {
        if self.read.get().is_none() {
            let expected = ExpectedLabels::rows(n, "the dump");
            let open = |path: &PathBuf| match tokens {
                None => Labels::open_for(path, expected),
                Some(tokens) => Labels::open_for_tokens(path, tokens),
            };
            let labels = self.labels.iter().map(open).collect::<Result<_>>()?;
            let _ = self.read.set(labels);
        }
        let labels = self.read.get().cloned().unwrap_or_default();
        labels
            .iter()
            .try_for_each(|labels| labels.check_rows(n, "the dump"))?;
        Ok(labels)
    }

    /// The labels of a dump whose layers are read by `options`.
    pub fn labels_of(&self, dump: &Dump, options: &LayerOptions) -> Result<Vec<Labels>> {
        self.labels(dump.n_rows(), options.tokens.as_ref())
    }

    /// How rows are chosen, the seed of a draw included.
    pub fn provenance(&self) -> Vec<String> {
        let drawn = self.subsample.is_some() || self.per_class.is_some();
        let seed = drawn.then(|| format!("--seed {}", self.seed));
        self.words().into_iter().chain(seed).collect()
    }

    /// The choice in words of the flags, for the report.
    pub fn words(&self) -> Vec<String> {
        let rows = self
            .rows
            .as_ref()
            .map(|rows| format!("--rows {}", input_name(rows.as_ref())));
        let subsample = self.subsample.map(|m| format!("--subsample {m}"));
        let per_class = self.per_class.map(|m| {
            let labels = self
                .labels
                .first()
                .map(|path| input_name(path))
                .unwrap_or_default();
            format!("--per-class {m} --labels {labels}")
        });
        [rows, subsample, per_class].into_iter().flatten().collect()
    }
}
