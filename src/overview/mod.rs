//! Does every analysis that a dump allows and puts what they found on one page.
//!
//! An analysis that cannot be done says why on its place of the page; the others go on. Each is the
//! one that its own command does, with that command's defaults, so its numbers are the same.

mod chapters;

use crate::choice::choice;
use crate::input::{Dump, Labels};
use crate::profile::{Bench, LayerOptions};
use crate::report::write::html::Section;

choice! {
    /// One analysis of the page.
    pub enum Topic {
        /// Intrinsic dimension over layers and against scale, and its events
        Dimension = "dimension",
        /// Information imbalance between layers
        Imbalance = "imbalance",
        /// Neighbours that layers have in common
        Overlap = "overlap",
        /// Similarity of layers by CKA
        Similarity = "similarity",
        /// Density peaks, and how well they match labels
        Peaks = "peaks",
        /// Neighbours with the same label
        Labels = "labels",
        /// The layers of another dump over the same rows
        Against = "against",
    }
}

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
    /// The report as JSON, the same as the command's; `None` where it could not be done.
    pub json: Option<String>,
}

/// The chapters of `topics` in their order; those that the subject does not allow are left out.
///
/// Without labels there is no chapter about labels, without a second dump none against it, and one
/// layer alone is compared with nothing.
pub fn chapters(subject: &Subject<'_>, topics: &[Topic], bench: &Bench<'_>) -> Vec<Chapter> {
    let allowed = |topic: &Topic| match topic {
        Topic::Labels => !subject.labels.is_empty(),
        Topic::Against => subject.against.is_some(),
        Topic::Imbalance | Topic::Overlap | Topic::Similarity => {
            subject.dump.dump.layers().len() > 1
        }
        Topic::Dimension | Topic::Peaks => true,
    };
    let topics = Topic::ALL.iter().filter(|topic| topics.contains(topic));
    topics
        .copied()
        .filter(allowed)
        .map(|topic| chapters::chapter(subject, topic, bench))
        .collect()
}
