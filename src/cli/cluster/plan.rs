//! `repgeo plan`: an analysis cut into tasks.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};
use repgeo::cluster::{Cut, Forecast, Head, Plan, array_list, plan};
use repgeo::input::check_files;
use repgeo::neighbours::SearchOptions;
use repgeo::report::write_stream;
use repgeo::{Error, Result};

use super::super::parse;
use super::super::progress::Bar;
use super::Divided;

/// Cut an analysis into tasks that machines with a common folder can do
///
/// Type the analysis as you would run it, with -o for the folder of the run. Each task reads one layer
/// and searches the neighbours of some of its rows; repgeo merge then writes the report that the
/// analysis itself writes, byte for byte. Below about 200 000 rows one machine is enough.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub struct PlanArgs {
    #[command(subcommand)]
    analysis: Divided,

    /// Minutes that a task may take on a machine like this one
    #[arg(long, global = true, value_name = "MINUTES", default_value_t = 15.0,
        value_parser = minutes, help_heading = "Tasks")]
    target_minutes: f64,

    /// Tasks at most; where there are more blocks, a task does several
    #[arg(long, global = true, value_name = "TASKS", default_value_t = 1000,
        value_parser = parse::count(parse::MOST), help_heading = "Tasks")]
    max_array: usize,

    /// Rows of a block, in place of what --target-minutes gives
    #[arg(long, global = true, value_name = "ROWS", value_parser = parse::count(parse::MOST_ROWS),
        conflicts_with = "target_minutes", help_heading = "Tasks")]
    block_rows: Option<usize>,
}

fn minutes(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(minutes) if minutes > 0.0 && minutes <= 1e6 => Ok(minutes),
        _ => Err("give minutes, more than 0".into()),
    }
}

/// Options that say nothing about what is planned.
const OWN: [&str; 6] = [
    "target_minutes",
    "max_array",
    "block_rows",
    "output",
    "quiet",
    "threads",
];

/// Options of an analysis that belong to those who do the work, and whose they are.
const ELSEWHERE: [(&str, &str); 11] = [
    ("format", "say it to repgeo merge"),
    ("plot", "say it to repgeo merge"),
    ("ascii", "say it to repgeo merge"),
    ("max_memory", "say it to repgeo shard and merge"),
    ("device", "say it to repgeo shard and merge"),
    ("kernel", "say it to repgeo shard and merge"),
    ("cache", "the run keeps what it finds; leave it out"),
    (
        "neighbours",
        "tables need no search; run the command itself",
    ),
    ("squared", "tables need no search; run the command itself"),
    ("explain", "it searches nothing; run the command itself"),
    (
        "queries",
        "searches from another dump are not divided; run the command itself",
    ),
];

/// The program with the analyses' own options as they are meant in a plan.
pub fn shown(program: Command) -> Command {
    program.mut_subcommand("plan", |mut plan| {
        let names: Vec<String> = plan
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        for name in names {
            plan = plan.mut_subcommand(name, |command| {
                let has = |id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
                let hidden: Vec<&str> = ELSEWHERE
                    .iter()
                    .map(|(id, _)| *id)
                    .filter(|id| has(id))
                    .collect();
                let command = command.mut_arg("output", |output| {
                    output
                        .value_name("RUN")
                        .help("Folder of the run, which all machines see; made if it is not there")
                });
                hidden.into_iter().fold(command, |command, id| {
                    command.mut_arg(id, |arg| arg.hide(true))
                })
            });
        }
        plan
    })
}

