//! The layers that the intrinsic dimension proposes, beside their scores.

use super::shape::{ProbeBest, ProbeLayer, ProposalRule, ProposedLayer};
use crate::error::Result;
use crate::geometry::Reason;
use crate::input::{Dump, Series};
use crate::profile::bench::Bench;
use crate::profile::events::{EventOptions, Events, Place, events};
use crate::profile::id::{IdOptions, id_profile};
use crate::profile::layers::{DuplicatePolicy, LayerOptions};

/// The proposals of TwoNN over the layers of `dump`.
pub(super) fn proposed(
    dump: &Dump,
    layers: &LayerOptions,
    scores: &[ProbeLayer],
    best: Option<&ProbeBest>,
    bench: &Bench<'_>,
) -> Result<Vec<ProposedLayer>> {
    let options = IdOptions {
        gride: false,
        layers: LayerOptions {
            duplicates: DuplicatePolicy::Drop,
            ..layers.clone()
        },
        ..IdOptions::default()
    };
    let profile = id_profile(dump, &options, bench)?;
    let estimates = profile.layers.iter().map(|layer| {
        let estimate = layer.estimates.first();
        (
            layer.layer.as_str(),
            estimate.and_then(|estimate| estimate.id()),
        )
    });
    let errors = profile
        .layers
        .iter()
        .map(|layer| layer.estimates.first()?.std_error());
    let series = Series::new(estimates).with_errors(errors.collect());
    let found = events(&series, &EventOptions::default());
    let one = |rule: ProposalRule| {
        let outcome = place(&found, rule);
        let layer = outcome.as_ref().ok().map(|place| place.layer.clone());
        let of_layer = scores.iter().find(|one| Some(&one.layer) == layer.as_ref());
        let score = of_layer.and_then(|one| one.score);
        ProposedLayer {
            rule,
            id: outcome.as_ref().ok().map(|place| place.value),
            score,
            below_best: score.zip(best).map(|(score, best)| best.score - score),
            reason: outcome.err(),
            layer,
        }
    };
    Ok(ProposalRule::ALL.map(one).to_vec())
}

fn place(found: &Events, rule: ProposalRule) -> std::result::Result<Place, Reason> {
    let (place, reason) = match rule {
        ProposalRule::Peak => {
            let event = &found.peak;
            (event.found().map(|peak| peak.at.clone()), event.reason())
        }
        ProposalRule::RelativeMinimum => {
            let event = &found.relative_minimum;
            (event.found().map(|dip| dip.at.clone()), event.reason())
        }
    };
    place.ok_or(reason.unwrap_or(Reason::NotReached))
}
