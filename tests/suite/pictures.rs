//! Figures as a user gets them: `--plot`, and the page of `repgeo report`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::common::{command, fixture, json, path, refusal, repgeo, stdout, text};

fn minilm() -> String {
    path(&fixture("minilm")).to_owned()
}

fn labels() -> String {
    path(&fixture("minilm/labels.csv")).to_owned() + ":class"
}

/// The numbers behind an attribute, in the order of the file.
pub(super) fn attributes(drawn: &str, name: &str) -> Vec<f64> {
    let open = format!(" {name}=\"");
    let values = drawn.split(&open).skip(1);
    values
        .map(|rest| rest[..rest.find('"').unwrap()].parse().unwrap())
        .collect()
}

#[test]
fn a_profile_is_drawn_with_the_numbers_of_its_report() {
    let folder = TempDir::new().unwrap();
    let (plot, report) = (folder.path().join("id.svg"), folder.path().join("id.json"));
    let args = [
        "id-profile",
        &minilm(),
        "-o",
        path(&report),
        "--plot",
        path(&plot),
    ];
    assert!(repgeo(&args).status.success());
    let drawn = fs::read_to_string(&plot).unwrap();
    let report: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    let layers = report["layers"].as_array().unwrap();
    let ids: Vec<f64> = layers
        .iter()
        .map(|layer| layer["estimates"][0]["id"].as_f64().unwrap())
        .collect();
    assert_eq!(attributes(&drawn, "data-y")[..ids.len()], ids[..]);
    for part in [
        "<title>repgeo id-profile",
        "<desc>",
        "intrinsic dimension",
        "</svg>\n",
    ] {
        assert!(drawn.contains(part), "{part}");
    }
}

/// The commands of the documents that draw a picture into `docs/pictures`.
fn drawn_in_documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = ["README.md", "docs/gallery.md"];
    let texts = documents.map(|name| fs::read_to_string(root.join(name)).unwrap());
    let lines = texts.iter().flat_map(|text| text.lines());
    let draws = lines.filter(|line| line.contains("--plot docs/pictures/"));
    draws
        .map(|line| line.trim_start_matches("$ ").trim().to_owned())
        .collect()
}

#[test]
fn the_pictures_of_the_documents_are_what_their_commands_draw() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = TempDir::new().unwrap();
    let commands = drawn_in_documents();
    assert!(commands.len() > 8, "{commands:?}");
    let mut old = Vec::new();
    for line in commands {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], "repgeo", "{line}");
        let (args, kept) = (&words[1..words.len() - 1], *words.last().unwrap());
        let plot = folder.path().join("drawn.svg");
        // The paths are part of the titles: relative, as in the document.
        let mut drawing = command(&[args, &[path(&plot), "-q"]].concat());
        let output = drawing.current_dir(root).output().unwrap();
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        if std::env::var_os("REPGEO_ACCEPT").is_some() {
            fs::copy(&plot, root.join(kept)).unwrap();
        }
        let drawn = fs::read(&plot).unwrap();
        if fs::read(root.join(kept)).unwrap_or_default() != drawn {
            old.push(kept.to_owned());
        }
    }
    assert!(
        old.is_empty(),
        "old pictures, to be accepted with REPGEO_ACCEPT=1: {old:?}"
    );
}

#[test]
fn every_picture_that_is_kept_stands_in_a_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let commands = drawn_in_documents().join("\n") + "\n";
    for entry in fs::read_dir(root.join("docs/pictures")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let drawn = format!("--plot docs/pictures/{name}\n");
        assert!(commands.contains(&drawn), "nothing draws {name}");
    }
}

