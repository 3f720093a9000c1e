//! One layer at a time, read, checked and cleaned: where every profile begins.

use crate::choice::choice;
use crate::error::{Error, NonFiniteRemedy, Result};
use crate::geometry::Reason;
use crate::geometry::diagnostics::{Diagnostics, DistanceDiagnostics, near_zero};
use crate::geometry::directions::find_equal_directions;
use crate::geometry::resolution::equidistant;
use crate::input::{
    Dump, Duplicates, LayerInfo, Mask, Matrix, Pooling, ReadOptions, Scan, TokenRows,
    find_duplicates, scan,
};
use crate::profile::bench::Bench;
use crate::warning::{Warning, WarningCode};

choice! {
    /// What to do with rows that repeat an earlier row exactly.
    pub enum DuplicatePolicy {
        /// Keep the first of each.
        Drop = "drop",
        /// Keep all; ties are settled by row index.
        Keep = "keep",
        /// Refuse the layer.
        Refuse = "refuse",
    }
}

/// How layers become points.
#[derive(Debug, Clone, Default)]
pub struct LayerOptions {
    /// What to make of three or four axes.
    pub pool: Option<Pooling>,
    /// Which tokens count when pooling.
    pub mask: Option<Mask>,
    /// Input rows to keep, ascending; all if `None`.
    pub rows: Option<Vec<u32>>,
    /// Which tokens the rows are, where they are tokens.
    pub tokens: Option<TokenRows>,
    /// What to do with equal rows.
    pub duplicates: DuplicatePolicy,
    /// Leave rows with NaN or infinity out instead of refusing the layer.
    pub drop_nonfinite: bool,
    /// Rows are equal if they point the same way, as the cosine sees them.
    pub directions: bool,
}

/// A layer ready for analysis.
pub struct PreparedLayer {
    /// The rows that are left.
    pub matrix: Matrix,
    /// The input row behind each of them.
    pub rows: Vec<u32>,
    /// Every input row that takes part, repeats included, and its place in `matrix`: that of the
    /// row that it repeats where repeats were left out.
    pub members: Vec<(u32, u32)>,
    /// Why no row is nearer than another, if so.
    pub no_nearest: Option<Reason>,
    /// Diagnostics of the values; no distances yet.
    pub diagnostics: Diagnostics,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
}

/// Reads `layer`, checks its values and applies the policies of `options`.
///
/// # Errors
/// Whatever reading gives; [`Error::NonFinite`], [`Error::TooLarge`] and [`Error::Duplicates`],
/// with rows counted as in the input.
pub fn prepare(dump: &Dump, layer: &LayerInfo, options: &LayerOptions) -> Result<PreparedLayer> {
    let read = dump.read(
        layer,
        &ReadOptions {
            pool: options.pool,
            mask: options.mask.as_ref(),
            rows: options.rows.as_deref(),
        },
    )?;
    let mut kept = Kept {
        layer: &layer.name,
        matrix: read.matrix,
        rows: read.rows,
        warnings: read.warnings,
    };
    let n = kept.matrix.n_rows();
    let scan = kept.drop_nonfinite(options)?;
    let duplicates = kept.find_repeats(options)?;
    let n_duplicates = duplicates.n_duplicates();
    let diagnostics = Diagnostics {
        n_rows: n,
        n_unique: Some(duplicates.kept.len()),
        n_duplicates: Some(n_duplicates),
        max_multiplicity: Some(duplicates.max_multiplicity() as usize),
        n_nonfinite_rows: Some(scan.nonfinite_rows.len()),
        n_constant_columns: Some(scan.n_constant_columns),
        max_mean_over_std: scan.max_mean_over_std,
        top_column_variance_share: scan.top_column_variance_share,
        distances: None,
    };
    // Several rows of which one is distinct have nothing to measure; one row is too few.
    let no_nearest = if n > 1 && duplicates.kept.len() == 1 {
        Some(Reason::AllRowsIdentical)
    } else {
        equidistant(&kept.matrix, options.directions).then_some(Reason::EquidistantRows)
    };
    let all = kept.rows.iter().copied();
    let members: Vec<(u32, u32)>;
    if options.duplicates == DuplicatePolicy::Drop && n_duplicates > 0 {
        members = all.zip(duplicates.inverse.iter().copied()).collect();
        kept.only(&duplicates.kept);
    } else {
        members = all.zip(0..).collect();
    }
    let Kept {
        matrix,
        rows,
        mut warnings,
        ..
    } = kept;
    warnings.extend(value_warnings(
        &diagnostics,
        matrix.n_rows(),
        matrix.n_columns(),
    ));
    Ok(PreparedLayer {
        matrix,
        rows,
        members,
        no_nearest,
        diagnostics,
        warnings,
    })
}

