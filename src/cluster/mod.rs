//! One analysis divided among machines that share a folder: its plan, its parts, what joins them.
//!
//! A **unit** is a search of one layer for one block of rows. Units are done in any order, by
//! anybody ([`Run::work`]); each leaves a file that says what it is of and proves that it is whole.
//! [`Shards`] finds the searches of the plan in these files, so that the analysis itself can be run
//! over them and writes the report that it would write alone.

mod clean;
mod cost;
mod file;
mod key;
mod make;
mod plan;
mod ranges;
mod run;
mod search;
mod shards;
mod slurm;
mod state;
mod unit;
mod verify;
mod work;

pub use clean::{Cleaned, clean};
pub use cost::Forecast;
pub use make::{Cut, Head, plan};
pub use plan::Plan;
pub use ranges::array_list;
pub use run::Run;
pub use search::{Block, PlannedSearch, PlannedSought};
pub use shards::Shards;
pub use slurm::{Batch, Scripts};
pub use state::{State, Status};
pub use unit::Done;
pub use verify::{Verified, verify};
pub use work::{Analysis, Source, Work};
