//! Reports as data, the parts of a page, and their writers.
//!
//! A command hands its result to [`Report`], which adds what every report carries (schema, version,
//! command, input) and renders it as a [`Format`]. A result becomes printable by implementing
//! [`Printable`]: JSON comes from its serde shape, CSV from its [`Record`]s, text and pictures from its
//! [`Page`].
//!
//! ```
//! use repgeo::profile::inspect::InspectReport;
//! use repgeo::report::{Format, Report, Style};
//!
//! let nothing = InspectReport::default();
//! let report = Report::new("inspect", vec!["acts".into()], &nothing);
//! let json = report.render(Format::Json, &Style::default())?;
//! assert!(json.starts_with("{\n  \"schema\": \"repgeo/2\""));
//! # Ok::<(), repgeo::Error>(())
//! ```

mod examples;
mod finite;
mod format;
mod local;
pub mod page;
mod read;
mod row_peaks;
mod view;
pub mod write;
mod zero;

use serde::Serialize;

pub use examples::{
    write_ablations, write_contributions, write_contributions_of_runs, write_logits,
    write_logits_of_runs, write_outcomes,
};
pub use format::Format;
pub use local::write_local;
pub use read::{NumberChoice, read_measured, read_series};
pub use row_peaks::{RowFormat, log_density_npy, write_assignments, write_decision_graph};
pub use view::event_records::event_records;
pub use view::explain::explain;
pub use view::id_scaling::ScalingView;
pub use write::csv::{Leading, Record};
pub use write::svg::Picture;
pub use write::text::Style;
pub use write::text::sparkline;
pub use write::text::{safe_lines, safe_text};

pub use crate::storage::{check_writable, npy, write_atomically, write_stream};

use self::page::{Note, Page, Part};
use crate::Result;
use crate::input::Dump;

/// Name and version of the JSON shape; described by `docs/report.schema.json`.
pub const SCHEMA: &str = "repgeo/2";

/// The result of a command together with what every report carries.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report<'a, T> {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// Version of repgeo that made the report.
    pub version: &'static str,
    /// The command, e.g. `id-profile`.
    pub command: &'static str,
    /// The inputs as the user named them.
    pub input: Vec<String>,
    /// What each dump was understood to be, in one line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub understood: Vec<String>,
    /// What the command found; its fields stand beside the ones above.
    #[serde(flatten)]
    pub body: &'a T,
}

/// A result that can be shown in every format; JSON is its serde shape.
pub trait Printable: Serialize {
    /// Every number as one CSV row.
    fn records(&self) -> Vec<Record<'_>>;

    /// Columns of the CSV before those of every command, a cell a record.
    fn leading(&self) -> Leading {
        Leading::default()
    }

    /// What people read, as data that every writer draws.
    fn page(&self) -> Page;

    /// Pictures beside the parts of the page; text leaves them out.
    fn figures(&self) -> Vec<Part> {
        Vec::new()
    }
}

impl<'a, T: Printable> Report<'a, T> {
    /// A report of `command` on `input`.
    pub fn new(command: &'static str, input: Vec<String>, body: &'a T) -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            command,
            input,
            understood: Vec::new(),
            body,
        }
    }

    /// The same report, which says what its dumps were understood to be.
    pub fn understood<'d>(self, dumps: impl IntoIterator<Item = &'d Dump>) -> Self {
        let dumps: Vec<&Dump> = dumps.into_iter().collect();
        let understood = Dump::understood_together(&dumps);
        Self { understood, ..self }
    }

    /// The whole report as text that ends in a newline.
    ///
    /// `style` matters to [`Format::Table`] only; its ASCII also to the tables for documents.
    ///
    /// # Errors
    /// [`Error::NonFiniteReport`](crate::Error::NonFiniteReport) if NaN or infinity reached the
    /// report: a number that does not exist must be `None` with a reason.
    pub fn render(&self, format: Format, style: &Style) -> Result<String> {
        finite::check(self)?;
        Ok(match format {
            Format::Json => write::json::pretty(self),
            Format::Csv => {
                let places = write::csv::Places::of(self.body);
                write::csv::tidy(&self.body.records(), &self.body.leading(), &places)
            }
            Format::Jsonl => write::jsonl::lines(
                self.command,
                &self.input,
                &self.body.records(),
                &self.body.leading(),
                &write::csv::Places::of(self.body),
            ),
            Format::Table => write::text::page(&self.page(), style),
            Format::Markdown => write::markdown::page(&self.page(), style),
            Format::Latex => write::latex::page(&self.page(), style),
        })
    }

    /// The page of the body, which also says what its dumps were understood to be.
    fn page(&self) -> Page {
        let mut page = self.body.page();
        // Of two dumps, pairs of layers say a and b.
        let sides = match self.understood.len() {
            2 => [" a", " b"],
            _ => ["", ""],
        };
        let read = self.understood.iter().zip(sides.into_iter().cycle());
        let read = read.map(|(line, side)| Note::Context(format!("read{side}: {line}").into()));
        page.closing.lines.splice(0..0, read);
        page
    }

    /// The figures of the report, in the order of the page; empty where nothing has a shape.
    pub fn pictures(&self) -> Vec<Picture> {
        let (figures, page) = (self.body.figures(), self.body.page());
        write::svg::pictures(figures.iter().chain(&page.parts))
    }

    /// What a reader looks for, then the warnings: the last lines of the table, and what a
    /// terminal shows on stderr while JSON or CSV goes elsewhere. Empty when there is nothing.
    /// [`Report::warnings`] has the warnings alone, for logs.
    pub fn closing(&self, style: &Style) -> String {
        write::text::closing(&self.body.page(), style)
    }

    /// The warnings, one a line, each with the inputs that it is about, as logs of several runs
    /// need it: `repgeo: acts: code: message (layers)`.
    pub fn warnings(&self, style: &Style) -> String {
        let input = match self.input.is_empty() {
            true => String::new(),
            false => self.input.join(", ") + ": ",
        };
        let prefix = safe_text(&format!("repgeo: {input}"));
        write::text::warnings(&self.body.page(), &prefix, style)
    }
}
