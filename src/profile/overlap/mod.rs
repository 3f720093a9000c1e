//! Neighbour overlap between layers, and with labels.

mod labels;
mod options;
mod parts;
mod run;
mod shape;
mod subject;

pub use options::OverlapOptions;
pub use run::{overlap, overlap_searches};
pub use shape::{
    LabelledLayer, LabelledPair, LabelledValue, OverlapMatrix, OverlapPair, OverlapParameters,
    OverlapProfile, OverlapValue,
};
