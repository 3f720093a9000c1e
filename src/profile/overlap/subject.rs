//! The layers of a comparison and the neighbours found in them.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{Array2, s};

use super::options::deepest;
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::input::{Labels, Matrix};
use crate::profile::bench::Bench;
use crate::profile::compare::{ComparedLayer, Comparison, LayerPair, all_rows_equal};
use crate::profile::finished::{LayerSearch, Sought};
use crate::profile::layers::near_duplicate_warning;
use crate::progress::Phase;
use crate::warning::Warning;

/// Tables by side (0 left, 1 right) and position; a layer of equal rows has none.
pub(super) type LayerTables = BTreeMap<(usize, usize), Array2<u32>>;

pub(super) struct Subject<'a> {
    pub(super) comparison: &'a Comparison<'a>,
    pub(super) k: &'a [usize],
    pub(super) class_fraction: Option<f64>,
    pub(super) labels: &'a [Labels],
    pub(super) exclude: Option<&'a Labels>,
    pub(super) blocks: Vec<Vec<u32>>,
    pub(super) per_row: bool,
    pub(super) bench: Bench<'a>,
}

impl Subject<'_> {
    /// Which side the second layer of a pair is on.
    pub(super) fn right(&self) -> usize {
        usize::from(self.comparison.is_between_two())
    }

    /// How many neighbours are needed of `n` rows.
    fn deepest(&self, n: usize) -> usize {
        deepest(self.k, self.class_fraction, (self.labels, self.exclude), n)
    }

    /// The layers that take part, by side and position.
    fn wanted(&self, pairs: &[LayerPair], rows: Option<&[u32]>) -> BTreeSet<(usize, usize)> {
        let mut wanted: BTreeSet<(usize, usize)> = pairs
            .iter()
            .flat_map(|pair| [(0, pair.a), (self.right(), pair.b)])
            .collect();
        if !self.labels.is_empty() && rows.is_none() {
            wanted.extend((0..self.comparison.left().len()).map(|at| (0, at)));
        }
        wanted
    }

    fn read(&self, on: usize, at: usize) -> Result<(Matrix, &ComparedLayer)> {
        let comparison = self.comparison;
        Ok(match on {
            0 => (comparison.read_left(at)?, &comparison.left()[at]),
            _ => (comparison.read_right(at)?, &comparison.right()[at]),
        })
    }

    /// The searches of [`Subject::tables_of`] among all rows.
    pub(super) fn searches(&self, pairs: &[LayerPair]) -> Result<Vec<LayerSearch>> {
        let n = self.comparison.n_rows();
        let mut searches = Vec::new();
        for (on, layer) in self.wanted(pairs, None) {
            let sought = Sought::table(self.deepest(n), n);
            if let Some(sought) = sought
                && !all_rows_equal(&self.read(on, layer)?.0)
            {
                searches.push(LayerSearch {
                    right: on > 0,
                    layer,
                    sought,
                });
            }
        }
        Ok(searches)
    }

    /// The neighbours in every layer that takes part, among `rows` if they are given.
    pub(super) fn tables_of(
        &self,
        pairs: &[LayerPair],
        rows: Option<&[u32]>,
        bench: Bench<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<LayerTables> {
        let n = rows.map_or(self.comparison.n_rows(), <[u32]>::len);
        let k = self.deepest(n);
        let wanted = self.wanted(pairs, rows);
        // The rows of the other tables wait until all are there, so that the first search already
        // knows whether the last will fit.
        let waiting = wanted.len().saturating_sub(1);
        let bench = bench.beside(waiting * n * k * size_of::<u32>());
        let mut found = LayerTables::new();
        let phase = Phase::new("neighbours", wanted.len());
        match rows {
            None => bench.progress.plan(&[phase]),
            Some(_) => bench.progress.step("parts", ""),
        }
        for (on, at) in wanted {
            if let Some(table) = self.comparison.table(on, at) {
                if rows.is_some() {
                    return Err(Error::Usage(
                        "parts of the rows have neighbours of their own, which tables do not hold; \
                         leave --partitions out"
                            .into(),
                    ));
                }
                if k > 0 && table.distances.iter().any(|distance| *distance > 0.0) {
                    let column = |order: usize| table.distances.column(order - 1).to_vec();
                    let noticed = near_duplicate_warning(&column(1), &column(table.k));
                    let name = self.comparison.in_words(on, at);
                    warnings.extend(noticed.map(|found| found.of(&name)));
                    found.insert(
                        (on, at),
                        table.indices.slice(s![.., ..k.min(table.k)]).to_owned(),
                    );
                }
                continue;
            }
            let (matrix, layer) = self.read(on, at)?;
            let matrix: Matrix = match rows {
                None => {
                    bench.progress.step(phase.name, &layer.layer);
                    matrix
                }
                Some(rows) => matrix.select(rows),
            };
            if k == 0 || layer.no_nearest.is_some() || all_rows_equal(&matrix) {
                continue;
            }
            let table = bench.neighbours(&matrix, &layer.layer, k, warnings)?;
            let noticed = near_duplicate_warning(
                &table.distances_of_order(1).to_vec(),
                &table.distances_of_order(table.k()).to_vec(),
            );
            let name = self.comparison.in_words(on, at);
            warnings.extend(noticed.map(|found| found.of(&name)));
            found.insert((on, at), table.indices.slice(s![.., ..k]).to_owned());
        }
        Ok(found)
    }

    pub(super) fn tables_of_pair<'f>(
        &self,
        pair: LayerPair,
        found: &'f LayerTables,
    ) -> Result<(&'f Array2<u32>, &'f Array2<u32>), Reason> {
        let sides = [self.comparison.left(), self.comparison.right()];
        let of = |side: usize, at: usize| {
            let absent = match sides[side][at].no_nearest {
                _ if self.comparison.n_rows() < 2 => Reason::TooFewRows,
                reason => reason.unwrap_or(Reason::AllRowsIdentical),
            };
            found.get(&(side, at)).ok_or(absent)
        };
        Ok((of(0, pair.a)?, of(self.right(), pair.b)?))
    }
}
