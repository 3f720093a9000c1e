//! Whatever the table holds, an estimate is a finite number above zero or it does not exist.

use ndarray::Array2;
use proptest::prelude::*;
use repgeo::geometry::density::{Correction, kstar};
use repgeo::geometry::diagnostics::DistanceDiagnostics;
use repgeo::geometry::id::{
    AbideVersion, BinomialFit, Combine, EssVersion, Estimate, Fit, Fraction, Local, LocalOutcome,
    LpcaRule, MindVersion, MleVersion, Orders, Ratios, abide, binomial_k, binomial_radius,
    corr_int, corr_int_radii, ess, gride, gride_blocks, gride_log_likelihood, lpca, mada, mind_ml,
    mle, mom, pairs_within, tle, two_nn,
};
use repgeo::geometry::spectrum::{Centring, Spectrum};
use repgeo::input::Matrix;

use super::brute_force::Neighbours;

/// Distances that make trouble: none, tiny, equal, almost equal, huge.
fn distance() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1e-200),
        Just(1e-30),
        Just(1.0),
        Just(1.0 + f64::EPSILON),
        Just(1e150),
        0.5..2.0f64,
    ]
}

/// N rows of k ascending distances.
fn table() -> impl Strategy<Value = Array2<f64>> {
    (1usize..12, 1usize..8).prop_flat_map(|(n, k)| {
        proptest::collection::vec(distance(), n * k).prop_map(move |values| {
            let mut table = Array2::from_shape_vec((n, k), values).unwrap();
            for mut row in table.rows_mut() {
                row.as_slice_mut().unwrap().sort_by(f64::total_cmp);
            }
            table
        })
    })
}

/// Rows on a coarse lattice, so that equal rows and ties abound.
fn rows() -> impl Strategy<Value = Array2<f64>> {
    (
        2usize..16,
        1usize..5,
        prop_oneof![Just(1e-25), Just(1.0), Just(1e25)],
    )
        .prop_flat_map(|(n, d, unit)| {
            proptest::collection::vec(-2i8..3, n * d).prop_map(move |values| {
                let values = values.into_iter().map(|x| f64::from(x) * unit).collect();
                Array2::from_shape_vec((n, d), values).unwrap()
            })
        })
}

fn check(estimate: &Estimate) {
    assert!(estimate.id.is_finite() && estimate.id > 0.0, "{estimate:?}");
    assert!(
        estimate
            .std_error
            .is_none_or(|error| error.is_finite() && error >= 0.0)
    );
    assert!(estimate.distance.is_none_or(f64::is_finite));
    assert!(estimate.mode.is_none_or(f64::is_finite));
}

fn check_local(found: LocalOutcome) {
    if let Ok(Local { estimate, values }) = found {
        check(&estimate);
        assert!(values.iter().flatten().all(|value| value.is_finite()));
        assert_eq!(values.iter().flatten().count(), estimate.n);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ratios_give_numbers_or_reasons(table in table(), n1 in 1usize..4, share in 0.01..1.0f64) {
        let fraction = Fraction::new(share).unwrap();
        let column = |order: usize| table.column(order.min(table.ncols()) - 1).to_vec();
        let ratios = Ratios::new(&column(1), &column(2));
        for fit in [Fit::Base { fraction }, Fit::Mle, Fit::MleCensored { fraction }, Fit::BAYES] {
            two_nn(&ratios, fit).iter().for_each(check);
        }
        let orders = Orders::doubled(n1).unwrap();
        let ratios = Ratios::new(&column(n1), &column(2 * n1));
        gride(&ratios, orders).iter().for_each(check);
        prop_assert!(gride_blocks(&ratios, orders, 5).is_none_or(f64::is_finite));
        prop_assert!(gride_log_likelihood(&ratios, orders, 3.0).is_none_or(f64::is_finite));
        let diagnostics = DistanceDiagnostics::new(&column(1), &column(2), &column(2));
        prop_assert!(diagnostics.mu.0.iter().all(|mu| mu.is_finite()));
    }

    #[test]
    fn tables_give_numbers_or_reasons(table in table(), k in 0usize..9) {
        let view = table.view();
        for version in [MleVersion::Harmonic, MleVersion::Mean, MleVersion::Median, MleVersion::Unbiased] {
            check_local(mle(view, k, version));
        }
        for combine in [Combine::Mean, Combine::Median] {
            check_local(mom(view, k, combine));
            check_local(mada(view, k, combine));
        }
        for version in [MindVersion::Real, MindVersion::Integer] {
            mind_ml(view, k, 10, version).iter().for_each(check);
        }
        for fit in [BinomialFit::Bayes, BinomialFit::Mle] {
            binomial_k(view, k, 0.5, fit).iter().for_each(check);
            binomial_radius(view, 1.0, 0.5, fit).iter().for_each(check);
        }
        if let Ok(radii) = corr_int_radii(view, [k.div_ceil(2), k]) {
            let pairs = radii.map(|radius| pairs_within(view, radius).unwrap_or(7));
            corr_int(radii, pairs, table.nrows()).iter().for_each(check);
        }
    }

    #[test]
    fn rows_give_numbers_or_reasons(rows in rows(), k in 1usize..9) {
        let neighbours = Neighbours::nearest(&rows, rows.nrows() - 1);
        let (table, indices) = (neighbours.distances.view(), neighbours.indices.view());
        let matrix = Matrix::from(rows);
        check_local(tle(table, indices, &matrix, k, Combine::Mean));
        for version in [EssVersion::A, EssVersion::B] {
            check_local(ess(table, indices, &matrix, k, version, Combine::Mean));
        }
        for centring in [Centring::Centred, Centring::Raw] {
            if let Ok(spectrum) = Spectrum::of(&matrix, centring) {
                for rule in LpcaRule::ALL {
                    if let Ok(estimate) = lpca(&spectrum, rule) {
                        prop_assert!(estimate.id.is_finite(), "{rule:?}");
                    }
                }
            }
        }
        if let Ok(sizes) = kstar(table, indices, 2.0, 1e-3, Correction::RowsAndTests) {
            prop_assert!(sizes.iter().flatten().all(|&size| (3..table.ncols()).contains(&size)));
        }
        for version in [AbideVersion::Gride, AbideVersion::Binomial { ratio: None }] {
            for step in abide(table, indices, 2.0, 1e-3, 3, version).iter().flatten() {
                prop_assert!(step.id.is_finite() && step.id > 0.0);
                prop_assert!(step.log_likelihood.is_none_or(f64::is_finite));
            }
        }
    }
}
