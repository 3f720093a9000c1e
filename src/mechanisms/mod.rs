//! Looks inside a language model: its streams, its heads, its logits.
//!
//! Two mechanisms compete at the last token of a prompt such as "Redefine: the sky is green. The
//! sky is": recall of the fact and copying of the counterfactual. These modules read dumped streams
//! or run a checkpoint, and say how the logits of the two tokens come about and what a few
//! attention weights do to the outcome (Ortu et al., ACL 2024, arXiv 2402.11655).

pub mod ablate;
pub mod attribution;
mod dump;
pub mod dumped;
pub mod forward;
mod forward_memory;
mod head_table;
mod last_positions;
pub mod lens;
pub mod model;
pub mod modify;
mod norm;
mod outcomes;
mod over_runs;
pub mod patterns;
mod prompts;
mod readout;
mod said;
mod scale;
mod share;
mod spots;
mod stat;
pub mod streams;
mod tail;
mod unembedding;

pub use dump::StreamDump;
pub use norm::NormKind;
pub use outcomes::Outcomes;
pub use prompts::{Prompts, SLOTS, Targets};
pub use readout::Readout;
pub use share::Share;
pub use spots::Positions;
pub use stat::Stat;