#[test]
fn every_figure_has_the_same_bytes_for_any_threads() {
    let folder = TempDir::new().unwrap();
    let labels = labels();
    for args in [
        &["id-profile", "--id-scaling"][..],
        &["imbalance"],
        &["overlap", "-k", "5"],
        &["similarity", "--to", "next"],
        &["density-peaks", "--labels", &labels],
        &["landscape", "--layers", "3", "--labels", &labels],
    ] {
        let drawn = ["1", "2"].map(|threads| {
            let plot = folder.path().join(format!("{}{threads}.svg", args[0]));
            let more = ["--threads", threads, "--plot", path(&plot), "-q"];
            stdout(&[args, &[minilm().as_str()][..], &more].concat());
            fs::read_to_string(&plot).unwrap()
        });
        assert_eq!(drawn[0], drawn[1], "{args:?}");
        assert!(drawn[0].contains(r#"class="figure""#), "{args:?}");
        assert!(!drawn[0].contains("NaN"), "{args:?}");
    }
}

#[test]
fn a_matrix_is_drawn_with_every_number() {
    let folder = TempDir::new().unwrap();
    let plot = folder.path().join("imbalance.svg");
    let report = json(&["imbalance", &minilm(), "--plot", path(&plot), "-q"]);
    let drawn = fs::read_to_string(&plot).unwrap();
    let rows = report["matrices"][0]["values"].as_array().unwrap();
    let expected: Vec<f64> = rows
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .filter_map(Value::as_f64)
        .collect();
    assert_eq!(expected.len(), 49);
    assert_eq!(attributes(&drawn, "data-value"), expected);
}

#[test]
fn figures_that_cannot_be_drawn_are_refused_in_words() {
    let folder = TempDir::new().unwrap();
    let png = folder.path().join("id.png");
    let output = repgeo(&["id-profile", &minilm(), "--plot", path(&png)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains(".svg"));
    let nowhere = folder.path().join("no/such/id.svg");
    refusal(&["id-profile", &minilm(), "--plot", path(&nowhere)], 1);
    let listed = folder.path().join("listed.svg");
    let output = repgeo(&["inspect", &minilm(), "--plot", path(&listed), "-q"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no figure"));
    assert!(
        !output.stdout.is_empty(),
        "its numbers are written all the same"
    );
    assert!(!listed.exists());
}

/// A page about MiniLM in a folder of its own.
pub(super) fn page(folder: &Path, more: &[&str]) -> (PathBuf, Value) {
    let page = folder.join("page.html");
    let (minilm, labels) = (minilm(), labels());
    let mut args = vec!["report", &minilm, "-q", "-o", path(&page)];
    // Labels are refused where no chapter is about them.
    let only = more.iter().skip_while(|word| **word != "--only").nth(1);
    if only.is_none_or(|topics| topics.contains("labels")) {
        args.extend(["--labels", &labels]);
    }
    let output = repgeo(&[&args[..], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = fs::read_to_string(folder.join("page.json")).unwrap();
    (page, serde_json::from_str(&report).unwrap())
}

#[test]
fn a_page_holds_the_reports_of_the_commands() {
    let folder = TempDir::new().unwrap();
    let (html, report) = page(folder.path(), &[]);
    let html = fs::read_to_string(html).unwrap();
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    assert_eq!(super::common::schema::faults(&report), [""; 0]);
    let parts = report["parts"].as_object().unwrap();
    let topics: Vec<&str> = parts.keys().map(String::as_str).collect();
    let expected = [
        "dimension",
        "imbalance",
        "overlap",
        "similarity",
        "peaks",
        "labels",
    ];
    assert_eq!(topics, expected);
    for (topic, command) in [
        ("dimension", "id-profile"),
        ("imbalance", "imbalance"),
        ("similarity", "similarity"),
    ] {
        assert_eq!(parts[topic], json(&[command, &minilm()]), "{topic}");
        let csv = fs::read_to_string(folder.path().join(format!("page-{topic}.csv"))).unwrap();
        assert_eq!(
            csv,
            stdout(&[command, &minilm(), "--format", "csv"]),
            "{topic}"
        );
    }
    let requests = ["src=", "url(", "@import", "href=\"http"];
    for request in requests {
        assert!(!html.contains(request), "{request}");
    }
    assert!(html.contains("repgeo overlap") && html.contains("--labels"));
}

#[test]
fn a_page_follows_runs_as_dynamics_does_and_lists_one_that_fails() {
    let folder = TempDir::new().unwrap();
    let vae = |name: &str| {
        fixture(&format!("vae/epochs/{name}"))
            .to_str()
            .unwrap()
            .to_owned()
    };
    let mut names: Vec<String> = fs::read_dir(fixture("vae/epochs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ep"))
        .collect();
    names.sort();
    assert!(names.len() > 2, "{names:?}");
    let broken = folder.path().join("broken.npy");
    fs::write(&broken, b"no array").unwrap();
    let mut runs: Vec<String> = names.iter().map(|name| vae(name)).collect();
    runs.push(path(&broken).to_owned());
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    let html = folder.path().join("page.html");
    // The labels are those of the dump; runs of other rows need none.
    let (minilm, labels) = (fixture("minilm"), fixture("minilm/labels.csv"));
    let labels = format!("{}:class", path(&labels));
    let args = [
        "report",
        path(&minilm),
        "--labels",
        &labels,
        "--only",
        "runs,labels",
        "-q",
        "-o",
        path(&html),
        "--runs",
    ];
    let output = repgeo(&[&args[..], &runs].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = fs::read_to_string(folder.path().join("page.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(super::common::schema::faults(&report), [""; 0]);
    let alone = [&["dynamics", "--keep-going"][..], &runs].concat();
    let part = &report["parts"]["runs"];
    assert_eq!(part["values"], json(&alone)["values"]);
    assert_eq!(part["events"], json(&alone)["events"]);
    let failed = part["runs"].as_array().unwrap().iter();
    assert_eq!(failed.filter(|run| !run["error"].is_null()).count(), 1);
    let csv = fs::read_to_string(folder.path().join("page-runs.csv")).unwrap();
    assert_eq!(csv, stdout(&[&alone[..], &["--format", "csv"]].concat()));
    let page = fs::read_to_string(&html).unwrap();
    assert!(page.contains("Over runs") && page.contains("repgeo dynamics"));
    assert!(page.contains("broken") && page.contains("it is largest"));
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    // Without runs there is no such chapter.
    let none = repgeo(&["report", runs[0], "--only", "runs", "-q", "-o", path(&html)]);
    assert!(!none.status.success() && text(&none.stderr).contains("runs need --runs"));
}

#[test]
fn topics_can_be_chosen_and_what_a_dump_does_not_allow_is_said() {
    let folder = TempDir::new().unwrap();
    let (_, report) = page(folder.path(), &["--only", "labels,dimension"]);
    let parts = report["parts"].as_object().unwrap();
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["dimension", "labels"]);
    // A part that fails is named on stderr, and takes nothing else down.
    let (html, other) = (
        folder.path().join("part.html"),
        fixture("vae/epochs/ep0000.safetensors"),
    );
    let args = [
        "report",
        &minilm(),
        "--against",
        path(&other),
        "-o",
        path(&html),
    ];
    let output = repgeo(&[&args[..], &["--only", "against,dimension"]].concat());
    let words = text(&output.stderr);
    assert!(
        output.status.success() && words.contains("against left out: "),
        "{words}"
    );
    assert!(folder.path().join("part-dimension.csv").exists());
    let html = folder.path().join("none.html");
    let args = ["report", &minilm(), "-o", path(&html), "--only", "against"];
    assert!(refusal(&args, 2).contains("--against"));
    let (minilm, pdf) = (minilm(), folder.path().join("page.pdf"));
    let args = ["report", &minilm, "-o", path(&pdf)];
    assert!(refusal(&args, 2).contains(".html"));
}

#[test]
fn a_part_that_fails_takes_nothing_else_down() {
    let folder = TempDir::new().unwrap();
    let html = folder.path().join("one.html");
    let equal = fixture("reference/manifolds/all_rows_equal.npy");
    let status = command(&["report", path(&equal), "-q", "-o", path(&html)]).status();
    assert!(status.unwrap().success());
    let report = fs::read_to_string(folder.path().join("one.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["parts"]["dimension"]["layers"][0]["estimates"][0]["id"].is_null());
    assert!(html.exists());
}

#[test]
fn grown_columns_and_joined_numbers_are_drawn_with_what_their_reports_say() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| path(&folder.path().join(name)).to_owned();
    let (plot, vae) = (file("plot.svg"), fixture("vae/widths/K32.safetensors"));
    let args = ["imbalance", path(&vae), "--layers", "3", "--greedy", "2"];
    let report = json(&[&args[..], &["--plot", &plot, "-q"]].concat());
    let drawn = fs::read_to_string(&plot).unwrap();
    let subsets = report["layers"][0]["subsets"].as_array().unwrap();
    let expected: Vec<f64> = ["subset_to_full", "full_to_subset"]
        .iter()
        .flat_map(|direction| subsets.iter().map(|one| one[*direction].as_f64().unwrap()))
        .collect();
    assert_eq!(expected.len(), 4);
    assert_eq!(attributes(&drawn, "data-y"), expected);

    let (ids, table) = (file("ids.csv"), file("table.csv"));
    let args = ["id-profile", path(&vae), "-q", "-o", &ids];
    assert!(repgeo(&args).status.success());
    let written = fs::read_to_string(&ids).unwrap();
    let mut layers: Vec<&str> = Vec::new();
    for layer in written
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
    {
        if !layer.is_empty() && !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    let lines = layers.iter().enumerate();
    let lines = lines.map(|(at, layer)| format!("{layer},{}\n", (at * at) % 7));
    fs::write(
        &table,
        "layer,loss\n".to_owned() + &lines.collect::<String>(),
    )
    .unwrap();
    let args = ["correlate", &ids, "--by", "layer", "--table", &table];
    let only = ["--quantity", "id", "--variant", "two_nn_base"];
    let report = json(&[&args[..], &only, &["--plot", &plot, "-q"]].concat());
    let drawn = fs::read_to_string(&plot).unwrap();
    let pairs = report["correlations"][0]["pairs"].as_array().unwrap();
    let side = |name: &str| -> Vec<f64> {
        let values = pairs.iter().map(|pair| pair[name].as_f64().unwrap());
        values.collect()
    };
    assert_eq!(pairs.len(), layers.len());
    assert_eq!(attributes(&drawn, "data-x"), side("x"));
    assert_eq!(attributes(&drawn, "data-y"), side("y"));
}
