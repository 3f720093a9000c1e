//! What must hold for any data.

use ndarray::{Array2, Axis, concatenate};
use repgeo::geometry::Reason;
use repgeo::geometry::centred::Centred;
use repgeo::geometry::similarity::{
    Basis, Dissimilarity, Precision, Relations, Route, Shape, cca, median_distances, pwcca,
    rbf_terms, svcca, tile_precision,
};
use repgeo::input::Matrix;
use repgeo::progress::Silent;

use super::{assert_close, normals, terms};

/// An orthogonal matrix: the left singular vectors of noise.
fn rotation(size: usize, seed: u64) -> Array2<f64> {
    let noise = normals(2 * size, size, seed);
    let noise = faer::Mat::from_fn(2 * size, size, |i, j| noise[(i, j)]);
    let svd = noise.thin_svd().unwrap();
    Array2::from_shape_fn((size, size), |(i, j)| svd.V()[(i, j)])
}

/// Correlated columns of different sizes.
fn data(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let sizes = Array2::from_shape_fn((1, columns), |(_, j)| 1.0 / (1.0 + j as f64));
    normals(rows, columns, seed).dot(&rotation(columns, seed + 1)) * &sizes
}

/// CKA, debiased CKA, Gaussian CKA, CCA, SVCCA, Procrustes, RSA of two matrices.
fn measures(x: &Array2<f64>, y: &Array2<f64>) -> [f64; 7] {
    let (x, y) = (Matrix::from(x.clone()), Matrix::from(y.clone()));
    let linear = terms(&[&x, &y], Route::Features);
    let centred = [Centred::new(&x), Centred::new(&y)];
    let medians = median_distances(&centred, &Silent);
    let widths: Vec<f64> = medians.into_iter().flatten().collect();
    let gaussian = rbf_terms(&centred, &widths, &Silent);
    let [a, b] = [0, 1].map(|at: usize| Basis::of(&centred[at]).unwrap());
    let [s, t] = [0, 1].map(|at: usize| Shape::of(&centred[at]).unwrap());
    let [f, g] = [&x, &y].map(|m| Relations::of(m, Dissimilarity::Euclidean).unwrap());
    [
        linear.cka(0, 1).unwrap(),
        linear.debiased_cka(0, 1).unwrap(),
        gaussian.cka(0, 1).unwrap(),
        cca(&a, &b).unwrap().mean,
        svcca(&a, &b, 0.9).unwrap().mean,
        s.distance(&t).unwrap(),
        f.ranks().correlation(&g.ranks()).unwrap(),
    ]
}

#[test]
fn a_moved_scaled_and_turned_layer_is_the_same_layer() {
    let x = data(300, 12, 1);
    let y = x.dot(&rotation(12, 5)) * 7.0 + 40.0;
    let expected = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0];
    for (found, expected) in measures(&x, &y).into_iter().zip(expected) {
        assert_close(found, expected, 1e-10, "rotation");
    }
}

#[test]
fn canonical_correlations_do_not_see_an_invertible_map_but_the_others_do() {
    let x = data(300, 8, 2);
    let y = x.dot(&normals(8, 8, 9));
    let found = measures(&x, &y);
    assert_close(found[3], 1.0, 1e-10, "cca");
    assert!(found[0] < 0.99 && found[5] > 0.01, "{found:?}");
}

#[test]
fn measures_are_symmetric_and_do_not_depend_on_the_order_of_rows() {
    let x = data(250, 10, 3);
    let y = x.mapv(f64::tanh).dot(&normals(10, 6, 4)) + 0.3 * normals(250, 6, 5);
    let moved: Vec<usize> = (0..250).map(|i| 7 * i % 250).collect();
    let first = measures(&x, &y);
    let turned = measures(&y, &x);
    let shuffled = measures(&x.select(Axis(0), &moved), &y.select(Axis(0), &moved));
    for at in 0..7 {
        assert_close(turned[at], first[at], 1e-12, "symmetry");
        assert_close(shuffled[at], first[at], 1e-11, "row order");
    }
    let basis = |m: &Array2<f64>| Basis::of(&Centred::new(&Matrix::from(m.clone()))).unwrap();
    let [forward, backward] = pwcca(&basis(&x), &basis(&y)).unwrap();
    let [back, forth] = pwcca(&basis(&y), &basis(&x)).unwrap();
    assert_close(forward, forth, 1e-12, "pwcca from one side");
    assert_close(backward, back, 1e-12, "pwcca from the other");
}

