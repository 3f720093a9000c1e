//! No option is taken and left unused: alone or beside any other it changes the report, or is
//! refused by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rayon::prelude::*;
use serde_json::Value;

mod inputs;
mod values;

use inputs::Inputs;
use values::{EVENTS, options};

/// What changes no report by design: where it goes, how it looks, how it is searched.
const NO_EFFECT: [&str; 15] = [
    "help",
    "version",
    "threads",
    "progress",
    "quiet",
    "format",
    "output",
    "plot",
    "ascii",
    "cache",
    "max-memory",
    "device",
    "kernel",
    "explain",
    "id-scaling",
];

/// Commands without a report on data: they do or look at the work of a plan, or say what the program
/// is.
const WITHOUT: [&str; 9] = [
    "shard",
    "status",
    "verify",
    "clean",
    "submit",
    "explain",
    "completions",
    "man",
    "help",
];

/// What writes files beside the report, chooses a series, or needs arrays of more axes or with NaN;
/// other tests have it.
const ELSEWHERE: [&str; 28] = [
    "examples",
    "only",
    "bf16-bits",
    "squared",
    "local",
    "assignments",
    "assignments-format",
    "log-density",
    "decision-graph",
    "pool",
    "mask",
    "axes",
    "join",
    "order-file",
    "neighbours",
    "drop-nonfinite",
    "quantity",
    "variant",
    "scale",
    "other",
    "run",
    "layer",
    "by",
    "precision",
    "tokens",
    "norm",
    "replay",
    "targets",
];

/// The file that holds the report of a command that does not print it.
fn written(args: &[String]) -> Option<PathBuf> {
    let output = args.iter().skip_while(|word| *word != "-o").nth(1);
    let output = Path::new(output?);
    match args[0].as_str() {
        "report" => Some(output.with_extension("json")),
        "plan" => Some(output.join("plan.json")),
        _ => None,
    }
}

/// The report, or why there is none.
fn run(args: &[String]) -> Result<String, String> {
    let mut call = Command::new(env!("CARGO_BIN_EXE_repgeo"));
    call.args(args).args(["--threads", "1", "--quiet"]);
    let written = written(args);
    if written.is_none() {
        call.args(["--format", "json"]);
    }
    let output = call.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match (output.status.code(), written) {
        (Some(0), Some(file)) => Ok(fs::read_to_string(file).unwrap()),
        // No two calls take the same time.
        (Some(0), None) if args[0] == "bench" => {
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            Ok(report["parameters"].to_string())
        }
        (Some(0), None) => Ok(text(output.stdout)),
        // 1 where two dumps do not fit together.
        (Some(1 | 2), _) => Err(text(output.stderr)),
        (code, _) => panic!("{args:?}: {code:?} {}", text(output.stderr)),
    }
}

/// What the program says of itself with `args`.
fn help(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_repgeo"))
        .args(args)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The long options of a command, from its whole help: `-h` leaves most of them out.
fn listed(command: &str) -> Vec<String> {
    let help = help(&[command, "--help"]);
    let lines = help.lines().map(str::trim_start);
    let named = lines.filter_map(|line| {
        // `--name <VALUE>`, or `-n, --name <VALUE>`; choices are listed as `- name: words`.
        let long = match line.as_bytes() {
            [b'-', _, b',', b' ', ..] => &line[4..],
            _ => line,
        };
        let rest = long.strip_prefix("--")?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        Some(rest[..end.unwrap_or(rest.len())].to_owned())
    });
    named.collect()
}

#[test]
fn every_command_is_tried_or_has_no_report_on_data() {
    let program = help(&["--help"]);
    let indented = program.lines().filter(|line| line.starts_with("  "));
    let words = indented.filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = words
        .filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter(|word| help(&[word, "--help"]).contains(&format!(" {word} ")))
        .collect();
    assert!(commands.len() > 25, "{commands:?}");
    for command in commands {
        assert!(
            TRIED.contains(&command) || WITHOUT.contains(&command),
            "{command}: try its options here"
        );
    }
}

/// Whether a refusal names an option of `text`.
fn names(refusal: &str, text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || c == '=');
    let mut options = words.filter(|word| word.starts_with("--"));
    // A refusal may call an option by its one letter.
    let short = |option: &str| match option {
        "--k" => Some("-k "),
        "--z" => Some("-z "),
        _ => None,
    };
    options.any(|option| {
        refusal.contains(option) || short(option).is_some_and(|short| refusal.contains(short))
    })
}

/// Options of which clap takes one only, or that say the same thing twice.
fn is_twice(a: &str, b: &str) -> bool {
    let first = |text: &str| {
        let words = text.split(|c: char| c.is_whitespace() || c == '=');
        let options = words.filter(|word| word.starts_with("--"));
        options.map(str::to_owned).collect::<Vec<_>>()
    };
    let (a, b) = (first(a), first(b));
    a.iter().any(|option| b.contains(option))
}

