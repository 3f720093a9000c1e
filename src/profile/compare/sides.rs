//! One dump, or two, seen over the rows that all their layers can show.

use super::layer::{ComparedLayer, LayerRef};
use super::pairs::{LayerPair, Target};
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::input::{Dump, LayerInfo, Matrix, PrecomputedTable, ReadOptions, TableSource};
use crate::profile::layers::{DuplicatePolicy, LayerOptions, prepare};
use crate::progress::Progress;

/// One dump and how its layers become points.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    /// The layers.
    pub dump: &'a Dump,
    /// How they become points.
    pub options: LayerOptions,
}

/// Layers of one dump or two over common rows: row r of every matrix is the same sample.
pub struct Comparison<'a> {
    source: Source<'a>,
    layers: [Vec<ComparedLayer>; 2],
    /// Places among the chosen rows that every layer keeps; `None` for all of them.
    common: Option<Vec<u32>>,
    n: usize,
}

/// Where layers come from.
enum Source<'a> {
    /// Activations of one dump or two.
    Dumps(Box<Side<'a>>, Option<Box<Side<'a>>>),
    /// Neighbours that somebody computed before, of one set of layers or two.
    Tables(
        Vec<PrecomputedTable>,
        Option<Vec<PrecomputedTable>>,
        Box<LayerOptions>,
    ),
}

impl<'a> Comparison<'a> {
    /// Looks through every layer and finds the rows that all of them keep.
    ///
    /// A row that a layer leaves out by its policies (NaN, repeats) is left out everywhere. A layer
    /// whose rows are all equal has no say in it.
    ///
    /// # Errors
    /// [`Error::RowMismatch`] if the sides have different numbers of rows; whatever [`prepare`]
    /// gives for a layer.
    pub fn new(left: Side<'a>, right: Option<Side<'a>>, progress: &dyn Progress) -> Result<Self> {
        let n = chosen_rows(&left);
        if let Some(right) = &right {
            same_rows(&left, right)?;
        }
        let mut kept = vec![true; n];
        let sides = [Some(&left), right.as_ref()];
        let total: usize = sides.iter().flatten().map(|s| s.dump.layers().len()).sum();
        progress.begin("reading", total as u64);
        let mut layers = [Vec::new(), Vec::new()];
        for (side, layers) in sides.into_iter().flatten().zip(&mut layers) {
            for info in side.dump.layers() {
                layers.push(look(side, info, &mut kept)?);
                progress.advance(1);
            }
        }
        progress.end();
        let common: Vec<u32> = (0..)
            .zip(&kept)
            .filter(|(_, kept)| **kept)
            .map(|(row, _)| row)
            .collect();
        let (n, common) = match common.len() {
            all if all == n => (n, None),
            fewer => (fewer, Some(common)),
        };
        Ok(Self {
            source: Source::Dumps(Box::new(left), right.map(Box::new)),
            layers,
            common,
            n,
        })
    }

