//! Holds what a page is about, and decides what it has chapters for.

use super::runs::Opening;
use super::shape::OverviewPart;
use super::topic::Topic;
use crate::input::{Dump, Labels, RunSource};
use crate::profile::LayerOptions;
use crate::report::write::html::Section;

/// A dump and what it is called.
pub struct Source<'a> {
    /// The dump.
    pub dump: &'a Dump,
    /// The path as the user typed it: part of the commands that repeat a figure.
    pub path: String,
    /// How reports name it.
    pub input: String,
}

/// Runs beside the dump: checkpoints, widths, models, seeds.
pub struct Runs<'a> {
    /// The runs, in order.
    pub sources: Vec<RunSource>,
    /// How one is opened.
    pub open: Opening<'a>,
    /// The arguments of the command that repeats the chapter.
    pub typed: Vec<String>,
    /// How reports name them.
    pub input: Vec<String>,
}

/// What the page is about, and how it is read.
pub struct Subject<'a> {
    /// What the page is about.
    pub dump: Source<'a>,
    /// Another dump over the same rows.
    pub against: Option<Source<'a>>,
    /// Runs that are followed over layers.
    pub runs: Option<Runs<'a>>,
    /// Labels of the rows.
    pub labels: Vec<Labels>,
    /// The flags that chose layers, rows and labels, as they were typed.
    pub flags: Vec<[String; 2]>,
    /// How layers become points.
    pub layers: LayerOptions,
}

/// One analysis: its place on the page and its whole report.
pub struct Chapter {
    /// Which one.
    pub topic: Topic,
    /// What the page shows.
    pub section: Section,
    /// The report, the same as the command's, or why there is none.
    pub part: OverviewPart,
}
