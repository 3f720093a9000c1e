//! All measures of all pairs over one choice of rows.

use std::collections::BTreeMap;

use super::kernels::kernel_values;
use super::measure::Measure;
use super::prepared::{canonical_values, procrustes_values, rsa_values};
use super::subject::{PairValue, Subject};
use crate::progress::Progress;

/// Every measure that needs no search for neighbours, pair by pair.
pub(super) fn values(
    subject: &Subject<'_>,
    progress: &dyn Progress,
) -> BTreeMap<Measure, Vec<PairValue>> {
    let mut all = BTreeMap::new();
    all.extend(kernel_values(subject, progress));
    all.extend(canonical_values(subject, progress));
    all.extend(procrustes_values(subject, progress));
    all.extend(rsa_values(subject, progress));
    all.retain(|measure, _| subject.options.measures.contains(measure));
    all
}