    /// The rows that both sides choose, on the word of somebody who looked through every layer before
    /// and names them.
    ///
    /// # Errors
    /// [`Error::RowMismatch`] if the sides have different numbers of rows.
    pub fn of_known_rows(left: Side<'a>, right: Option<Side<'a>>) -> Result<Self> {
        if let Some(right) = &right {
            same_rows(&left, right)?;
        }
        let unseen = |side: &Side<'_>| -> Vec<ComparedLayer> {
            let layers = side.dump.layers().iter();
            layers
                .map(|info| ComparedLayer {
                    layer: info.name.clone(),
                    index: info.index,
                    relative_depth: info.relative_depth,
                    n_columns: None,
                    dtype: Some(info.dtype.as_str().to_owned()),
                    n_unique: None,
                    n_duplicates: None,
                    no_nearest: None,
                    warnings: Vec::new(),
                })
                .collect()
        };
        Ok(Self {
            layers: [
                unseen(&left),
                right.as_ref().map(unseen).unwrap_or_default(),
            ],
            common: None,
            n: chosen_rows(&left),
            source: Source::Dumps(Box::new(left), right.map(Box::new)),
        })
    }

    /// Neighbour tables in place of layers, of one set or two, with `k` neighbours of each row or more,
    /// of which at most `kept` are kept.
    ///
    /// # Errors
    /// [`Error::RowMismatch`] if tables have different numbers of rows; [`Error::Usage`] if one holds
    /// fewer than `k` of the other rows; whatever reading them gives.
    pub fn of_tables(
        left: &[TableSource],
        right: Option<&[TableSource]>,
        k: usize,
        kept: usize,
    ) -> Result<Self> {
        let mut n = None;
        let mut layers = [Vec::new(), Vec::new()];
        let mut read = |sources: &[TableSource], layers: &mut Vec<ComparedLayer>| {
            let mut tables = Vec::new();
            for (index, source) in sources.iter().enumerate() {
                let table = source.read(kept)?;
                let (first, all) = n.get_or_insert((source.name.clone(), table.n));
                if table.n != *all {
                    return Err(Error::RowMismatch {
                        first: format!("the table {first}"),
                        n_first: *all,
                        second: format!("the table {}", source.name),
                        n_second: table.n,
                        remedy: "tables must be of the same samples".into(),
                    });
                }
                if table.k < k.min(table.n - 1) {
                    return Err(Error::Usage(format!(
                        "the table {} holds {} neighbours of each row and {k} are needed; ask for \
                         fewer with -k, or compute more",
                        source.name, table.k
                    )));
                }
                let at = LayerRef::of_table(source, index, sources.len());
                layers.push(ComparedLayer {
                    layer: at.layer,
                    index,
                    relative_depth: at.relative_depth,
                    n_columns: None,
                    dtype: None,
                    n_unique: None,
                    n_duplicates: None,
                    no_nearest: None,
                    warnings: Vec::new(),
                });
                tables.push(table);
            }
            Ok(tables)
        };
        let tables = read(left, &mut layers[0])?;
        let others = right.map(|right| read(right, &mut layers[1])).transpose()?;
        Ok(Self {
            source: Source::Tables(tables, others, Box::default()),
            layers,
            common: None,
            n: n.map_or(0, |(_, n)| n),
        })
    }

    /// The table at position `at` of the left layers (`on` 0) or the right ones (1), where neighbours
    /// were computed before.
    pub fn table(&self, on: usize, at: usize) -> Option<&PrecomputedTable> {
        match &self.source {
            Source::Dumps(..) => None,
            Source::Tables(left, right, _) => {
                let right = right.as_ref().unwrap_or(left);
                if on == 0 { left.get(at) } else { right.get(at) }
            }
        }
    }

    /// How the layers of the left dump became points.
    pub fn options(&self) -> &LayerOptions {
        match &self.source {
            Source::Dumps(left, _) => &left.options,
            Source::Tables(_, _, options) => options,
        }
    }

    /// Number of common rows, N.
    pub fn n_rows(&self) -> usize {
        self.n
    }

    /// Whether there are two dumps.
    pub fn is_between_two(&self) -> bool {
        match &self.source {
            Source::Dumps(_, right) => right.is_some(),
            Source::Tables(_, right, _) => right.is_some(),
        }
    }

    /// The layers of the left dump.
    pub fn left(&self) -> &[ComparedLayer] {
        &self.layers[0]
    }

    /// How warnings call layer `at` of the left side (0) or of the right one (1): the right dump is
    /// named where the left has a layer of that name.
    pub(crate) fn in_words(&self, side: usize, at: usize) -> String {
        let name = match side {
            0 => &self.left()[at].layer,
            _ => &self.right()[at].layer,
        };
        let twice = side > 0 && self.is_between_two();
        match twice && self.left().iter().any(|left| left.layer == *name) {
            true => format!("{name} of the other dump"),
            false => name.clone(),
        }
    }

    /// The layers of the right dump; those of the left where there is only one.
    pub fn right(&self) -> &[ComparedLayer] {
        if self.is_between_two() {
            &self.layers[1]
        } else {
            &self.layers[0]
        }
    }

    /// The pairs of layers that `target` asks for.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is nothing to compare, or the target is not there.
    pub fn pairs(&self, target: &Target) -> Result<Vec<LayerPair>> {
        fn names(layers: &[ComparedLayer]) -> Vec<&str> {
            layers.iter().map(|layer| layer.layer.as_str()).collect()
        }
        let right = names(self.right());
        let pairs = target.pairs(
            &names(self.left()),
            self.is_between_two().then_some(&right[..]),
        )?;
        if pairs.is_empty() {
            return Err(Error::Usage(
                "one layer has nothing to be compared with; name a second layer, or a dump with \
                 --against"
                    .into(),
            ));
        }
        Ok(pairs)
    }

    /// Reads the layer at position `at` of the left dump, cut down to the common rows.
    ///
    /// # Errors
    /// As [`Dump::read`].
    pub fn read_left(&self, at: usize) -> Result<Matrix> {
        self.read(0, at)
    }

    /// Reads the layer at position `at` of the right dump, cut down to the common rows.
    ///
    /// # Errors
    /// As [`Dump::read`].
    pub fn read_right(&self, at: usize) -> Result<Matrix> {
        self.read(1, at)
    }

    fn read(&self, on: usize, at: usize) -> Result<Matrix> {
        let side = match &self.source {
            Source::Dumps(left, right) => right.as_ref().filter(|_| on > 0).unwrap_or(left),
            Source::Tables(..) => {
                return Err(Error::Usage(
                    "neighbour tables hold no activations; give the dump instead".into(),
                ));
            }
        };
        let options = ReadOptions {
            pool: side.options.pool,
            mask: side.options.mask.as_ref(),
            rows: side.options.rows.as_deref(),
        };
        let matrix = side.dump.read(&side.dump.layers()[at], &options)?.matrix;
        Ok(match &self.common {
            None => matrix,
            Some(common) => matrix.select(common),
        })
    }

    /// The input rows of the left dump behind the common rows.
    pub fn input_rows(&self) -> Vec<u32> {
        self.input_rows_of(0)
    }

    /// The input rows of the right dump, or of the only one, behind the common rows.
    pub fn input_rows_right(&self) -> Vec<u32> {
        self.input_rows_of(1)
    }

    fn input_rows_of(&self, on: usize) -> Vec<u32> {
        let rows = match &self.source {
            Source::Dumps(left, right) => {
                let side = right.as_ref().filter(|_| on > 0).unwrap_or(left);
                side.options.rows.as_ref()
            }
            Source::Tables(..) => None,
        };
        let chosen = |place: u32| match rows {
            None => place,
            Some(rows) => rows[place as usize],
        };
        match &self.common {
            Some(common) => common.iter().map(|&place| chosen(place)).collect(),
            None => (0..).take(self.n).map(chosen).collect(),
        }
    }
}

