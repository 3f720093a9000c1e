//! Which token of which prompt, which row of which dump: what files and reports say of rows.

use std::fs;

use repgeo::input::Tensors;
use serde_json::Value;

use super::{Folder, json, npy, npz, run, scattered};

const PROMPTS: usize = 30;
const TOKENS: usize = 4;

/// Prompt `i` has 1 + i mod 4 tokens.
fn counts(prompt: usize, token: usize) -> bool {
    token <= prompt % TOKENS
}

fn prompts(folder: &Folder, name: &str, shift: usize) -> String {
    let states = npy(&[PROMPTS, TOKENS, 3], move |at| scattered(at + shift));
    let mask = npy(&[PROMPTS, TOKENS], |at| {
        f32::from(u8::from(counts(at / TOKENS, at % TOKENS)))
    });
    folder.file(
        name,
        npz(&[("layer_0.npy", states), ("attention_mask.npy", mask)]),
    )
}

/// Row, prompt and token of every token that counts.
fn kept() -> Vec<[i64; 3]> {
    let all = (0..PROMPTS * TOKENS).map(|row| (row, row / TOKENS, row % TOKENS));
    let kept = all.filter(|&(_, prompt, token)| counts(prompt, token));
    kept.map(|(row, prompt, token)| [row, prompt, token].map(|at| i64::try_from(at).unwrap()))
        .collect()
}

fn written(args: &[&str]) {
    let output = run(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}");
}

#[test]
fn tables_of_tokens_say_which_token_of_which_prompt_a_row_is() {
    let folder = Folder::new();
    let acts = prompts(&folder, "acts.npz", 0);
    let asked = prompts(&folder, "asked.npz", 7919);
    let tables = folder.join("tables");
    let tables = tables.to_str().unwrap();
    written(&[
        "neighbours",
        &acts,
        "--pool",
        "tokens",
        "-k",
        "5",
        "-o",
        tables,
    ]);
    let path = folder.join("tables/layer_0.npz");
    let table = Tensors::open(&path).unwrap();
    let numbers = |table: &Tensors, name: &str| table.get(name).unwrap().integers().unwrap();
    for (at, name) in ["row", "prompt", "token"].into_iter().enumerate() {
        let wanted: Vec<i64> = kept().iter().map(|place| place[at]).collect();
        assert_eq!(numbers(&table, name), wanted, "{name}");
    }
    // The table is still a table, and no layer.
    let again = json(&[
        "id-profile",
        "--neighbours",
        tables,
        "--estimator",
        "mle",
        "-k",
        "4",
    ]);
    assert_eq!(again["layers"].as_array().unwrap().len(), 1);
    let flags = ["--pool", "tokens", "--estimator", "mle", "-k", "4"];
    let direct = json(&[&["id-profile", &acts][..], &flags].concat());
    assert_eq!(
        again["layers"][0]["estimates"][0]["id"],
        direct["layers"][0]["estimates"][0]["id"]
    );

    let answers = folder.join("answers");
    let answers = answers.to_str().unwrap();
    written(&[
        "neighbours",
        &acts,
        "--queries",
        &asked,
        "--pool",
        "tokens",
        "-k",
        "2",
        "-o",
        answers,
    ]);
    let table = Tensors::open(&folder.join("answers/layer_0.npz")).unwrap();
    let nearest = numbers(&table, "nearest");
    let tokens = i64::try_from(TOKENS).unwrap();
    let of = |name: &str, part: fn(i64, i64) -> i64| {
        let wanted: Vec<i64> = nearest.iter().map(|&row| part(row, tokens)).collect();
        assert_eq!(numbers(&table, name), wanted, "{name}");
        assert_eq!(table.get(name).unwrap().shape(), [kept().len(), 2]);
    };
    of("nearest_prompt", |row, tokens| row / tokens);
    of("nearest_token", |row, tokens| row % tokens);
    let wanted: Vec<i64> = kept().iter().map(|place| place[1]).collect();
    assert_eq!(numbers(&table, "query_prompt"), wanted);
    // Rows that are no tokens have none of it.
    let plain = folder.file("layer_0.npy", npy(&[40, 3], scattered));
    written(&["neighbours", &plain, "-k", "5", "-o", tables]);
    assert!(Tensors::open(&path).unwrap().get("prompt").is_none());
}

