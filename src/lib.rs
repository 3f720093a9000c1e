//! Exact, reproducible geometry of hidden representations.
//!
//! repgeo asks how the geometry of a neural network's representations changes from layer to layer.
//! This library is what the `repgeo` command is made of. Data flows one way:
//!
//! | floor | from | to |
//! |---|---|---|
//! | [`input`] | files of activations | a [`Matrix`](input::Matrix) per layer, in stored precision |
//! | [`neighbours`] | a matrix | exact neighbours and their f64 distances, the same bytes everywhere |
//! | [`geometry`] | distances | numbers: intrinsic dimensions, diagnostics; or a [`Reason`](geometry::Reason) why not |
//! | [`mechanisms`] | dumped streams, checkpoints | logits, contributions, attention, outcomes of edits |
//! | [`profile`] | a dump | a number per layer with its context, sub-samples, events |
//! | [`report`] | a profile | JSON, tidy CSV, a table with sparklines |
//!
//! # One layer from memory
//!
//! ```
//! use ndarray::Array2;
//! use repgeo::geometry::id::{Fit, Orders, Ratios, gride, two_nn};
//! use repgeo::input::Matrix;
//! use repgeo::neighbours::{Metric, Points, SearchOptions, order_distances};
//! use repgeo::progress::Silent;
//! use repgeo::random::SplitMix64;
//!
//! // A flat sheet of 2000 rows in ten dimensions: two coordinates vary.
//! let mut random = SplitMix64::new(1);
//! let sheet = Array2::from_shape_fn((2000, 10), |(_, j)| if j < 2 { random.uniform() } else { 0.0 });
//!
//! let matrix = Matrix::from(sheet);
//! let points = Points::new(&matrix, Metric::Euclidean, "sheet")?;
//! let distances = order_distances(&points, &[1, 2, 4], &SearchOptions::default(), &Silent)?;
//! let [r1, r2, r4] = [1, 2, 4].map(|order| distances.get(order).expect("2000 rows have these"));
//!
//! let nearest = two_nn(&Ratios::new(r1, r2), Fit::default()).expect("rows differ");
//! assert!((nearest.id - 2.0).abs() < 0.2, "{nearest:?}");
//!
//! let orders = Orders::doubled(2).expect("order 2 exists");
//! let farther = gride(&Ratios::new(r2, r4), orders).expect("rows differ");
//! assert!((farther.id - 2.0).abs() < 0.2);
//! # Ok::<(), repgeo::Error>(())
//! ```
//!
//! # A dump on disk
//!
//! ```
//! use repgeo::input::Dump;
//! use repgeo::profile::{Bench, IdOptions, id_profile};
//! use repgeo::report::{Format, Report, Style};
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/minilm");
//! let dump = Dump::open(folder.as_ref())?;
//! let profile = id_profile(&dump, &IdOptions::default(), &Bench::default())?;
//! let report = Report::new("id-profile", vec!["minilm".into()], &profile);
//! print!("{}", report.render(Format::Table, &Style::default())?);
//! # assert_eq!(profile.layers.len(), 7);
//! # Ok::<(), repgeo::Error>(())
//! ```
//!
//! Work runs on the current rayon pool; no result depends on its size.
//!
//! The feature `cli` (default) is what the command alone needs: flags, a progress bar and the width
//! of the terminal. A program that links the library sets `default-features = false`.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::float_cmp,
        clippy::unwrap_used,
        clippy::cast_possible_truncation
    )
)]

mod algebra;
pub mod cache;
pub mod choice;
pub mod cluster;
pub mod error;
pub mod geometry;
pub mod input;
pub mod mechanisms;
pub mod memory;
pub mod neighbours;
pub mod overview;
pub mod profile;
pub mod progress;
pub mod random;
pub mod report;
pub mod storage;
mod vectors;
pub mod warning;

pub use error::{Error, Result};

#[cfg(test)]
mod schema;
