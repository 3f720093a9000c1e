//! The neighbour tables themselves, as files for other programs and for later.

mod files;
mod places;
mod queries;
mod run;
mod shape;

pub use queries::Queries;
pub use run::{Tables, write_tables};
pub use shape::{NeighboursReport, TableParameters, WrittenTable};
