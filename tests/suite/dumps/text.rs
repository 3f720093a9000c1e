//! Labels, rows and targets are read however people write them.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Folder, command, dimensions, dumped, find, json, near, npy, refusal, run, scattered};

/// Overlap with labels at k = 10.
fn overlap(labels: &str) -> f64 {
    let acts = dumped("text/acts.npy");
    let report = json(&["overlap", &acts, "--labels", labels, "-k", "10"]);
    find(&report, "macro_mean")
        .or_else(|| find(&report, "macro"))
        .expect("a macro mean")
}

#[test]
fn labels_are_read_however_they_are_written() {
    let tabs = dumped("text/tabs.tsv");
    let folder = Folder::new();
    let lines: Vec<String> = fs::read_to_string(&tabs)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split('\t').nth(1).unwrap().to_owned())
        .collect();
    let mut wide = vec![0xff, 0xfe];
    wide.extend(lines.join("\r\n").encode_utf16().flat_map(u16::to_le_bytes));
    let packed = |text: String| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let quoted: Vec<String> = lines.iter().map(|line| format!("\"{line}\"")).collect();
    let semicolons = format!("{}:class", dumped("text/semicolons.csv"));
    for labels in [
        dumped("text/marked.txt"),
        semicolons,
        format!("{tabs}:class"),
        folder.file("wide.txt", wide),
        folder.file("packed.gz", packed(lines.join("\n"))),
        folder.file(
            "packed.csv.gz",
            packed(format!("class\n{}", lines.join("\n"))),
        ),
        folder.file("quoted.txt", quoted.join("\n")),
        folder.file(
            "spaced.txt",
            format!("# made by hand\n{}\n\n", lines.join("\r\n")),
        ),
        folder.file("labels", lines.join("\n")),
    ] {
        near(overlap(&labels), 0.9233, 5e-5);
    }
    let error = refusal(&["overlap", &dumped("text/acts.npy"), "--labels", &tabs]);
    assert!(error.contains("row, class"), "{error}");
    let bare = folder.file("bare.csv", lines.join("\n"));
    let error = refusal(&["overlap", &dumped("text/acts.npy"), "--labels", &bare]);
    assert!(error.contains("was taken for a header"), "{error}");
    let table = folder.file("table.txt", fs::read(&tabs).unwrap());
    let error = refusal(&["overlap", &dumped("text/acts.npy"), "--labels", &table]);
    assert!(error.contains("several columns"), "{error}");
}

