//! Degenerate layers in every stored type: the value of their f64 copy within the rounding of the
//! type, or none.

use half::{bf16, f16};
use ndarray::Array2;
use proptest::prelude::*;
use repgeo::geometry::Reason;
use repgeo::geometry::centred::Centred;
use repgeo::geometry::rounding::Rounding;
use repgeo::geometry::similarity::{
    Basis, Dissimilarity, Relations, Route, Shape, cca, median_distances, pwcca, rbf_terms, svcca,
};
use repgeo::input::Matrix;
use repgeo::progress::Silent;

use super::{normals, terms};

#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain,
    RankDeficient,
    Equidistant,
    Collinear,
    Proportional,
    Constant,
    OneHot,
}

const KINDS: [Kind; 7] = [
    Kind::Plain,
    Kind::RankDeficient,
    Kind::Equidistant,
    Kind::Collinear,
    Kind::Proportional,
    Kind::Constant,
    Kind::OneHot,
];

const N: usize = 24;
const D: usize = 24;

/// A layer of this kind in f64, of 24 rows.
fn layer(kind: Kind, seed: u64) -> Array2<f64> {
    let draw = |rows, columns, at| normals(rows, columns, 7 * seed + at);
    let turn = || {
        // An orthogonal matrix from a QR decomposition by Gram and Schmidt.
        let mut q = draw(D, D, 1);
        for i in 0..D {
            for j in 0..i {
                let dot = q.row(i).dot(&q.row(j));
                let other = q.row(j).to_owned();
                q.row_mut(i).scaled_add(-dot, &other);
            }
            let norm = q.row(i).dot(&q.row(i)).sqrt();
            q.row_mut(i).mapv_inplace(|x| x / norm);
        }
        q
    };
    match kind {
        Kind::Plain => draw(N, 6, 2),
        Kind::RankDeficient => draw(N, 3, 2).dot(&draw(3, 12, 3)),
        Kind::Equidistant => 3.0 * turn(),
        Kind::Collinear => {
            let offset = draw(1, 8, 4);
            draw(N, 1, 2).dot(&draw(1, 8, 3)) + &offset
        }
        Kind::Proportional => {
            let directions = draw(3, 9, 2);
            let sizes = draw(N, 1, 3).mapv(|x| 1.0 + x.abs());
            Array2::from_shape_fn((N, 9), |(i, j)| sizes[(i, 0)] * directions[(i % 3, j)])
        }
        Kind::Constant => {
            let row = draw(1, 5, 2);
            Array2::from_shape_fn((N, 5), |(_, j)| row[(0, j)])
        }
        Kind::OneHot => Array2::from_shape_fn((N, 4), |(i, j)| f64::from(u8::from(i % 4 == j))),
    }
}

/// The layer in f16, bf16, f32 and f64.
fn stored(values: &Array2<f64>) -> [Matrix; 4] {
    let (n, d) = values.dim();
    let all = || values.iter().copied();
    [
        Matrix::from_f16(n, d, all().map(f16::from_f64).collect::<Vec<_>>()),
        Matrix::from_bf16(n, d, all().map(bf16::from_f64).collect::<Vec<_>>()),
        Matrix::from_f32(n, d, all().map(|x| x as f32).collect::<Vec<_>>()),
        Matrix::from_f64(n, d, all().collect::<Vec<_>>()),
    ]
}

/// Every measure of two layers that needs no neighbours.
fn measures(x: &Matrix, y: &Matrix) -> Vec<(&'static str, Result<f64, Reason>)> {
    let mut all = Vec::new();
    let linear = terms(&[x, y], Route::Features);
    all.push(("cka", linear.cka(0, 1)));
    all.push(("cka_debiased", linear.debiased_cka(0, 1)));
    let centred = [Centred::of_unit_size(x), Centred::of_unit_size(y)];
    let widths: Vec<f64> = median_distances(&centred, &Silent)
        .into_iter()
        .map(|median| median.unwrap_or(0.0))
        .collect();
    if widths.iter().all(|&width| width > 1e-3) {
        let kernel = rbf_terms(&centred, &widths, &Silent);
        all.push(("cka_rbf", kernel.cka(0, 1)));
        all.push(("cka_rbf_debiased", kernel.debiased_cka(0, 1)));
    }
    let bases = [Basis::of(&centred[0]), Basis::of(&centred[1])];
    let canonical = |value: fn(&Basis, &Basis) -> Result<f64, Reason>| match &bases {
        [Ok(x), Ok(y)] => value(x, y),
        [Err(reason), _] | [_, Err(reason)] => Err(*reason),
    };
    all.push(("cca", canonical(|x, y| cca(x, y).map(|found| found.mean))));
    all.push((
        "svcca",
        canonical(|x, y| svcca(x, y, 0.99).map(|found| found.mean)),
    ));
    all.push(("pwcca", canonical(|x, y| pwcca(x, y).map(|found| found[0]))));
    let shapes = [Shape::of(&centred[0]), Shape::of(&centred[1])];
    all.push((
        "procrustes",
        match &shapes {
            [Ok(x), Ok(y)] => x.distance(y),
            [Err(reason), _] | [_, Err(reason)] => Err(*reason),
        },
    ));
    for (name, kind) in [
        ("rsa euclidean", Dissimilarity::Euclidean),
        ("rsa cosine", Dissimilarity::Cosine),
        ("rsa correlation", Dissimilarity::Correlation),
    ] {
        let found = Relations::of(x, kind)
            .and_then(|x| Ok((x, Relations::of(y, kind)?)))
            .and_then(|(x, y)| x.ranks().correlation(&y.ranks()));
        all.push((name, found));
    }
    all
}

