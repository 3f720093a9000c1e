//! `repgeo clean`: a run's files removed.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::cluster::clean;
use repgeo::report::{safe_lines, write_stream};

/// Remove the plan, the parts and the scripts of a run
///
/// Files of anybody else stay and are named, reports among them; the folder goes if nothing is left.
#[derive(Args)]
pub struct CleanArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
}

/// Removes and says.
pub fn run(args: CleanArgs) -> Result<()> {
    let cleaned = clean(&args.run)?;
    let mut out = format!("{} files removed\n", cleaned.removed);
    for path in cleaned.kept {
        let _ = writeln!(out, "kept: {}", path.display());
    }
    let text = safe_lines(&out);
    write_stream(&mut std::io::stdout().lock(), "stdout", text.as_bytes())
}
