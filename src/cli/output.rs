//! Flags that say where a report goes and how it looks.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use repgeo::input::{check_files, is_open_pipe, split_name};
use repgeo::report::page::Page;
use repgeo::report::write::{svg, text};
use repgeo::report::{
    Format, Printable, Report, Style, safe_lines, write_atomically, write_stream,
};
use repgeo::storage::check_writable;
use repgeo::{Error, Result};

use super::choice::choice;

/// Flags about the report, the same for every command.
#[derive(Args, Default)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// How the report is written [default: table on a terminal, json into a pipe, by ending for -o]
    #[arg(long, value_parser = choice::<Format>(), value_name = "FORMAT")]
    format: Option<Format>,

    /// Write the report to FILE (.json, .jsonl, .csv, .txt, .md or .tex; - is stdout), whole or not at
    /// all; may be repeated
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,

    /// Draw the figures of the report into FILE.svg; may be repeated
    #[arg(long, value_name = "FILE", value_parser = picture_path())]
    pub plot: Vec<PathBuf>,

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

impl From<OutputArgs> for ScreenArgs {
    fn from(output: OutputArgs) -> Self {
        Self {
            format: output.format,
            quiet: output.quiet,
            ascii: output.ascii,
        }
    }
}

impl ScreenArgs {
    /// Writes the report to stdout.
    pub fn write<T: Printable>(&self, report: &Report<'_, T>) -> Result<()> {
        let output = OutputArgs {
            format: self.format,
            quiet: self.quiet,
            ascii: self.ascii,
            ..OutputArgs::default()
        };
        output.write(report)
    }
}

impl OutputArgs {
    /// Fails now, not after hours of work, if the report could not be written.
    pub fn check(&self) -> Result<()> {
        for (path, _) in self.targets()? {
            path.map_or(Ok(()), check_folder)?;
        }
        self.plot.iter().try_for_each(|path| check_folder(path))
    }

    /// Where the report goes, and in which format; `None` is stdout.
    fn targets(&self) -> Result<Vec<(Option<&Path>, Format)>> {
        let mut targets = Vec::new();
        for path in &self.output {
            let path = (path != Path::new("-")).then_some(path.as_path());
            let format = match path {
                None => self.stdout_format(),
                Some(path) => self.file_format(path)?,
            };
            if targets.iter().any(|&(other, _)| other == path) {
                let name = path.map_or("-".into(), Path::to_string_lossy);
                return Err(Error::Usage(format!(
                    "-o {name} is given twice; one would replace the other"
                )));
            }
            targets.push((path, format));
        }
        if targets.is_empty() {
            targets.push((None, self.stdout_format()));
        }
        Ok(targets)
    }

    fn stdout_format(&self) -> Format {
        match self.format {
            Some(format) => format,
            None if io::stdout().is_terminal() => Format::Table,
            None => Format::Json,
        }
    }

    /// The format of a file: by its ending, which `--format` must not contradict.
    fn file_format(&self, path: &Path) -> Result<Format> {
        let by_ending = Format::from_path(path);
        let Some(asked) = self.format else {
            return by_ending;
        };
        match by_ending {
            Ok(ending) if ending != asked && path.extension().is_some() => {
                Err(Error::Usage(format!(
                    "-o {} names another format than --format; leave --format out, or change the \
                     ending",
                    path.display()
                )))
            }
            _ => Ok(asked),
        }
    }

