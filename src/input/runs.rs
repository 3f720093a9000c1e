//! Lists the runs of an analysis over runs: their paths, names and order.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::formats::FORMATS;
use super::natural;
use super::text;
use crate::error::{Error, Result};

/// One run: a dump beside others of its kind, such as a checkpoint, a width or a seed.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSource {
    /// Where its activations are.
    pub path: PathBuf,
    /// What tells its path from those of the others, without the ending of its file.
    pub name: String,
    /// Its place among the runs: epoch, width, … ; `None` where nobody said.
    pub x: Option<f64>,
    /// What else the table says of it: column and words.
    pub columns: Vec<(String, String)>,
}

impl RunSource {
    /// The error, which names the run if it did not.
    pub(crate) fn named(&self, source: Error) -> Error {
        let path = self.path.display().to_string();
        match source {
            Error::Usage(fact) if !fact.contains(&path) => Error::Usage(format!("{path}: {fact}")),
            other if other.to_string().contains(&path) => other,
            other => Error::Run {
                path: self.path.clone(),
                source: Box::new(other),
            },
        }
    }
}

/// The runs that are typed, in the natural order of their paths (`ep2` before `ep10`), or in the order
/// typed where one is named: `NAME=PATH`.
///
/// # Errors
/// [`Error::Usage`] for no runs, a run or a name that is given twice, and stdin.
pub fn list_runs(typed: &[PathBuf]) -> Result<Vec<RunSource>> {
    let mut runs: Vec<(Option<String>, PathBuf)> =
        typed.iter().map(|one| split_name(one)).collect();
    if runs.iter().all(|(name, _)| name.is_none()) {
        runs.sort_by(|(_, a), (_, b)| natural::compare(&a.to_string_lossy(), &b.to_string_lossy()));
    }
    let given: Vec<Option<String>> = runs.iter().map(|(name, _)| name.clone()).collect();
    let unnamed = runs.into_iter().map(|(_, path)| (path, None, Vec::new()));
    let mut runs = named(unnamed.collect())?;
    for (run, name) in runs.iter_mut().zip(given) {
        run.name = name.unwrap_or_else(|| run.name.clone());
    }
    let mut seen = HashSet::new();
    match runs.iter().find(|run| !seen.insert(&run.name)) {
        None => Ok(runs),
        Some(twice) => Err(Error::Usage(format!(
            "two runs are called {}; give each a name of its own, as NAME=PATH",
            twice.name
        ))),
    }
}

/// The name and the path of `NAME=PATH`; a path that is there as it stands has no name.
pub fn split_name(typed: &Path) -> (Option<String>, PathBuf) {
    let whole = || (None, typed.to_owned());
    let Some(text) = typed.to_str() else {
        return whole();
    };
    let file = text.split('#').next().unwrap_or(text);
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() && !Path::new(file).exists() => {
            (Some(name.to_owned()), path.into())
        }
        _ => whole(),
    }
}

