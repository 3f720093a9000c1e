//! The sentences that a reader looks for first, each number with how sure it is.

use crate::geometry::similarity::Measure;
use crate::profile::compare::LayerRef;
use crate::profile::dynamics::{DynamicsProfile, DynamicsValue};
use crate::profile::events::{Direction, EventName, Events, Place};
use crate::profile::id::IdProfile;
use crate::profile::imbalance::ImbalanceProfile;
use crate::profile::landscape::{PeakProfile, PeakQuantity};
use crate::profile::overlap::{LabelledValue, OverlapPair, OverlapProfile};
use crate::profile::similarity::SimilarityProfile;
use crate::report::page::{Phrase, count, decimal, error, name, number, phrase};

/// Where over runs and layers the dimension is largest and smallest, and between which runs a shape
/// changes.
pub(super) fn over_runs(profile: &DynamicsProfile) -> Vec<Phrase> {
    let values = profile.values.iter().filter(|one| one.quantity == "id");
    let mut found: Vec<(&DynamicsValue, f64)> =
        values.filter_map(|one| Some((one, one.value()?))).collect();
    // Stable: of equal values the first run and layer stands first.
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (Some(top), Some(low)) = (found.first(), found.last()) else {
        return vec!["No run has an intrinsic dimension; the table says why.".into()];
    };
    let at = |(one, value): &(&DynamicsValue, f64)| {
        let layer = name(&one.layer);
        let run = name(&one.run);
        phrase![
            measured(*value, one.std_error()),
            " at ",
            layer,
            " of ",
            run
        ]
    };
    let runs = profile
        .runs
        .iter()
        .filter(|run| run.error.is_none())
        .count();
    let mut sentences = vec![phrase![
        "Over ",
        count(runs),
        " runs it is largest, ",
        at(top),
        ", and smallest, ",
        at(low),
        "."
    ]];
    sentences.extend(profile.shape_changes.iter().map(|change| {
        let verb = match change.present {
            true => " appears between ",
            false => " goes between ",
        };
        let shape = format!("The {}", change.shape.name().replace('_', " "));
        phrase![
            shape,
            verb,
            name(&change.from),
            " and ",
            name(&change.to),
            "."
        ]
    }));
    sentences
}

/// Where the dimension is largest and smallest, where its high phase begins, and which layer its
/// dip after the peak proposes.
pub(super) fn dimension(profile: &IdProfile) -> Vec<Phrase> {
    let Some(summary) = &profile.summary else {
        return vec!["No layer has an intrinsic dimension; the table says why.".into()];
    };
    let at = |index: usize, layer: &str, depth: f64, id: f64| {
        let layers = profile.layers.iter();
        let mut estimates = layers
            .filter(|one| one.index == index)
            .flat_map(|one| &one.estimates);
        let found = estimates.find(|found| found.variant() == summary.variant);
        phrase![
            measured(id, found.and_then(|found| found.std_error())),
            " at ",
            name(layer),
            " (depth ",
            decimal(depth, 2),
            ")"
        ]
    };
    let (top, low) = (&summary.peak, &summary.minimum);
    let mut sentences = vec![phrase![
        "It is largest, ",
        at(top.index, &top.layer, top.relative_depth, top.id),
        ", and smallest, ",
        at(low.index, &low.layer, low.relative_depth, low.id),
        "."
    ]];
    let Some(events) = &profile.events else {
        return sentences;
    };
    if let (Some(onset), Some(phase)) = (events.onset.found(), events.high_phase.found()) {
        sentences.push(phrase![
            "The rise reaches half of its height at ",
            place(&onset.crossing.at),
            spread(events, EventName::Onset),
            "; the high phase lasts from ",
            name(&phase.first.layer),
            " to ",
            name(&phase.last.layer),
            "."
        ]);
    }
    sentences.push(match events.relative_minimum.found() {
        Some(dip) => phrase![
            "After the peak it dips at ",
            place(&dip.at),
            spread(events, EventName::RelativeMinimum),
            ": the layer that the profile proposes for downstream use."
        ],
        None => "No dip stands between a peak and a later rise: the profile proposes no layer for \
                 downstream use."
            .into(),
    });
    sentences
}

/// Where information grows and where it is lost, step by step.
pub(super) fn imbalance(profile: &ImbalanceProfile) -> Vec<Phrase> {
    let runs = profile.steps.iter().take(1).flat_map(|steps| {
        steps.runs.iter().filter_map(|run| {
            let (first, last) = (steps.steps.get(run.first)?, steps.steps.get(run.last)?);
            let what = match run.direction {
                Direction::Expansion => {
                    "each layer tells less about the next than the next about it (expansion)"
                }
                Direction::Contraction => {
                    "each layer tells more about the next than the next about it (contraction)"
                }
                Direction::Neutral => "neighbouring layers predict each other equally well",
            };
            Some(phrase![
                "From ",
                name(&first.from),
                " to ",
                name(&last.to),
                " ",
                what,
                "."
            ])
        })
    });
    runs.collect()
}

