//! Every token a row: under masks, lengths and token ids, drawn from, and named by prompt and token.

use std::fs;

use serde_json::Value;

use super::{Folder, dimensions, json, npy, npz, refusal, scattered};
use crate::misread::whole;

const PROMPTS: usize = 40;
const TOKENS: usize = 6;
const WIDTH: usize = 5;

/// How many tokens of a prompt count.
fn length(prompt: usize) -> usize {
    2 + prompt % (TOKENS - 1)
}

fn counts(prompt: usize, token: usize) -> bool {
    token < length(prompt)
}

/// A value of a token; those of the padding are alike everywhere.
fn value(prompt: usize, token: usize, column: usize) -> f32 {
    match counts(prompt, token) {
        true => scattered((prompt * TOKENS + token) * WIDTH + column),
        false => 7.0,
    }
}

/// `[N, T, D]` and the same with a row a token.
fn states(shape: &[usize]) -> Vec<u8> {
    npy(shape, |at| {
        let row = at / WIDTH;
        value(row / TOKENS, row % TOKENS, at % WIDTH)
    })
}

fn mask() -> Vec<u8> {
    whole(&[PROMPTS, TOKENS], |at| {
        i64::from(counts(at / TOKENS, at % TOKENS))
    })
}

fn lengths() -> Vec<u8> {
    whole(&[PROMPTS], |prompt| length(prompt) as i64)
}

/// Where prompts begin and the last one ends.
fn offsets() -> Vec<u8> {
    whole(&[PROMPTS + 1], |prompt| {
        (0..prompt).map(length).sum::<usize>() as i64
    })
}

fn kept() -> usize {
    (0..PROMPTS).map(length).sum()
}

/// The rows that count and nothing else.
fn by_hand(folder: &Folder) -> String {
    let rows: Vec<(usize, usize)> = (0..PROMPTS)
        .flat_map(|prompt| (0..length(prompt)).map(move |token| (prompt, token)))
        .collect();
    folder.file(
        "by_hand.npy",
        npy(&[rows.len(), WIDTH], |at| {
            let (prompt, token) = rows[at / WIDTH];
            value(prompt, token, at % WIDTH)
        }),
    )
}

fn understood(report: &Value) -> &str {
    report["understood"][0].as_str().unwrap()
}

#[test]
fn the_rows_are_the_tokens_that_count_however_the_dump_says_it() {
    let folder = Folder::new();
    let wanted = dimensions(&[&by_hand(&folder)]);
    let whole_shape = [PROMPTS, TOKENS, WIDTH];
    let flat = [PROMPTS * TOKENS, WIDTH];
    for (name, shape, beside) in [
        ("mask", &whole_shape[..], ("attention_mask", mask())),
        ("lengths", &whole_shape[..], ("lengths", lengths())),
        ("offsets", &whole_shape[..], ("cu_seqlens", offsets())),
        ("flat_mask", &flat[..], ("attention_mask", mask())),
        ("flat_lengths", &flat[..], ("seq_lens", lengths())),
    ] {
        let acts = folder.file(
            &format!("{name}.npz"),
            npz(&[("layer_0.npy", states(shape)), (beside.0, beside.1)]),
        );
        let found = dimensions(&[&acts, "--pool", "tokens"]);
        assert_eq!(found, wanted, "{name}");
        let report = json(&["id-profile", &acts, "--pool", "tokens"]);
        let line = understood(&report);
        assert!(
            line.contains("240 rows") && line.contains("every token a row, tokens masked by"),
            "{line}"
        );
    }
    // Rows that are pooled already are no tokens.
    let pooled = [
        ("layer_0.npy", npy(&[PROMPTS, 4], scattered)),
        ("attention_mask.npy", mask()),
    ];
    let pooled = folder.file("pooled.npz", npz(&pooled));
    let report = json(&["id-profile", &pooled, "--pool", "tokens"]);
    assert!(!understood(&report).contains("token"), "{report}");
    // Prompts that stand one after the other without padding.
    let ragged = fs::read(by_hand(&folder)).unwrap();
    let beside_lengths = npz(&[("layer_0.npy", ragged.clone()), ("lengths.npy", lengths())]);
    let ragged = npz(&[("layer_0.npy", ragged), ("cu_seqlens.npy", offsets())]);
    let ragged = folder.file("ragged.npz", ragged);
    assert_eq!(dimensions(&[&ragged, "--pool", "tokens"]), wanted);
    let ragged = folder.file("ragged_lengths.npz", beside_lengths);
    assert_eq!(dimensions(&[&ragged, "--pool", "tokens"]), wanted);
    let report = json(&["id-profile", &ragged, "--pool", "tokens"]);
    assert!(!report.to_string().contains("skipped_arrays"), "{report}");
    // The same mask from another file, and none.
    let acts = folder.file("acts.npy", states(&whole_shape));
    let mask = folder.file("mask.npy", mask());
    let given = dimensions(&[&acts, "--pool", "tokens", "--mask", &mask]);
    assert_eq!(given, wanted);
    let flat = folder.file("flat.npy", states(&flat));
    let given = dimensions(&[&flat, "--pool", "tokens", "--mask", &mask]);
    assert_eq!(given, wanted);
    let all = json(&["id-profile", &acts, "--pool", "tokens", "--mask", "none"]);
    assert_eq!(all["layers"][0]["diagnostics"]["n_rows"], PROMPTS * TOKENS);
}