#[test]
fn both_routes_agree_on_layers_wider_than_long() {
    let x = Matrix::from(data(90, 70, 6));
    let y = Matrix::from(normals(90, 300, 7));
    let (features, samples) = (
        terms(&[&x, &y], Route::Features),
        terms(&[&x, &y], Route::Samples),
    );
    for (x, y) in [(0, 1), (1, 0), (1, 1)] {
        let (f, s) = (features.hsic(x, y), samples.hsic(x, y));
        assert_close(f / s, 1.0, 1e-10, "hsic");
        let (f, s) = (features.unbiased_hsic(x, y), samples.unbiased_hsic(x, y));
        assert_close((f - s) / features.hsic(x, y), 0.0, 1e-10, "unbiased");
    }
}

#[test]
fn chance_is_the_mean_over_shuffled_rows() {
    let x = Matrix::from(data(60, 5, 8));
    let y = data(60, 9, 9);
    let mut random = repgeo::random::SplitMix64::new(3);
    let (mut biased, mut debiased) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        let order = random.choose(60, 60);
        let y = Matrix::from(y.select(Axis(0), &order));
        let terms = terms(&[&x, &y], Route::Features);
        biased.push(terms.cka(0, 1).unwrap());
        debiased.push(terms.debiased_cka(0, 1).unwrap());
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let error = |values: &[f64]| {
        let centre = mean(values);
        let squares: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
        squares.sqrt() / values.len() as f64
    };
    let chance = terms(&[&x, &Matrix::from(y)], Route::Features).chance_cka(0, 1);
    assert_close(mean(&biased), chance.unwrap(), 4.0 * error(&biased), "cka");
    assert_close(mean(&debiased), 0.0, 4.0 * error(&debiased), "debiased");
}

#[test]
fn a_large_offset_changes_nothing() {
    let x = data(400, 6, 10);
    let y = &x.dot(&normals(6, 6, 11)) + &(0.2 * normals(400, 6, 12));
    let plain = measures(&x, &y);
    let moved = measures(&(&x + 1e4), &(&y - 1e4));
    for (plain, moved) in plain.into_iter().zip(moved) {
        assert_close(moved, plain, 1e-9, "offset");
    }
}

#[test]
fn many_rows_of_single_precision_lose_nothing_that_is_reported() {
    // One massive column, one outlying row, a shared offset: what rounding errors would add up in.
    let mut x = normals(4_200, 40, 21);
    x.column_mut(7).mapv_inplace(|value| 300.0 * value + 4e3);
    x.row_mut(11).fill(900.0);
    let y = x
        .mapv(|value| (value / 50.0).tanh())
        .dot(&normals(40, 24, 22))
        + 0.1 * normals(4_200, 24, 23);
    #[allow(clippy::cast_possible_truncation)]
    let single = |m: &Array2<f64>| Matrix::from(m.mapv(|value| value as f32));
    let independent = single(&normals(4_200, 30, 24));
    let (x, y) = (single(&x), single(&y));
    let layers = [&x, &y, &independent];
    let centred = layers.map(Centred::of_unit_size);
    assert_eq!(tile_precision(&centred), Precision::Single);
    let (exact, tiled) = (
        terms(&layers, Route::Features),
        terms(&layers, Route::Samples),
    );
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let (exact_cka, tiled_cka) = (exact.cka(a, b).unwrap(), tiled.cka(a, b).unwrap());
        assert_close(tiled_cka, exact_cka, 1e-9, "cka");
        let exact_cka = exact.debiased_cka(a, b).unwrap();
        assert_close(
            tiled.debiased_cka(a, b).unwrap(),
            exact_cka,
            1e-9,
            "debiased",
        );
    }
}

