//! Densities and their peaks against numbers that other programs computed on the same rows,
//! against the definition, and against rows that nobody should have.

mod any_data;
mod by_definition;
mod commands;
mod golden;
mod identities;
mod layers;
mod scores;

use super::id::fixture;
use layers::{Layer, Rule};
