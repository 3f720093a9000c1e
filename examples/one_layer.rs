//! The intrinsic dimension of one layer that a program has in memory, at several scales.
//!
//! `cargo run --example one_layer`

#![allow(clippy::print_stdout)]

use ndarray::Array2;
use repgeo::geometry::id::{Fit, Orders, Ratios, gride, two_nn};
use repgeo::input::Matrix;
use repgeo::neighbours::{Metric, Points, SearchOptions, order_distances};
use repgeo::progress::Silent;
use repgeo::random::SplitMix64;

fn main() -> repgeo::Result<()> {
    run()
}

/// The example; a test calls it.
pub fn run() -> repgeo::Result<()> {
    // 3000 rows of 50 columns, of which four vary.
    let mut random = SplitMix64::new(1);
    let layer = Array2::from_shape_fn((3000, 50), |(_, j)| match j {
        0..4 => random.uniform(),
        _ => 0.0,
    });
    let matrix = Matrix::from(layer);
    let points = Points::new(&matrix, Metric::Euclidean, "layer")?;
    let wanted = [1, 2, 4, 8, 16];
    let distances = order_distances(&points, &wanted, &SearchOptions::default(), &Silent)?;
    let of = |order| distances.get(order).expect("3000 rows have it");

    let nearest = two_nn(&Ratios::new(of(1), of(2)), Fit::default()).expect("rows differ");
    println!("TwoNN        {:.2}", nearest.id);
    for order in [2, 4, 8] {
        let orders = Orders::doubled(order).expect("at least 1");
        let ratios = Ratios::new(of(order), of(2 * order));
        let wider = gride(&ratios, orders).expect("rows differ");
        println!("Gride, n {order:<3} {:.2}", wider.id);
        assert!((wider.id - 4.0).abs() < 0.4, "four columns vary");
    }
    Ok(())
}
