//! Edits of a few attention weights of the last token, and what they do to the outcome.

mod plan;
mod run;
mod shape;

pub use run::{attention_modify, attention_modify_replayed};
pub use shape::{
    AttentionModify, Each, ExampleOutcome, Key, ModifyOptions, ModifyParameters, ModifyRow,
};