#[test]
fn places_where_prompts_begin_are_lengths_of_poolings_too() {
    let folder = Folder::new();
    let acts = |name: &str, beside: (&str, Vec<u8>)| {
        let states = states(&[PROMPTS, TOKENS, WIDTH]);
        folder.file(name, npz(&[("layer_0.npy", states), beside]))
    };
    let wanted = acts("lengths.npz", ("lengths", lengths()));
    let found = acts("offsets.npz", ("cu_seqlens", offsets()));
    for pool in ["mean", "last", "max"] {
        assert_eq!(
            dimensions(&[&found, "--pool", pool]),
            dimensions(&[&wanted, "--pool", pool]),
            "{pool}"
        );
    }
    let shifted = whole(&[PROMPTS + 1], |prompt| prompt as i64 + 1);
    let shifted = acts("shifted.npz", ("cu_seqlens", shifted));
    let words = refusal(&["id-profile", &shifted, "--pool", "mean"]);
    assert!(
        words.contains("does not begin with 0") && words.contains("--mask none"),
        "{words}"
    );
}

#[test]
fn tokens_one_after_the_other_are_not_pooled_in_silence() {
    let folder = Folder::new();
    let rows = fs::read(by_hand(&folder)).unwrap();
    for (name, beside) in [("lengths", lengths()), ("cu_seqlens", offsets())] {
        let acts = npz(&[("layer_0.npy", rows.clone()), (name, beside)]);
        let acts = folder.file(&format!("{name}.npz"), acts);
        for pool in ["mean", "last"] {
            let words = refusal(&["id-profile", &acts, "--pool", pool]);
            assert!(
                words.contains(&format!(
                    "{name} beside it adds up to that many tokens of 40 prompts"
                )) && words.contains("--pool tokens"),
                "{words}"
            );
        }
        let all = json(&["id-profile", &acts, "--pool", "mean", "--mask", "none"]);
        assert_eq!(all["layers"][0]["diagnostics"]["n_rows"], kept());
    }
}

#[test]
fn rows_that_are_pooled_already_leave_the_lengths_alone() {
    let folder = Folder::new();
    // More tokens than there are rows.
    let long = || whole(&[PROMPTS], |prompt| 100 + prompt as i64);
    let ends = whole(&[PROMPTS + 1], |prompt| 100 * prompt as i64);
    for (name, beside) in [("lengths", long()), ("cu_seqlens", ends)] {
        let rows = npy(&[PROMPTS, 4], scattered);
        let acts = folder.file(
            &format!("{name}.npz"),
            npz(&[("layer_0.npy", rows), (name, beside)]),
        );
        let wanted = dimensions(&[&acts, "--mask", "none"]);
        for pool in ["mean", "last", "tokens"] {
            assert_eq!(
                dimensions(&[&acts, "--pool", pool]),
                wanted,
                "{name} {pool}"
            );
        }
    }
    let fewer = npz(&[
        ("layer_0.npy", npy(&[60, 4], scattered)),
        ("lengths", long()),
    ]);
    let fewer = folder.file("fewer.npz", fewer);
    let wanted = dimensions(&[&fewer, "--mask", "none"]);
    assert_eq!(dimensions(&[&fewer, "--pool", "mean"]), wanted);
}

#[test]
fn rows_that_are_tokens_already_are_not_read_with_their_padding_in_silence() {
    let folder = Folder::new();
    let flat = [PROMPTS * TOKENS, WIDTH];
    let acts = folder.file(
        "acts.npz",
        npz(&[
            ("layer_0.npy", states(&flat)),
            ("attention_mask.npy", mask()),
        ]),
    );
    let error = refusal(&["id-profile", &acts]);
    assert!(
        error.contains("attention_mask")
            && error.contains("--pool tokens")
            && error.contains("--mask none"),
        "{error}"
    );
    assert_eq!(dimensions(&[&acts, "--mask", "none"]).len(), 1);
    // A mask with a value a row is pointed out.
    let one = whole(&[PROMPTS * TOKENS], |at| {
        i64::from(counts(at / TOKENS, at % TOKENS))
    });
    let acts = folder.file(
        "one.npz",
        npz(&[("layer_0.npy", states(&flat)), ("attention_mask.npy", one)]),
    );
    let report = json(&["id-profile", &acts]);
    assert!(report.to_string().contains("--rows"), "{report}");
    // Rows of zeros are pointed to the mask.
    let zeros = folder.file(
        "zeros.npy",
        npy(&flat, |at| match at / WIDTH % TOKENS {
            5 => 0.0,
            _ => scattered(at),
        }),
    );
    let report = json(&["id-profile", &zeros]).to_string();
    assert!(report.contains("40 rows are 0 in every column"), "{report}");
    assert!(report.contains("--mask"), "{report}");
    let nan = folder.file(
        "nan.npy",
        npy(&flat, |at| match at / WIDTH % TOKENS {
            5 => f32::NAN,
            _ => scattered(at),
        }),
    );
    let error = refusal(&["id-profile", &nan]);
    assert!(error.contains("--mask"), "{error}");
}

