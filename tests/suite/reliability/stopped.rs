//! Runs that are stopped: words, the exit code of a shell, and never half a file.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use repgeo::input::Tensors;
use repgeo::random::SplitMix64;
use serde_json::Value;

use super::{command, entries, fixture_arg, path, pipe, repgeo, stderr, write_layer};

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_signal_ends_the_run_in_one_line_and_with_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 40, 8, 1, None);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let rows = pipe(&folder.path().join(format!("{signal}.txt")));
        let child = command(&["id-profile", path(&acts), "--rows", path(&rows)])
            .spawn()
            .unwrap();
        // The command waits for its rows.
        let mut writer = File::options().write(true).open(&rows).unwrap();
        writer.write_all(b"1\n").unwrap();
        send(signal, &child);
        let output = child.wait_with_output().unwrap();
        let words = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{words}");
        assert!(
            words.contains(&format!("stopped by SIG{signal}")),
            "{words}"
        );
        assert!(words.contains("--cache DIR"), "{words}");
        assert_eq!(words.trim_end().lines().count(), 1, "{words}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 40, 8, 1, None);
    let rows = pipe(&folder.path().join("rows.txt"));
    let run = "trap '' HUP; exec \"$0\" id-profile \"$1\" --rows \"$2\"";
    let child = Command::new("bash")
        .args([
            "-c",
            run,
            env!("CARGO_BIN_EXE_repgeo"),
            path(&acts),
            path(&rows),
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut writer = File::options().write(true).open(&rows).unwrap();
    send("HUP", &child);
    writer.write_all(b"1\n2\n3\n5\n8\n13\n21\n34\n").unwrap();
    drop(writer);
    assert!(child.wait_with_output().unwrap().status.success());
}

/// Whether everything in `folder` is whole, whatever its kind.
fn check_whole(folder: &Path) {
    for name in entries(folder) {
        let file = folder.join(&name);
        if file.is_dir() {
            check_whole(&file);
        } else if name.ends_with(".json") {
            serde_json::from_slice::<Value>(&fs::read(&file).unwrap()).unwrap();
        } else if name.ends_with(".npz") || name.ends_with(".safetensors") {
            // Tables and ranks are no dump; their arrays are all there.
            assert!(
                Tensors::open(&file).unwrap().names().next().is_some(),
                "{name}"
            );
        } else if name.ends_with(".csv") {
            assert!(fs::read_to_string(&file).unwrap().ends_with('\n'), "{name}");
        } else {
            assert!(name.starts_with(".repgeo-"), "{name}");
        }
    }
}

#[test]
fn killed_runs_leave_no_half_file_and_the_next_run_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 400, 24, 1, None);
    let acts = path(&acts);
    let model = fixture_arg("mechanisms/gpt2_tiny");
    let tokens = format!("{model}/prompts.safetensors");
    let at = |name: &str| {
        folder
            .path()
            .join("out")
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    };
    let (cache, tables, report, rows, streams) = (
        at("cache"),
        at("tables"),
        at("r.json"),
        at("rows"),
        at("s.safetensors"),
    );
    fs::create_dir(folder.path().join("out")).unwrap();
    let writers: [&[&str]; 5] = [
        &["neighbours", acts, "-k", "300", "-o", &tables],
        &[
            "id-profile",
            acts,
            "--cache",
            &cache,
            "--range-max",
            "256",
            "-o",
            &report,
        ],
        &["density-peaks", acts, "-k", "50", "--assignments", &rows],
        &[
            "forward",
            &model,
            "--tokens",
            &tokens,
            "--dump",
            "resid-post,z,k,v,logits",
            "--positions",
            "all",
            "-o",
            &streams,
        ],
        &[
            "imbalance",
            acts,
            acts,
            "--cache",
            &cache,
            "-k",
            "1,5",
            "-o",
            &report,
        ],
    ];
    let mut random = SplitMix64::new(7);
    for round in 0..60 {
        let mut child = command(writers[round % writers.len()]).spawn().unwrap();
        let wait = Duration::from_micros((random.uniform() * 60_000.0) as u64);
        std::thread::sleep(wait);
        if round % 3 == 2 {
            send("TERM", &child);
        } else {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        check_whole(&folder.path().join("out"));
    }
    let undisturbed = |args: &[&str]| {
        let output = repgeo(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        output.stdout
    };
    for args in writers {
        undisturbed(args);
    }
    let read = || fs::read(&report).unwrap();
    let after_kills = read();
    fs::remove_dir_all(&cache).unwrap();
    undisturbed(writers[4]);
    assert_eq!(after_kills, read());
    for place in ["", "cache", "tables", "rows"] {
        let left = entries(&folder.path().join("out").join(place));
        assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
    }
}
