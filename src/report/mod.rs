//! Floor 5: reports as data, and their writers.
//!
//! A command hands its result to [`Report`], which adds what every report carries (schema, version,
//! command, input) and renders it as a [`Format`]. A result becomes printable by implementing
//! [`Printable`]: JSON comes from its serde shape, CSV from its [`Record`]s, the table from itself.
//!
//! ```
//! use repgeo::report::{Format, InspectReport, Report, Style};
//!
//! let nothing = InspectReport::default();
//! let report = Report::new("inspect", vec!["acts".into()], &nothing);
//! let json = report.render(Format::Json, &Style::default())?;
//! assert!(json.starts_with("{\n  \"schema\": \"repgeo/1\""));
//! # Ok::<(), repgeo::Error>(())
//! ```

mod attention_modify;
mod attribution;
mod bench;
mod clones;
mod clones_records;
mod csv;
mod density_peaks;
mod event_lines;
mod event_records;
pub mod events;
mod explain;
mod finite;
mod format;
mod forward;
mod head_pattern;
mod heatmap;
mod id_profile;
mod id_scaling;
mod imbalance;
mod imbalance_subsets;
mod inspect;
mod json;
mod landscape;
mod logit_lens;
mod mechanism_text;
mod neighbours;
mod number;
mod overlap;
mod row_peaks;
mod similarity;
mod similarity_records;
mod sparkline;
mod style;
mod table;
mod text;
mod warnings;

use serde::Serialize;

pub use attention_modify::{AttentionModifyReport, ModifyParameters};
pub use attribution::{AttributionParameters, AttributionReport};
pub use bench::{BenchReport, BenchedKernel};
pub use csv::Record;
pub use event_lines::event_lines;
pub use event_records::event_records;
pub use events::EventsReport;
pub use explain::explain;
pub use format::Format;
pub use forward::{ForwardReport, ModelSummary, WrittenTensor};
pub use head_pattern::{HeadPatternReport, NamedPattern, PatternParameters};
pub use id_scaling::ScalingView;
pub use inspect::{InspectReport, InspectedLayer};
pub use logit_lens::{LensParameters, LogitLensReport};
pub use neighbours::{NeighboursReport, WrittenTable};
pub use row_peaks::{RowFormat, log_density_npy, write_assignments, write_decision_graph};
pub use sparkline::sparkline;
pub use style::Style;

pub use crate::storage::{npy, write_atomically, write_stream};

use crate::Result;

/// Name and version of the JSON shape; described by `docs/report.schema.json`.
pub const SCHEMA: &str = "repgeo/1";

/// The result of a command together with what every report carries.
#[derive(Debug, Clone, Serialize)]
pub struct Report<'a, T> {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// Version of repgeo that made the report.
    pub version: &'static str,
    /// The command, e.g. `id-profile`.
    pub command: &'static str,
    /// The inputs as the user named them.
    pub input: Vec<String>,
    /// What the command found; its fields stand beside the ones above.
    #[serde(flatten)]
    pub body: &'a T,
}

/// A result that can be shown in every format; JSON is its serde shape.
pub trait Printable: Serialize {
    /// Every number as one CSV row.
    fn records(&self) -> Vec<Record<'_>>;

    /// The table for people, up to but without [`Printable::closing`].
    fn table(&self, style: &Style) -> String;

    /// What a reader looks for, then the warnings: the last lines of the table, and what a
    /// terminal shows on stderr while JSON or CSV goes elsewhere. Empty when there is nothing.
    fn closing(&self, style: &Style) -> String;
}

impl<'a, T: Printable> Report<'a, T> {
    /// A report of `command` on `input`.
    pub fn new(command: &'static str, input: Vec<String>, body: &'a T) -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            command,
            input,
            body,
        }
    }

    /// The whole report as text that ends in a newline.
    ///
    /// `style` matters to [`Format::Table`] only.
    ///
    /// # Errors
    /// [`Error::NonFiniteReport`](crate::Error::NonFiniteReport) if NaN or infinity reached the
    /// report: a number that does not exist must be `None` with a reason.
    pub fn render(&self, format: Format, style: &Style) -> Result<String> {
        finite::check(self)?;
        Ok(match format {
            Format::Json => json::pretty(self),
            Format::Csv => csv::tidy(&self.body.records()),
            Format::Table => self.body.table(style) + &self.body.closing(style),
        })
    }
}
