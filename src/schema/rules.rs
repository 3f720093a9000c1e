//! Says which numbers a report may hold: what its types alone do not tell.

use serde_json::{Map, Value, json};

/// Fields whose name says their range, in whatever report.
pub(super) fn by_name(name: &str, field: &mut Value) {
    let is = |names: &[&str]| names.contains(&name);
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let range = if ends(&["relative_depth", "_fraction", "_share"])
        || is(&["share", "low", "high", "fact_above", "prominence"])
    {
        within(0, 1)
    } else if is(&["fraction", "p_value"]) {
        json!({"exclusiveMinimum": 0, "maximum": 1})
    } else if is(&["std", "std_dev", "distance"]) || name.starts_with("std_") {
        at_least(0)
    } else if name == "order" && !holds(field, "string") {
        at_least(1)
    } else {
        return;
    };
    if holds(field, "number") || holds(field, "integer") {
        add(field, range);
    }
}

fn holds(field: &Value, kind: &str) -> bool {
    let types = &field["type"];
    types == kind
        || types
            .as_array()
            .is_some_and(|all| all.contains(&json!(kind)))
}

fn at_least(least: u32) -> Value {
    json!({"minimum": least})
}

fn above_zero() -> Value {
    json!({"exclusiveMinimum": 0})
}

fn within(least: i32, most: i32) -> Value {
    json!({"minimum": least, "maximum": most})
}

/// A share by a sum of logarithms, whose last digits may pass 1.
fn share() -> Value {
    json!({"minimum": 0, "maximum": 1.000_001})
}

fn some() -> Value {
    json!({"minItems": 1})
}

