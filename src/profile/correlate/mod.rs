//! Numbers of reports beside numbers of somebody else: do they go together?

mod options;
mod run;
mod shape;

pub use options::{CorrelateOptions, JoinKey};
pub use run::{Measured, correlate};
pub use shape::{
    CorrelateParameters, CorrelateProfile, JoinedPair, NumberCorrelation, NumberKey, Unmatched,
};
