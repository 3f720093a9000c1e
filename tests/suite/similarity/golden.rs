//! Numbers that plain NumPy found.

use std::fs;

use ndarray::s;
use repgeo::geometry::centred::Centred;
use repgeo::geometry::similarity::{
    Basis, Dissimilarity, Relations, Route, Shape, cca, median_distances, pwcca, rbf_terms, svcca,
};
use repgeo::input::Matrix;
use repgeo::progress::Silent;
use serde_json::Value;

use super::{assert_close, fixture, layers, terms, values};

fn reference(name: &str) -> Value {
    let path = fixture("similarity").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The four layers of the reference: all columns, the first and last 48, and all with rows moved.
fn highdim() -> [Matrix; 4] {
    let a = layers("golden/highdim.npy").remove(0);
    let wide = values(&a);
    let moved: Vec<u32> = (0..800).map(|i| 7 * i % 800).collect();
    [
        Matrix::from(wide.slice(s![.., ..48]).to_owned()),
        Matrix::from(wide.slice(s![.., 48..]).to_owned()),
        a.select(&moved),
        a,
    ]
}

/// Calls `check` for every pair of the reference: its name, first and second layer, its values.
fn for_each_pair(check: impl Fn(&str, &Matrix, &Matrix, &Value)) {
    let [b, c, p, a] = highdim();
    let expected = reference("highdim.json");
    for (name, x, y) in [("ab", &a, &b), ("bc", &b, &c), ("ap", &a, &p)] {
        check(name, x, y, &expected[name]);
    }
}

fn at(expected: &Value, key: &str) -> f64 {
    expected[key].as_f64().unwrap()
}

#[test]
fn kernel_alignment_is_that_of_numpy_by_both_routes() {
    for_each_pair(|name, x, y, expected| {
        for route in [Route::Features, Route::Samples] {
            let terms = terms(&[x, y], route);
            let cka = terms.cka(0, 1).unwrap();
            assert_close(cka, at(expected, "cka"), 1e-9, name);
            let debiased = terms.debiased_cka(0, 1).unwrap();
            assert_close(debiased, at(expected, "cka_debiased"), 1e-9, name);
        }
        let (x, y) = (Centred::new(x), Centred::new(y));
        let layers = [x, y];
        let medians = median_distances(&layers, &Silent);
        for (fraction, key) in [(1.0, "cka_rbf"), (0.5, "cka_rbf_half")] {
            let widths: Vec<f64> = medians.iter().map(|m| fraction * m.unwrap()).collect();
            let terms = rbf_terms(&layers, &widths, &Silent);
            assert_close(terms.cka(0, 1).unwrap(), at(expected, key), 1e-9, key);
            let debiased = terms.debiased_cka(0, 1).unwrap();
            let key = format!("{key}_debiased");
            assert_close(debiased, at(expected, &key), 1e-9, &key);
        }
    });
}

#[test]
fn bandwidths_and_chance_are_those_of_numpy() {
    let [b, c, p, a] = highdim();
    let expected = reference("highdim.json");
    let layers = [&a, &b, &c].map(Centred::new);
    let medians = median_distances(&layers, &Silent);
    for (median, name) in medians.iter().zip(["a", "b", "c"]) {
        let expected = at(&expected["median_distance"], name);
        assert_close(median.unwrap(), expected, 1e-11, name);
    }
    let chance = terms(&[&a, &p], Route::Features).chance_cka(0, 1).unwrap();
    assert_close(chance, at(&expected, "chance_cka_ap"), 5e-8, "chance");
}

#[test]
fn canonical_correlations_are_those_of_numpy() {
    for_each_pair(|name, x, y, expected| {
        let (x, y) = (Centred::new(x), Centred::new(y));
        let (x, y) = (Basis::of(&x).unwrap(), Basis::of(&y).unwrap());
        let whole = cca(&x, &y).unwrap();
        assert_close(whole.mean, at(expected, "cca_mean"), 1e-9, name);
        let squared = at(expected, "cca_mean_squared");
        assert_close(whole.mean_squared, squared, 1e-9, name);
        let leading = svcca(&x, &y, 0.99).unwrap();
        assert_eq!(leading.ranks, [8, 8], "{name}");
        assert_close(leading.mean, at(expected, "svcca"), 1e-9, name);
        let [forward, backward] = pwcca(&x, &y).unwrap();
        assert_close(forward, at(expected, "pwcca_forward"), 1e-9, name);
        assert_close(backward, at(expected, "pwcca_backward"), 1e-9, name);
        // With all the variance, SVCCA is CCA.
        assert_close(svcca(&x, &y, 1.0).unwrap().mean, whole.mean, 1e-12, name);
    });
}

#[test]
fn shapes_and_relations_are_those_of_numpy() {
    for_each_pair(|name, x, y, expected| {
        let shape = |m: &Matrix| Shape::of(&Centred::new(m)).unwrap();
        let distance = shape(x).distance(&shape(y)).unwrap();
        assert_close(distance, at(expected, "procrustes"), 1e-9, name);
        for kind in [Dissimilarity::Euclidean, Dissimilarity::Correlation] {
            let relations = |m: &Matrix| Relations::of(m, kind).unwrap();
            let (x, y) = (relations(x), relations(y));
            let key = |method| format!("rsa_{}_{method}", kind.name());
            let pearson = x.correlation(&y).unwrap();
            assert_close(pearson, at(expected, &key("pearson")), 1e-9, name);
            let spearman = x.ranks().correlation(&y.ranks()).unwrap();
            assert_close(spearman, at(expected, &key("spearman")), 1e-9, name);
        }
    });
}

#[test]
fn whole_matrices_of_real_layers_are_those_of_numpy() {
    for set in ["relations", "mlp_clf_trained", "vae_d16_ep0300"] {
        let expected = reference(&format!("{set}.json"));
        let matrices = layers(&format!("reference/{set}"));
        let names: Vec<&Matrix> = matrices.iter().collect();
        let centred: Vec<Centred<'_>> = matrices.iter().map(Centred::new).collect();
        let linear = terms(&names, Route::Features);
        let tiled = terms(&names, Route::Samples);
        let medians = median_distances(&centred, &Silent);
        let widths: Vec<f64> = medians.iter().map(|m| 0.5 * m.unwrap()).collect();
        let gaussian = rbf_terms(&centred, &widths, &Silent);
        let shapes: Vec<Shape> = centred.iter().map(|x| Shape::of(x).unwrap()).collect();
        let bases: Vec<Basis> = centred.iter().map(|x| Basis::of(x).unwrap()).collect();
        for x in 0..matrices.len() {
            let width = expected["rbf_sigma"][x].as_f64().unwrap();
            assert_close(widths[x] / width, 1.0, 1e-11, set);
            let rank = expected["svcca_rank99"][x].as_u64().unwrap();
            assert_eq!(bases[x].leading(0.99) as u64, rank, "{set} {x}");
            for y in 0..matrices.len() {
                let what = format!("{set} {x} {y}");
                let expected = |key: &str| expected[key][x][y].as_f64().unwrap();
                for terms in [&linear, &tiled] {
                    let cka = terms.cka(x, y).unwrap();
                    assert_close(cka, expected("cka_linear"), 1e-10, &what);
                    let debiased = terms.debiased_cka(x, y).unwrap();
                    assert_close(debiased, expected("cka_linear_debiased"), 1e-10, &what);
                }
                let rbf = gaussian.cka(x, y).unwrap();
                assert_close(rbf, expected("cka_rbf"), 1e-10, &what);
                let distance = shapes[x].distance(&shapes[y]).unwrap();
                assert_close(distance, expected("procrustes_d2"), 1e-10, &what);
                let mean = svcca(&bases[x], &bases[y], 0.99).unwrap().mean;
                assert_close(mean, expected("svcca_mean_corr"), 1e-9, &what);
            }
        }
    }
}