fn chosen_rows(side: &Side<'_>) -> usize {
    let rows = side.options.rows.as_ref();
    rows.map_or_else(|| side.dump.n_rows(), Vec::len)
}

fn same_rows(left: &Side<'_>, right: &Side<'_>) -> Result<()> {
    let (n_first, n_second) = (chosen_rows(left), chosen_rows(right));
    if n_first == n_second {
        return Ok(());
    }
    let name = |side: &Side<'_>| {
        let path = side.dump.path().display().to_string();
        match side.options.rows {
            Some(_) => format!("{path} (of {} rows, as chosen)", side.dump.n_rows()),
            None => path,
        }
    };
    Err(Error::RowMismatch {
        first: name(left),
        n_first,
        second: name(right),
        n_second,
        remedy: "row r of both must be the same sample: choose the shared samples with --rows and \
                 --against-rows, or dump both models on one set"
            .into(),
    })
}

/// Reads one layer, and strikes what it leaves out from `kept`.
fn look(side: &Side<'_>, info: &LayerInfo, kept: &mut [bool]) -> Result<ComparedLayer> {
    let found = prepare(side.dump, info, &side.options)?;
    let identical = found.no_nearest == Some(Reason::AllRowsIdentical);
    // Equal rows everywhere would leave one row of every other layer as well.
    let rows = if identical && side.options.duplicates == DuplicatePolicy::Drop {
        let keep = LayerOptions {
            duplicates: DuplicatePolicy::Keep,
            ..side.options.clone()
        };
        prepare(side.dump, info, &keep)?.rows
    } else {
        found.rows
    };
    if rows.len() < kept.len() {
        let mut stays = vec![false; kept.len()];
        for row in rows {
            let place = match &side.options.rows {
                None => Some(row as usize),
                Some(chosen) => chosen.binary_search(&row).ok(),
            };
            if let Some(place) = place {
                stays[place] = true;
            }
        }
        for (kept, stays) in kept.iter_mut().zip(stays) {
            *kept &= stays;
        }
    }
    Ok(ComparedLayer {
        layer: info.name.clone(),
        index: info.index,
        relative_depth: info.relative_depth,
        n_columns: Some(found.matrix.n_columns()),
        dtype: Some(info.dtype.as_str().to_owned()),
        n_unique: found.diagnostics.n_unique,
        n_duplicates: found.diagnostics.n_duplicates,
        no_nearest: found.no_nearest,
        warnings: found.warnings,
    })
}