/// The runs of a table, in the order of `x` where every run has one, else in that of its lines: a column `path` (from the folder of the table on), a number `x`
/// where there is such a column, and any other columns, which are kept as words.
///
/// # Errors
/// [`Error::Malformed`] without a column `path` or a line below it, with two columns of one name or an
/// `x` that is no number; as [`list_runs`].
pub fn read_runs(file: &Path) -> Result<Vec<RunSource>> {
    let malformed = |fact: String, remedy: &str| Error::Malformed {
        path: file.to_owned(),
        fact,
        remedy: remedy.to_owned(),
    };
    let table = text::Table::parse(file, &text::read_names(file)?, Some("path"))?;
    let Some(path_at) = table.place("path") else {
        return Err(malformed(
            "it has no column path".into(),
            "give each run a line, with columns path, x and any others",
        ));
    };
    if table.n_rows() == 0 {
        return Err(malformed(
            "it lists no runs".into(),
            "give each run a line below the header",
        ));
    }
    if let Some(name) = table.name_of_two() {
        return Err(malformed(
            format!("two columns are called {name:?}"),
            "give each column a name of its own",
        ));
    }
    let x_at = table.place("x");
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut runs: Vec<Unnamed> = Vec::new();
    for at in 0..table.n_rows() {
        let cell = |column: usize| table.cell(at, column);
        if text::is_missing(cell(path_at)) {
            return Err(malformed(
                format!("run {} has no path", at + 1),
                "fill it in, or delete the line",
            ));
        }
        let x = match x_at.map(cell) {
            Some(words) if !text::is_missing(words) => {
                let x = table.number(words).filter(|x| x.is_finite());
                Some(x.ok_or_else(|| {
                    malformed(
                        format!("x of run {} is {words}, which is no number", at + 1),
                        "give numbers, or name the column otherwise to keep it as words",
                    )
                })?)
            }
            _ => None,
        };
        let others = (0..table.header.len()).filter(|&at| at != path_at && Some(at) != x_at);
        let columns = others.map(|at| (table.header[at].clone(), cell(at).to_owned()));
        runs.push((folder.join(cell(path_at)), x, columns.collect()));
    }
    // First, last and what changes between runs are along x, however the lines stand.
    if runs.iter().all(|(_, x, _)| x.is_some()) {
        runs.sort_by(|(_, a, _), (_, b, _)| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    }
    named(runs)
}

type Unnamed = (PathBuf, Option<f64>, Vec<(String, String)>);

/// Gives each run its name: the parts of its path between those that all paths begin and end with.
fn named(runs: Vec<Unnamed>) -> Result<Vec<RunSource>> {
    let parts: Vec<Vec<Component<'_>>> = runs.iter().map(|(path, ..)| components(path)).collect();
    if parts.is_empty() {
        return Err(Error::Usage("there are no runs; name some".into()));
    }
    let mut seen = HashSet::new();
    for (at, one) in parts.iter().enumerate() {
        let path = runs[at].0.display();
        if runs[at].0 == Path::new("-") {
            return Err(Error::Usage(
                "stdin can be no run, for runs are read more than once; name a file".into(),
            ));
        }
        if !seen.insert(one) {
            return Err(Error::Usage(format!(
                "the run {path} is given twice; leave one of the two out"
            )));
        }
    }
    let names = without_endings(differing(&parts));
    let runs = runs.into_iter().zip(names);
    let named = runs.map(|((path, x, columns), name)| RunSource {
        path,
        name,
        x,
        columns,
    });
    Ok(named.collect())
}

/// The names without the endings of their files, unless it is these that tell them apart.
fn without_endings(names: Vec<String>) -> Vec<String> {
    let short: Vec<&str> = names
        .iter()
        .map(|name| match name.rsplit_once('.') {
            Some((stem, ending))
                if !stem.is_empty() && !stem.ends_with('/') && is_ending(ending) =>
            {
                stem
            }
            _ => name,
        })
        .collect();
    let mut seen = HashSet::new();
    match short.iter().all(|name| seen.insert(*name)) {
        true => short.iter().map(|&name| name.to_owned()).collect(),
        false => names,
    }
}

/// Whether files of activations end so.
fn is_ending(ending: &str) -> bool {
    let mut known = FORMATS.iter().flat_map(|format| format.endings);
    known.any(|one| ending.eq_ignore_ascii_case(one))
}

/// What tells each of some paths from the others: the parts between those that all begin and end with.
pub(crate) fn what_differs(paths: &[&Path]) -> Vec<String> {
    let parts: Vec<Vec<Component<'_>>> = paths.iter().map(|path| components(path)).collect();
    differing(&parts)
}

fn components(path: &Path) -> Vec<Component<'_>> {
    let parts = path.components();
    parts.filter(|part| *part != Component::CurDir).collect()
}

