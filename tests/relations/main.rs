//! Imbalance and overlap against closed forms, invariances, each other, and a peer's numbers.

#![allow(
    clippy::cast_possible_truncation,
    clippy::excessive_precision,
    clippy::float_cmp,
    clippy::unwrap_used
)]

mod command;
mod golden;
mod identities;
mod layers;
mod reports;
