//! The dimension of rows that no dump holds.

use super::options::IdOptions;
use super::run::Subject;
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::diagnostics::Diagnostics;
use crate::geometry::resolution::equidistant;
use crate::input::{Matrix, find_duplicates};
use crate::profile::bench::Bench;

/// The dimension of the rows of `matrix` by the one estimator of `options`, as
/// [`id_profile`](super::id_profile) has it by custom for a layer of these rows: repeated rows are left
/// out. `name` is for errors.
///
/// # Errors
/// As [`Bench::points`].
pub(in crate::profile) fn dimension_of(
    matrix: &Matrix,
    name: &str,
    options: &IdOptions,
    bench: &Bench<'_>,
) -> Result<std::result::Result<f64, Reason>> {
    let duplicates = find_duplicates(matrix);
    let no_nearest = match matrix.n_rows() > 1 && duplicates.kept.len() == 1 {
        true => Some(Reason::AllRowsIdentical),
        false => equidistant(matrix, false).then_some(Reason::EquidistantRows),
    };
    let distinct = matrix.select(&duplicates.kept);
    let subject = Subject {
        name,
        matrix: &distinct,
        no_nearest,
        directions: false,
    };
    let diagnostics = Diagnostics::of_table(distinct.n_rows());
    let found = subject.analyse(options, diagnostics, &bench.without_cache())?;
    let estimate = found.estimates.first().map(|one| &one.outcome);
    Ok(match estimate {
        Some(outcome) => match outcome.ok() {
            Some(found) => Ok(found.id),
            None => Err(outcome.reason().unwrap_or(Reason::TooFewRows)),
        },
        None => Err(Reason::TooFewRows),
    })
}
