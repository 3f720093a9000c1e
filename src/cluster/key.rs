//! The key of a part: one line of JSON, its fields in one order, that says what it is of.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::plan::Plan;
use super::search::PlannedSought;
use crate::neighbours::Targets;

/// Version of the files; others are not used.
const FORMAT: &str = "repgeo-shard/1";

/// What a part is of, and what proves that it is whole. No host, clock or job number: the same work
/// gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    format: String,
    /// The plan's `id`.
    plan: String,
    pub(super) unit: usize,
    pub(super) layer: String,
    /// Fingerprint of the rows of the layer.
    content: String,
    metric: String,
    sought: PlannedSought,
    /// First row of the block and one beyond its last.
    rows: [usize; 2],
    /// Fingerprint of the rows whose ranks these are; empty for a table.
    pub(super) targets: String,
    /// Fingerprint of the payload.
    pub(super) checksum: String,
}

impl Key {
    /// What the part of this unit must say, targets and checksum left open.
    pub(super) fn expected(plan: &Plan, unit: usize) -> Self {
        let (search, block) = plan.unit(unit);
        Self {
            format: FORMAT.to_owned(),
            plan: plan.id.clone(),
            unit,
            layer: search.layer.clone(),
            content: search.content.clone(),
            metric: plan.metric.clone(),
            sought: search.sought.clone(),
            rows: [block.start, block.end],
            targets: String::new(),
            checksum: String::new(),
        }
    }

    /// Why this is not the part that is expected.
    pub(super) fn differs(&self, expected: &Self) -> Option<String> {
        let same = Self {
            targets: self.targets.clone(),
            checksum: self.checksum.clone(),
            ..expected.clone()
        };
        if *self == same {
            return None;
        }
        Some(if self.format != expected.format {
            format!("its format is {}, not {FORMAT}", self.format)
        } else if self.plan != expected.plan {
            "it is of another plan".to_owned()
        } else {
            format!(
                "it is unit {} (layer {}, rows {}..{}), not unit {}",
                self.unit, self.layer, self.rows[0], self.rows[1], expected.unit
            )
        })
    }
}

/// What the ranks of some targets are found by.
pub(super) fn fingerprint_of_targets(targets: &Targets<'_>) -> String {
    let mut hash = Xxh3::new();
    hash.update(format!("{:?} {:?}", targets.rows.dim(), targets.groups).as_bytes());
    for row in targets.rows.rows() {
        for target in row {
            hash.update(&target.to_le_bytes());
        }
    }
    format!("{:032x}", hash.digest128())
}
