//! No control or invisible character of a file or its name reaches a terminal.

use std::fs;

use super::{path, repgeo};

#[test]
fn errors_show_hostile_characters_by_their_codes() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "x\u{1b}[31my\u{200b}z\u{202e}\u{9b}";
    let header = format!(
        "{{\"a\":{{\"dtype\":\"{}\",\"shape\":[1],\"data_offsets\":[0,1]}}}}",
        hostile.replace('\u{1b}', "\\u001b")
    );
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.push(0);
    let files = [
        ("dtype.safetensors", bytes),
        (
            "m.safetensors.index.json",
            format!(
                "{{\"weight_map\":{{\"a\":\"{}\"}}}}",
                hostile.replace('\u{1b}', "\\u001b")
            )
            .into_bytes(),
        ),
        ("bad\u{1b}[2J\u{feff}.npy", b"nothing".to_vec()),
    ];
    for (name, content) in files {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        let output = repgeo(&["inspect", path(&file)]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        let bad =
            |c: char| (c.is_control() && c != '\n') || "\u{200b}\u{202e}\u{feff}\u{9b}".contains(c);
        assert!(!words.contains(bad), "{words:?}");
        assert!(words.contains("\\u{1b}"), "{words}");
    }
}

#[test]
fn a_hostile_argument_is_shown_by_its_codes() {
    let output = repgeo(&["inspect", "a.npy", "b\u{1b}[31m\u{200b}.npy"]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        !words.contains('\u{1b}') && !words.contains('\u{200b}'),
        "{words:?}"
    );
    assert!(words.contains("\\u{200b}"), "{words}");
}