fn differing(parts: &[Vec<Component<'_>>]) -> Vec<String> {
    let Some(first) = parts.first() else {
        return Vec::new();
    };
    let shortest = parts.iter().map(Vec::len).min().unwrap_or(0);
    // At least one part stays, so that no name is empty.
    let most = shortest.saturating_sub(1);
    let begin = (0..most)
        .take_while(|&at| parts.iter().all(|one| one[at] == first[at]))
        .count();
    let end = (0..most - begin)
        .take_while(|&at| {
            let of = |one: &[Component<'_>]| one[one.len() - 1 - at].as_os_str().to_owned();
            parts.iter().all(|one| of(one) == of(first))
        })
        .count();
    parts
        .iter()
        .map(|one| {
            let between: PathBuf = one[begin..one.len() - end].iter().collect();
            between.to_string_lossy().replace('\\', "/")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let runs = list_runs(&paths).unwrap();
        runs.into_iter().map(|run| run.name).collect()
    }

    #[test]
    fn a_name_is_what_differs_in_natural_order() {
        assert_eq!(
            names(&["r/ep10/acts", "r/ep2/acts", "./r/ep1/acts"]),
            ["ep1", "ep2", "ep10"]
        );
        assert_eq!(names(&["a/b.npy"]), ["b"]);
        assert_eq!(names(&["a/c", "a/b/c"]), ["b/c", "c"]);
        assert_eq!(names(&["a", "b/a"]), ["a", "b/a"]);
        assert_eq!(names(&["/x/a/d", "/y/a/d"]), ["x", "y"]);
    }

    #[test]
    fn the_ending_of_a_file_is_no_part_of_a_name_unless_it_tells_two_apart() {
        assert_eq!(names(&["r/ep2.npz", "r/ep1.npz"]), ["ep1", "ep2"]);
        assert_eq!(names(&["a.safetensors", "b.NPY", "c"]), ["a", "b", "c"]);
        assert_eq!(names(&["a.npy", "a.npz"]), ["a.npy", "a.npz"]);
        assert_eq!(names(&["a", "a.npz", "b.npz"]), ["a", "a.npz", "b.npz"]);
        // What is no ending of a format stays, and so does a name that is nothing else.
        assert_eq!(names(&["lr0.1.npy", "lr0.2.npy"]), ["lr0.1", "lr0.2"]);
        assert_eq!(names(&["lr0.1", "lr0.2"]), ["lr0.1", "lr0.2"]);
        assert_eq!(names(&["r/.npy", "r/b.npy"]), [".npy", "b"]);
        assert_eq!(names(&["r/a.npz#h", "r/b.npz#h"]), ["a.npz#h", "b.npz#h"]);
    }

    #[test]
    fn a_name_that_is_given_stands_and_so_does_the_order_typed() {
        assert_eq!(names(&["tuned=r/b", "base=r/a"]), ["tuned", "base"]);
        assert_eq!(names(&["r/b/x", "base=r/a/x"]), ["b", "base"]);
        assert_eq!(names(&["x=a/b.npz#h=0"]), ["x"]);
        let (name, path) = split_name(Path::new("x=a/b.npz#h=0"));
        assert_eq!((name.as_deref(), path), (Some("x"), "a/b.npz#h=0".into()));
        let folder = tempfile::TempDir::new().unwrap();
        let there = folder.path().join("lr=0.1.npy");
        std::fs::write(&there, "").unwrap();
        assert_eq!(split_name(&there), (None, there.clone()));
        let error = list_runs(&["x=a".into(), "x=b".into()]).unwrap_err();
        assert!(
            error.to_string().contains("two runs are called x"),
            "{error}"
        );
    }

    #[test]
    fn no_run_twice_none_at_all_or_from_stdin() {
        for (paths, word) in [
            (&["r/a", "./r/a/"][..], "twice"),
            (&[], "no runs"),
            (&["-", "a"], "stdin"),
        ] {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            let error = list_runs(&paths).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_table_keeps_its_words_and_its_order_unless_every_run_has_an_x() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("runs.csv");
        std::fs::write(&file, "path,x,seed\nb,20,one\na,NA,two\n").unwrap();
        let runs = read_runs(&file).unwrap();
        let [b, a] = &runs[..] else {
            panic!("{runs:?}")
        };
        assert_eq!((b.name.as_str(), b.x), ("b", Some(20.0)));
        assert_eq!(b.path, folder.path().join("b"));
        assert_eq!((a.name.as_str(), a.x), ("a", None));
        assert_eq!(a.columns, [("seed".to_owned(), "two".to_owned())]);
        // Where every run has an x, they stand along it; equal ones as they were.
        std::fs::write(&file, "path,x\ne10,10\ne2,2\ne0,0\nf2,2\n").unwrap();
        let names: Vec<String> = read_runs(&file)
            .unwrap()
            .into_iter()
            .map(|run| run.name)
            .collect();
        assert_eq!(names, ["e0", "e2", "f2", "e10"]);
        for (text, word) in [
            ("file,x\na,1\n", "no column path"),
            ("path,x\na,many\n", "many"),
            ("path,x\n,1\n", "no path"),
            ("path,x\na,1\na,2\n", "twice"),
            ("path,x,x\na,1,2\n", "two columns"),
            ("path,x\n", "no runs"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = read_runs(&file).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
