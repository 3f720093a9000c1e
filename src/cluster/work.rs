//! Foresees what an analysis will search: its dumps, its layers, what is sought in them.

use crate::error::{Error, Result};
use crate::input::{Dump, Matrix, ReadOptions};
use crate::profile::compare::{Comparison, Side};
use crate::profile::id::IdOptions;
use crate::profile::imbalance::{ImbalanceOptions, ImbalanceSearches, RankSearch};
use crate::profile::landscape::PeakOptions;
use crate::profile::overlap::{OverlapOptions, overlap_searches};
use crate::profile::{LayerOptions, LayerSearch, Sought, prepare};
use crate::progress::Progress;

/// One dump and how its layers become points.
pub struct Source {
    /// The layers.
    pub dump: Dump,
    /// How they become points.
    pub options: LayerOptions,
}

/// An analysis of one dump, or of two over the same rows; an analysis over runs is several.
pub struct Work {
    /// The first dump, or the only one.
    pub left: Source,
    /// The second.
    pub right: Option<Source>,
    /// What is made of them.
    pub analysis: Analysis,
}

/// What is made of the layers.
pub enum Analysis {
    /// `id-profile`.
    Dimension(IdOptions),
    /// `density-peaks`.
    Peaks(PeakOptions),
    /// `neighbours`, with this k.
    Tables(usize),
    /// `overlap`.
    Overlap(OverlapOptions),
    /// `imbalance`.
    Imbalance(ImbalanceOptions),
}

/// A search that will be made: of which layer, over which rows, for what.
pub(super) struct Foreseen {
    pub(super) search: LayerSearch,
    pub(super) layer: String,
    /// Input rows that take part; all if `None`.
    pub(super) rows: Option<Vec<u32>>,
    pub(super) matrix: Matrix,
}

impl Work {
    /// Shows every search of a whole layer to `see`, and returns the counts of ranks that follow.
    ///
    /// # Errors
    /// Whatever reading layers gives, and `see`.
    pub(super) fn foresee(
        &self,
        progress: &dyn Progress,
        see: &mut dyn FnMut(Foreseen) -> Result<()>,
    ) -> Result<Vec<RankSearch>> {
        match &self.analysis {
            Analysis::Dimension(options) => self.of_layers(progress, |n| options.sought(n), see)?,
            Analysis::Peaks(options) => {
                let sought = |n| Sought::table(options.stored(), n).into_iter().collect();
                self.of_layers(progress, sought, see)?;
            }
            Analysis::Tables(k) => {
                let sought = |n| Sought::table(*k, n).into_iter().collect();
                self.of_layers(progress, sought, see)?;
            }
            Analysis::Overlap(options) => {
                let comparison = self.comparison(progress)?;
                let searches = overlap_searches(&comparison, options)?;
                self.of_comparison(&comparison, searches, see)?;
            }
            Analysis::Imbalance(options) => {
                let comparison = self.comparison(progress)?;
                let searches = ImbalanceSearches::new(&comparison, options)?;
                self.of_comparison(&comparison, searches.tables(), see)?;
                return Ok(searches.ranks());
            }
        }
        Ok(Vec::new())
    }

    /// Every layer by itself.
    fn of_layers(
        &self,
        progress: &dyn Progress,
        sought: impl Fn(usize) -> Vec<Sought>,
        see: &mut dyn FnMut(Foreseen) -> Result<()>,
    ) -> Result<()> {
        let Source { dump, options } = &self.left;
        progress.begin("reading", dump.layers().len() as u64);
        for (layer, info) in dump.layers().iter().enumerate() {
            let prepared = prepare(dump, info, options)?;
            let all = options.rows.is_none() && prepared.rows.len() == prepared.diagnostics.n_rows;
            for sought in sought(prepared.matrix.n_rows()) {
                see(Foreseen {
                    search: LayerSearch {
                        right: false,
                        layer,
                        sought,
                    },
                    layer: info.name.clone(),
                    rows: (!all).then(|| prepared.rows.clone()),
                    matrix: prepared.matrix.clone(),
                })?;
            }
            progress.advance(1);
        }
        progress.end();
        Ok(())
    }

    /// Layers over the rows that all of them keep.
    fn of_comparison(
        &self,
        comparison: &Comparison<'_>,
        searches: Vec<LayerSearch>,
        see: &mut dyn FnMut(Foreseen) -> Result<()>,
    ) -> Result<()> {
        let rows = [comparison.input_rows(), comparison.input_rows_right()];
        for search in searches {
            let (right, layer) = (search.right, search.layer);
            let source = self.source(right);
            let rows = &rows[usize::from(right)];
            let all = source.options.rows.is_none() && rows.len() == source.dump.n_rows();
            see(Foreseen {
                layer: source.dump.layers()[layer].name.clone(),
                rows: (!all).then(|| rows.clone()),
                matrix: match right {
                    false => comparison.read_left(layer)?,
                    true => comparison.read_right(layer)?,
                },
                search,
            })?;
        }
        Ok(())
    }

    fn source(&self, right: bool) -> &Source {
        match &self.right {
            Some(source) if right => source,
            _ => &self.left,
        }
    }

    fn comparison(&self, progress: &dyn Progress) -> Result<Comparison<'_>> {
        let side = |source: &'_ Source| -> LayerOptions { source.options.clone() };
        let left = Side {
            dump: &self.left.dump,
            options: side(&self.left),
        };
        let right = self.right.as_ref().map(|source| Side {
            dump: &source.dump,
            options: side(source),
        });
        Comparison::new(left, right, progress)
    }

    /// The comparison over rows that are known: of the first dump and of the second.
    ///
    /// # Errors
    /// As [`Comparison::of_known_rows`].
    pub(super) fn comparison_of(&self, rows: [Option<Vec<u32>>; 2]) -> Result<Comparison<'_>> {
        let [left_rows, right_rows] = rows;
        let of = |source: &Source, rows| LayerOptions {
            rows,
            ..source.options.clone()
        };
        let left = Side {
            dump: &self.left.dump,
            options: of(&self.left, left_rows),
        };
        let right = self.right.as_ref().map(|source| Side {
            dump: &source.dump,
            options: of(source, right_rows),
        });
        Comparison::of_known_rows(left, right)
    }

    /// The rows of a layer, by its place and name.
    ///
    /// # Errors
    /// [`Error::InputChanged`] if no such layer is there; as [`Dump::read`].
    pub(super) fn read(
        &self,
        right: bool,
        at: usize,
        name: &str,
        rows: Option<&[u32]>,
    ) -> Result<Matrix> {
        let Source { dump, options } = self.source(right);
        let named = dump.layers().get(at).filter(|info| info.name == name);
        let info = named.ok_or_else(|| Error::InputChanged {
            what: format!("layer {name}"),
            fact: format!("it no longer has place {at} in {}", dump.path().display()),
        })?;
        let n = dump.n_rows();
        if let Some(&last) = rows.and_then(<[u32]>::last)
            && last as usize >= n
        {
            return Err(Error::InputChanged {
                what: format!("layer {name}"),
                fact: format!("it has {n} rows, row {last} was to take part"),
            });
        }
        let read = ReadOptions {
            pool: options.pool,
            mask: options.mask.as_ref(),
            rows,
        };
        Ok(dump.read(info, &read)?.matrix)
    }
}
