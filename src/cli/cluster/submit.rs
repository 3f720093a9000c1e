//! `repgeo submit`: a planned analysis handed to Slurm.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use repgeo::cluster::{Batch, Scripts};
use repgeo::report::{write_atomically, write_stream};
use repgeo::storage::prepare_folder;
use repgeo::{Error, Result};

use super::super::parse;
use super::{for_scripts, from_root, open};

/// Hand what is left of a planned analysis to Slurm
///
/// Submits an array of the tasks that are not whole and, after it (afterany), a job that merges: where
/// parts are missing then, that job submits them and itself again, --tries times at most. Prints the
/// numbers of the jobs and is done; run it again whenever the cluster lost something.
#[derive(Args)]
pub struct SubmitArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Options of sbatch for every job, e.g. "-p cpu -c 32 --mem 64G"
    #[arg(
        long,
        value_name = "OPTIONS",
        default_value = "",
        allow_hyphen_values = true
    )]
    slurm: String,

    /// Where the report goes, as merge takes it; may be repeated [default: report.json in the run; for
    /// neighbours the folder tables in it]
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,

    /// How often missing parts are submitted again
    #[arg(long, value_name = "TRIES", default_value_t = 3, value_parser = parse::between(0, 1000))]
    tries: usize,

    /// Print the scripts and what would be submitted instead
    #[arg(long)]
    print: bool,
}

/// Writes the scripts and submits them.
pub fn run(args: SubmitArgs) -> Result<()> {
    submit(&args).map_err(for_scripts)
}

fn submit(args: &SubmitArgs) -> Result<()> {
    let run = open(&args.run)?;
    if args.slurm.contains(['\n', '\r']) {
        return Err(Error::Usage("--slurm: give the options on one line".into()));
    }
    let mut outputs = args
        .output
        .iter()
        .map(|path| from_root(path))
        .collect::<Result<Vec<_>>>()?;
    if outputs.is_empty() {
        let tables = run
            .plan
            .command
            .first()
            .is_some_and(|name| name == "neighbours");
        let name = if tables { "tables" } else { "report.json" };
        outputs.push(run.folder().join(name));
    }
    let program = std::env::current_exe().map_err(|source| Error::Read {
        path: PathBuf::from("repgeo"),
        source,
    })?;
    let batch = Batch {
        program,
        folder: run.folder().to_owned(),
        options: args.slurm.clone(),
        outputs,
        tries: args.tries,
    };
    let scripts = batch.scripts(&run.plan, &run.status()?);
    let folder = run.folder().join("slurm");
    let (task, finish) = (folder.join("task.sh"), folder.join("finish.sh"));
    let text = if args.print {
        printed(&scripts, &task, &finish)
    } else {
        prepare_folder(&folder)?;
        write_atomically(&task, scripts.task.as_bytes())?;
        write_atomically(&finish, scripts.finish.as_bytes())?;
        let mut text = String::new();
        let mut after = None;
        for list in &scripts.arrays {
            let number = sbatch(&task, Some(list), after.as_deref())?;
            let _ = writeln!(text, "{number} tasks {list}");
            after = Some(number);
        }
        let number = sbatch(&finish, None, after.as_deref())?;
        let _ = writeln!(text, "{number} merge, and what is missing again");
        text
    };
    write_stream(&mut std::io::stdout().lock(), "stdout", text.as_bytes())
}

/// The scripts, and the commands that would submit them.
fn printed(scripts: &Scripts, task: &Path, finish: &Path) -> String {
    let mut out = String::new();
    for (path, script) in [(task, &scripts.task), (finish, &scripts.finish)] {
        let _ = write!(out, "# {}\n{script}\n", path.display());
    }
    for list in &scripts.arrays {
        let _ = writeln!(out, "# sbatch --array={list} {}", task.display());
    }
    let _ = writeln!(
        out,
        "# sbatch --dependency=afterany:<the last of these> {}",
        finish.display()
    );
    out
}

/// Submits a script and returns the number of its job.
fn sbatch(script: &Path, array: Option<&str>, after: Option<&str>) -> Result<String> {
    let mut command = Command::new("sbatch");
    command.args(["--parsable", "--kill-on-invalid-dep=yes"]);
    if let Some(list) = array {
        command.arg(format!("--array={list}"));
    }
    if let Some(number) = after {
        command.arg(format!("--dependency=afterany:{number}"));
    }
    // A job that submits jobs must not hand its own sizes on.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("SLURM_") && text != "SLURM_CONF" {
            command.env_remove(&name);
        }
    }
    let output = command.arg(script).output().map_err(|source| {
        Error::Usage(format!(
            "sbatch cannot be started ({source}); run this where Slurm is, or see --print"
        ))
    })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(Error::TryAgain {
            source: Box::new(Error::Usage(format!("sbatch refused: {}", words.trim()))),
        });
    }
    // The name of the cluster may stand behind the number.
    let printed = String::from_utf8_lossy(&output.stdout);
    let number = printed.trim().split(';').next().unwrap_or_default();
    Ok(number.to_owned())
}
