//! Finds the searches of a plan in its parts, for the analysis that is run over them.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis, concatenate, s};

use super::file::{self, Payload};
use super::key::{Key, fingerprint_of_targets};
use super::plan::Plan;
use super::search::{PlannedSearch, PlannedSought};
use crate::error::{Error, Result};
use crate::neighbours::{Metric, NeighbourTable, OrderDistances, RankCounts, Targets};
use crate::profile::Finished;

/// The parts of a run, all of which are there.
#[derive(Debug)]
pub struct Shards {
    plan: Plan,
    folder: PathBuf,
}

impl Shards {
    pub(super) fn new(plan: Plan, folder: PathBuf) -> Self {
        Self { plan, folder }
    }

    /// The searches of rows of this content.
    fn of_content<'a>(
        &'a self,
        content: &'a str,
        metric: Metric,
    ) -> impl Iterator<Item = (usize, &'a PlannedSearch)> {
        let all = self.plan.searches.iter().enumerate();
        let same = self.plan.metric == metric.name();
        all.filter(move |(_, search)| same && search.content == content)
    }

    fn unknown(layer: &str) -> Error {
        Error::InputChanged {
            what: format!("layer {layer}"),
            fact: "the run has no such search of the rows that are there now".into(),
        }
    }
}

/// The content of every part of a search, in the order of its blocks.
fn parts(
    plan: &Plan,
    folder: &Path,
    search: usize,
) -> impl Iterator<Item = Result<(Key, Payload)>> {
    plan.units_of(search).map(move |unit| {
        let path = file::place(folder, unit);
        file::read(&path, &Key::expected(plan, unit)).map_err(|fault| fault.error(&path))
    })
}

/// The part is of another kind than its key says; only a fault of ours makes such a file.
fn unlike(folder: &Path, search: &PlannedSearch) -> Error {
    Error::Identity {
        path: folder.to_owned(),
        fact: format!(
            "a part of layer {} has other arrays than its key says",
            search.layer
        ),
        remedy: "run repgeo clean and plan anew".into(),
    }
}

/// The whole table of a search.
///
/// # Errors
/// [`Error::Holes`], [`Error::Identity`] and [`Error::Read`] for its parts.
pub(super) fn table_of(plan: &Plan, folder: &Path, place: usize) -> Result<NeighbourTable> {
    let search = &plan.searches[place];
    let PlannedSought::Table(k) = search.sought else {
        return Err(unlike(folder, search));
    };
    let mut table = NeighbourTable {
        indices: Array2::zeros((search.n, k)),
        distances: Array2::zeros((search.n, k)),
    };
    for (block, part) in search.blocks.iter().zip(parts(plan, folder, place)) {
        let (_, Payload::Table(part)) = part? else {
            return Err(unlike(folder, search));
        };
        let rows = s![block.start..block.end, ..];
        let mut place = table.indices.slice_mut(rows);
        if part.indices.dim() != place.dim() {
            return Err(unlike(folder, search));
        }
        place.assign(&part.indices);
        table.distances.slice_mut(rows).assign(&part.distances);
    }
    Ok(table)
}

impl Finished for Shards {
    fn table(
        &self,
        content: &str,
        layer: &str,
        metric: Metric,
        k: usize,
    ) -> Result<NeighbourTable> {
        let mut of_content = self.of_content(content, metric);
        let found = of_content.find(|(_, search)| search.sought == PlannedSought::Table(k));
        let (place, _) = found.ok_or_else(|| Self::unknown(layer))?;
        table_of(&self.plan, &self.folder, place)
    }

    fn orders(
        &self,
        content: &str,
        layer: &str,
        metric: Metric,
        orders: &[usize],
    ) -> Result<OrderDistances> {
        let sought = PlannedSought::Orders(orders.to_vec());
        let mut of_content = self.of_content(content, metric);
        let found = of_content.find(|(_, search)| search.sought == sought);
        let (place, search) = found.ok_or_else(|| Self::unknown(layer))?;
        let mut found = Vec::new();
        for part in parts(&self.plan, &self.folder, place) {
            match part? {
                (_, Payload::Orders(part)) if part.nrows() == orders.len() => found.push(part),
                _ => return Err(unlike(&self.folder, search)),
            }
        }
        let views: Vec<_> = found.iter().map(|part| part.view()).collect();
        let distances = concatenate(Axis(1), &views)
            .ok()
            .filter(|all| all.ncols() == search.n)
            .ok_or_else(|| unlike(&self.folder, search))?;
        Ok(OrderDistances {
            orders: orders.to_vec(),
            // Each order lies in one run, as a search leaves it.
            distances: distances.as_standard_layout().into_owned(),
        })
    }

    fn ranks(
        &self,
        content: &str,
        layer: &str,
        metric: Metric,
        targets: &Targets<'_>,
    ) -> Result<RankCounts> {
        let (n, wanted) = targets.rows.dim();
        let planned = |search: &PlannedSearch| {
            matches!(search.sought, PlannedSought::Ranks { targets: t, groups: g, .. }
                if t == wanted && g == targets.groups.len())
        };
        let mut mistaken = None;
        for (place, search) in self.of_content(content, metric) {
            if !planned(search) || search.n != n {
                continue;
            }
            match self.counts(place, search, targets)? {
                Ok(counts) => return Ok(counts),
                Err(path) => mistaken = Some(path),
            }
        }
        Err(match mistaken {
            None => Self::unknown(layer),
            Some(path) => Error::Identity {
                path,
                fact: "its ranks are not those of the neighbours that the run found".into(),
                remedy: "delete it; repgeo shard does it again".into(),
            },
        })
    }
}

impl Shards {
    /// The counts of one planned search, or the part that is of other targets.
    fn counts(
        &self,
        place: usize,
        search: &PlannedSearch,
        targets: &Targets<'_>,
    ) -> Result<std::result::Result<RankCounts, PathBuf>> {
        let mut counts = RankCounts {
            ranks: Array2::zeros(targets.rows.dim()),
            nearer: Array2::zeros((search.n, targets.groups.len())),
        };
        let units = self.plan.units_of(place);
        let parts = parts(&self.plan, &self.folder, place);
        for ((block, unit), part) in search.blocks.iter().zip(units).zip(parts) {
            let (key, Payload::Ranks(part)) = part? else {
                return Err(unlike(&self.folder, search));
            };
            let rows = s![block.start..block.end, ..];
            let of_block = Targets {
                rows: targets.rows.slice(rows),
                groups: targets.groups,
            };
            if key.targets != fingerprint_of_targets(&of_block) {
                return Ok(Err(file::place(&self.folder, unit)));
            }
            let mut place = counts.ranks.slice_mut(rows);
            if part.ranks.dim() != place.dim() || part.nearer.dim() != counts.nearer.dim() {
                return Err(unlike(&self.folder, search));
            }
            place.assign(&part.ranks);
            counts.nearer += &part.nearer;
        }
        Ok(Ok(counts))
    }
}
