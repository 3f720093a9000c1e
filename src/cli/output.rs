//! Where a report goes and how it looks.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::report::{Format, Printable, Report, Style, write_atomically, write_stream};
use repgeo::{Error, Result};

use super::choice::choice;

/// Flags about the report, the same for every command.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// How the report is written [default: table on a terminal, json into a pipe, by ending for -o]
    #[arg(long, value_parser = choice::<Format>(), value_name = "FORMAT")]
    format: Option<Format>,

    /// Write the report to FILE (.json, .csv or .txt), whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// No progress, no warnings on stderr (warnings stay in the report)
    #[arg(short, long)]
    pub quiet: bool,

    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
}

/// The same for a command whose `-o` is something else: the report goes to stdout.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct ScreenArgs {
    /// How the report is written [default: table on a terminal, json into a pipe]
    #[arg(long, value_parser = choice::<Format>(), value_name = "FORMAT")]
    format: Option<Format>,

    /// No progress, no warnings on stderr (warnings stay in the report)
    #[arg(short, long)]
    pub quiet: bool,

    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
}

impl ScreenArgs {
    /// Writes the report to stdout.
    pub fn write<T: Printable>(&self, report: &Report<'_, T>) -> Result<()> {
        let output = OutputArgs {
            format: self.format,
            output: None,
            quiet: self.quiet,
            ascii: self.ascii,
        };
        output.write(report)
    }
}

impl OutputArgs {
    /// Fails now, not after hours of work, if the report could not be written.
    pub fn check(&self) -> Result<()> {
        let Some(path) = &self.output else {
            return Ok(());
        };
        self.format()?;
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let problem = if path.is_dir() {
            "it is a directory; name a file"
        } else if !folder.is_dir() {
            "its directory does not exist"
        } else {
            return Ok(());
        };
        let source = io::Error::new(io::ErrorKind::NotFound, problem);
        Err(Error::Write {
            path: path.clone(),
            source,
        })
    }

    fn format(&self) -> Result<Format> {
        match (self.format, &self.output) {
            (Some(format), _) => Ok(format),
            (None, Some(path)) => Format::from_path(path),
            (None, None) if io::stdout().is_terminal() => Ok(Format::Table),
            (None, None) => Ok(Format::Json),
        }
    }

    /// Writes the report; beside a machine format, what a reader looks for goes to stderr.
    pub fn write<T: Printable>(&self, report: &Report<'_, T>) -> Result<()> {
        let format = self.format()?;
        let to_terminal = self.output.is_none() && io::stdout().is_terminal();
        let text = report.render(format, &self.style(to_terminal))?;
        match &self.output {
            Some(path) => write_atomically(path, text.as_bytes())?,
            None => write_stream(&mut io::stdout().lock(), "stdout", text.as_bytes())?,
        }
        let shown = format == Format::Table && self.output.is_none();
        if !shown && !self.quiet {
            let closing = report.body.closing(&self.style(io::stderr().is_terminal()));
            // A closed stderr is no reason to fail: the report is written.
            let _ = io::stderr().lock().write_all(closing.as_bytes());
        }
        Ok(())
    }

    /// Writes words for people where the report would go.
    pub fn write_text(&self, text: impl FnOnce(&Style) -> String) -> Result<()> {
        let to_terminal = self.output.is_none() && io::stdout().is_terminal();
        let text = text(&self.style(to_terminal));
        match &self.output {
            Some(path) => write_atomically(path, text.as_bytes()),
            None => write_stream(&mut io::stdout().lock(), "stdout", text.as_bytes()),
        }
    }

    fn style(&self, terminal: bool) -> Style {
        let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Style {
            ascii: self.ascii,
            colour: terminal && wants_colour,
            width: terminal_size::terminal_size()
                .filter(|_| terminal)
                .map(|(width, _)| usize::from(width.0)),
        }
    }
}

/// How an input is named in a report: as typed, but never as an absolute path.
pub fn input_name(path: &Path) -> String {
    let name = match path.file_name() {
        Some(name) if path.is_absolute() => Path::new(name),
        _ => path,
    };
    name.to_string_lossy().into_owned()
}
