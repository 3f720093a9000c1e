//! Averages what was read over all examples and over each group.

use super::read::Read;
use super::shape::{LensRow, TopToken, Winners};
use crate::geometry::Reason;
use crate::mechanisms::model::{LastLogits, Outcome};
use crate::mechanisms::spots::Spot;
use crate::mechanisms::stat::{Group, Stat, share};

pub(super) fn row(layer: &str, index: usize, spot: &Spot, group: &Group, read: &Read) -> LensRow {
    let members = group.members.iter();
    let logits: Vec<[f64; 2]> = members.clone().filter_map(|&i| read.logits[i]).collect();
    let column = |value: fn(&[f64; 2]) -> f64| -> Stat {
        Stat::of(&logits.iter().map(value).collect::<Vec<f64>>())
    };
    let folds: Option<Vec<&LastLogits>> = read
        .folds
        .as_ref()
        .map(|folds| members.filter_map(|&i| folds[i].as_ref()).collect());
    LensRow {
        layer: layer.to_owned(),
        index,
        position: spot.name.clone(),
        group: group.name.clone(),
        n: logits.len(),
        fact: column(|pair| pair[0]),
        counterfactual: column(|pair| pair[1]),
        delta: column(|pair| pair[1] - pair[0]),
        fact_above: share(logits.iter().map(|pair| pair[0] > pair[1])),
        winners: folds.as_deref().and_then(winners),
        top: folds.as_deref().map(top_tokens).unwrap_or_default(),
        reason: logits.is_empty().then_some(Reason::TooFewRows),
    }
}

fn winners(folds: &[&LastLogits]) -> Option<Winners> {
    let n = folds.len() as f64;
    let won = |outcome| share(folds.iter().map(|fold| fold.outcome() == outcome));
    let rank = |which: usize| {
        folds
            .iter()
            .map(|fold| fold.ranks[which] as f64)
            .sum::<f64>()
            / n
    };
    Some(Winners {
        fact: won(Outcome::Fact)?,
        counterfactual: won(Outcome::Counterfactual)?,
        other: won(Outcome::Other)?,
        rank_fact: rank(0),
        rank_counterfactual: rank(1),
    })
}

/// The tokens that examples list most often, as many as one example lists; the lower id on ties.
fn top_tokens(folds: &[&LastLogits]) -> Vec<TopToken> {
    let keep = folds.first().map_or(0, |fold| fold.top.len());
    let mut counts = std::collections::BTreeMap::new();
    for token in folds.iter().flat_map(|fold| &fold.top) {
        *counts.entry(*token).or_insert(0usize) += 1;
    }
    let mut counts: Vec<(u32, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(token, count)| (std::cmp::Reverse(count), token));
    counts.truncate(keep);
    let n = folds.len() as f64;
    counts
        .into_iter()
        .map(|(token, count)| TopToken {
            token,
            share: count as f64 / n,
        })
        .collect()
}