fn no_option_is_unused(command: &str) {
    let (base, options) = options(command);
    let inputs = match base {
        "@/run" => Inputs::with_run(),
        _ if base.contains("streams") => Inputs::with_streams(),
        _ => Inputs::new(),
    };
    let with = |extra: &[&str]| {
        let extra = extra.join(" ");
        // An option of the base gives way to another value of it.
        let gives_way = |word: &&str| {
            let name = word.split_once('=').map(|(name, _)| name);
            name.is_some_and(|name| extra.split_whitespace().any(|word| word == name))
        };
        let base: Vec<&str> = base.split_whitespace().collect();
        let base = base.into_iter().filter(|word| !gives_way(word));
        let text = [command].into_iter().chain(base).chain([extra.as_str()]);
        run(&inputs.words(&text.collect::<Vec<_>>().join(" ")))
    };
    for option in listed(command) {
        let known = NO_EFFECT.contains(&option.as_str()) || ELSEWHERE.contains(&option.as_str());
        let dashed = format!("--{option}");
        let tried = options.iter().any(|text| {
            let mut words = text.split(|c: char| c.is_whitespace() || c == '=');
            words.any(|word| word == dashed)
        });
        let in_base = base.contains(&dashed);
        assert!(
            known || tried || in_base,
            "{command} --{option}: give it a value here"
        );
    }
    let plain = with(&[]).unwrap();
    let alone: BTreeMap<&str, Result<String, String>> = options
        .par_iter()
        .map(|option| (*option, with(&[option])))
        .collect();
    let mut unused: Vec<String> = Vec::new();
    for (option, found) in &alone {
        match found {
            Ok(report) if *report == plain => unused.push((*option).to_owned()),
            Err(refusal) if !names(refusal, option) => {
                unused.push(format!("{option} is not named in: {refusal}"));
            }
            _ => {}
        }
    }
    let pairs: Vec<(&str, &str)> = options
        .iter()
        .enumerate()
        .flat_map(|(at, a)| options[at + 1..].iter().map(move |b| (*a, *b)))
        .filter(|(a, b)| !is_twice(a, b))
        .collect();
    let more: Vec<String> = pairs
        .par_iter()
        .filter_map(|&(a, b)| match with(&[a, b]) {
            Err(refusal) => (!names(&refusal, a) && !names(&refusal, b))
                .then(|| format!("{a} {b}: neither is named in {refusal}")),
            Ok(report) => {
                // Too few layers are left for events, which the report says.
                if EVENTS.contains(&a) && report.contains("\"events_reason\"") {
                    return None;
                }
                let same = |other: &str| alone[other].as_ref().is_ok_and(|alone| *alone == report);
                let unused = match (same(a), same(b)) {
                    (true, _) => b,
                    (_, true) => a,
                    _ => return None,
                };
                Some(format!("{a} {b}: {unused} is unused"))
            }
        })
        .collect();
    unused.extend(more);
    assert!(unused.is_empty(), "{command}:\n{}", unused.join("\n"));
}

macro_rules! of_each_command {
    ($($test:ident: $command:literal),+ $(,)?) => {
        /// The commands whose options are tried.
        const TRIED: &[&str] = &[$($command),+];

        $(
            #[test]
            fn $test() {
                no_option_is_unused($command);
            }
        )+
    };
}

of_each_command! {
    no_option_of_id_profile_is_unused: "id-profile",
    no_option_of_density_peaks_is_unused: "density-peaks",
    no_option_of_landscape_is_unused: "landscape",
    no_option_of_imbalance_is_unused: "imbalance",
    no_option_of_overlap_is_unused: "overlap",
    no_option_of_similarity_is_unused: "similarity",
    no_option_of_clones_is_unused: "clones",
    no_option_of_dynamics_is_unused: "dynamics",
    no_option_of_correlate_is_unused: "correlate",
    no_option_of_probe_is_unused: "probe",
    no_option_of_inspect_is_unused: "inspect",
    no_option_of_neighbours_is_unused: "neighbours",
    no_option_of_forward_is_unused: "forward",
    no_option_of_logit_lens_is_unused: "logit-lens",
    no_option_of_attribution_is_unused: "attribution",
    no_option_of_head_pattern_is_unused: "head-pattern",
    no_option_of_attention_modify_is_unused: "attention-modify",
    no_option_of_ablate_is_unused: "ablate",
    no_option_of_events_is_unused: "events",
    no_option_of_report_is_unused: "report",
    no_option_of_plan_is_unused: "plan",
    no_option_of_merge_is_unused: "merge",
    no_option_of_bench_is_unused: "bench",
}
