//! Which layers of two dumps over the same rows know the same: their information imbalances.
//!
//! `cargo run --example two_dumps`

#![allow(clippy::print_stdout)]

use std::path::Path;

use repgeo::input::Dump;
use repgeo::profile::compare::{Comparison, Side};
use repgeo::profile::imbalance::{ImbalanceOptions, imbalance};
use repgeo::profile::{Bench, LayerOptions};

fn main() -> repgeo::Result<()> {
    run()
}

/// The example; a test calls it.
pub fn run() -> repgeo::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/minilm");
    let (first, second) = (Dump::open(&folder)?, Dump::open(&folder)?);
    let side = |dump| Side {
        dump,
        options: LayerOptions::default(),
    };
    let bench = Bench::default();
    let comparison = Comparison::new(side(&first), Some(side(&second)), bench.progress)?;
    let profile = imbalance(&comparison, &ImbalanceOptions::default(), &bench)?;
    for pair in &profile.pairs {
        if let Some(both) = pair.outcome.ok() {
            println!(
                "{:<16} {:<16} {:.4} {:.4}",
                pair.a.layer, pair.b.layer, both.forward, both.backward
            );
        }
    }
    assert_eq!(profile.pairs.len(), 49, "seven layers on both sides");
    Ok(())
}
