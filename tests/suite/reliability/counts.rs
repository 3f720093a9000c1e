//! Counts that no memory holds, and layers without a row: refused or answered, never a panic.

use super::{fixture_arg, path, repgeo, stderr, write_layer};

/// Beyond any bound, and numbers whose sums and products wrap around.
const ABSURD: [&str; 4] = [
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "1000000000000",
];

#[test]
fn every_count_has_a_bound_and_says_it() {
    let minilm = fixture_arg("minilm");
    let layer = format!("{minilm}/layer_0.npy");
    let (acts, one) = (minilm.as_str(), layer.as_str());
    let cases: [(&[&str], &str); 20] = [
        (&["similarity", acts], "--permutations"),
        (&["similarity", acts], "--partitions"),
        (&["imbalance", acts], "--shuffle"),
        (&["imbalance", acts], "--partitions"),
        (&["imbalance", acts], "--greedy"),
        (&["imbalance", acts, "--greedy", "2"], "--beam"),
        (&["id-profile", acts, "--decimate", "0.5"], "--repeats"),
        (&["id-profile", acts], "--partitions"),
        (&["id-profile", acts], "--blocks"),
        (&["id-profile", acts], "--range-max"),
        (&["overlap", acts], "--partitions"),
        (&["overlap", acts], "--blocks"),
        (&["clones", one], "--draws"),
        (&["clones", one], "--score-draws"),
        (&["clones", one], "--partitions"),
        (&["bench"], "--rows"),
        (&["bench"], "--columns"),
        (&["bench"], "--rounds"),
        (&["inspect", acts], "--threads"),
        (&["neighbours", acts, "-o", "nowhere"], "-k"),
    ];
    for (args, flag) in cases {
        for count in ABSURD {
            let output = repgeo(&[args, &[flag, count]].concat());
            let words = stderr(&output);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{args:?} {flag} {count}: {words}"
            );
            assert!(
                words.contains("must be a whole number, at least"),
                "{words}"
            );
        }
    }
}

#[test]
fn a_layer_without_a_finite_row_is_answered_with_reasons() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write_layer(
            &folder.path().join(format!("{name}.npy")),
            30,
            4,
            1,
            Some(f64::NAN),
        );
    }
    let dump = path(folder.path());
    let forms: [&[&str]; 8] = [
        &["imbalance"],
        &["imbalance", "--to", "next"],
        &["imbalance", "--greedy", "2"],
        &["imbalance", "--coordinates", "0..2"],
        &["imbalance", "--shuffle", "2"],
        &["similarity", "--measure", "imbalance"],
        &["similarity", "--measure", "all"],
        &["overlap"],
    ];
    for form in forms {
        for format in ["json", "csv", "table"] {
            let args = [
                &[form[0], dump],
                &form[1..],
                &["--drop-nonfinite", "--format", format],
            ]
            .concat();
            let output = repgeo(&args);
            assert!(output.status.success(), "{args:?}: {}", stderr(&output));
            let text = String::from_utf8(output.stdout).unwrap();
            let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
            assert!(
                !words.contains(&"nan") && !words.contains(&"inf"),
                "{args:?}: {text}"
            );
            if format == "json" {
                assert!(text.contains("too_few_rows"), "{args:?}");
            }
        }
    }
}