/// Ranges of single fields, as `Type.field`; `Type.field[]` is about the entries of a list.
fn ranges() -> Vec<(&'static str, Value)> {
    vec![
        ("AdaptiveStep.mean_kstar", at_least(3)),
        ("AdaptiveStep.median_kstar", at_least(3)),
        ("AttentionModify.selected", at_least(0)),
        ("AttributionCheck.blocks", at_least(0)),
        ("AttributionCheck.heads", at_least(0)),
        ("AttributionCheck.largest", at_least(0)),
        ("AttributionCheck.logits", at_least(0)),
        ("BenchOptions.columns", at_least(1)),
        ("BenchOptions.k", at_least(1)),
        ("BenchOptions.rounds", at_least(1)),
        ("BenchOptions.rows", at_least(2)),
        ("BenchReport.threads", at_least(1)),
        ("BenchedParts.lists", at_least(0)),
        ("BenchedParts.packing", at_least(0)),
        ("BenchedParts.products", at_least(0)),
        ("BenchedParts.verdicts", at_least(0)),
        ("BestPair.k", at_least(1)),
        ("ChunkWidth.width", at_least(1)),
        ("ClassCount.n", at_least(1)),
        ("ClassMix.classes", some()),
        ("ClassMix.entropy", at_least(0)),
        ("ClassMix.n", at_least(1)),
        ("ClassOverlap.k", at_least(1)),
        ("ClassOverlap.n", at_least(1)),
        ("CloneLayer.width", at_least(1)),
        ("ClonesParameters.draws", at_least(1)),
        ("ClonesParameters.partitions", at_least(2)),
        ("ClonesParameters.score_draws", at_least(1)),
        ("ClonesProfile.widths", some()),
        ("CriticalReport.width", at_least(1)),
        ("DecimationPoint.n", at_least(1)),
        ("DensitySummary.mean_kstar", at_least(1)),
        ("Diagnostics.max_mean_over_std", at_least(0)),
        ("DynamicsLayer.n_runs", at_least(1)),
        ("DynamicsProfile.runs", some()),
        ("DynamicsRun.n_layers", at_least(1)),
        ("EnsemblePoint.accuracy", within(0, 1)),
        ("EnsemblePoint.n_networks", at_least(1)),
        ("ErrorLimit.n", at_least(1)),
        ("EventOptions.onset_fraction", above_zero()),
        ("EventOptions.prominence", above_zero()),
        ("EventOptions.smooth", at_least(1)),
        ("EventPlateau.n_layers", at_least(1)),
        ("EventPlateau.range", at_least(0)),
        ("EventSlope.n_layers", at_least(2)),
        ("EventWindow.n_layers", at_least(1)),
        ("Event_for_Array_of_EventMaximum.found", some()),
        ("Events.range", at_least(0)),
        ("Events.relative_range", at_least(0)),
        ("Greedy.beam", at_least(1)),
        ("Greedy.columns", at_least(1)),
        ("HighPhase.n_layers", at_least(1)),
        (
            "IdEstimate.fit",
            json!({"enum": [
                "base", "mle", "mle_censored", "bayes", "fo", "ratio", "max_gap", "kaiser",
                "broken_stick", "fan", "marchenko_pastur", "gavish_donoho", null,
            ]}),
        ),
        ("IdEstimate.k", at_least(1)),
        ("IdParameters.blocks", at_least(2)),
        (
            "IdParameters.decimate",
            json!({"exclusiveMinimum": 0, "maximum": 1}),
        ),
        ("IdParameters.density_k", at_least(1)),
        ("IdParameters.estimators", some()),
        ("IdParameters.k", at_least(2)),
        (
            "IdParameters.order",
            json!({"pattern": r"^([1-9]\d*|match_density|plateau)$"}),
        ),
        ("IdParameters.eigenvalues", at_least(1)),
        ("IdParameters.more_orders[]", at_least(1)),
        (
            "IdParameters.variance",
            json!({"exclusiveMinimum": 0, "maximum": 1}),
        ),
        ("IdParameters.partitions", at_least(1)),
        ("IdParameters.range_max", at_least(1)),
        ("IdParameters.repeats", at_least(1)),
        ("ImbalanceMatrix.k", at_least(1)),
        ("ImbalancePair.k", at_least(1)),
        ("ImbalanceParameters.k[]", at_least(1)),
        ("ImbalanceSteps.k", at_least(1)),
        ("Landscape.layers", json!({"minItems": 1, "maxItems": 1})),
        ("LayerPeaks.n_peaks", at_least(1)),
        ("LayerPeaks.n_putative", at_least(1)),
        ("LeadingEigenvalues.cumulative", json!({"minItems": 1})),
        ("LeadingEigenvalues.cumulative[]", within(0, 1)),
        ("LeadingEigenvalues.eigenvalues", json!({"minItems": 1})),
        ("LeadingEigenvalues.eigenvalues[]", at_least(0)),
        ("LeadingEigenvalues.n", at_least(1)),
        ("LeadingEigenvalues.total", above_zero()),
        ("MappedPeak.error", above_zero()),
        ("MappedPeak.size", at_least(1)),
        ("ModifyRow.alpha", at_least(0)),
        ("NetworkReport.n_networks", at_least(1)),
        ("OverlapMatrix.k", at_least(1)),
        ("OverlapPair.k", at_least(1)),
        ("OverlapParameters.k[]", at_least(1)),
        (
            "PeakParameters.alpha",
            json!({"exclusiveMinimum": 0, "maximum": 1}),
        ),
        ("PeakParameters.k", at_least(1)),
        ("PeakParameters.stored", at_least(1)),
        ("PeakParameters.z", at_least(0)),
        ("PeakSummary.error", above_zero()),
        ("PeakSummary.size", at_least(1)),
        ("PositionSpread.n_parts", at_least(1)),
        ("RankedHead.attention", within(0, 1)),
        ("RankedSource.rank", at_least(1)),
        ("SaddleSummary.error", above_zero()),
        ("ScalingPlateau.first_order", at_least(1)),
        ("ScalingPlateau.last_order", at_least(1)),
        ("ScalingPlateau.spread", at_least(0)),
        ("Scores.ami", json!({"maximum": 1.000_001})),
        ("Scores.ari", within(-1, 1)),
        ("Scores.completeness", share()),
        ("Scores.homogeneity", share()),
        ("Scores.label_entropy", at_least(0)),
        ("Scores.mi", at_least(0)),
        ("Scores.nmi", share()),
        ("Scores.v_measure", share()),
        ("SimilarityPair.dimensions[]", at_least(1)),
        ("SimilarityParameters.bandwidth", above_zero()),
        ("SimilarityParameters.imbalance_k", at_least(1)),
        ("SimilarityParameters.overlap_k", at_least(1)),
        ("SimilarityParameters.partitions", at_least(2)),
        ("Spread.n", at_least(1)),
        ("SubsetParameters.k", at_least(1)),
        ("TableParameters.k", at_least(1)),
        ("Topography.peaks", some()),
        ("TreeNode.size", at_least(1)),
        ("UsedDimension.id", above_zero()),
        ("Winners.counterfactual", within(0, 1)),
        ("Winners.fact", within(0, 1)),
        ("Winners.other", within(0, 1)),
        ("Winners.rank_counterfactual", at_least(0)),
        ("Winners.rank_fact", at_least(0)),
    ]
}

