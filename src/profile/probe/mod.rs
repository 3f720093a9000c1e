//! Probes each layer: how well classes or numbers can be read off it linearly.

mod asked;
mod forecast;
mod memory;
mod options;
mod proposed;
mod run;
mod score;
mod shape;
mod targets;

pub use forecast::{Extent, phases};
pub use options::{ProbeOptions, Readout, SplitRule};
pub use run::probe;
pub use shape::{
    Dealt, ProbeBest, ProbeLayer, ProbeParameters, ProbeProfile, ProbeScore, ProbeTarget, Proposal,
    ProposalRule, ProposedLayer, ScoreKind,
};
pub use targets::ProbeTargets;
