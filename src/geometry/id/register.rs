//! The register of estimators of the intrinsic dimension, in the order of reports.

use super::estimator::Estimator;
use super::{abide, binomial, corr_int, ess, gride, lpca, mada, mind_ml, mle, mom, tle, two_nn};
use crate::choice::registered;

/// Names, help, `--explain` and the schema are read off this list.
pub static ESTIMATORS: [&Estimator; 13] = [
    &two_nn::TWO_NN,
    &gride::GRIDE,
    &mle::MLE,
    &mom::MOM,
    &tle::TLE,
    &ess::ESS,
    &corr_int::CORR_INT,
    &mada::MADA,
    &mind_ml::MIND_ML,
    &binomial::BINOMIAL,
    &abide::ABIDE,
    &lpca::LPCA,
    &lpca::PARTICIPATION_RATIO,
];

registered!(
    Estimator,
    ESTIMATORS,
    "An estimator of the intrinsic dimension."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_a_command_line() {
        for (at, one) in ESTIMATORS.iter().enumerate() {
            assert!(ESTIMATORS[..at].iter().all(|other| other != one), "{one:?}");
            let fits = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(one.name.chars().all(fits), "{one:?}");
            assert_eq!(one.flag, one.name.replace('_', "-"));
            assert!(!one.words.is_empty(), "{one:?}");
        }
    }

    #[test]
    fn a_part_belongs_to_another_estimator() {
        for part in ESTIMATORS.iter().filter_map(|one| one.part_of) {
            assert!(ESTIMATORS.iter().any(|one| one.name == part), "{part}");
        }
    }
}