#[test]
fn a_draw_is_among_the_tokens_that_count() {
    let folder = Folder::new();
    let acts = folder.file(
        "acts.npz",
        npz(&[
            ("layer_0.npy", states(&[PROMPTS, TOKENS, WIDTH])),
            ("attention_mask.npy", mask()),
        ]),
    );
    let tokens = ["id-profile", &acts, "--pool", "tokens"];
    let report = json(&[&tokens[..], &["--subsample", "100", "--seed", "3"]].concat());
    let diagnostics = &report["layers"][0]["diagnostics"];
    assert_eq!(diagnostics["n_rows"], 100);
    // A row of the padding would repeat another.
    assert_eq!(diagnostics["n_duplicates"], 0);
    let line = understood(&report);
    assert!(
        line.contains("rows chosen by --subsample 100 --seed 3"),
        "{line}"
    );
    let too_many = (kept() + 1).to_string();
    let error = refusal(&[&tokens[..], &["--subsample", &too_many]].concat());
    assert!(error.contains(&format!("1 to {}", kept())), "{error}");
}

#[test]
fn rows_are_named_by_prompt_and_token() {
    let folder = Folder::new();
    let acts = folder.file(
        "acts.npz",
        npz(&[
            ("layer_0.npy", states(&[PROMPTS, TOKENS, WIDTH])),
            ("attention_mask.npy", mask()),
        ]),
    );
    let out = folder.join("rows");
    let out = out.to_str().unwrap();
    let labels: String = (0..PROMPTS)
        .map(|at| format!("class{}\n", at % 3))
        .collect();
    let labels = folder.file("labels.txt", labels);
    let report = json(&[
        "density-peaks",
        &acts,
        "--pool",
        "tokens",
        "--labels",
        &labels,
        "--assignments",
        out,
    ]);
    // A label a prompt is that of each of its tokens.
    assert_eq!(report["layers"][0]["scores"][0]["n"], kept());
    let rows = fs::read_to_string(format!("{out}/layer_0.csv")).unwrap();
    let lines: Vec<&str> = rows.lines().collect();
    assert!(
        lines[0].starts_with("row,prompt,token,cluster"),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len(), 1 + PROMPTS * TOKENS);
    assert!(lines[1 + 8].starts_with("8,1,2,"), "{}", lines[9]);
    let parts = lines[1..].iter().filter(|line| !line.ends_with(",,,,,,"));
    assert_eq!(parts.count(), kept());
    // An error about a row says which token it is.
    let nan = folder.file(
        "nan.npy",
        npy(&[PROMPTS, TOKENS, WIDTH], |at| match at {
            47 => f32::NAN,
            _ => scattered(at),
        }),
    );
    let error = refusal(&["id-profile", &nan, "--pool", "tokens"]);
    assert!(error.contains("token 3 of prompt 1"), "{error}");
}

#[test]
fn masks_and_layers_that_do_not_fit_are_refused() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", states(&[PROMPTS, TOKENS, WIDTH]));
    let turned = folder.file("turned.npy", whole(&[TOKENS, PROMPTS], |_| 1));
    let short = folder.file("short.npy", whole(&[PROMPTS, TOKENS - 1], |_| 1));
    let empty = folder.file("empty.npy", whole(&[PROMPTS, TOKENS], |_| 0));
    for (mask, fact) in [
        (&turned, "6"),
        (&short, "masks 5"),
        (&empty, "no token left"),
    ] {
        let error = refusal(&["id-profile", &acts, "--pool", "tokens", "--mask", mask]);
        assert!(error.contains(fact), "{error}");
    }
    // As many tokens in all, of other prompts.
    let other = folder.file(
        "other.npz",
        npz(&[
            ("layer_0.npy", states(&[PROMPTS, TOKENS, WIDTH])),
            ("layer_1.npy", states(&[PROMPTS / 2, 2 * TOKENS, WIDTH])),
        ]),
    );
    refusal(&["id-profile", &other, "--pool", "tokens"]);
    let error = refusal(&["id-profile", &acts, "--mask", &turned]);
    assert!(error.contains("--pool"), "{error}");
}
