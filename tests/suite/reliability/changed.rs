//! Files that change while they are read: noticed, said, and never kept in a cache.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use repgeo::cache::Cache;
use repgeo::input::{Dump, Matrix, ReadOptions};
use repgeo::profile::Bench;
use repgeo::progress::{Progress, Silent};

use super::{entries, write_layer};

/// Rewrites a file in place, header excepted, as soon as a search begins.
struct Writer {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Progress for Writer {
    fn begin(&self, _: &str, _: u64) {
        overwrite(&self.path, &self.bytes);
    }
    fn advance(&self, _: u64) {}
    fn end(&self) {}
}

fn overwrite(path: &Path, bytes: &[u8]) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(128)).unwrap();
    file.write_all(&bytes[128..]).unwrap();
}

#[test]
fn a_dump_that_is_rewritten_while_it_is_searched_leaves_nothing_in_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (acts, other) = (folder.path().join("a.npy"), folder.path().join("b.npy"));
    write_layer(&acts, 300, 40, 1, None);
    write_layer(&other, 300, 40, 2, None);
    let before = fs::metadata(&acts).unwrap().modified().unwrap();
    let cache_folder = folder.path().join("cache");
    let cache = Cache::open(&cache_folder);
    let dump = Dump::open(&acts).unwrap();
    let layer = dump
        .read(&dump.layers()[0], &ReadOptions::default())
        .unwrap();
    let writer = Writer {
        path: acts.clone(),
        bytes: fs::read(&other).unwrap(),
    };
    let search = |matrix: &Matrix, progress: &dyn Progress| {
        let bench = Bench {
            cache: Some(&cache),
            progress,
            ..Bench::default()
        };
        bench.neighbours(matrix, "a", 5, &mut Vec::new())
    };
    let error = search(&layer.matrix, &writer).unwrap_err().to_string();
    assert!(error.contains("changed while it was read"), "{error}");
    assert_eq!(entries(&cache_folder), [""; 0]);

    // The same if whoever writes hides it: the values themselves are looked at again.
    let original = fs::read(&other).unwrap();
    write_layer(&acts, 300, 40, 1, None);
    let dump = Dump::open(&acts).unwrap();
    let layer = dump
        .read(&dump.layers()[0], &ReadOptions::default())
        .unwrap();
    struct Hidden(Writer, std::time::SystemTime);
    impl Progress for Hidden {
        fn begin(&self, label: &str, total: u64) {
            self.0.begin(label, total);
            let file = File::options().write(true).open(&self.0.path).unwrap();
            file.set_modified(self.1).unwrap();
        }
        fn advance(&self, _: u64) {}
        fn end(&self) {}
    }
    let now = fs::metadata(&acts).unwrap().modified().unwrap();
    assert!(now >= before);
    let hidden = Hidden(
        Writer {
            path: acts.clone(),
            bytes: original,
        },
        now,
    );
    let found = search(&layer.matrix, &hidden);
    assert!(found.unwrap_err().to_string().contains("changed while"));
    assert_eq!(entries(&cache_folder), [""; 0]);

    // Left alone, the table is kept.
    let found = search(&layer.matrix, &Silent);
    assert_eq!(found.unwrap().k(), 5);
    assert_eq!(entries(&cache_folder).len(), 1);
}

/// A command that waits for its rows, so that a test can act while the dump is open.
#[cfg(unix)]
fn while_open(acts: &Path, act: impl FnOnce(&Path)) -> std::process::Output {
    let folder = acts.parent().unwrap();
    let rows = super::pipe(&folder.join("rows.txt"));
    let args = [
        "id-profile",
        super::path(acts),
        "--rows",
        super::path(&rows),
    ];
    let child = super::command(&args).spawn().unwrap();
    // Opening for writing waits until the command has opened the pipe, long after the dump.
    let mut writer = File::options().write(true).open(&rows).unwrap();
    act(acts);
    writer
        .write_all("1\n2\n3\n5\n8\n13\n21\n34\n".as_bytes())
        .unwrap();
    drop(writer);
    child.wait_with_output().unwrap()
}

#[cfg(unix)]
#[test]
fn every_report_is_refused_if_its_input_was_written_to_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 40, 8, 1, None);
    let output = while_open(&acts, |acts| {
        let bytes = fs::read(acts).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        overwrite(acts, &bytes);
    });
    let words = super::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(output.stdout.is_empty());
    assert!(
        words.contains("acts.npy: the file changed while it was read"),
        "{words}"
    );

    // Left alone it runs.
    fs::remove_file(folder.path().join("rows.txt")).unwrap();
    let output = while_open(&acts, |_| ());
    assert!(output.status.success(), "{}", super::stderr(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_cut_short_ends_the_run_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 40, 2000, 1, None);
    let output = while_open(&acts, |acts| {
        File::options()
            .write(true)
            .open(acts)
            .unwrap()
            .set_len(128)
            .unwrap();
    });
    let words = super::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(
        words.contains("acts.npy: the file was shortened while it was read"),
        "{words}"
    );
    assert_eq!(words.trim_end().lines().count(), 1, "{words}");
}