/// What is left of a layer on the way through the policies.
struct Kept<'a> {
    layer: &'a str,
    matrix: Matrix,
    /// The input row behind each row of `matrix`.
    rows: Vec<u32>,
    warnings: Vec<Warning>,
}

impl Kept<'_> {
    fn only(&mut self, kept: &[u32]) {
        self.matrix = self.matrix.select(kept);
        self.rows = kept.iter().map(|&row| self.rows[row as usize]).collect();
    }

    /// Refuses values beyond the range, and values that are no numbers or leaves their rows out.
    fn drop_nonfinite(&mut self, options: &LayerOptions) -> Result<Scan> {
        let n = self.matrix.n_rows();
        let scan = scan(&self.matrix);
        if let Some(spot) = scan.too_large {
            let row = self.rows[spot.row] as usize;
            return Err(Error::TooLarge {
                layer: options.at(self.layer, row),
                row,
                column: spot.column,
                value: spot.value,
            });
        }
        let Some(spot) = scan.first_nonfinite else {
            return Ok(scan);
        };
        let n_rows = scan.nonfinite_rows.len();
        if !options.drop_nonfinite {
            let row = self.rows[spot.row] as usize;
            return Err(Error::NonFinite {
                layer: options.at(self.layer, row),
                row,
                column: spot.column,
                value: spot.value,
                n_rows,
                n,
                remedy: match blank_rows(&self.matrix, &scan.nonfinite_rows, f64::is_nan) {
                    0 | 1 => NonFiniteRemedy::Drop,
                    _ => NonFiniteRemedy::Padding,
                },
            });
        }
        self.warnings.push(Warning::new(
            WarningCode::NonfiniteDropped,
            n_rows,
            format!("{n_rows} of {n} rows hold NaN or infinity and were left out"),
        ));
        let finite: Vec<u32> = (0..)
            .take(n)
            .filter(|row| scan.nonfinite_rows.binary_search(row).is_err())
            .collect();
        self.only(&finite);
        Ok(scan)
    }

    /// Which rows repeat an earlier one; refuses them, or says what is done with them.
    fn find_repeats(&mut self, options: &LayerOptions) -> Result<Duplicates> {
        let duplicates = match options.directions {
            true => find_equal_directions(&self.matrix),
            false => find_duplicates(&self.matrix),
        };
        let count = duplicates.n_duplicates();
        let Some(first) = duplicates.first_repeat() else {
            return Ok(duplicates);
        };
        let n = self.matrix.n_rows();
        let done = match options.duplicates {
            DuplicatePolicy::Refuse => {
                let row = self.rows[first] as usize;
                return Err(Error::Duplicates {
                    layer: options.at(self.layer, row),
                    count,
                    n,
                    row,
                });
            }
            DuplicatePolicy::Drop => "were left out",
            DuplicatePolicy::Keep => "were kept",
        };
        let repeated = match options.directions {
            true => "the direction of an earlier row",
            false => "an earlier row",
        };
        let padding = match zero_rows(&self.matrix) {
            0 | 1 => String::new(),
            zeros => format!(
                "; {zeros} rows are 0 in every column, as padding is: if so, leave it out with \
                 --pool tokens --mask FILE, or with --rows"
            ),
        };
        self.warnings.push(Warning::new(
            WarningCode::Duplicates,
            count,
            format!("{count} of {n} rows repeat {repeated} and {done}{padding}"),
        ));
        Ok(duplicates)
    }
}

impl LayerOptions {
    /// A layer's name for messages about one of its rows, which say what the number of a token hides.
    fn at(&self, layer: &str, row: usize) -> String {
        match &self.tokens {
            None => layer.to_owned(),
            Some(tokens) => {
                let (prompt, token) = tokens.place(row);
                format!("{layer} (token {token} of prompt {prompt})")
            }
        }
    }
}

/// How many of `rows` hold nothing but blank values.
fn blank_rows(matrix: &Matrix, rows: &[u32], is_blank: impl Fn(f64) -> bool) -> usize {
    let mut values = vec![0.0; matrix.n_columns()];
    let blank = |row: &&u32| {
        matrix.widen_row(**row as usize, &mut values);
        values.iter().all(|&x| is_blank(x))
    };
    rows.iter().filter(blank).count()
}

/// How many rows are 0 in every column.
fn zero_rows(matrix: &Matrix) -> usize {
    let all: Vec<u32> = (0..).take(matrix.n_rows()).collect();
    blank_rows(matrix, &all, |x| x.abs() <= 0.0)
}

/// Below this many rows every estimate is mostly noise.
const FEW_ROWS: usize = 100;

/// Column means beyond this many standard deviations break careless arithmetic.
const MASSIVE_MEAN: f64 = 100.0;

