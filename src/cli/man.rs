//! `repgeo man`: manual pages, from the definitions that `--help` is made of.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use repgeo::Result;
use repgeo::report::{write_atomically, write_stream};
use repgeo::storage::prepare_folder;

/// Print the manual page of the program, or write those of all commands into a folder
///
/// man -M looks for pages in the folder man1 of a folder: repgeo man --dir share/man/man1
#[derive(Args)]
pub struct ManArgs {
    /// Write repgeo.1, repgeo-id-profile.1, … into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the page, or writes all.
pub fn run(args: &ManArgs, program: Command) -> Result<()> {
    let Some(folder) = &args.dir else {
        let page = page(program)?;
        return write_stream(&mut io::stdout().lock(), "stdout", &page);
    };
    prepare_folder(folder)?;
    let mut program = program;
    // Subcommands learn the names by which they are called, and the global options.
    program.build();
    for command in program
        .get_subcommands()
        .filter(|one| one.get_name() != "help")
    {
        let name = format!("repgeo-{}", command.get_name());
        let page = page(command.clone())?;
        write_atomically(&folder.join(format!("{name}.1")), &page)?;
    }
    write_atomically(&folder.join("repgeo.1"), &page(program)?)
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command)
        .render(&mut page)
        .map_err(|source| repgeo::Error::Write {
            path: "the manual page".into(),
            source,
        })?;
    Ok(page)
}
