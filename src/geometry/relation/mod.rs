//! Compares two spaces over the same rows, by neighbours and ranks.

mod apart;
mod imbalance;
mod labels;
mod overlap;

pub use apart::label_overlap_apart;
pub use imbalance::{
    Counted, Imbalance, Relation, floor, information_imbalance, relation, relative_difference,
    relative_difference_error,
};
pub use labels::{ClassOverlap, Depth, LabelOverlap, class_histogram_overlap, label_overlap};
pub use overlap::{chance, chance_std, neighbour_overlap};
