//! The register of measures of similarity, in the order of reports.

use super::neighbour_values::BySearch;
use super::{id_correlation, imbalance, overlap};
use crate::choice::registered;
use crate::geometry::similarity::{
    CCA, CKA, CKA_DEBIASED, CKA_RBF, CKA_RBF_DEBIASED, Measure, PROCRUSTES, PWCCA, RSA, SVCCA,
};

/// Names, help, reports and the schema are read off this list.
pub static MEASURES: [&Measure; 12] = [
    &CKA,
    &CKA_DEBIASED,
    &CKA_RBF,
    &CKA_RBF_DEBIASED,
    &CCA,
    &SVCCA,
    &PWCCA,
    &PROCRUSTES,
    &RSA,
    &imbalance::IMBALANCE,
    &overlap::OVERLAP,
    &id_correlation::ID_CORRELATION,
];

/// The measures that search for neighbours.
pub(super) static BY_SEARCH: [(&Measure, BySearch); 3] = [
    (&imbalance::IMBALANCE, imbalance::by_search),
    (&overlap::OVERLAP, overlap::by_search),
    (&id_correlation::ID_CORRELATION, id_correlation::by_search),
];

registered!(Measure, MEASURES, "A measure of similarity.");

#[cfg(test)]
mod tests {
    use crate::geometry::similarity::{Setting, Values};

    use super::*;

    #[test]
    fn names_are_unique_and_ranges_hold_the_value_of_equal_layers() {
        for (at, one) in MEASURES.iter().enumerate() {
            let earlier = &MEASURES[..at];
            assert!(earlier.iter().all(|other| other != one), "{one:?}");
            assert!(
                earlier.iter().all(|other| other.flag != one.flag),
                "{one:?}"
            );
            let own = (one.of_itself)(1000, one.k).unwrap();
            assert!((one.range[0]..=one.range[1]).contains(&own), "{one:?}");
            assert!(((one.as_similarity)(own) - 1.0).abs() < 0.01, "{one:?}");
        }
    }

    #[test]
    fn what_searches_has_a_search_and_a_number_of_neighbours() {
        for one in MEASURES {
            let searches = matches!(one.values, Values::Neighbours);
            let found = BY_SEARCH.iter().any(|(other, _)| *other == one);
            assert_eq!(searches, found, "{one:?}");
            assert_eq!(one.uses(Setting::Neighbours), one.k > 0, "{one:?}");
        }
    }
}