#[cfg(unix)]
#[test]
fn labels_and_rows_come_from_pipes_once() {
    let folder = Folder::new();
    let acts = dumped("text/acts.npy");
    let text = fs::read_to_string(dumped("text/marked.txt")).unwrap();
    let mut child = command(&["overlap", &acts, "--labels", "-", "-k", "10", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    near(
        find(&report, "macro_mean")
            .or_else(|| find(&report, "macro"))
            .unwrap(),
        0.9233,
        5e-5,
    );
    // A named pipe gives its content once; whoever opens it again waits for ever.
    let pipe = folder.join("labels.csv");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let writer = {
        let (pipe, text) = (pipe.clone(), format!("class\n{text}"));
        std::thread::spawn(move || fs::write(pipe, text.replace('\u{feff}', "")))
    };
    near(overlap(pipe.to_str().unwrap()), 0.9233, 5e-5);
    writer.join().unwrap().unwrap();
    let rows = folder.join("rows");
    assert!(
        Command::new("mkfifo")
            .arg(&rows)
            .status()
            .unwrap()
            .success()
    );
    let writer = {
        let rows = rows.clone();
        let lines: String = (0..120).step_by(2).map(|row| format!("{row}\n")).collect();
        std::thread::spawn(move || fs::write(rows, lines))
    };
    let args = [acts.as_str(), "--rows", rows.to_str().unwrap()];
    let piped = dimensions(&args);
    writer.join().unwrap().unwrap();
    assert_eq!(
        piped,
        dimensions(&[&acts, "--rows", &dumped("text/rows.txt")])
    );
}

#[test]
fn rows_are_read_however_they_are_written() {
    let folder = Folder::new();
    let acts = dumped("text/acts.npy");
    let wanted = dimensions(&[&acts, "--rows", "0..60"]);
    let indices: Vec<String> = (0..60).map(|row| row.to_string()).collect();
    let floats: Vec<String> = (0..60).map(|row| format!("{row}.0")).collect();
    let words: Vec<&str> = (0..120)
        .map(|row| if row < 60 { "True" } else { "False" })
        .collect();
    for rows in [
        "0:60".to_owned(),
        folder.file("a.txt", indices.join("\r\n")),
        folder.file("b.csv", format!("row\n{}\n", floats.join("\n"))),
        folder.file("c.txt", words.join("\n")),
        format!(
            "{}:row",
            folder.file(
                "d.csv",
                format!(
                    "x;row\n{}\n",
                    indices
                        .iter()
                        .map(|i| format!("y;{i}"))
                        .collect::<Vec<_>>()
                        .join("\n")
                )
            )
        ),
    ] {
        assert_eq!(dimensions(&[&acts, "--rows", &rows]), wanted, "{rows}");
    }
    let zeros_and_ones: Vec<String> = (0..120).map(|row| (row % 2).to_string()).collect();
    let mask = folder.file("mask.txt", zeros_and_ones.join("\n"));
    for (rows, fact) in [
        (mask.as_str(), "look like a mask"),
        ("0:60:2", "with a step"),
        ("60", "0..60"),
    ] {
        let error = refusal(&["id-profile", &acts, "--rows", rows]);
        assert!(error.contains(fact), "{error}");
    }
    assert_eq!(dimensions(&[&acts, "--rows", ".."]), dimensions(&[&acts]));
}

#[test]
fn targets_may_be_whole_numbers_written_as_floats() {
    let folder = dumped("targets");
    let [hidden, w, b] = ["hidden.npy", "w.npy", "b.npy"].map(|name| format!("{folder}/{name}"));
    let clones = |targets: &str| {
        json(&["clones", &hidden, "--readout", &w, &b, "--targets", targets])["chunks"].clone()
    };
    let wanted = clones(&format!("{folder}/targets.npy"));
    assert_eq!(clones(&format!("{folder}/targets.csv:target")), wanted);
}

#[test]
fn label_files_that_claim_the_impossible_are_refused() {
    let folder = Folder::new();
    let acts = dumped("text/acts.npy");
    for (descr, shape) in [
        ("<U4611686018427387905", "(120,)"),
        ("|S0", "(1000000000000,)"),
    ] {
        let mut header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        let labels = folder.file("labels.npy", bytes);
        let error = refusal(&["overlap", &acts, "--labels", &labels, "-k", "3"]);
        assert!(error.contains("labels.npy"), "{error}");
    }
}

#[test]
fn lines_that_are_numbered_in_another_order_are_refused_whatever_the_column_is_called() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", npy(&[12, 3], scattered));
    let asked = |name: &str, last: usize| {
        let line = |at: usize| format!("{},c{}\n", (at + last) % 12, at % 3);
        let text: String = (0..12).map(line).collect();
        let file = folder.file("labels.csv", format!("{name},class\n{text}"));
        [
            "overlap",
            &acts,
            "-k",
            "3",
            "--labels",
            &format!("{file}:class"),
        ]
        .map(str::to_owned)
    };
    for name in ["row", "index", "id", ""] {
        let wrong = asked(name, 5);
        let error = refusal(&wrong.each_ref().map(String::as_str));
        assert!(error.contains("another order"), "{name}: {error}");
        let right = asked(name, 0);
        assert!(run(&right.each_ref().map(String::as_str)).status.success());
    }
    // Any other number is no claim about lines.
    let other = asked("age", 5);
    assert!(run(&other.each_ref().map(String::as_str)).status.success());
}

#[test]
fn labels_are_joined_on_the_column_that_numbers_the_rows() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", npy(&[60, 3], scattered));
    let class = |row: usize| ["cat", "dog", "eel"][row * row % 7 % 3];
    let table = |name: &str, first: usize, place: &dyn Fn(usize) -> usize| {
        let line = |at: usize| format!("{},{}\n", place(at) + first, class(place(at)));
        let text: String = (0..60).map(line).collect();
        format!("{name},class\n{text}")
    };
    let asked = |labels: &str| -> Vec<String> {
        let args = ["overlap", &acts, "-k", "5", "--labels", labels];
        args.map(str::to_owned).to_vec()
    };
    let overlap = |labels: &str| {
        let args = asked(labels);
        let report = json(&args.iter().map(String::as_str).collect::<Vec<_>>());
        find(&report, "macro").unwrap()
    };
    let refused = |labels: &str| {
        let args = asked(labels);
        refusal(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let right = folder.file("right.csv", table("id", 0, &|at| at));
    let wanted = overlap(&format!("{right}:class"));
    let shuffled = |at: usize| at * 7 % 60;
    for (name, by, first) in [("id", "id", 0), ("row", "row", 1), ("", "0", 0)] {
        let file = folder.file("shuffled.csv", table(name, first, &shuffled));
        let error = refused(&format!("{file}:class"));
        assert!(error.contains(&format!("FILE:class@{by}")), "{error}");
        assert_eq!(overlap(&format!("{file}:class@{by}")), wanted);
        // The lines may be right all the same.
        let plain: String = (0..60)
            .map(|at| format!("{}\n", class(shuffled(at))))
            .collect();
        let plain = folder.file("plain.txt", plain);
        assert_eq!(overlap(&format!("{file}:class@lines")), overlap(&plain));
    }
    let error = refused(&format!("{right}:class@place"));
    assert!(error.contains("id, class"), "{error}");
    let twice = folder.file("twice.csv", table("id", 0, &|at| at / 2));
    let error = refused(&format!("{twice}:class@id"));
    assert!(error.contains("each once"), "{error}");
}

#[test]
fn lists_of_rows_and_labels_are_read_or_named_for_what_they_are() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", npy(&[60, 3], scattered));
    let rows: Vec<String> = (0..30).map(|row| (2 * row).to_string()).collect();
    let file = folder.file("rows.txt", rows.join("\n"));
    let wanted = dimensions(&[&acts, "--rows", &file]);
    for text in [
        rows.join(","),
        format!("{}\n", rows.join(", ")),
        rows.join(" "),
        format!("[{}]", rows.join(",\n ")),
        format!("index\n{}", rows.join("\n")),
    ] {
        let file = folder.file("rows.txt", &text);
        assert_eq!(dimensions(&[&acts, "--rows", &file]), wanted, "{text:?}");
    }
    // Counts from 1, in text and as an array.
    let ones: Vec<String> = (1..=30).map(|row| (2 * row).to_string()).collect();
    let text = folder.file("ones.txt", ones.join("\n"));
    let line = folder.file("line.txt", ones.join(","));
    let array = folder.file(
        "ones.npy",
        super::super::misread::whole(&[30], |at| 2 * at as i64 + 2),
    );
    for rows in [&text, &line, &array] {
        let error = refusal(&["inspect", &acts, "--scan", "--rows", rows]);
        assert!(
            error.contains("there is no row 60") && error.contains("from 1"),
            "{error}"
        );
    }
    // A row that is there as 0, or is far beyond, is another mistake.
    for rows in ["0\n60\n", "1\n61\n"] {
        let file = folder.file("other.txt", rows);
        let error = refusal(&["inspect", &acts, "--scan", "--rows", &file]);
        assert!(
            error.contains("there is no row 6") && !error.contains("from 1"),
            "{error}"
        );
    }
    let labels: String = (0..60).map(|row| format!("c{}\n", row % 3)).collect();
    let headed = folder.file("labels.txt", format!("class\n{labels}"));
    let args = ["overlap", acts.as_str(), "-k", "5", "--labels"];
    let error = refusal(&[&args[..], &[headed.as_str()]].concat());
    assert!(error.contains("is a header"), "{error}");
    let named = format!("{headed}:class");
    assert!(find(&json(&[&args[..], &[named.as_str()]].concat()), "macro").is_some());
}

#[test]
fn json_is_no_list_of_labels() {
    let folder = Folder::new();
    let acts = folder.file("layer_0.npy", npy(&[40, 3], scattered));
    let lines: String = (0..40)
        .map(|row| format!("{{\"id\": {row}, \"class\": \"c{}\"}}\n", row % 3))
        .collect();
    let words: Vec<String> = (0..40).map(|row| format!("\"c{}\"", row % 3)).collect();
    for (name, text, wanted) in [
        ("labels.jsonl", lines, "lines=True"),
        (
            "labels.json",
            format!("[{}]", words.join(", ")),
            "read_json",
        ),
        (
            "indented.json",
            format!("[\n{}\n]", words.join(",\n")),
            "read_json",
        ),
    ] {
        let labels = folder.file(name, text);
        let error = refusal(&["overlap", &acts, "--labels", &labels, "-k", "3"]);
        assert!(error.contains("JSON") && error.contains(wanted), "{error}");
    }
}
