//! The layers that the intrinsic dimension proposes, beside their scores.

use super::forecast::PROPOSALS;
use super::shape::{ProbeBest, ProbeLayer, Proposal, ProposalRule, ProposedLayer};
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::id::TWO_NN;
use crate::input::{Dump, Series};
use crate::profile::bench::Bench;
use crate::profile::events::{EventOptions, Events, Place, events};
use crate::profile::id::{IdOptions, id_profile};
use crate::profile::layers::{DuplicatePolicy, LayerOptions};
use crate::progress::Within;

/// The proposals of TwoNN over the layers of `dump`.
pub(super) fn proposed(
    dump: &Dump,
    layers: &LayerOptions,
    scores: &[ProbeLayer],
    best: Option<&ProbeBest>,
    bench: &Bench<'_>,
) -> Result<Vec<ProposedLayer>> {
    bench.progress.step(PROPOSALS, "");
    let within = Within::new(bench.progress);
    let bench = &Bench {
        progress: &within,
        ..*bench
    };
    let options = IdOptions {
        estimators: vec![&TWO_NN],
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
        let proposal = outcome.map(|place| {
            let of_layer = scores.iter().find(|one| one.layer == place.layer);
            let score = of_layer.and_then(ProbeLayer::score);
            Proposal {
                layer: place.layer,
                id: place.value,
                score,
                below_best: score.zip(best).map(|(score, best)| best.score - score),
            }
        });
        ProposedLayer {
            rule,
            outcome: proposal.into(),
        }
    };
    Ok(ProposalRule::ALL.map(one).to_vec())
}

fn place(found: &Events, rule: ProposalRule) -> std::result::Result<Place, Reason> {
    match rule {
        ProposalRule::Peak => Ok(found.peak.outcome()?.at.clone()),
        ProposalRule::RelativeMinimum => Ok(found.relative_minimum.outcome()?.at.clone()),
    }
}
