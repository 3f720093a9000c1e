//! Labels of rows, chosen rows, and neighbour tables.

use std::path::Path;

use repgeo::Result;
use repgeo::input::{Labels, RowChoice, RowSource, Sample, find_tables};
use zip::CompressionMethod;

use super::{Folder, f32s, fixture, i64s, npy, npz};

#[test]
fn labels_are_factorised_by_value_in_order_of_appearance() {
    let folder = Folder::new();
    let floats: Vec<u8> = [1.5f64, 1.25, 1.5, f64::NAN]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let labels = Labels::open(&folder.file("f.npy", npy("<f8", false, "(4,)", &floats))).unwrap();
    assert_eq!(labels.classes, ["1.5", "1.25"]);
    assert_eq!(labels.codes, [Some(0), Some(1), Some(0), None]);
    assert_eq!(labels.n_missing(), 1);
    let labels = Labels::open(&fixture("formats/string.npy")).unwrap();
    assert_eq!(labels.classes, ["a", "bc"]);
    let labels = Labels::open(&folder.file("t.txt", "cat\ndog\n\ncat\n")).unwrap();
    assert_eq!(labels.codes, [Some(0), Some(1), None, Some(0)]);
    let csv = folder.file("t.csv", "row,class\n0,\"a, b\"\n1,c\n");
    let labels = Labels::open(Path::new(&format!("{}:class", csv.display()))).unwrap();
    assert_eq!(
        (labels.name.as_str(), &labels.classes[..]),
        ("class", &["a, b".to_owned(), "c".into()][..])
    );
    let err = Labels::open(&csv).unwrap_err().to_string();
    assert!(err.contains("FILE:COLUMN: row, class"), "{err}");
}

#[test]
fn rows_come_from_ranges_files_and_seeded_samples_in_ascending_order() {
    let folder = Folder::new();
    let choose = |source: &str, sample, labels: Option<&Labels>| {
        let source = if source.is_empty() {
            RowSource::All
        } else {
            source.parse()?
        };
        RowChoice {
            source,
            sample,
            seed: 1,
        }
        .resolve(6, labels)
    };
    assert_eq!(choose("", Sample::All, None).unwrap(), None);
    assert_eq!(
        choose("1..-2", Sample::All, None).unwrap().unwrap(),
        [1, 2, 3]
    );
    assert!(choose("0..7", Sample::All, None).is_err());
    let list = folder.file("rows.txt", "4\n0\n4\n");
    assert_eq!(
        choose(list.to_str().unwrap(), Sample::All, None)
            .unwrap()
            .unwrap(),
        [0, 4]
    );
    let array = folder.file("rows.npy", npy("<i8", false, "(2,)", &i64s(&[5, 2])));
    assert_eq!(
        choose(array.to_str().unwrap(), Sample::All, None)
            .unwrap()
            .unwrap(),
        [2, 5]
    );
    let mask = folder.file("keep.npy", npy("|b1", false, "(6,)", &[0, 1, 0, 0, 0, 1]));
    assert_eq!(
        choose(mask.to_str().unwrap(), Sample::All, None)
            .unwrap()
            .unwrap(),
        [1, 5]
    );
    let beyond = folder.file("bad.npy", npy("<i8", false, "(1,)", &i64s(&[-1])));
    let err = choose(beyond.to_str().unwrap(), Sample::All, None)
        .unwrap_err()
        .to_string();
    assert!(err.contains("bad.npy: there is no row -1"), "{err}");

    let some = choose("", Sample::Rows { m: 4 }, None).unwrap().unwrap();
    assert!(some.len() == 4 && some.is_sorted());
    assert!(choose("0..3", Sample::Rows { m: 4 }, None).is_err());
    let labels = Labels::from_values("y", ["a", "b", "a", "", "b", "a"].map(String::from));
    let rows = choose("", Sample::PerClass { m: 2 }, Some(&labels))
        .unwrap()
        .unwrap();
    let counts = |class| {
        rows.iter()
            .filter(|&&row| labels.codes[row as usize] == Some(class))
            .count()
    };
    assert_eq!((rows.len(), counts(0), counts(1)), (4, 2, 2));
    let err = choose("", Sample::PerClass { m: 3 }, Some(&labels))
        .unwrap_err()
        .to_string();
    assert!(err.contains("class \"b\""), "{err}");
    assert!(choose("", Sample::PerClass { m: 1 }, None).is_err());
}

