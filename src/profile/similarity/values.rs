//! Computes all measures of all pairs over one choice of rows.

use super::register::MEASURES;
use crate::geometry::similarity::{Computation, Measure, PairValue, Subject, Values};
use crate::progress::{Progress, Within};

/// The values of one measure, pair by pair.
pub(super) type MeasureValues = (&'static Measure, Vec<PairValue>);

/// Every wanted measure that needs no search for neighbours, in the order of the register; `step` is
/// told before each computation what it is called.
pub(super) fn values(
    subject: &Subject<'_>,
    measures: &[&'static Measure],
    step: &dyn Fn(&'static str),
    progress: &dyn Progress,
) -> Vec<MeasureValues> {
    let mut all = Vec::new();
    let mut done: Vec<&Computation> = Vec::new();
    let wanted = MEASURES.into_iter().filter(|one| measures.contains(one));
    let computed: Vec<(&'static Measure, &'static Computation)> = wanted
        .filter_map(|one| match &one.values {
            Values::Layers(computation) => Some((one, *computation)),
            Values::Neighbours => None,
        })
        .collect();
    for &(_, computation) in &computed {
        let same = |other: &&Computation| std::ptr::eq(*other, computation);
        if done.iter().any(same) {
            continue;
        }
        done.push(computation);
        let together = computed.iter().filter(|(_, other)| same(other));
        let together: Vec<&'static Measure> = together.map(|&(measure, _)| measure).collect();
        step(together[0].flag);
        let values = (computation.values)(subject, &together, &Within::new(progress));
        all.extend(together.into_iter().zip(values));
    }
    all
}

/// The values of `measure` among `all`.
pub(super) fn values_of<'a>(
    all: &'a [MeasureValues],
    measure: &Measure,
) -> Option<&'a [PairValue]> {
    let found = all.iter().find(|(one, _)| *one == measure);
    found.map(|(_, values)| values.as_slice())
}
