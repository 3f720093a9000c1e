//! Removes what a run made in its folder, and nothing else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan;
use crate::error::{Error, Result};
use crate::storage::sweep;

/// What was removed and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// Files that are gone.
    pub removed: usize,
    /// Files of somebody else, which stay.
    pub kept: Vec<PathBuf>,
}

/// Whether a file of this name in this folder of a run is one of ours.
fn is_ours(folder: &str, name: &str) -> bool {
    match folder {
        "shards" => name
            .strip_suffix(".safetensors")
            .is_some_and(|stem| stem.len() >= 6 && stem.bytes().all(|byte| byte.is_ascii_digit())),
        "slurm" => name.ends_with(".sh") || name.ends_with(".log"),
        _ => false,
    }
}

/// Removes the parts, the scripts, their logs and the plan of the run in `folder`, and the folder if
/// nothing is left in it.
///
/// # Errors
/// [`Error::Usage`] if there is no plan; [`Error::Write`] for what cannot be removed.
pub fn clean(folder: &Path) -> Result<Cleaned> {
    let plan = plan::place(folder);
    if !plan.is_file() {
        return Err(Error::Usage(format!(
            "{} holds no plan, so nothing in it is removed",
            folder.display()
        )));
    }
    let mut cleaned = Cleaned::default();
    for inner in ["shards", "slurm"] {
        let path = folder.join(inner);
        sweep(&path);
        for item in list(&path)? {
            let name = item.file_name().unwrap_or_default().to_string_lossy();
            if is_ours(inner, &name) && item.is_file() {
                fs::remove_file(&item).map_err(|source| failed(&item, source))?;
                cleaned.removed += 1;
            } else {
                cleaned.kept.push(item);
            }
        }
        // One that holds something else stays.
        let _ = fs::remove_dir(&path);
    }
    // The plan goes last: a clean that is stopped can be run again.
    fs::remove_file(&plan).map_err(|source| failed(&plan, source))?;
    cleaned.removed += 1;
    for item in list(folder)? {
        if item.is_file() {
            cleaned.kept.push(item);
        }
    }
    let _ = fs::remove_dir(folder);
    Ok(cleaned)
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        source,
    }
}

/// What is in a folder, by name; nothing in one that is not there.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let items = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        items => items.map_err(|source| failed(folder, source))?,
    };
    let mut paths: Vec<PathBuf> = items.flatten().map(|item| item.path()).collect();
    paths.sort();
    Ok(paths)
}
