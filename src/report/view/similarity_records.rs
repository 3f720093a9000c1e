//! Similarities as CSV rows.

use crate::profile::similarity::{SimilarityPair, SimilarityProfile};
use crate::report::Record;

/// Every number of every pair; the variant says which, and whose dump where sources are ranked.
pub(super) fn similarity_records(profile: &SimilarityProfile) -> Vec<Record<'_>> {
    let mut records: Vec<Record<'_>> = profile
        .pairs
        .iter()
        .flat_map(|pair| pair_records(profile, pair))
        .collect();
    for one in &profile.ranking {
        let record = |layer, quantity, value| Record {
            other: one.source.as_deref().unwrap_or(""),
            variant: one.measure.name.into(),
            n: Some(profile.n),
            ..Record::new(layer, quantity, value)
        };
        records.push(record("", "mean_similarity", one.mean));
        let depth = one.unchanged_up_to();
        records.push(record(
            depth.map_or("", |side| &side.layer),
            "unchanged_depth",
            depth.map(|side| side.relative_depth),
        ));
    }
    for joined in &profile.joined {
        let record = |quantity, value| Record {
            other: joined.source.as_deref().unwrap_or(""),
            variant: joined.measure.name.into(),
            n: Some(joined.n),
            ..Record::new("", quantity, value)
        };
        let found = joined.outcome.ok();
        records.push(record("joined_spearman", found.map(|found| found.spearman)));
        records.push(record("joined_p", found.map(|found| found.p_value)));
    }
    records
}

fn pair_records<'a>(profile: &SimilarityProfile, pair: &'a SimilarityPair) -> Vec<Record<'a>> {
    let parameters = &profile.parameters;
    let scale = match pair.measure.name {
        "information_imbalance" => parameters.imbalance_k,
        "data_overlap" => parameters.overlap_k,
        _ => None,
    };
    let named = |variant: &str| -> String {
        match &pair.source {
            None => variant.to_owned(),
            Some(source) if variant.is_empty() => format!("source:{source}"),
            Some(source) => format!("{variant},source:{source}"),
        }
    };
    let record = |variant: &str, value| Record {
        other: &pair.b.layer,
        variant: named(variant).into(),
        scale,
        n: Some(pair.n),
        reason: pair.outcome.reason(),
        ..Record::new(&pair.a.layer, pair.measure.name, value)
    };
    let directed = pair.backward.is_some();
    let mut records = vec![Record {
        std_error: pair.std_error(),
        ..record(if directed { "forward" } else { "" }, pair.value())
    }];
    if directed {
        records.push(record("backward", pair.backward));
    }
    let mut more = |variant, value: Option<f64>| {
        records.extend(value.map(|value| record(variant, Some(value))));
    };
    more("mean_squared", pair.mean_squared);
    let chance = if pair.mean_squared.is_some() {
        "chance_mean_squared"
    } else {
        "chance"
    };
    more(chance, pair.chance);
    more(
        "partitions_mean",
        pair.partitions.as_ref().and_then(|parts| parts.mean),
    );
    if let Some(null) = &pair.null {
        more("permuted_mean", Some(null.mean));
        more("permuted_std_dev", null.std_dev);
        records.push(Record {
            std_error: null.p.p_std_error,
            ..record("permuted_p", Some(null.p.p_value))
        });
    }
    records
}
