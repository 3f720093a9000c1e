//! Densities and what is read from them.

mod kstar;

pub use kstar::{Correction, KSTAR_ALPHA, kstar};
