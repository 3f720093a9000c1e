//! Densities and their peaks against numbers that other programs computed on the same rows,
//! against the definition, and against rows that nobody should have.

#![allow(
    clippy::cast_possible_truncation,
    clippy::excessive_precision,
    clippy::float_cmp,
    clippy::unwrap_used
)]

mod any_data;
mod by_definition;
mod commands;
#[allow(dead_code)] // shared with the tests of dimensions, which use all of it
#[path = "../id/fixture.rs"]
mod fixture;
mod golden;
mod identities;
mod layers;
mod scores;

use layers::{Layer, Rule};