/// The layers of two dumps that know the same best.
pub(super) fn against(profile: &ImbalanceProfile) -> Vec<Phrase> {
    let pairs = profile.best_pairs.iter().map(|best| {
        let phases = match best.in_high_phases {
            Some(true) => ", both within their high phases",
            Some(false) => ", not both within their high phases",
            None => "",
        };
        phrase![
            "The closest layers are ",
            name(&best.a.layer),
            " here and ",
            name(&best.b.layer),
            " there (information imbalance ",
            number(best.information_imbalance, 3),
            " in the worse direction",
            phases,
            ")."
        ]
    });
    pairs.collect()
}

/// How many neighbours survive a step, at least and at most.
pub(super) fn overlap(profile: &OverlapProfile) -> Vec<Phrase> {
    let next = profile
        .pairs
        .iter()
        .filter(|pair| follows(&pair.a, &pair.b));
    let known: Vec<_> = next
        .filter_map(|pair| Some((pair, pair.value()?)))
        .collect();
    let Some(&(low, _)) = known.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Vec::new();
    };
    let Some(&(high, _)) = known.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Vec::new();
    };
    let step = |pair: &OverlapPair| {
        phrase![
            measured(pair.value().unwrap_or_default(), pair.std_error()),
            " (",
            name(&pair.a.layer),
            " to ",
            name(&pair.b.layer),
            ")"
        ]
    };
    vec![phrase![
        "A layer shares with the next between ",
        step(low),
        " and ",
        step(high),
        " of its ",
        count(low.k),
        " nearest neighbours",
        low.chance
            .map(|chance| phrase!["; by chance it would be ", number(chance, 2)]),
        "."
    ]]
}

/// The layer whose neighbours agree most about each set of labels.
pub(super) fn labels(profile: &OverlapProfile) -> Vec<Phrase> {
    let sets = profile
        .parameters
        .options
        .labels
        .iter()
        .filter_map(|labels| {
            let labels = &labels.name;
            let layers = profile.labels.iter().filter(|one| one.labels == *labels);
            let known = layers.filter_map(|one| Some((one, one.outcome.ok()?)));
            let micro = |found: &LabelledValue| found.label_overlap.micro;
            let (layer, best) = known.max_by(|a, b| micro(a.1).total_cmp(&micro(b.1)))?;
            Some(phrase![
                "Neighbours share their ",
                name(labels),
                " most at ",
                name(&layer.layer),
                ": ",
                measured(micro(best), best.std_error_micro),
                " of them, by chance ",
                number(best.label_overlap.chance_micro, 2),
                "."
            ])
        });
    sets.collect()
}

/// The two layers that are most alike, and the two that are least.
pub(super) fn similarity(profile: &SimilarityProfile) -> Vec<Phrase> {
    let measures = profile.parameters.options.measures.iter();
    measures
        .filter_map(|measure| extremes(profile, measure))
        .collect()
}

fn extremes(profile: &SimilarityProfile, measure: &'static Measure) -> Option<Phrase> {
    let pairs = profile.pairs.iter();
    let known = || {
        let of_measure = pairs.clone().filter(|pair| pair.measure == measure);
        of_measure.filter_map(|pair| Some((pair.value()?, &pair.a, &pair.b)))
    };
    let high = known().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let low = known().min_by(|a, b| a.0.total_cmp(&b.0))?;
    let (most, least) = match measure.is_distance {
        true => (low, high),
        false => (high, low),
    };
    let pair = |(value, a, b): (f64, &LayerRef, &LayerRef)| {
        phrase![
            name(&a.layer),
            " and ",
            name(&b.layer),
            " (",
            number(value, 3),
            ")"
        ]
    };
    Some(phrase![
        "By ",
        measure.name,
        " the most similar layers are ",
        pair(most),
        ", the least similar ",
        pair(least),
        "."
    ])
}

/// How many peaks there are, and where they come to match each set of labels.
pub(super) fn peaks(profile: &PeakProfile) -> Vec<Phrase> {
    let found = profile.events.iter().filter_map(|found| {
        let peak = &found.events.peak.found()?.at;
        Some(match found.quantity {
            PeakQuantity::NPeaks => phrase![
                "There are most peaks, ",
                decimal(peak.value, 0),
                ", at ",
                name(&peak.layer),
                "."
            ],
            PeakQuantity::Ari => phrase![
                "Peaks agree with ",
                name(&found.other),
                " best at ",
                name(&peak.layer),
                " (ARI ",
                number(peak.value, 3),
                ")",
                found.events.half_maximum.found().map(|half| phrase![
                    "; half of that is reached at ",
                    name(&half.at.layer),
                    ", the nucleation layer"
                ]),
                "."
            ],
        })
    });
    found.collect()
}

/// Whether `b` is the layer after `a`.
fn follows(a: &LayerRef, b: &LayerRef) -> bool {
    a.index + 1 == b.index
}

fn measured(value: f64, std_error: Option<f64>) -> Phrase {
    phrase![
        number(value, 3),
        error(std_error).map(|error| phrase![" ± ", error])
    ]
}

fn place(place: &Place) -> Phrase {
    phrase![
        name(&place.layer),
        " (depth ",
        decimal(place.relative_depth, 2),
        ")"
    ]
}

/// From where to where an event moves when the profile is drawn again within its errors.
fn spread(events: &Events, event: EventName) -> Option<Phrase> {
    let found = events.spread.iter().find(|spread| spread.event == event)?;
    let found = found.outcome.ok()?;
    Some(phrase![
        ", between positions ",
        number(found.min, 3),
        " and ",
        number(found.max, 3),
        " within errors"
    ])
}
