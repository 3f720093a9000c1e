//! The only place where O(N²D) work happens.
//!
//! Every statistic of this crate is decided by which point is nearer. Two parts decide it, and
//! they never mix: a **filter** as fast as the machine allows, with a certified bound on its
//! error (`filter`), and a **verdict** (`exact`), the direct sum of squared differences in f64 in
//! one fixed order, for every pair that the filter cannot settle. So the same input gives the same
//! bytes for any processor, thread count and tile size.

mod benched;
mod candidates;
mod counting;
mod cross;
mod device;
mod exact;
mod filter;
mod flags;
mod memory;
mod options;
mod pairs;
mod panel;
mod parts;
mod points;
mod processor;
mod ranks;
mod schedule;
mod search;
mod searcher;
mod speed;
mod sweep;
mod table;
mod tree;
mod visiting;

#[cfg(test)]
mod tests;

pub use benched::{BenchOptions, BenchReport, BenchedKernel, bench};
pub use counting::{RankCounts, Targets};
pub use device::{Device, Gpus};
pub(crate) use exact::squared_distances;
pub use exact::{squared_distance, squared_norm};
pub use filter::Kernel;
pub use options::{SearchOptions, Strategy};
pub use pairs::pairs_within;
pub use parts::BenchedParts;
pub use points::{Metric, Points};
pub use search::{
    count_ranks, count_ranks_of_rows, cross_table, neighbour_table, order_distances,
    order_distances_of_rows, table_of_rows,
};
pub use table::{NeighbourTable, OrderDistances};
