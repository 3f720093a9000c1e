//! A cache of tables and ranks: found by content, harmless when damaged, and no byte of difference.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::command::{dump, run};
use super::layers::{normal, write};
use crate::common::{json, path};

#[test]
fn a_cache_changes_no_byte_and_a_damaged_entry_is_computed_again() {
    let folder = dump();
    let acts = path(folder.path());
    let cache = TempDir::new().unwrap();
    let with_cache = [
        "imbalance",
        acts,
        "-k",
        "1,5",
        "--cache",
        path(cache.path()),
    ];
    let plain = run(&["imbalance", acts, "-k", "1,5"]);
    assert_eq!(run(&with_cache), plain);
    let entries = |kind: &str| -> Vec<std::path::PathBuf> {
        let all = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut found: Vec<_> = all
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with(kind)
            })
            .collect();
        found.sort();
        found
    };
    assert_eq!((entries("table").len(), entries("ranks").len()), (3, 3));
    let stamps: Vec<_> = entries("")
        .iter()
        .map(|path| fs::metadata(path).unwrap().modified().unwrap())
        .collect();
    assert_eq!(run(&with_cache), plain);
    let after: Vec<_> = entries("")
        .iter()
        .map(|path| fs::metadata(path).unwrap().modified().unwrap())
        .collect();
    assert_eq!(stamps, after, "finished layers are not computed again");

    for kind in ["table", "ranks"] {
        let victim = &entries(kind)[0];
        let mut bytes = fs::read(victim).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(victim, &bytes).unwrap();
        let found = json(&with_cache);
        let (warnings, pairs) = (found["warnings"].to_string(), &found["pairs"]);
        assert!(warnings.contains("cache_ignored"), "{kind}: {warnings}");
        let expected: Value = serde_json::from_str(&plain.1).unwrap();
        assert_eq!(*pairs, expected["pairs"]);
        // It was written afresh.
        assert_eq!(run(&with_cache), plain);
        // Half a file is not used either.
        fs::write(victim, &bytes[..middle]).unwrap();
        let found = json(&with_cache);
        assert_eq!(found["pairs"], expected["pairs"]);
        assert!(
            found["warnings"].to_string().contains("cache_ignored"),
            "{kind}"
        );
        assert_eq!(run(&with_cache), plain);
    }
}

#[test]
fn a_cached_table_serves_the_dimension_with_the_same_bytes() {
    let folder = dump();
    let cache = TempDir::new().unwrap();
    for more in [&[][..], &["--estimator", "two-nn,gride,mle,tle"][..]] {
        let plain = run(&[&["id-profile", path(folder.path())], more].concat());
        let with_cache = [
            "id-profile",
            path(folder.path()),
            "--cache",
            path(cache.path()),
        ];
        for _ in 0..2 {
            assert_eq!(run(&[&with_cache[..], more].concat()), plain);
        }
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 3);
    }
}

#[test]
fn a_cache_is_found_by_content_not_by_name() {
    let folder = dump();
    let (cache, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let of = |acts: &Path| {
        run(&[
            "imbalance",
            path(acts),
            "--to",
            "next",
            "--cache",
            path(cache.path()),
        ])
    };
    of(folder.path());
    let count = || fs::read_dir(cache.path()).unwrap().count();
    let before = count();
    for (from, to) in [("a.npy", "x.npy"), ("b.npy", "y.npy"), ("c.npy", "z.npy")] {
        fs::copy(folder.path().join(from), copy.path().join(to)).unwrap();
    }
    of(copy.path());
    assert_eq!(count(), before);
    write(&copy.path().join("x.npy"), &normal(220, 6, 77));
    of(copy.path());
    assert!(count() > before);
}