    /// Writes the report. Where its table is not on stdout, what a reader looks for goes to a
    /// terminal on stderr, and only the warnings to a stderr that is none.
    pub fn write<T: Printable>(&self, report: &Report<'_, T>) -> Result<()> {
        check_files()?;
        let targets = self.targets()?;
        for &(path, format) in &targets {
            let to_terminal = path.is_none() && io::stdout().is_terminal();
            let mut text = report.render(format, &self.style_of(path))?;
            if to_terminal && format == Format::Csv {
                text = safe_lines(&text);
            }
            match path {
                Some(path) => write_atomically(path, text.as_bytes())?,
                None => write_stream(&mut io::stdout().lock(), "stdout", text.as_bytes())?,
            }
        }
        self.draw(report)?;
        if !targets.contains(&(None, Format::Table)) && !self.quiet {
            let to_terminal = io::stderr().is_terminal();
            let closing = match to_terminal {
                true => report.closing(&self.style(to_terminal)),
                false => report.warnings(&self.style(to_terminal)),
            };
            // A closed stderr is no reason to fail: the report is written.
            let _ = io::stderr().lock().write_all(closing.as_bytes());
        }
        Ok(())
    }

    /// Draws the figures of the report, if that is wanted.
    fn draw<T: Printable>(&self, report: &Report<'_, T>) -> Result<()> {
        let Some(first) = self.plot.first() else {
            return Ok(());
        };
        let pictures = report.pictures();
        if pictures.is_empty() {
            return Err(Error::NothingToDraw {
                path: first.clone(),
                command: report.command,
            });
        }
        let title = format!("repgeo {} {}", report.command, report.input.join(" "));
        let drawn = svg::document(&title, &pictures);
        let mut files = self.plot.iter();
        files.try_for_each(|path| write_atomically(path, drawn.as_bytes()))
    }

    /// Writes a page for people where the report would go.
    pub fn write_page(&self, page: &Page) -> Result<()> {
        check_files()?;
        let first = self.output.first().filter(|path| *path != Path::new("-"));
        let text = text::page(page, &self.style_of(first.map(PathBuf::as_path)));
        match first {
            Some(path) => write_atomically(path, text.as_bytes()),
            None => write_stream(&mut io::stdout().lock(), "stdout", text.as_bytes()),
        }
    }

    /// How text for a file, or for stdout, is drawn. `COLUMNS` holds for a stdout that is no terminal
    /// too: whoever sets it for a pipe wants that width.
    fn style_of(&self, path: Option<&Path>) -> Style {
        match path {
            Some(_) => self.style(false),
            None => {
                let style = self.style(io::stdout().is_terminal());
                Style {
                    width: columns().or(style.width),
                    ..style
                }
            }
        }
    }

    fn style(&self, terminal: bool) -> Style {
        let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Style {
            ascii: self.ascii,
            colour: terminal && wants_colour,
            width: terminal.then(terminal_width).flatten(),
        }
    }
}

/// A file for pictures, by its ending.
fn picture_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.extension().and_then(|e| e.to_str()) {
        Some(ending) if ending.eq_ignore_ascii_case("svg") => Ok(path),
        _ => Err(
            "figures are SVG: let the name end in .svg (rsvg-convert or a browser make PDF and PNG)",
        ),
    })
}

/// Columns of the terminal: `COLUMNS` where it is set, else what the terminal says.
fn terminal_width() -> Option<usize> {
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns().or_else(measured)
}

/// What `COLUMNS` says; nothing where it is no number above 0.
pub fn columns() -> Option<usize> {
    let asked = std::env::var("COLUMNS").ok()?;
    asked.trim().parse().ok().filter(|&columns| columns > 0)
}

/// Whether a file could be made here.
fn check_folder(path: &Path) -> Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let problem = if path.is_dir() {
        "it is a directory; name a file"
    } else if !folder.is_dir() {
        "its directory does not exist"
    } else {
        return check_writable(path);
    };
    let source = io::Error::new(io::ErrorKind::NotFound, problem);
    Err(Error::Write {
        path: path.to_path_buf(),
        source,
    })
}

/// How an input is named in a report: as typed, but never as an absolute path.
pub fn input_name(path: &Path) -> String {
    if let (Some(name), path) = split_name(path) {
        return format!("{name}={}", input_name(&path));
    }
    let name = match path.file_name() {
        // Of a pipe that the shell opened the last part is a number alone.
        Some(name) if path.is_absolute() && !is_open_pipe(path) => Path::new(name),
        _ => path,
    };
    name.to_string_lossy().into_owned()
}
