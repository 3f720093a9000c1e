//! Tables of neighbours, ours and other people's, give what activations give in every command that
//! reads them, and are never activations themselves.

use super::{Folder, find, json, npy, npz, refusal, run, scattered};

const N: usize = 120;
const WIDTH: usize = 4;
const K: usize = 30;

/// Any array, by the words of its header.
fn array(descr: &str, shape: &str, content: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(content);
    bytes
}

fn floats(shape: &str, values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    array("<f8", shape, values.into_iter().flat_map(f64::to_le_bytes))
}

fn integers(shape: &str, values: impl IntoIterator<Item = i64>) -> Vec<u8> {
    array("<i8", shape, values.into_iter().flat_map(i64::to_le_bytes))
}

/// The neighbours of every row of `acts`, nearest first, by the definition.
fn searched() -> Vec<Vec<(f64, i64)>> {
    let value = |row: usize, column: usize| f64::from(scattered(row * WIDTH + column));
    let distance = |a: usize, b: usize| -> f64 {
        let squares = (0..WIDTH).map(|column| (value(a, column) - value(b, column)).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let of_row = |a: usize| {
        let others = (0..N).filter(|&b| b != a);
        let mut found: Vec<(f64, i64)> = others.map(|b| (distance(a, b), b as i64)).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.truncate(K);
        found
    };
    (0..N).map(of_row).collect()
}

/// Tables as people have them: their names, their files, and what has to be said of them.
fn tables(folder: &Folder) -> Vec<(String, &'static [&'static str])> {
    let rows = searched();
    let shape = format!("({N}, {K})");
    let all = || rows.iter().flatten();
    let plain = npz(&[
        ("X_dist.npy", floats(&shape, all().map(|(d, _)| *d))),
        ("X_index.npy", integers(&shape, all().map(|(_, i)| *i))),
    ]);
    // faiss: squares, and the row itself in column 0 at a distance of rounding.
    let wide = format!("({N}, {})", K + 1);
    let with_self = |row: usize| {
        let own = std::iter::once((1e-9, row as i64));
        own.chain(rows[row].iter().copied())
    };
    let faiss = npz(&[
        (
            "D.npy",
            floats(
                &wide,
                (0..N).flat_map(|row| with_self(row).map(|(d, _)| d * d)),
            ),
        ),
        (
            "I.npy",
            integers(&wide, (0..N).flat_map(|row| with_self(row).map(|(_, i)| i))),
        ),
    ]);
    // scipy.sparse.save_npz of a graph of scikit-learn, columns in ascending order.
    let sorted = |row: &Vec<(f64, i64)>| {
        let mut row = row.clone();
        row.sort_by_key(|(_, at)| *at);
        row
    };
    let by_column = || rows.iter().flat_map(sorted);
    let flat = format!("({},)", N * K);
    let graph = npz(&[
        ("indices.npy", integers(&flat, by_column().map(|(_, i)| i))),
        (
            "indptr.npy",
            integers(
                &format!("({},)", N + 1),
                (0..=N).map(|row| (row * K) as i64),
            ),
        ),
        ("format.npy", array("|S3", "()", *b"csr")),
        ("shape.npy", integers("(2,)", [N as i64, N as i64])),
        ("data.npy", floats(&flat, by_column().map(|(d, _)| d))),
    ]);
    // Its columns compressed, and not compressed at all, as `.tocsc()` and `.tocoo()` give it.
    let mut triples: Vec<(i64, i64, f64)> = (0..N)
        .flat_map(|row| rows[row].iter().map(move |(d, at)| (*at, row as i64, *d)))
        .collect();
    triples.sort_by_key(|&(column, row, _)| (column, row));
    let ends = (0..=N as i64).map(|end| triples.iter().filter(|one| one.0 < end).count() as i64);
    let said = |format: &'static [u8; 3]| {
        [
            ("format.npy", array("|S3", "()", *format)),
            ("shape.npy", integers("(2,)", [N as i64, N as i64])),
            ("data.npy", floats(&flat, triples.iter().map(|one| one.2))),
        ]
    };
    let compressed = [
        (
            "indices.npy",
            integers(&flat, triples.iter().map(|one| one.1)),
        ),
        ("indptr.npy", integers(&format!("({},)", N + 1), ends)),
    ];
    let plain_places = [
        ("row.npy", integers(&flat, triples.iter().map(|one| one.1))),
        ("col.npy", integers(&flat, triples.iter().map(|one| one.0))),
    ];
    let columns = npz(&said(b"csc")
        .into_iter()
        .chain(compressed)
        .collect::<Vec<_>>());
    let pairs = npz(&said(b"coo")
        .into_iter()
        .chain(plain_places)
        .collect::<Vec<_>>());
    vec![
        (folder.file("columns.npz", columns), &[]),
        (folder.file("pairs.npz", pairs), &[]),
        (folder.file("plain.npz", plain), &[]),
        (folder.file("faiss.npz", faiss), &["--squared"]),
        (folder.file("graph.npz", graph), &[]),
    ]
}

