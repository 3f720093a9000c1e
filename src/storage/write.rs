//! Writes bytes: to a file that is either whole or untouched, or to a stream.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::pending::Pending;
use crate::{Error, Result};

/// Writes `bytes` to `path` so that a reader, or a killed run, never sees half of them.
///
/// They go to a file that nobody sees (`pending`), which is synced and then takes
/// the place of the target. A symbolic link is followed and stays a link; an existing file keeps its permissions. Devices, pipes and
/// anything under `/dev` or `/proc` are written straight.
///
/// # Errors
/// [`Error::Write`], naming `path`.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let result = if is_stream(path) {
        append(path, bytes)
    } else {
        replace(path, |file| file.write_all(bytes))
    };
    result.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Like [`write_atomically`], for what is too large to hold: `write` fills the new file.
///
/// # Errors
/// [`Error::Write`], naming `path`.
pub fn write_atomically_with(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<()> {
    replace(path, write).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Fails if `path` could not be written, before there is anything to write; leaves no trace.
///
/// # Errors
/// [`Error::Write`], naming `path`.
pub fn check_writable(path: &Path) -> Result<()> {
    let result = if is_stream(path) {
        OpenOptions::new().append(true).open(path).map(drop)
    } else {
        Pending::create(path).map(drop)
    };
    result.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Makes the folder `path` if it is not there, and fails if no file could be written into it.
///
/// # Errors
/// [`Error::Write`], naming `path`.
pub fn prepare_folder(path: &Path) -> Result<()> {
    let failed = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(path).map_err(failed)?;
    Pending::create(&path.join(".repgeo"))
        .map(drop)
        .map_err(failed)
}

/// Longest stem of a file name; systems take 255 bytes with the ending.
const LONGEST_STEM: usize = 200;

/// `stem` as it is, or its start and a fingerprint of the whole where no system would take it.
pub fn short_stem(stem: &str) -> String {
    if stem.len() <= LONGEST_STEM {
        return stem.to_owned();
    }
    let start = (0..=LONGEST_STEM - 17)
        .rev()
        .find(|&at| stem.is_char_boundary(at))
        .unwrap_or(0);
    let print = xxhash_rust::xxh3::xxh3_64(stem.as_bytes());
    format!("{}-{print:016x}", &stem[..start])
}

/// Writes `bytes` to `stream`, called `name` in errors, and flushes it.
///
/// # Errors
/// [`Error::Write`]; a reader that went away is recognised by
/// [`Error::is_broken_pipe`](crate::Error::is_broken_pipe).
pub fn write_stream(stream: &mut impl Write, name: &str, bytes: &[u8]) -> Result<()> {
    stream
        .write_all(bytes)
        .and_then(|()| stream.flush())
        .map_err(|source| Error::Write {
            path: name.into(),
            source,
        })
}

/// Whether `path` is something that cannot be replaced by renaming: a device, a pipe, a socket.
///
/// `/dev/stdout` may lead to a regular file, but one that the shell has opened already.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.starts_with("/dev")
        || path.starts_with("/proc")
        || fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut pending = Pending::create(path)?;
    write(pending.file())?;
    pending.publish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.json");
        write_atomically(&path, b"a longer first report").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(entries(folder.path()), ["profile.json"]);
    }

    #[test]
    fn a_long_stem_keeps_its_start_and_stays_unique() {
        let long = "é".repeat(150);
        let (first, second) = (
            short_stem(&format!("{long}1")),
            short_stem(&format!("{long}2")),
        );
        assert!(first.len() <= LONGEST_STEM && first.starts_with("ééé") && first != second);
        assert_eq!(short_stem("layer.1"), "layer.1");
    }

    #[test]
    fn a_check_leaves_nothing_and_finds_what_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        check_writable(&folder.path().join("new.json")).unwrap();
        assert!(check_writable(&folder.path().join("nowhere/new.json")).is_err());
        assert!(check_writable(folder.path()).is_err());
        prepare_folder(&folder.path().join("tables")).unwrap();
        assert_eq!(entries(folder.path()), ["tables"]);
        assert_eq!(entries(&folder.path().join("tables")), [""; 0]);
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_somebody_holds_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            ".repgeo-abc123",
            ".repgeo-held01",
            ".repgeo-notes.txt",
            ".repgeo-A",
        ];
        for name in names {
            fs::write(folder.path().join(name), b"half").unwrap();
        }
        let held = File::open(folder.path().join(names[1])).unwrap();
        held.lock().unwrap();
        write_atomically(&folder.path().join("a.json"), b"x").unwrap();
        assert_eq!(
            entries(folder.path()),
            [names[3], names[1], names[2], "a.json"]
        );
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nowhere/profile.json");
        let error = write_atomically(&path, b"x").unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let message = error.to_string();
        assert!(message.contains("nowhere/profile.json: cannot write: its folder"));
        assert!(!message.contains(".repgeo-"), "{message}");
    }

    #[test]
    fn a_folder_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_atomically(folder.path(), b"x").is_err());
        assert_eq!(entries(folder.path()), [""; 0]);
    }

    #[test]
    fn a_bare_file_name_lies_in_the_current_folder() {
        let error = write_atomically(Path::new(""), b"x").unwrap_err();
        assert!(matches!(error, Error::Write { .. }));
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{PermissionsExt, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        }

        #[test]
        fn a_link_stays_a_link_and_its_target_gets_the_report() {
            let folder = tempfile::tempdir().unwrap();
            let real = folder.path().join("real");
            fs::create_dir(&real).unwrap();
            for target in ["real/old.json", "real/new.json"] {
                let link = folder.path().join("link.json");
                let _ = fs::remove_file(&link);
                symlink(target, &link).unwrap();
                write_atomically(&link, b"report").unwrap();
                assert!(link.is_symlink());
                assert_eq!(fs::read(folder.path().join(target)).unwrap(), b"report");
            }
            assert_eq!(entries(&real), ["new.json", "old.json"]);
        }

        #[test]
        fn links_in_a_circle_are_an_error() {
            let folder = tempfile::tempdir().unwrap();
            let (a, b) = (folder.path().join("a.json"), folder.path().join("b.json"));
            symlink(&a, &b).unwrap();
            symlink(&b, &a).unwrap();
            assert!(write_atomically(&a, b"x").is_err());
        }

        #[test]
        fn an_existing_file_keeps_its_permissions_and_a_new_one_obeys_the_umask() {
            let folder = tempfile::tempdir().unwrap();
            let old = folder.path().join("old.json");
            fs::write(&old, b"old").unwrap();
            fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
            write_atomically(&old, b"new").unwrap();
            assert_eq!(mode(&old), 0o640);

            let plain = folder.path().join("plain.json");
            fs::write(&plain, b"x").unwrap();
            let report = folder.path().join("report.json");
            write_atomically(&report, b"x").unwrap();
            assert_eq!(mode(&report), mode(&plain));
        }

        #[test]
        fn a_read_only_file_is_refused_where_the_system_refuses_it() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("kept.json");
            fs::write(&path, b"kept").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
            let refused = OpenOptions::new().write(true).open(&path).is_err();
            assert_eq!(write_atomically(&path, b"new").is_err(), refused);
            if refused {
                assert_eq!(fs::read(&path).unwrap(), b"kept");
            }
        }

        #[test]
        fn devices_and_pipes_are_written_straight() {
            write_atomically(Path::new("/dev/null"), b"report").unwrap();
            assert!(!fs::metadata("/dev/null").unwrap().is_file());

            let folder = tempfile::tempdir().unwrap();
            let pipe = folder.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.unwrap().success());
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || fs::read(pipe).unwrap()
            });
            write_atomically(&pipe, b"report").unwrap();
            assert_eq!(reader.join().unwrap(), b"report");
            assert_eq!(entries(folder.path()), ["pipe"]);
        }
    }

    #[test]
    fn a_reader_that_went_away_is_recognised() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = write_stream(&mut Closed, "stdout", b"report").unwrap_err();
        assert!(error.is_broken_pipe());
        assert!(error.to_string().starts_with("stdout: cannot write"));
        assert!(!Error::Usage(String::new()).is_broken_pipe());
    }
}