/// How far rounding to a type may turn the ranks of an RSA: two dissimilarities that are nearer than
/// it may have moved them can tie or change places, in the stored type and not in the f64 copy.
///
/// A rank then moves by at most the number s of others so near, and the vector of ranks r about its
/// mean by an angle of at most arcsin(‖s‖/‖r‖), of which the correlation is the cosine.
fn rank_angle(name: &str, data: &Array2<f64>, unit: f64) -> f64 {
    let (centred, unit_rows) = match name {
        "rsa euclidean" => (false, false),
        "rsa cosine" => (false, true),
        "rsa correlation" => (true, true),
        _ => return 0.0,
    };
    let norm = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let rows = data.rows().into_iter().map(|row| {
        let (moved, mean) = (unit * norm(&row.to_vec()), row.sum() / row.len() as f64);
        let row: Vec<f64> = row
            .iter()
            .map(|x| x - f64::from(u8::from(centred)) * mean)
            .collect();
        let length = if unit_rows { norm(&row) } else { 1.0 };
        (row.iter().map(|x| x / length).collect(), moved / length)
    });
    let rows: Vec<(Vec<f64>, f64)> = rows.collect();
    let mut values = Vec::new();
    for (i, (x, x_moved)) in rows.iter().enumerate() {
        for (y, y_moved) in &rows[i + 1..] {
            let apart: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
            let (distance, error) = (norm(&apart), x_moved + y_moved);
            values.push(match unit_rows {
                true => (distance * distance / 2.0, error * (distance + error / 2.0)),
                false => (distance, error),
            });
        }
    }
    let near = |a: &(f64, f64), b: &(f64, f64)| (a.0 - b.0).abs() <= 2.0 * (a.1 + b.1);
    let moved = values
        .iter()
        .map(|a| values.iter().filter(|b| near(a, b)).count() - 1);
    let squares: f64 = moved.map(|s| (s * s) as f64).sum();
    let n = values.len() as f64;
    (12.0 * squares / (n * n * n - n)).sqrt().min(1.0).asin()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_measure_is_that_of_the_f64_copy_or_there_is_none(seed in 0u64..1000) {
        for first in KINDS {
            for second in KINDS {
                let (a, b) = (layer(first, 2 * seed), layer(second, 2 * seed + 1));
                let (x, y) = (stored(&a), stored(&b));
                let exact = measures(&x[3], &y[3]);
                for (x, y) in x.iter().zip(&y) {
                    let unit = Rounding::of(x).unit;
                    let tolerance = (64.0 * unit).max(1e-9);
                    for (name, found) in measures(x, y) {
                        let [a, b] = [&a, &b].map(|data| rank_angle(name, data, unit));
                        let tolerance = tolerance + a + b;
                        let of_copy = exact.iter().find(|(other, _)| *other == name);
                        let Ok(found) = found else { continue };
                        let wanted = of_copy.map(|(_, value)| *value);
                        let wanted = wanted.and_then(Result::ok);
                        prop_assert!(
                            wanted.is_some_and(|wanted| (found - wanted).abs() <= tolerance),
                            "{name} of {first:?} and {second:?} in {x:?}: {found}, not {wanted:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_exists_in_mathematics_is_found_in_every_type() {
    // No value at all would satisfy the property above.
    let (x, y) = (layer(Kind::RankDeficient, 1), layer(Kind::Plain, 2));
    for (x, y) in stored(&x).iter().zip(&stored(&y)) {
        for (name, found) in measures(x, y) {
            assert!(found.is_ok(), "{name} in {x:?}: {found:?}");
        }
        let basis = Basis::of(&Centred::of_unit_size(x)).unwrap();
        assert_eq!(basis.rank(), 3, "{x:?}");
    }
    let equidistant = layer(Kind::Equidistant, 3);
    for x in &stored(&equidistant) {
        let found = terms(&[x, x], Route::Features).debiased_cka(0, 1);
        assert_eq!(found, Err(Reason::EquidistantRows), "{x:?}");
        let found = Relations::of(x, Dissimilarity::Euclidean);
        assert_eq!(found.err(), Some(Reason::EquidistantRows), "{x:?}");
    }
}