/// The centres and the sizes of peaks.
fn peaks(args: &[&str]) -> Vec<(u64, u64)> {
    let fixed = ["--id", "3", "--density", "knn", "-k", "10"];
    let report = json(&[args, &fixed].concat());
    let peaks = report["layers"][0]["peaks"].as_array().unwrap();
    let number = |peak: &serde_json::Value, key: &str| peak[key].as_u64().unwrap();
    peaks
        .iter()
        .map(|peak| (number(peak, "row"), number(peak, "size")))
        .collect()
}

#[test]
fn tables_of_other_programs_give_what_activations_give() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", npy(&[N, WIDTH], scattered));
    let labels: String = (0..N).map(|row| format!("c{}\n", row % 3)).collect();
    let labels = folder.file("labels.txt", labels);
    let shared = ["--labels", labels.as_str(), "-k", "8"];
    let overlap = |args: &[&str]| {
        let report = json(&[&["overlap"], args, &shared].concat());
        find(&report, "macro").unwrap()
    };
    let wanted = overlap(&[&acts]);
    let centres = peaks(&["landscape", &acts]);
    assert!(centres.len() > 1, "{centres:?}");
    for (table, flags) in tables(&folder) {
        let with = |command: &'static str| {
            let first = [command, "--neighbours", table.as_str()];
            [&first[..], flags].concat()
        };
        assert_eq!(overlap(&with("overlap")[1..]), wanted, "{table}");
        assert_eq!(peaks(&with("landscape")), centres, "{table}");
        assert_eq!(peaks(&with("density-peaks")), centres, "{table}");
        // Nothing takes them for activations.
        for command in [
            "overlap",
            "imbalance",
            "landscape",
            "id-profile",
            "density-peaks",
        ] {
            let error = refusal(&[command, &table]);
            assert!(error.contains("--neighbours"), "{command}: {error}");
        }
    }
}

fn three_layers(folder: &Folder) -> String {
    let layer = |at: usize| npy(&[N, WIDTH], move |i| scattered(i + 1000 * at));
    let members = [
        ("a.npy", layer(0)),
        ("b.npy", layer(1)),
        ("c.npy", layer(2)),
    ];
    folder.file("acts.npz", npz(&members))
}

#[test]
fn our_own_tables_give_what_activations_give() {
    let folder = Folder::new();
    let acts = three_layers(&folder);
    let tables = folder.join("tables");
    let tables = tables.to_str().unwrap();
    assert!(
        run(&["neighbours", &acts, "-k", "30", "-o", tables])
            .status
            .success()
    );
    let pairs = |args: &[&str]| {
        let report = json(&[&["overlap"], args, &["--to", "last", "-k", "10"]].concat());
        let pairs = report["pairs"].as_array().unwrap().clone();
        pairs
            .iter()
            .map(|pair| pair["value"].as_f64().unwrap())
            .collect::<Vec<f64>>()
    };
    assert_eq!(pairs(&["--neighbours", tables]), pairs(&[&acts]));
    let one = format!("{tables}/b.npz");
    assert_eq!(
        peaks(&["landscape", "--neighbours", &one]),
        peaks(&["landscape", &acts, "--layers", "b"])
    );
    // Several tables are no one layer.
    let error = refusal(&["landscape", "--neighbours", tables]);
    assert!(error.contains('3'), "{error}");
    // More neighbours than were kept are asked for.
    let error = refusal(&["overlap", "--neighbours", tables, "-k", "31"]);
    assert!(error.contains("holds 30 neighbours"), "{error}");
    // Two sets of tables are compared.
    let same = pairs(&["--neighbours", tables, "--against", tables]);
    assert_eq!(same.len(), 3);
}

