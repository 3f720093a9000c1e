//! Imbalance and overlap against closed forms, invariances, each other, and a peer's numbers.

mod cached;
mod command;
mod golden;
mod identities;
mod layers;
mod reports;
