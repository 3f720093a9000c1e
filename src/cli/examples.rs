//! Shows three examples under the help of every command, and the commands in groups.

use std::fmt::Write;

use clap::Command;

use super::short_help::shortened;

/// Commands by what they are about.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Layers of a dump, and of many",
        &[
            "inspect",
            "id-profile",
            "dynamics",
            "events",
            "correlate",
            "report",
        ],
    ),
    (
        "Layers with each other, with labels, with other networks",
        &["imbalance", "overlap", "similarity", "probe"],
    ),
    (
        "Inside a layer",
        &["density-peaks", "landscape", "clones", "neighbours"],
    ),
    (
        "Mechanisms of a transformer",
        &[
            "forward",
            "logit-lens",
            "attribution",
            "head-pattern",
            "attention-modify",
            "ablate",
        ],
    ),
    (
        "One analysis on many machines",
        &[
            "plan", "shard", "status", "merge", "verify", "clean", "submit",
        ],
    ),
    (
        "The program",
        &["explain", "bench", "completions", "man", "help"],
    ),
];

/// What a newcomer types first.
const FIRST: [&str; 3] = [
    "repgeo inspect acts/",
    "repgeo id-profile acts/",
    "repgeo id-profile --help",
];

/// Examples by command; `tests/suite/help.rs` runs each.
const EXAMPLES: [(&str, [&str; 3]); 31] = [
    (
        "inspect",
        [
            "repgeo inspect acts/",
            "repgeo inspect acts/ --scan --layers 0,-1",
            "repgeo inspect acts/ -o layers.csv",
        ],
    ),
    (
        "id-profile",
        [
            "repgeo id-profile acts/",
            "repgeo id-profile acts/ --id-scaling --subsample 100",
            "repgeo id-profile acts/ --estimator two-nn,mle -o profile.json -o profile.csv",
        ],
    ),
    (
        "events",
        [
            "repgeo events profile.json",
            "repgeo events profile.csv --quantity id --smooth 3",
            "repgeo events accuracy.csv --column accuracy --threshold 0.5",
        ],
    ),
    (
        "imbalance",
        [
            "repgeo imbalance acts/",
            "repgeo imbalance acts/ --to -1 -k 1,5",
            "repgeo imbalance acts/ --against other/ --to matched",
        ],
    ),
    (
        "overlap",
        [
            "repgeo overlap acts/ -k 10",
            "repgeo overlap acts/ --labels labels.csv:class",
            "repgeo overlap acts/ --against other/ --to matched",
        ],
    ),
    (
        "similarity",
        [
            "repgeo similarity acts/ --measure cka",
            "repgeo similarity acts/ other/ --measure cka,rsa -o alike.csv",
            "repgeo similarity acts/ --rank other/ --measure cka-debiased",
        ],
    ),
    (
        "density-peaks",
        [
            "repgeo density-peaks acts/",
            "repgeo density-peaks acts/ --labels labels.csv:class",
            "repgeo density-peaks acts/ --layers -1 --assignments peaks/",
        ],
    ),
    (
        "landscape",
        [
            "repgeo landscape acts/ --layers -1",
            "repgeo landscape acts/ --layers 1 --labels labels.csv:class",
            "repgeo landscape acts/ --layers 1 --decision-graph graph.csv",
        ],
    ),
    (
        "clones",
        [
            "repgeo clones acts/ --layers -1",
            "repgeo clones acts/ --layers -1 --sizes 2,4,8",
            "repgeo clones acts/ --layers -1 --readout w.npy b.npy --targets targets.txt",
        ],
    ),
    (
        "neighbours",
        [
            "repgeo neighbours acts/ -o tables/",
            "repgeo neighbours acts/ -k 30 --layers -1 -o last/",
            "repgeo neighbours acts/ --queries other/ -k 5 -o nearest/",
        ],
    ),
    (
        "forward",
        [
            "repgeo forward gpt2/ --tokens ids.safetensors -o last.safetensors",
            "repgeo forward gpt2/ --tokens ids.safetensors --dump z -o heads.safetensors",
            "repgeo forward gpt2/ --tokens ids.safetensors --positions all -o x.safetensors",
        ],
    ),
    (
        "logit-lens",
        [
            "repgeo logit-lens acts.safetensors --unembed gpt2/",
            "repgeo logit-lens acts.safetensors --unembed gpt2/ --rank --topk 3",
            "repgeo logit-lens acts.safetensors --unembed gpt2/ -o lens.csv",
        ],
    ),
    (
        "attribution",
        [
            "repgeo attribution acts.safetensors --unembed gpt2/",
            "repgeo attribution acts.safetensors --unembed gpt2/ --by both --check",
            "repgeo attribution acts.safetensors --unembed gpt2/ -o attribution.csv",
        ],
    ),
    (
        "head-pattern",
        [
            "repgeo head-pattern acts.safetensors",
            "repgeo head-pattern acts.safetensors --query all",
            "repgeo head-pattern acts.safetensors -o patterns.csv",
        ],
    ),
    (
        "attention-modify",
        [
            "repgeo attention-modify gpt2/ --tokens ids.safetensors --heads 1.3",
            "repgeo attention-modify gpt2/ --tokens ids.safetensors --heads 1.2 --alpha 0,2",
            "repgeo attention-modify gpt2/ --tokens ids.safetensors --heads 1.3 --mode pre",
        ],
    ),
    (
        "ablate",
        [
            "repgeo ablate gpt2/ --tokens ids.safetensors --components heads",
            "repgeo ablate gpt2/ --tokens ids.safetensors --components attn,mlp --with zero",
            "repgeo ablate gpt2/ --tokens ids.safetensors --components 1.2,1.3 --together",
        ],
    ),
    (
        "dynamics",
        [
            "repgeo dynamics acts/ other/ --plot runs.svg",
            "repgeo dynamics acts/ other/ --quantity imbalance --to first",
            "repgeo dynamics acts/ other/ --quantity overlap --to-run first -o runs.csv",
        ],
    ),
    (
        "correlate",
        [
            "repgeo correlate over_runs.csv --table loss.csv",
            "repgeo correlate over_runs.csv --table loss.csv --within corpus",
            "repgeo correlate over_runs.csv --table loss.csv --interval bootstrap",
        ],
    ),
    (
        "probe",
        [
            "repgeo probe acts/ --labels labels.csv:class",
            "repgeo probe acts/ --labels labels.csv:class --readout ridge --folds 10",
            "repgeo probe acts/ --targets targets.txt --plot probe.svg",
        ],
    ),
    (
        "report",
        [
            "repgeo report acts/",
            "repgeo report acts/ --labels labels.csv:class -o page.html",
            "repgeo report acts/ --against other/ --only against -o two.html",
        ],
    ),
    (
        "plan",
        [
            "repgeo plan id-profile acts/ -o planned/",
            "repgeo plan density-peaks acts/ --z 2 -o peaks-run/ --block-rows 50",
            "repgeo plan imbalance acts/ -o imbalances/ --target-minutes 5",
        ],
    ),
    (
        "shard",
        [
            "repgeo shard run/ --task 0",
            "repgeo shard run/ --task 0..3",
            "repgeo shard run/ --task 0-1,3 --max-memory 4G",
        ],
    ),
    (
        "status",
        [
            "repgeo status run/",
            "repgeo status run/ --array",
            "repgeo status run/ --tasks",
        ],
    ),
    (
        "merge",
        [
            "repgeo merge run/",
            "repgeo merge run/ -o merged.json -o merged.csv",
            "repgeo merge run/ --plot merged.svg",
        ],
    ),
    (
        "verify",
        [
            "repgeo verify run/",
            "repgeo verify run/ --rows 20",
            "repgeo verify run/ --seed 7",
        ],
    ),
    (
        "clean",
        [
            "repgeo clean old-run/",
            "repgeo clean older-run/ --threads 1",
            "repgeo clean oldest-run/",
        ],
    ),
    (
        "submit",
        [
            "repgeo submit run/ --print",
            "repgeo submit run/ --print --slurm=--partition=cpu -o id.json",
            "repgeo submit run/ --print --tries 0",
        ],
    ),
    (
        "bench",
        [
            "repgeo bench --rows 1000",
            "repgeo bench --rows 1000 --columns 64 -k 10 --rounds 1",
            "repgeo bench --rows 1000 --threads 1 -o bench.json",
        ],
    ),
    (
        "explain",
        [
            "repgeo explain",
            "repgeo explain near_duplicates",
            "repgeo explain double_hunchback",
        ],
    ),
    (
        "man",
        [
            "repgeo man",
            "repgeo man --dir share/man/man1",
            "repgeo man > repgeo.1",
        ],
    ),
    (
        "completions",
        [
            "repgeo completions bash > repgeo.bash",
            "repgeo completions zsh > _repgeo",
            "repgeo completions fish > repgeo.fish",
        ],
    ),
];