#[test]
fn tables_that_hold_every_rank_give_the_imbalance_of_activations() {
    let folder = Folder::new();
    let acts = three_layers(&folder);
    let written = |k: usize| {
        let path = folder.join(&format!("tables{k}"));
        let path = path.to_str().unwrap().to_owned();
        let k = k.to_string();
        assert!(
            run(&["neighbours", &acts, "-k", &k, "-o", &path])
                .status
                .success()
        );
        path
    };
    let (all, some) = (written(N - 1), written(K));
    let pairs = |args: &[&str]| {
        let asked = ["-k", "1,10", "--shuffle", "5"];
        json(&[&["imbalance"], args, &asked].concat())
    };
    let (tabled, searched) = (pairs(&["--neighbours", &all]), pairs(&[&acts]));
    assert_eq!(searched["pairs"].as_array().unwrap().len(), 6);
    // Values, exact errors and nulls.
    assert_eq!(tabled["pairs"], searched["pairs"]);
    assert_eq!(tabled["steps"], searched["steps"]);
    let two = |args: &[&str]| pairs(&[args, &["--to", "matched"]].concat())["pairs"].clone();
    assert_eq!(
        two(&["--neighbours", &all, "--against", &all]),
        two(&[&acts, "--against", &acts])
    );
    // A layer by itself needs no rank beyond its own neighbours: what is there is exact.
    let itself = |args: &[&str]| {
        let asked = ["--to", "same", "-k", "5"];
        json(&[&["imbalance"], args, &asked].concat())["pairs"].clone()
    };
    assert_eq!(
        itself(&["--neighbours", &some, "--against", &some]),
        itself(&[&acts, "--against", &acts])
    );
    // Other layers have neighbours that a short table lacks.
    let error = refusal(&["imbalance", "--neighbours", &some]);
    assert!(error.contains("holds 30 neighbours"), "{error}");
    assert!(error.contains("-k 119"), "{error}");
}

#[test]
fn distances_with_rounding_on_their_diagonal_are_distances() {
    let folder = Folder::new();
    let rows = searched();
    let mut square = vec![0.0; N * N];
    let far = rows.iter().flatten().map(|(distance, _)| *distance);
    let far = far.fold(0.0, f64::max);
    for (row, near) in rows.iter().enumerate() {
        for column in 0..N {
            let found = near.iter().find(|(_, at)| *at == column as i64);
            let back = rows[column].iter().find(|(_, at)| *at == row as i64);
            square[row * N + column] = found.or(back).map_or(far, |(distance, _)| *distance);
        }
        square[row * N + row] = if row % 2 == 0 { -2e-16 } else { 3e-16 };
    }
    let shape = format!("({N}, {N})");
    let file = folder.file("cosine.npy", floats(&shape, square));
    let error = refusal(&["id-profile", &file]);
    assert!(error.contains("--neighbours"), "{error}");
    assert!(super::dimensions(&["--neighbours", &file])[0] > 0.0);
}

#[test]
fn the_upper_half_of_all_distances_is_a_table() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", npy(&[N, WIDTH], scattered));
    let apart = |a: usize, b: usize| -> f64 {
        let value = |row: usize, column: usize| f64::from(scattered(row * WIDTH + column));
        let squares = (0..WIDTH).map(|column| (value(a, column) - value(b, column)).powi(2));
        squares.sum()
    };
    let pairs = || (0..N).flat_map(|a| (a + 1..N).map(move |b| (a, b)));
    let flat = format!("({},)", N * (N - 1) / 2);
    let half = floats(&flat, pairs().map(|(a, b)| apart(a, b).sqrt()));
    let squares = floats(&flat, pairs().map(|(a, b)| apart(a, b)));
    let wanted = super::dimensions(&[&acts]);
    let half = folder.file("half.npy", half);
    let squares = folder.file("squares.npy", squares);
    assert_eq!(super::dimensions(&["--neighbours", &half]), wanted);
    let found = super::dimensions(&["--neighbours", &squares, "--squared"]);
    super::near(found[0], wanted[0], 1e-12);
    for file in [&half, &squares] {
        let error = refusal(&["id-profile", file]);
        assert!(error.contains("--neighbours"), "{error}");
    }
    let error = refusal(&["id-profile", "--neighbours", &acts]);
    assert!(error.contains("square matrix"), "{error}");
    let list = folder.file("list.npy", floats("(100,)", (0..100).map(f64::from)));
    let error = refusal(&["id-profile", "--neighbours", &list]);
    assert!(error.contains("N (N - 1) / 2"), "{error}");
    // Values of one column are as long only by chance, and seldom like distances.
    let column = |n: usize| {
        floats(
            &format!("({n},)"),
            (0..n).map(|at| f64::from(scattered(at))),
        )
    };
    for n in [299, 300] {
        let file = folder.file("column.npy", column(n));
        assert_eq!(super::names(&[&file]), ["column"]);
    }
}
