//! The `repgeo` command: flags in, reports out. What it does is the library's.

use std::io::Write;
use std::process::ExitCode;

mod cli;

use repgeo::report::safe_text;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe had enough: that is how pipes end.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is closed too.
            let _ = writeln!(
                std::io::stderr(),
                "{}",
                safe_text(&format!("repgeo: {error}"))
            );
            ExitCode::from(error.exit_code())
        }
    }
}
