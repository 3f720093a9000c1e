//! Exact, reproducible geometry of hidden representations.

#![cfg_attr(
    test,
    allow(
        clippy::float_cmp,
        clippy::unwrap_used,
        clippy::cast_possible_truncation
    )
)]

pub mod error;
pub mod geometry;
pub mod input;
pub mod neighbours;
pub mod profile;
pub mod progress;
pub mod random;
pub mod report;
pub mod warning;

pub use error::{Error, Result};