#[test]
fn dimensions_of_single_rows_are_a_table_with_prompts_and_tokens() {
    let folder = Folder::new();
    let acts = prompts(&folder, "acts.npz", 0);
    let [table, array] = ["local.csv", "local.npy"].map(|name| {
        let path = folder.join(name);
        let local = path.to_str().unwrap();
        written(&[
            "id-profile",
            &acts,
            "--pool",
            "tokens",
            "--estimator",
            "mle",
            "-k",
            "5",
            "--local",
            local,
        ]);
        path
    });
    let array = Tensors::open(&array).unwrap();
    let values = array.only().unwrap().to_f64().unwrap();
    let text = fs::read_to_string(table).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("layer,row,prompt,token,id"));
    for [row, prompt, token] in kept() {
        let line = lines.next().unwrap();
        let id = values[usize::try_from(row).unwrap()];
        assert_eq!(line, format!("layer_0,{row},{prompt},{token},{id}"));
    }
    assert_eq!(lines.next(), None);
    let other = folder.join("local.txt");
    let words = super::refusal(&[
        "id-profile",
        &acts,
        "--pool",
        "tokens",
        "--estimator",
        "mle",
        "--local",
        other.to_str().unwrap(),
    ]);
    assert!(words.contains(".npy or .csv"), "{words}");
}

#[test]
fn reports_say_how_lines_of_labels_came_to_rows() {
    let folder = Folder::new();
    let acts = folder.file("layer_0.npy", npy(&[40, 3], scattered));
    let lines: String = (0..40)
        .rev()
        .map(|row| format!("{row},c{}\n", row % 3))
        .collect();
    let labels = folder.file("meta.csv", format!("id,class\n{lines}"));
    let echo = |spec: &str| {
        let spec = format!("{labels}{spec}");
        let report = json(&[
            "overlap", &acts, "--labels", &spec, "-k", "3", "--format", "json",
        ]);
        report["parameters"]["labels"][0]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let joined = echo(":class@id");
    assert!(
        joined.starts_with("class of ") && joined.ends_with("each line at the row that id numbers"),
        "{joined}"
    );
    assert!(echo(":class@lines").ends_with("line after line"));
}

/// The warnings called `code`, wherever they stand.
fn said(report: &Value, code: &str) -> Vec<String> {
    match report {
        Value::Object(map) if map.get("code").is_some_and(|own| own == code) => {
            vec![map["message"].as_str().unwrap().to_owned()]
        }
        Value::Object(map) => map.values().flat_map(|inner| said(inner, code)).collect(),
        Value::Array(all) => all.iter().flat_map(|inner| said(inner, code)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn warnings_about_twins_say_on_which_side_they_are() {
    let folder = Folder::new();
    // Row 31 lies one step of f32 beside row 7.
    let twins = npy(&[60, 3], |at| match (at / 3, at % 3) {
        (31, 0) => scattered(7 * 3).next_up(),
        (31, column) => scattered(7 * 3 + column),
        _ => scattered(at),
    });
    for name in ["a", "b", "c"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    folder.file("a/layer_0.npy", npy(&[60, 3], |at| scattered(at + 999)));
    folder.file("b/layer_0.npy", &twins);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let [a, b] = ["a", "b"].map(path);
    for command in ["overlap", "imbalance"] {
        let flags: &[&str] = match command {
            "overlap" => &["-k", "5", "--to", "matched"],
            _ => &["--to", "matched"],
        };
        for (acts, against, wanted) in [
            (&a, &b, "layer_0 of the other dump: "),
            (&b, &a, "layer_0: "),
        ] {
            let call = [&[command, acts.as_str(), "--against", against], flags].concat();
            let found = said(&json(&call), "near_duplicates");
            assert_eq!(found.len(), 1, "{call:?}: {found:?}");
            assert!(found[0].starts_with(wanted), "{call:?}: {found:?}");
        }
    }
    // Queries that lie on a row are their own nearest; one that all but does is worth a word.
    folder.file("c/layer_0.npy", npy(&[60, 3], scattered));
    let tables = path("tables");
    let queries = |acts: &str| {
        let args = [
            "neighbours",
            acts,
            "--queries",
            &b,
            "-k",
            "5",
            "-o",
            &tables,
        ];
        said(&json(&args), "near_duplicates")
    };
    let found = queries(&path("c"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("1 of 60 queries"), "{found:?}");
    assert_eq!(queries(&a), [""; 0]);
}
