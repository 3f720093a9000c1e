//! The `repgeo` command: flags in, reports out. What it does is the library's.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that fails may panic

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
                shortened(safe_text(&format!("repgeo: {error}")))
            );
            ExitCode::from(error.exit_code())
        }
    }
}

/// A message of a length that a person reads: names and shapes in files have any.
fn shortened(message: impl Into<String>) -> String {
    const MOST: usize = 2000;
    let mut message = message.into();
    if let Some((cut, _)) = message.char_indices().nth(MOST) {
        let left = message[cut..].chars().count();
        message.truncate(cut);
        message.push_str(&format!("… ({left} characters more)"));
    }
    message
}
