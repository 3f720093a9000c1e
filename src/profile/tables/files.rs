//! Names the file of every layer's table, and what else lies in the folder.

use std::collections::BTreeSet;
use std::path::Path;

use crate::storage::short_stem;
use crate::warning::{Warning, WarningCode};

/// A word about tables in `folder` that this run does not write: `--neighbours` would take them for
/// layers of this dump.
pub(super) fn other_tables(folder: &Path, written: &[String]) -> Option<Warning> {
    let items = std::fs::read_dir(folder).ok()?.flatten();
    let names = items.map(|item| item.file_name().to_string_lossy().into_owned());
    let mut others: Vec<String> = names
        .filter(|name| name.ends_with(".npz") && !written.contains(name))
        .collect();
    others.sort();
    let first = others.first()?;
    let message = format!(
        "the folder holds {} that this run does not write ({first}{}); --neighbours takes all files \
         of a folder for layers of one dump",
        match others.len() {
            1 => "a table".to_owned(),
            count => format!("{count} tables"),
        },
        if others.len() > 1 { ", …" } else { "" },
    );
    Some(Warning::new(
        WarningCode::OtherTables,
        others.len(),
        message,
    ))
}

/// A file name for each layer: its name in characters that every system takes, made unique.
pub(super) fn file_names(layers: &[&str]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    layers
        .iter()
        .map(|layer| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let stem: String = layer
                .chars()
                .map(|c| if plain(c) { c } else { '_' })
                .collect();
            let stem = short_stem(&stem);
            // A leading dot hides a file.
            let stem = if stem.starts_with('.') {
                format!("_{stem}")
            } else {
                stem
            };
            let name = (1..)
                .map(|turn| match turn {
                    1 => format!("{stem}.npz"),
                    _ => format!("{stem}-{turn}.npz"),
                })
                .find(|name| !taken.contains(&name.to_lowercase()))
                .unwrap_or_else(|| format!("{stem}.npz"));
            taken.insert(name.to_lowercase());
            name
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_gets_a_file_of_its_own() {
        assert_eq!(
            file_names(&["a/b", "a_b", "A#b", ".x", "ü"]),
            ["a_b.npz", "a_b-2.npz", "A_b-3.npz", "_.x.npz", "_.npz"]
        );
        let long = "x".repeat(300);
        let names = file_names(&[&long, &format!("{long}y")]);
        assert!(names.iter().all(|name| name.len() < 250) && names[0] != names[1]);
    }
}
