//! Chunks of a wide layer's neurons: how much of the layer they carry, and from which width on
//! they are clones of it.

mod data;
mod dimensions;
mod files;
mod fits;
mod forecast;
mod options;
mod route;
mod run;
mod scores;
mod shape;
mod targets;
mod verdict;

pub use data::{CloneData, Network};
pub use files::{CloneFiles, ReadoutFiles, clones_of_files};
pub use forecast::{Extent, Scored, phases};
pub use options::{ChunkId, ClonesOptions, chunk_sizes};
pub use run::clones;
pub use shape::{
    ChunkDimension, ChunkScores, ChunkStatistics, ChunkWidth, CloneLayer, ClonesParameters,
    ClonesProfile, CriticalReport, EnsemblePoint, ErrorLimit, LimitError, LimitSource,
    NetworkReport, OverAll, OverOthers, SlopeReport, SlopeValue, Spread, TrainingCondition,
};
pub use targets::targets;
