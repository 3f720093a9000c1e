//! Which final norm and unembedding belongs to which run.

use std::path::{Path, PathBuf};

use repgeo::input::split_name;
use repgeo::{Error, Result};

/// The one of `unembed` that reads the run at `path`: of one for all that, of one for each the one in
/// its place among the `inputs` as they were typed.
///
/// # Errors
/// [`Error::Usage`] for any other number.
pub fn unembed_of<'a>(unembed: &'a [PathBuf], inputs: &[PathBuf], path: &Path) -> Result<&'a Path> {
    let (n, m) = (inputs.len(), unembed.len());
    if m != 1 && m != n {
        return Err(Error::Usage(format!(
            "--unembed is given {m} times for {n} dumps; give one for all, or one for each"
        )));
    }
    let at = inputs.iter().position(|one| split_name(one).1 == path);
    Ok(match at.and_then(|at| unembed.get(at)) {
        Some(own) if m > 1 => own,
        _ => &unembed[0],
    })
}
