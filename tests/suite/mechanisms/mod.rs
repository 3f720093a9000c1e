//! Streams, logits, attributions and edits against the reference implementation, an independent
//! oracle, closed forms and the identities that must hold whatever the weights are.

mod ablation;
mod commands;
mod dumps;
mod edits;
mod examples;
mod fixture;
mod identities;
mod lenses;
mod oracle;
mod reference;
mod refused;
mod runs;
mod said;
mod sweeps;
mod toy;
mod unembeddings;
