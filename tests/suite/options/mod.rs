//! No option is taken and left unused: alone or beside any other it changes the report, or is
//! refused by name.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;

mod inputs;
mod others;
mod values;

use super::common::{command, repgeo, text};
use inputs::Inputs;
use values::{EVENTS, Tried, tried};

/// What changes no report by design.
const NO_EFFECT: [&str; 14] = [
    // They answer in place of the command.
    "help",
    "version",
    "explain",
    // How it is searched: every way gives the same bytes.
    "threads",
    "cache",
    "max-memory",
    "device",
    "kernel",
    // Where the report goes, and how it looks.
    "format",
    "output",
    "plot",
    "ascii",
    "progress",
    "quiet",
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

/// The report, or why there is none.
fn run(args: &[String]) -> Result<String, String> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut call = command(&words);
    call.args(["--threads", "1", "--quiet"]);
    // They write files, which hold their reports.
    if !["report", "plan"].contains(&words[0]) {
        call.args(["--format", "json"]);
    }
    let output = call.output().unwrap();
    match output.status.code() {
        // No two calls take the same time.
        Some(0) if words[0] == "bench" => {
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            Ok(report["parameters"].to_string())
        }
        Some(0) => Ok(text(&output.stdout)),
        // 1 where two dumps do not fit together.
        Some(1 | 2) => Err(text(&output.stderr)),
        code => panic!("{args:?}: {code:?} {}", text(&output.stderr)),
    }
}

/// What the program says of itself with `args`.
fn help(args: &[&str]) -> String {
    text(&repgeo(args).stdout)
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

/// The long options in what is typed.
fn typed(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || c == '=');
    words.filter(|word| word.starts_with("--"))
}

/// Whether a refusal names an option of `text`, or a file that it gives.
fn names(refusal: &str, text: &str) -> bool {
    let mut files = text
        .split_whitespace()
        .filter_map(|word| word.strip_prefix('@'));
    if files.any(|file| refusal.contains(file)) {
        return true;
    }
    // A refusal may call an option by its one letter.
    let short = |option: &str| match option {
        "--k" => Some("-k "),
        "--z" => Some("-z "),
        _ => None,
    };
    typed(text).any(|option| {
        refusal.contains(option) || short(option).is_some_and(|short| refusal.contains(short))
    })
}

/// Options of which clap takes one only, or that say the same thing twice.
fn is_twice(a: &str, b: &str) -> bool {
    typed(a).any(|option| typed(b).any(|other| other == option))
}

/// What stands beside the first option of `text` for it to have a part.
fn companions(text: &str) -> &str {
    let second = text.match_indices(" --").next();
    second.map_or("", |(at, _)| text[at..].trim_start())
}

/// A command over a base, to which options may be added.
struct Calls<'a> {
    command: &'a str,
    base: &'static str,
    inputs: Inputs,
}

impl Calls<'_> {
    /// The report with these options; one of the base gives way to another value of it.
    fn with(&self, extra: &[&str]) -> Result<String, String> {
        let extra = extra.join(" ");
        let gives_way = |word: &&str| {
            let name = word.split_once('=').map(|(name, _)| name);
            name.is_some_and(|name| extra.split_whitespace().any(|word| word == name))
        };
        let base = self.base.split_whitespace();
        let base = base.filter(|word| !gives_way(word));
        let text = [self.command]
            .into_iter()
            .chain(base)
            .chain([extra.as_str()]);
        self.inputs.call(&text.collect::<Vec<_>>().join(" "))
    }
}

/// The options that are unused over one base, each with how that shows.
fn unused(command: &str, tried: &Tried) -> Vec<String> {
    let base = tried.base;
    let all = || tried.own.iter().chain(&tried.beside).copied();
    let options: Vec<&str> = all().collect();
    let reads = |name| base.contains(name) || options.iter().any(|text| text.contains(name));
    let inputs = match () {
        () if base == "@/run" => Inputs::with_run(),
        () if reads("@/streams") => Inputs::with_streams(),
        () if reads("@/near") => Inputs::with_tables(),
        () => Inputs::new(),
    };
    let calls = Calls {
        command,
        base,
        inputs,
    };
    let plain = calls.with(&[]).unwrap();
    let alone: BTreeMap<&str, Result<String, String>> = options
        .par_iter()
        .map(|&option| (option, calls.with(&[option])))
        .collect();
    let mut unused: Vec<String> = Vec::new();
    for (option, found) in &alone {
        let without = match companions(option) {
            "" => Ok(plain.clone()),
            companions => calls.with(&[companions]),
        };
        match found {
            Ok(report) if without.as_ref() == Ok(report) => {
                unused.push(format!("{base}: {option} is unused"));
            }
            Err(refusal) if !names(refusal, option) => {
                unused.push(format!("{base}: {option} is not named in: {refusal}"));
            }
            _ => {}
        }
    }
    let pairs: Vec<(&str, &str)> = tried
        .own
        .iter()
        .enumerate()
        .flat_map(|(at, &a)| all().skip(at + 1).map(move |b| (a, b)))
        .filter(|(a, b)| !is_twice(a, b))
        .collect();
    let more: Vec<String> = pairs
        .par_iter()
        .filter_map(|&(a, b)| match calls.with(&[a, b]) {
            Err(refusal) => (!names(&refusal, a) && !names(&refusal, b))
                .then(|| format!("{base}: {a} {b}: neither is named in {refusal}")),
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
                Some(format!("{base}: {a} {b}: {unused} is unused"))
            }
        })
        .collect();
    unused.extend(more);
    unused
}

fn no_option_is_unused(command: &str) {
    let bases = tried(command);
    for option in listed(command) {
        let dashed = format!("--{option}");
        let holds = |text: &str| typed(text).any(|typed| typed == dashed);
        let is_tried = bases.iter().any(|tried| {
            holds(tried.base)
                || tried
                    .own
                    .iter()
                    .chain(&tried.beside)
                    .any(|text| holds(text))
        });
        assert!(
            is_tried || NO_EFFECT.contains(&option.as_str()),
            "{command} --{option}: give it a value here"
        );
    }
    let found: Vec<String> = bases
        .iter()
        .flat_map(|tried| unused(command, tried))
        .collect();
    assert!(found.is_empty(), "{command}:\n{}", found.join("\n"));
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
