//! What a page is about, and what it has chapters for.

use super::shape::OverviewPart;
use super::topic::Topic;
use crate::input::{Dump, Labels};
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

/// What the page is about, and how it is read.
pub struct Subject<'a> {
    /// What the page is about.
    pub dump: Source<'a>,
    /// Another dump over the same rows.
    pub against: Option<Source<'a>>,
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
