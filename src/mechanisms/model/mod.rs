//! GPT-2 and GPT-NeoX: from a Hugging Face checkpoint to streams and logits.
//!
//! One code for f32 and f64. Weights are read block by block while the pass goes through them, so
//! a checkpoint larger than memory in f32 still runs. Products go through `algebra`; work is split
//! into fixed chunks of examples, so no result depends on the number of threads.

mod activation;
mod attention;
mod config;
mod edit;
mod keys;
mod logits;
mod ops;
mod part;
mod pass;
mod product;
mod real;
mod replay;
mod sequences;
mod weights;

pub use activation::Activation;
pub use config::{Config, Family, Rotary};
pub use edit::{Edit, EditMode, Head, Keys, ValueBias};
pub use logits::{LastLogits, Outcome, Vocabulary, last_logits};
pub use part::{BlockPart, Part, Replaced};
pub use pass::{BlockStreams, Chunk, Pass, PatternRows, chunks_at_once};
pub use real::{Precision, Real};
pub use replay::{Change, LastPosition, add_parts, part_sums, replay};
pub use sequences::Sequences;
pub use weights::{Block, Checkpoint, Linear, Norm};

pub(crate) use keys::is_of_a_config;
pub(crate) use ops::moments;
pub(crate) use product::{view, view_mut};
pub(crate) use replay::keys_and_values;