/// A column with more than this share of the variance decides every distance.
const MASSIVE_SHARE: f64 = 0.5;

fn value_warnings(diagnostics: &Diagnostics, n: usize, n_columns: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mean = diagnostics.max_mean_over_std.unwrap_or(0.0);
    // One or two columns have a dominating one by counting alone.
    let share = diagnostics
        .top_column_variance_share
        .filter(|_| n_columns > 2)
        .unwrap_or(0.0);
    if mean > MASSIVE_MEAN || share > MASSIVE_SHARE {
        warnings.push(Warning::new(
            WarningCode::MassiveColumns,
            1,
            format!(
                "largest |column mean| / std is {mean:.3}, the top column holds {:.0} % of the variance",
                100.0 * diagnostics.top_column_variance_share.unwrap_or(0.0)
            ),
        ));
    }
    if n < FEW_ROWS {
        warnings.push(Warning::new(
            WarningCode::FewRows,
            n,
            format!(
                "{n} row{} few: fewer than {FEW_ROWS} give noisy estimates",
                if n == 1 { " is" } else { "s are" }
            ),
        ));
    }
    warnings
}

/// Warnings about the neighbour distances of `n` rows.
pub(super) fn distance_warnings(diagnostics: &Diagnostics, n: usize) -> Vec<Warning> {
    let Some(found) = &diagnostics.distances else {
        return Vec::new();
    };
    let tied = found.n_tied_r1_r2;
    let quantised = (tied as f64 > 1e-2 * n as f64).then(|| {
        Warning::new(
            WarningCode::Quantised,
            tied,
            format!(
                "{tied} of {n} rows have equal first and second neighbour distances (quantised \
                 data?)"
            ),
        )
    });
    let near = near_duplicates(found.n_near_zero_r1, found.n_zero_r1, n);
    near.into_iter().chain(quantised).collect()
}

/// The warning about almost equal rows in every command that reads nearest distances; `r1` and `far`
/// are the distances of all rows to their nearest and to the farthest neighbour looked at.
pub fn near_duplicate_warning(r1: &[f64], far: &[f64]) -> Option<Warning> {
    let (near, zero) = near_zero(r1, far);
    near_duplicates(near, zero, r1.len())
}

/// The same of rows that were asked of another dump, `r1` being the distances to the nearest rows
/// there: a row that lies in both is its own nearest, one that all but lies there is worth a word.
pub fn near_queries_warning(r1: &[f64], far: &[f64]) -> Option<Warning> {
    let (near, zero) = near_zero(r1, far);
    let almost = near.saturating_sub(zero);
    (almost > 0).then(|| {
        Warning::new(
            WarningCode::NearDuplicates,
            almost,
            format!(
                "{almost} of {} queries lie closer than 1e-6 of the median distance to a row of ACTS \
                 without being equal to it: the same samples, computed or stored in another way?",
                r1.len()
            ),
        )
    })
}

/// One pair is enough, for its ratio of distances outweighs those of hundreds of rows. Exact
/// repeats have a warning of their own, so of them it takes more.
fn near_duplicates(near: usize, zero: usize, n: usize) -> Option<Warning> {
    (near > zero || near as f64 > 1e-3 * n as f64).then(|| {
        Warning::new(
            WarningCode::NearDuplicates,
            near,
            format!(
                "{near} of {n} rows have a first neighbour closer than 1e-6 of the median distance; such \
                 twins pull dimensions towards 0: leave one of each out, or read a larger scale \
                 (gride at a higher order, more neighbours)"
            ),
        )
    })
}

/// Diagnostics of one layer with all its finite rows kept, and what to warn about.
///
/// # Errors
/// As [`prepare`], less those about rows that the diagnostics count.
pub fn diagnose(
    dump: &Dump,
    layer: &LayerInfo,
    options: &LayerOptions,
    bench: &Bench<'_>,
) -> Result<(Diagnostics, Vec<Warning>)> {
    let options = LayerOptions {
        duplicates: DuplicatePolicy::Keep,
        drop_nonfinite: true,
        ..options.clone()
    };
    let PreparedLayer {
        matrix,
        mut diagnostics,
        mut warnings,
        ..
    } = prepare(dump, layer, &options)?;
    let points = bench.points(&matrix, &layer.name)?;
    let distances = bench.order_distances(&points, &layer.name, &[1, 2])?;
    if let (Some(r1), Some(r2)) = (distances.get(1), distances.get(2)) {
        diagnostics.distances = Some(DistanceDiagnostics::new(r1, r2, r2));
    }
    warnings.extend(distance_warnings(&diagnostics, points.n_rows()));
    let of_layer = warnings.into_iter().map(|one| one.of(&layer.name));
    Ok((diagnostics, of_layer.collect()))
}
