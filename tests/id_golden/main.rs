//! Dimension estimators against numbers that other programs computed on the same rows.

#![allow(
    clippy::cast_possible_truncation,
    clippy::excessive_precision,
    clippy::float_cmp,
    clippy::unwrap_used
)]

mod adaptive;
mod brute_force;
mod fixture;
mod local;
mod two_neighbours;
