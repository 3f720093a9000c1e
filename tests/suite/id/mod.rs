//! Dimension estimators against numbers that other programs computed on the same rows, and
//! against rows that nobody should have.

mod adaptive;
mod any_data;
mod brute_force;
pub mod fixture;
mod local;
mod scales_in_parts;
mod two_neighbours;
