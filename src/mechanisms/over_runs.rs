//! Does the same with every run, one after the other.

use crate::input::RunSource;
use crate::{Error, Result};

/// What `each` gives for every run, behind the name of the run.
///
/// # Errors
/// [`Error::Usage`] without runs; whatever `each` gives, with the path of the run.
pub(super) fn over_runs<T>(
    runs: &[RunSource],
    each: &mut dyn FnMut(&RunSource) -> Result<T>,
) -> Result<Vec<(String, T)>> {
    if runs.is_empty() {
        return Err(Error::Usage("there are no runs; name some".into()));
    }
    let found = runs.iter().map(|run| {
        let of_run = each(run).map_err(|error| run.named(error))?;
        Ok((run.name.clone(), of_run))
    });
    found.collect()
}
