//! An estimator of one's own on exact neighbours: Levina and Bickel's, written out.
//!
//! `cargo run --example own_estimator`

#![allow(clippy::print_stdout)]

use std::path::Path;

use repgeo::input::{Dump, ReadOptions};
use repgeo::neighbours::{Metric, NeighbourTable, Points, SearchOptions, neighbour_table};
use repgeo::progress::Silent;

/// The inverse of the mean of ln(r_k / r_j) over the k − 1 nearer neighbours j and all rows.
fn levina_bickel(table: &NeighbourTable) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for row in table.distances.rows() {
        let farthest = row[table.k() - 1];
        for near in row.iter().take(table.k() - 1) {
            sum += libm::log(farthest / near);
            n += 1.0;
        }
    }
    n / sum
}

fn main() -> repgeo::Result<()> {
    run()
}

/// The example; a test calls it.
pub fn run() -> repgeo::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/2gauss.npy");
    let dump = Dump::open(&file)?;
    let layer = dump.read(&dump.layers()[0], &ReadOptions::default())?;
    let points = Points::new(&layer.matrix, Metric::Euclidean, &layer.name)?;
    let table = neighbour_table(&points, 20, &SearchOptions::default(), &Silent)?;
    let id = levina_bickel(&table);
    println!("{} rows, dimension {id:.2}", table.n());
    assert!((1.5..2.5).contains(&id), "two Gaussians on a plane");
    Ok(())
}
