//! `repgeo completions`: tab completion for a shell.

use std::io;

use clap::Args;
use clap_complete::Shell;
use repgeo::Result;
use repgeo::report::write_stream;

/// Print a completion script for a shell
///
/// For bash: repgeo completions bash > ~/.local/share/bash-completion/completions/repgeo
#[derive(Args)]
pub struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

/// Prints the script.
pub fn run(args: CompletionsArgs, command: &mut clap::Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "repgeo", &mut script);
    write_stream(&mut io::stdout().lock(), "stdout", &script)
}
