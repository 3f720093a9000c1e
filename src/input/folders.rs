//! Finds the arrays of a dump whose pieces lie in a folder each: `batch_0/`, `rank_1/`.

use std::path::{Path, PathBuf};

use super::file::{self, Found, Listing};
use super::order::OwnOrder;
use super::piece::{self, Piece};
use crate::Result;

/// The arrays behind `path`; where it holds no files but numbered folders of pieces of the rows, those
/// of all these folders, which stand before the names: `batch_0/layer_3`.
///
/// # Errors
/// As [`file::find`].
pub(super) fn find(path: &Path) -> Result<Found> {
    if !path.is_dir() {
        return file::find(path);
    }
    let listing = file::list_folder(path)?;
    let Some((pieces, others)) = pieces(&listing) else {
        return file::directory(path, listing);
    };
    let mut passed_over = listing.others;
    passed_over.extend(others.into_iter().map(|name| (name, "a folder".to_owned())));
    let mut entries = Vec::new();
    for (folder, inside) in pieces {
        let found = file::find(&inside)?;
        for mut entry in found.entries {
            entry.name = format!("{folder}/{}", entry.name);
            for (from, to) in &mut entry.lists {
                *from += folder.len() + 1;
                *to += folder.len() + 1;
            }
            entries.push(entry);
        }
        let named = found.passed_over.into_iter();
        passed_over.extend(named.map(|(name, why)| (format!("{folder}/{name}"), why)));
    }
    Ok(Found {
        entries,
        beside: Vec::new(),
        explicit: false,
        order: OwnOrder::None,
        passed_over,
    })
}

/// Folders that number pieces, by their names, and the names of the others.
type Pieces = (Vec<(String, PathBuf)>, Vec<String>);

/// The folders that number pieces, and the names of the others; `None` unless there are several pieces
/// of one kind and no files beside them.
fn pieces(listing: &Listing) -> Option<Pieces> {
    if !listing.files.is_empty() {
        return None;
    }
    let (mut found, mut others) = (Vec::new(), Vec::new());
    let mut base: Option<String> = None;
    for (name, folder) in &listing.folders {
        let Some(Piece { base: own, .. }) = piece::piece(name).filter(|piece| piece.sure) else {
            others.push(name.clone());
            continue;
        };
        if *base.get_or_insert_with(|| own.clone()) != own {
            return None;
        }
        found.push((name.clone(), folder.clone()));
    }
    (found.len() > 1).then_some((found, others))
}
