//! Events on published profiles, and what must hold for any profile.

mod identities;
mod resnet;
mod vae;

use std::path::{Path, PathBuf};

use repgeo::input::{Series, SeriesChoice};
use repgeo::profile::events::{EventOptions, Events, events};
use repgeo::report::read_series;

/// A column of a published table.
fn published(table: &str, column: &str) -> Series {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/events");
    let choice = SeriesChoice {
        column: Some(column.into()),
        ..SeriesChoice::default()
    };
    read_series(&folder.join(table), &choice).unwrap().series
}

/// Events under default options.
fn plain(series: &Series) -> Events {
    events(series, &EventOptions::default())
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected}"
    );
}