fn table(
    distances: &[f32],
    indices: &[i64],
    shape: &str,
) -> Result<repgeo::input::PrecomputedTable> {
    let folder = Folder::new();
    folder.file("l0_dist.npy", npy("<f4", false, shape, &f32s(distances)));
    folder.file("l0_index.npy", npy("<i8", false, shape, &i64s(indices)));
    let found = find_tables(folder.path())?;
    assert_eq!(found[0].name, "l0");
    found[0].read(usize::MAX)
}

#[test]
fn tables_with_and_without_self_and_square_ones_agree() {
    // Rows at 0, 0.5 and 1.25 on a line.
    let with = table(
        &[0.0, 0.5, 1.25, 0.0, 0.5, 0.75, 0.0, 0.75, 1.25],
        &[0, 1, 2, 1, 0, 2, 2, 1, 0],
        "(3, 3)",
    )
    .unwrap();
    let without = table(
        &[0.5, 1.25, 0.5, 0.75, 0.75, 1.25],
        &[1, 2, 0, 2, 1, 0],
        "(3, 2)",
    )
    .unwrap();
    assert_eq!(with, without);
    let folder = Folder::new();
    let square = f32s(&[0.0, 0.5, 1.25, 0.5, 0.0, 0.75, 1.25, 0.75, 0.0]);
    let path = folder.file("d.npy", npy("<f4", false, "(3, 3)", &square));
    let found = find_tables(&path).unwrap();
    assert_eq!(found[0].read(usize::MAX).unwrap(), without);
    assert_eq!(found[0].read(1).unwrap().k, 1);
    let archive = npz(
        &[
            (
                "distances.npy",
                npy(
                    "<f4",
                    false,
                    "(3, 2)",
                    &f32s(&[0.5, 1.25, 0.5, 0.75, 0.75, 1.25]),
                ),
            ),
            (
                "dist_indices.npy",
                npy("<i8", false, "(3, 2)", &i64s(&[1, 2, 0, 2, 1, 0])),
            ),
        ],
        CompressionMethod::Deflated,
    );
    let found = find_tables(&folder.file("t.npz", archive)).unwrap();
    assert_eq!(found[0].read(usize::MAX).unwrap(), without);
}

#[test]
fn a_table_that_contradicts_itself_is_refused_by_row() {
    let cases: [(&[f32], &[i64], &str); 6] = [
        (
            &[0.5, 1.0, 0.5, 0.75, 0.75, 1.0],
            &[1, 3, 0, 2, 1, 0],
            "row 0: there is no row 3",
        ),
        (
            &[0.5, 1.0, 0.5, 0.75, 0.75, 1.0],
            &[1, 2, 0, 0, 1, 0],
            "row 1: neighbour 0 is there twice",
        ),
        (
            &[0.5, 1.0, 0.5, 0.75, 0.75, 1.0],
            &[1, 2, 0, 2, 1, 2],
            "row 2: it is its own neighbour",
        ),
        (
            &[0.5, 1.0, 0.75, 0.5, 0.75, 1.0],
            &[1, 2, 0, 2, 1, 0],
            "row 1: distance 0.5 in column 1",
        ),
        (
            &[0.5, f32::NAN, 0.5, 0.5, 0.75, 1.0],
            &[1, 2, 0, 2, 1, 0],
            "row 0: distance NaN",
        ),
        (
            &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
            &[0, 1, 0, 1, 2, 0],
            "row 1: column 0 is the row itself in 2 of 3",
        ),
    ];
    for (distances, indices, fact) in cases {
        let err = table(distances, indices, "(3, 2)").unwrap_err().to_string();
        assert!(err.contains(fact), "{err}");
    }
}