/// What else holds between the fields of one type.
fn conditions() -> Vec<(&'static str, Value)> {
    vec![
        (
            "IdEstimate",
            json!({"anyOf": [
                {"properties": {"std_error": absent()}},
                {"properties": {"error_kind": there()}},
            ]}),
        ),
        ("Quantiles", json!({"items": at_least(0)})),
        (
            "Quantiles",
            json!({"oneOf": [{"maxItems": 0}, {"minItems": 9, "maxItems": 9}]}),
        ),
        (
            "Resampled",
            json!({
                "if": {"properties": {"overlapping": {"const": true}}},
                "then": {"properties": {"std_error": absent()}},
            }),
        ),
        (
            "SaddleSummary",
            json!({"oneOf": [
                {"properties": {"adjacent": {"const": true}, "row": there(),
                    "log_density": there(), "error": there()}},
                {"properties": {"adjacent": {"const": false}, "row": absent(),
                    "log_density": absent(), "error": absent()}},
            ]}),
        ),
    ]
}

fn absent() -> Value {
    json!({"type": "null"})
}

fn there() -> Value {
    json!({"not": absent()})
}

/// The rules, to `definitions` by name of type.
///
/// # Panics
/// If a rule is about a type or a field that no report has.
pub(super) fn add_to(definitions: &mut Map<String, Value>) {
    let mut unknown = Vec::new();
    for (place, range) in ranges() {
        let (name, field) = place.split_once('.').expect("Type.field");
        let (field, entries) = match field.strip_suffix("[]") {
            Some(field) => (field, true),
            None => (field, false),
        };
        let found = definitions
            .get_mut(name)
            .and_then(|definition| definition["properties"].get_mut(field))
            .and_then(|field| {
                if entries {
                    field.get_mut("items")
                } else {
                    Some(field)
                }
            });
        match found {
            Some(found) => add(found, range),
            None => unknown.push(place.to_owned()),
        }
    }
    for (name, condition) in conditions() {
        let found = all_of(definitions, name);
        if found.is_empty() {
            unknown.push(name.to_owned());
        }
        for definition in found {
            also(definition, condition.clone());
        }
    }
    let names: Vec<&String> = definitions.keys().collect();
    assert!(
        unknown.is_empty(),
        "rules about what no report has: {unknown:?}; there are {names:?}"
    );
}

/// The definition of a type, or of every instance of a generic one.
fn all_of<'a>(definitions: &'a mut Map<String, Value>, name: &str) -> Vec<&'a mut Value> {
    let generic = format!("{name}_for_");
    definitions
        .iter_mut()
        .filter(|(key, _)| *key == name || key.starts_with(&generic))
        .map(|(_, definition)| definition)
        .collect()
}

fn add(field: &mut Value, range: Value) {
    let (Value::Object(field), Value::Object(range)) = (field, range) else {
        panic!("a field and its range are objects");
    };
    field.extend(range);
}

fn also(definition: &mut Value, condition: Value) {
    let all = &mut definition["allOf"];
    if all.is_null() {
        *all = json!([]);
    }
    all.as_array_mut()
        .expect("a list of conditions")
        .push(condition);
}