/// The program with examples under its help and that of its commands, which stand in groups; `-h`
/// shows what most people need.
pub fn shown(program: Command) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}Options:\n{{options}}{{after-help}}",
        grouped(&program)
    );
    let mut program = whole(program).help_template(template);
    for (name, _) in EXAMPLES {
        program = program.mut_subcommand(name, shortened);
    }
    program
}

/// The program with examples, and with nothing left out.
pub fn whole(program: Command) -> Command {
    let program = EXAMPLES.iter().fold(program, |program, (name, lines)| {
        program.mut_subcommand(name, |command| command.after_help(listed(lines)))
    });
    program.after_help(listed(&FIRST))
}

/// The first example of the command whose usage this is: `Usage: repgeo plan imbalance <ACTS>`.
pub fn of_usage(usage: &str) -> Option<&'static str> {
    let words = usage
        .split_whitespace()
        .skip_while(|word| *word != "Usage:");
    let words = words.skip(2).take_while(|word| {
        let first = word.chars().next();
        first.is_some_and(char::is_alphabetic)
    });
    let command: Vec<&str> = words.collect();
    let (_, lines) = EXAMPLES
        .iter()
        .find(|(name, _)| Some(name) == command.first())?;
    let whole = format!("repgeo {} ", command.join(" "));
    let own = lines.iter().find(|line| line.starts_with(&whole));
    Some(own.unwrap_or(&lines[0]))
}

fn listed(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| format!("  {line}"));
    format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// The commands with a line about each, under the headings of their groups.
fn grouped(program: &Command) -> String {
    let mut out = String::new();
    for (heading, names) in GROUPS {
        let _ = writeln!(out, "{heading}:");
        for name in names {
            let about = program.find_subcommand(name).and_then(Command::get_about);
            let about = about.map_or(
                "Print this message or the help of a command".into(),
                |about| about.to_string(),
            );
            let _ = writeln!(out, "  {name:<17} {about}");
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_command_has_examples_and_stands_in_one_group() {
        let program = Cli::command();
        let mut commands: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
        commands.sort_unstable();
        let mut shown: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        shown.sort_unstable();
        assert_eq!(shown, commands);
        let grouped = GROUPS.iter().flat_map(|(_, names)| names.iter().copied());
        let mut grouped: Vec<&str> = grouped.filter(|name| *name != "help").collect();
        grouped.sort_unstable();
        assert_eq!(grouped, commands);
        for (name, lines) in EXAMPLES {
            let start = format!("repgeo {name}");
            for line in lines {
                // Two columns of indent, in a terminal of 80.
                assert!(line.starts_with(&start) && line.len() <= 78, "{line}");
            }
        }
    }
}