/// The analysis as a plan keeps it: every option that was typed, then what stands without a name.
pub fn typed(program: &Command, matches: &ArgMatches) -> Result<Vec<String>> {
    let Some(("plan", planned)) = matches.subcommand() else {
        return Ok(Vec::new());
    };
    let Some((name, given)) = planned.subcommand() else {
        return Ok(Vec::new());
    };
    let command = program
        .find_subcommand("plan")
        .and_then(|plan| plan.find_subcommand(name));
    let options = command.into_iter().flat_map(Command::get_arguments);
    let (mut words, mut places) = (vec![name.to_owned()], Vec::new());
    for option in options {
        let id = option.get_id().as_str();
        if OWN.contains(&id) || given.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        if let Some((_, way_out)) = ELSEWHERE.iter().find(|(other, _)| *other == id) {
            let long = option.get_long().unwrap_or(id);
            return Err(Error::Usage(format!(
                "--{long} has no part in a plan: {way_out}"
            )));
        }
        let values = given.get_raw(id).into_iter().flatten();
        for value in values {
            let value = value.to_str().ok_or_else(|| {
                Error::Usage(format!(
                    "{}: a plan is text, and this name is none; rename it",
                    value.to_string_lossy()
                ))
            })?;
            match option.get_long() {
                None => places.push(value.to_owned()),
                Some(long) if option.get_action().takes_values() => {
                    words.push(format!("--{long}={value}"));
                }
                Some(long) => words.push(format!("--{long}")),
            }
        }
    }
    if places.iter().any(|place| place == "-") {
        return Err(Error::Usage(
            "a pipe can be read once, and every task reads the layers; name a file".into(),
        ));
    }
    words.push("--".into());
    words.append(&mut places);
    Ok(words)
}

/// Plans.
pub fn run(args: PlanArgs, command: Vec<String>) -> Result<()> {
    let outputs = args.analysis.outputs();
    let [folder] = &outputs[..] else {
        return Err(Error::Usage(
            "name the folder of the run with one -o, after the analysis".into(),
        ));
    };
    let directory = std::env::current_dir().map_err(|source| Error::Read {
        path: PathBuf::from("."),
        source,
    })?;
    let works = args.analysis.works()?;
    let head = Head {
        directory,
        command,
        metric: args.analysis.metric(),
        search: SearchOptions::default(),
    };
    let cut = Cut {
        target_minutes: args.target_minutes,
        max_array: args.max_array,
        block_rows: args.block_rows,
    };
    let progress = Bar::new(false);
    let (plan, forecast) = plan(&works, head, &cut, &progress)?;
    check_files()?;
    plan.write(folder)?;
    let text = words(folder, &plan, &forecast);
    write_stream(&mut std::io::stdout().lock(), "stdout", text.as_bytes())
}

/// What was planned, and what it takes.
fn words(folder: &Path, plan: &Plan, forecast: &Forecast) -> String {
    let [tables, ranks] = plan.tasks();
    let run = folder.display();
    let all = ranks.end;
    let mut out = String::new();
    let analysis = plan.command.first().map_or("", String::as_str);
    let _ = writeln!(
        out,
        "{run}: {analysis} in {} parts, {all} tasks",
        forecast.units
    );
    let list = |tasks: std::ops::Range<usize>| array_list(&tasks.collect::<Vec<_>>());
    if ranks.is_empty() {
        let _ = writeln!(out, "  tasks         {}", list(tables));
    } else {
        let _ = writeln!(
            out,
            "  tasks         {}, then {} (ranks, which need the tables)",
            list(tables),
            list(ranks)
        );
    }
    let _ = writeln!(out, "  operations    {:.2e}", forecast.operations);
    let _ = writeln!(
        out,
        "  bytes         {} read, {} written",
        size(forecast.bytes_read),
        size(forecast.bytes_written)
    );
    let _ = writeln!(out, "  memory        {} a task", size(forecast.memory));
    let _ = writeln!(
        out,
        "  time          {} of a machine like this one with {} threads, {} the longest part",
        duration(forecast.seconds),
        rayon::current_num_threads(),
        duration(forecast.longest)
    );
    let _ = writeln!(
        out,
        "  undivided     {}, since every pair of rows is scored once",
        duration(forecast.uncut)
    );
    let _ = writeln!(
        out,
        "next: repgeo submit {run}, or repgeo shard {run} --task 0..{} anywhere; then repgeo merge {run}",
        all - 1
    );
    out
}

fn size(bytes: f64) -> String {
    let steps = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, power) in steps {
        let of = libm::exp2(f64::from(power));
        if bytes >= of {
            return format!("{:.1} {unit}", bytes / of);
        }
    }
    format!("{bytes:.0} bytes")
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
