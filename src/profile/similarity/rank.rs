//! Ranks sources by how like the target they are, and how deep they stay so.

use super::options::SimilarityOptions;
use super::shape::{RankedSource, SimilarityPair, Unchanged};
use crate::geometry::Reason;
use crate::geometry::similarity::Measure;
use crate::geometry::stats::mean;

/// The sources of `pairs`, measure by measure, most alike first; those without a mean last.
pub fn ranked(pairs: &[SimilarityPair], options: &SimilarityOptions) -> Vec<RankedSource> {
    let mut names: Vec<Option<&str>> = Vec::new();
    for pair in pairs {
        if !names.contains(&pair.source.as_deref()) {
            names.push(pair.source.as_deref());
        }
    }
    let mut all = Vec::new();
    for &measure in &options.measures {
        let mut sources: Vec<RankedSource> = names
            .iter()
            .map(|name| {
                let own: Vec<&SimilarityPair> = pairs
                    .iter()
                    .filter(|p| p.source.as_deref() == *name && p.measure == measure)
                    .collect();
                source(*name, measure, &own, options.threshold())
            })
            .collect();
        // Stable: equal means keep the order of the command line.
        sources.sort_by(|a, b| match (a.mean, b.mean) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        for (place, source) in sources.iter_mut().enumerate() {
            source.rank = source.mean.map(|_| place + 1);
        }
        all.extend(sources);
    }
    all
}

fn source(
    name: Option<&str>,
    measure: &'static Measure,
    pairs: &[&SimilarityPair],
    threshold: f64,
) -> RankedSource {
    let similarities: Vec<Option<f64>> = pairs
        .iter()
        .map(|pair| pair.value().map(measure.as_similarity))
        .collect();
    let above = similarities
        .iter()
        .take_while(|value| value.is_some_and(|value| value >= threshold))
        .count();
    let unchanged = above.checked_sub(1).map(|last| Unchanged {
        unchanged_up_to: pairs[last].a.clone(),
    });
    let known: Option<Vec<f64>> = similarities.iter().copied().collect();
    RankedSource {
        source: name.map(str::to_owned),
        measure,
        rank: None,
        mean: known.as_deref().and_then(mean),
        similarities,
        outcome: unchanged.ok_or(Reason::NotReached).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::similarity::PROCRUSTES;
    use crate::profile::compare::LayerRef;
    use crate::profile::similarity::shape::SimilarityValue;

    fn pairs(source: &str, values: &[Option<f64>]) -> Vec<SimilarityPair> {
        let pair = |(index, value): (usize, &Option<f64>)| {
            let side = LayerRef {
                layer: format!("layer_{index}"),
                index,
                relative_depth: index as f64 / 3.0,
            };
            let outcome = value.map(|value| SimilarityValue {
                value,
                std_error: None,
                error_kind: None,
            });
            SimilarityPair {
                source: Some(source.into()),
                a: side.clone(),
                b: side,
                measure: &PROCRUSTES,
                n: 10,
                outcome: outcome.ok_or(Reason::ConstantLayer).into(),
                backward: None,
                chance: None,
                mean_squared: None,
                dimensions: None,
                partitions: None,
                null: None,
            }
        };
        values.iter().enumerate().map(pair).collect()
    }

    #[test]
    fn the_nearest_source_comes_first_and_depth_ends_before_the_first_drop() {
        let options = SimilarityOptions {
            measures: vec![&PROCRUSTES],
            ..SimilarityOptions::default()
        };
        // Distances: small is alike. The last recovers, which counts no more.
        let all = [
            pairs("far", &[Some(0.3), Some(0.0), Some(0.0), Some(2.0)]),
            pairs("gap", &[Some(0.0), None, Some(0.0), Some(0.0)]),
            pairs("near", &[Some(0.0), Some(0.1), Some(0.5), Some(0.0)]),
        ];
        let ranked = ranked(&all.concat(), &options);
        let order: Vec<Option<&str>> = ranked.iter().map(|one| one.source.as_deref()).collect();
        assert_eq!(order, [Some("near"), Some("far"), Some("gap")]);
        let depth: Vec<Option<usize>> = ranked
            .iter()
            .map(|one| one.unchanged_up_to().map(|side| side.index))
            .collect();
        assert_eq!(depth, [Some(1), None, Some(0)]);
        assert_eq!(ranked[1].outcome.reason(), Some(Reason::NotReached));
        let ranks: Vec<Option<usize>> = ranked.iter().map(|one| one.rank).collect();
        assert_eq!(ranks, [Some(1), Some(2), None]);
        assert_eq!(ranked[0].similarities[2], Some(0.75));
    }
}
