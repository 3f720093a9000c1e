//! Names the series of `repgeo dynamics` and its runs in words.

use crate::geometry::Reason;
use crate::geometry::id::GRIDE;
use crate::profile::OrderRule;
use crate::profile::dynamics::{DynamicsProfile, DynamicsQuantity, RunParameters, SeriesKey};
use crate::report::page::{Phrase, count, name, phrase};
use crate::report::write::csv::shortest;

/// Similarities that look at neighbours.
const OF_NEIGHBOURS: [&str; 2] = ["information_imbalance", "data_overlap"];

/// What was followed.
pub(super) fn quantity(profile: &DynamicsProfile) -> &'static str {
    match profile.parameters.options.quantity {
        DynamicsQuantity::Id => "Intrinsic dimension",
        DynamicsQuantity::Imbalance => "Information imbalance",
        DynamicsQuantity::Overlap => "Neighbour overlap",
        DynamicsQuantity::Labels => "Neighbours of the same class",
        DynamicsQuantity::Similarity => "Similarity",
        DynamicsQuantity::Peaks => "Density peaks",
        DynamicsQuantity::Clones => "Clones",
    }
}

/// What layers are compared with, in words.
fn partner(profile: &DynamicsProfile) -> Phrase {
    let to = match &profile.parameters.analysis {
        RunParameters::Imbalance(own) => Some(own.options.target.to_string()),
        RunParameters::Overlap(own) => own.options.target.as_ref().map(ToString::to_string),
        RunParameters::Similarity(own) => Some(own.options.target.to_string()),
        _ => None,
    };
    match &profile.parameters.options.to_run {
        Some(run) => name(run).into(),
        None => to.map(name).into(),
    }
}

/// One series in a few words.
pub(super) fn of(profile: &DynamicsProfile, key: &SeriesKey) -> Phrase {
    let k = scale(profile, key);
    let to = partner(profile);
    let with = |labels: &String| phrase![" with ", name(labels)];
    let variant = (!key.variant.is_empty()).then(|| phrase![", ", name(&key.variant)]);
    let variant = Phrase::from(variant);
    let words = key.quantity.replace('_', " ");
    match (profile.parameters.options.quantity, key.variant.as_str()) {
        (DynamicsQuantity::Id, _) => phrase!["dimension", variant, k],
        (DynamicsQuantity::Imbalance, "backward") => phrase!["Δ(", to, "→layer)", k],
        (DynamicsQuantity::Imbalance, "forward") => phrase!["Δ(layer→", to, ")", k],
        (DynamicsQuantity::Imbalance, _) => phrase![words, " with ", to, k],
        (DynamicsQuantity::Overlap, "") => phrase!["overlap with ", to, k],
        (DynamicsQuantity::Similarity, _) => phrase![words, " with ", to, variant, k],
        // The density is the same for all of them.
        (DynamicsQuantity::Peaks, _) => phrase![words, key.labels.as_ref().map(with)],
        _ => phrase![words, key.labels.as_ref().map(with), variant, k],
    }
}

/// The number of neighbours at which all values of a series look, where that was asked for.
fn scale(profile: &DynamicsProfile, key: &SeriesKey) -> Phrase {
    let k = match &profile.parameters.analysis {
        RunParameters::Id(own) if key.variant.starts_with(GRIDE.name) => {
            let order = match own.options.order {
                Some(OrderRule::Fixed(order)) => Some(order),
                // The variant names the rule.
                Some(OrderRule::MatchDensity { .. } | OrderRule::Plateau) => None,
                // The first point of the scaling.
                None => Some(1),
            };
            return order.map(|order| phrase![", order ", count(order)]).into();
        }
        RunParameters::Id(own) => own.options.k,
        RunParameters::Imbalance(own) => own.options.k.first().copied(),
        RunParameters::Overlap(own) => match own.options.class_fraction {
            Some(share) => return phrase![", class fraction ", name(shortest(share))],
            None => own.options.k.first().copied(),
        },
        RunParameters::Similarity(own) if OF_NEIGHBOURS.contains(&key.quantity) => own.options.k,
        _ => None,
    };
    k.map(|k| phrase![", k ", count(k)]).into()
}

/// The same, with what was done to the values.
pub(super) fn meaning(profile: &DynamicsProfile, key: &SeriesKey) -> Phrase {
    let smooth = profile.parameters.events.smooth;
    let smoothed = (smooth > 1).then(|| phrase![", mean over ", count(smooth), " layers"]);
    of(profile, key).then(Phrase::from(smoothed))
}

/// The runs, the places that their table gives them, and what a gap means.
pub(super) fn context(profile: &DynamicsProfile) -> Phrase {
    let runs = profile.runs.iter().map(|run| {
        let x = run.x.map(|x| phrase![" at ", name(shortest(x))]);
        phrase![name(&run.run), x]
    });
    let noun = match profile.runs.len() {
        1 => " run: ",
        _ => " runs: ",
    };
    let lacks = |reason| {
        let mut values = profile.values.iter();
        values.any(|value| value.outcome.reason() == Some(reason))
    };
    let gap = match (lacks(Reason::MissingLayer), lacks(Reason::MissingWidth)) {
        (_, true) => "; — where a run has no such layer or chunk",
        (true, false) => "; — where a run has no such layer",
        (false, false) => "",
    };
    phrase![
        count(profile.runs.len()),
        noun,
        Phrase::join(runs, ", "),
        gap
    ]
}
