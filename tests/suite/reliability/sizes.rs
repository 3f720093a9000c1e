//! Files that are larger than anything they can mean: refused in words, before they fill the memory.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use super::{fixture_arg, path, repgeo, stderr, write_layer};

/// Runs a line of arguments with this many KiB of address space.
fn within(kibibytes: u64, arguments: &str) -> Output {
    let run = format!("ulimit -v {kibibytes}; exec \"$0\" {arguments} --threads 2");
    Command::new("bash")
        .args(["-c", &run, env!("CARGO_BIN_EXE_repgeo")])
        .output()
        .unwrap()
}

/// A .npy file of this type and shape whose values take no room on disk.
fn sparse(file: &Path, descr: &str, shape: &str, bytes: u64) {
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut content = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    content.extend(header);
    assert_eq!(content.len(), 128);
    fs::write(file, content).unwrap();
    let file = File::options().write(true).open(file).unwrap();
    file.set_len(128 + bytes).unwrap();
}

fn refused(output: &Output, word: &str) {
    let words = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains(word), "{words}");
}

#[test]
fn a_file_of_other_rows_than_the_dump_is_not_taken_to_memory() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let acts = at("acts.npy");
    write_layer(&acts, 60, 5, 1, None);
    let acts = path(&acts);
    // As f64 any of these would take 320 MB, as one text a label far more.
    let (list, mask) = (at("list.npy"), at("mask.npy"));
    sparse(&list, "|i1", "(40000000,)", 40_000_000);
    sparse(&mask, "|b1", "(40000000, 1)", 40_000_000);
    let (lines, table) = (at("labels.txt"), at("labels.csv"));
    fs::write(&lines, "a\n".repeat(5_000_000)).unwrap();
    fs::write(&table, format!("class\n{}", "a\n".repeat(2_000_000))).unwrap();
    for (labels, rows) in [
        (&list, "40000000"),
        (&lines, "5000000"),
        (&table, "2000000"),
    ] {
        let labels = path(labels);
        let output = within(400_000, &format!("overlap {acts} --labels {labels} -k 3"));
        refused(
            &output,
            &format!("{labels} has {rows} rows but the dump has 60"),
        );
    }
    let tokens = fixture_arg("formats/threed.npy");
    let mask = path(&mask);
    let output = within(
        400_000,
        &format!("id-profile {tokens} --pool mean --mask {mask}"),
    );
    refused(&output, "rows but the dump has");
    // Rows may be named again and again.
    let named = at("named.npy");
    sparse(&named, "|i1", "(20000000,)", 20_000_000);
    let list = path(&named);
    let output = within(
        400_000,
        &format!("id-profile {acts} --rows {list} --format json"),
    );
    let words = stderr(&output);
    assert!(output.status.success(), "{words}");
    assert!(words.contains("few_rows: 1 row is few"), "{words}");
    fs::write(&lines, "7\n9\n".repeat(500_000)).unwrap();
    let lines = path(&lines);
    let output = within(
        400_000,
        &format!("id-profile {acts} --rows {lines} --format json"),
    );
    assert!(stderr(&output).contains("few_rows: 2 rows"));
}

#[test]
fn text_beyond_what_text_can_be_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 60, 5, 1, None);
    let acts = path(&acts);
    let text = folder.path().join("text.csv");
    let grown = |bytes: u64| File::create(&text).unwrap().set_len(bytes).unwrap();
    let file = path(&text);
    grown((1 << 30) + 1);
    refused(&repgeo(&["events", file]), "1 GiB");
    refused(
        &repgeo(&["overlap", acts, "--labels", file, "-k", "3"]),
        "1 GiB",
    );
    refused(&repgeo(&["id-profile", acts, "--rows", file]), "1 GiB");
    grown((64 << 20) + 1);
    refused(
        &repgeo(&["id-profile", acts, "--order-file", file]),
        "64 MiB",
    );
    refused(&repgeo(&["dynamics", "--runs", file]), "64 MiB");
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    fs::rename(&text, model.join("config.json")).unwrap();
    let tokens = fixture_arg("mechanisms/gpt2_tiny/prompts.safetensors");
    let out = folder.path().join("o.safetensors");
    let args = [
        "forward",
        path(&model),
        "--tokens",
        &tokens,
        "-o",
        path(&out),
    ];
    refused(&repgeo(&args), "more than 64 MiB");
}

#[test]
fn an_endless_device_is_an_error_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 60, 5, 1, None);
    let acts = path(&acts);
    for args in [
        &["inspect", "/dev/zero"][..],
        &["events", "/dev/urandom"],
        &["overlap", acts, "--labels", "/dev/zero", "-k", "3"],
        &["id-profile", acts, "--rows", "/dev/urandom"],
        &["id-profile", acts, "--order-file", "/dev/zero"],
        &["dynamics", "--runs", "/dev/zero"],
        &["id-profile", "--neighbours", "/dev/zero"],
    ] {
        refused(&repgeo(args), "this is a device");
    }
    // Of a stream nobody knows whether it ends.
    refused(&within(400_000, "inspect - < /dev/zero"), "and no end");
}

#[test]
fn a_message_has_a_length_that_a_person_reads() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("m.safetensors.index.json");
    let (name, shard) = ("n".repeat(50_000), "s".repeat(50_000));
    fs::write(
        &index,
        format!("{{\"weight_map\":{{\"{name}\":\"{shard}\"}}}}"),
    )
    .unwrap();
    let output = repgeo(&["inspect", path(&index)]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        words.chars().count() < 2100,
        "{} characters",
        words.chars().count()
    );
    assert!(words.contains("characters more"), "{words}");
}
