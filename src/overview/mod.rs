//! Does every analysis that a dump allows and puts what they found on one page.
//!
//! An analysis that cannot be done says why on its place of the page; the others go on. Each is the
//! one that its own command does, with that command's defaults, so its numbers are the same. The same
//! holds over runs, where one analysis is done of many dumps.

mod chapters;
mod files;
mod runs;
mod shape;
mod subject;
mod summary;
mod topic;

pub use self::chapters::chapters;
pub use self::files::{page_stem, write_overview};
pub use self::runs::{Analysis, OpenedRun, Opening, OverRuns};
pub use self::shape::{Overview, OverviewParameters, OverviewPart, OverviewParts};
pub use self::subject::{Chapter, Runs, Source, Subject};
pub use self::topic::Topic;
