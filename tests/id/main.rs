//! Dimension estimators against numbers that other programs computed on the same rows, and
//! against rows that nobody should have.

#![allow(
    clippy::cast_possible_truncation,
    clippy::excessive_precision,
    clippy::float_cmp,
    clippy::unwrap_used
)]

mod adaptive;
mod any_data;
mod brute_force;
mod fixture;
mod local;
mod two_neighbours;