#[test]
fn what_does_not_exist_has_a_reason() {
    let constant = Matrix::from(Array2::<f64>::ones((20, 3)));
    let wide = Matrix::from(normals(20, 40, 13));
    let few = Matrix::from(normals(3, 2, 14));
    let pair = terms(&[&constant, &wide], Route::Features);
    assert_eq!(pair.cka(0, 1), Err(Reason::ConstantLayer));
    assert_eq!(pair.debiased_cka(0, 1), Err(Reason::ConstantLayer));
    assert_eq!(pair.cka(0, 0), Err(Reason::ConstantLayer));
    let short = terms(&[&few, &few], Route::Features);
    assert_eq!(short.debiased_cka(0, 1), Err(Reason::TooFewRows));
    assert!(short.cka(0, 1).is_ok());
    let basis = |m: &Matrix| Basis::of(&Centred::new(m));
    assert_eq!(basis(&constant).unwrap_err(), Reason::ConstantLayer);
    let full = basis(&wide).unwrap();
    assert_eq!(full.rank(), 19);
    assert_eq!(cca(&full, &full), Err(Reason::RankDeficient));
    assert_eq!(pwcca(&full, &full), Err(Reason::RankDeficient));
    assert!(svcca(&full, &full, 0.5).is_ok());
    let shape = Shape::of(&Centred::new(&constant));
    assert_eq!(shape.unwrap_err(), Reason::ConstantLayer);
    let relations = |m: &Matrix| Relations::of(m, Dissimilarity::Euclidean);
    assert_eq!(relations(&constant).unwrap_err(), Reason::ConstantLayer);
}

#[test]
fn dependent_columns_add_no_direction() {
    let x = normals(200, 5, 15);
    let doubled = concatenate(Axis(1), &[x.view(), x.view()]).unwrap();
    let basis = Basis::of(&Centred::new(&Matrix::from(doubled))).unwrap();
    assert_eq!(basis.rank(), 5);
}

#[test]
fn permuted_preparations_are_preparations_of_permuted_rows() {
    let order: Vec<u32> = (0..120).map(|i| 7 * i % 120).collect();
    let (x, y) = (
        Matrix::from(data(120, 6, 16)),
        Matrix::from(data(120, 7, 17)),
    );
    let moved = y.select(&order);
    let basis = |m: &Matrix| Basis::of(&Centred::new(m)).unwrap();
    let direct = cca(&basis(&x), &basis(&moved)).unwrap();
    let permuted = cca(&basis(&x), &basis(&y).with_rows(&order)).unwrap();
    assert_close(permuted.mean, direct.mean, 1e-11, "basis");
    let shape = |m: &Matrix| Shape::of(&Centred::new(m)).unwrap();
    let direct = shape(&x).distance(&shape(&moved)).unwrap();
    let permuted = shape(&x).distance(&shape(&y).with_rows(&order)).unwrap();
    assert_close(permuted, direct, 1e-11, "shape");
    let relations = |m: &Matrix| Relations::of(m, Dissimilarity::Euclidean).unwrap();
    let direct = relations(&x).correlation(&relations(&moved)).unwrap();
    let permuted = relations(&y).with_rows(&order);
    let permuted = relations(&x).correlation(&permuted).unwrap();
    assert_close(permuted, direct, 1e-13, "relations");
}

#[test]
fn the_exact_median_of_many_distances_is_found_between_drawn_ones() {
    // So many pairs that not all are kept.
    let long = Matrix::from(normals(6_000, 2, 18));
    let medians = median_distances(&[Centred::new(&long)], &Silent);
    let values = super::values(&long);
    let mut distances = Vec::new();
    for i in 0..6_000 {
        for j in 0..i {
            let (dx, dy) = (
                values[(i, 0)] - values[(j, 0)],
                values[(i, 1)] - values[(j, 1)],
            );
            distances.push(dx.hypot(dy));
        }
    }
    distances.sort_unstable_by(f64::total_cmp);
    let n = distances.len();
    let median = (distances[(n - 1) / 2] + distances[n / 2]) / 2.0;
    assert_close(medians[0].unwrap() / median, 1.0, 1e-12, "median");
}
