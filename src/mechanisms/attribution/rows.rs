//! Contributions averaged over all examples and over each group.

use super::shape::{ComponentKind, ComponentRow, PlaceContributions};
use super::sources::{Component, Sources};
use crate::geometry::Reason;
use crate::mechanisms::spots::Spot;
use crate::mechanisms::stat::{Group, Stat};

impl Sources {
    /// What was read of every example, less the last lens.
    pub(super) fn at_place(
        &self,
        spot: &Spot,
        mut found: Vec<Option<Vec<[f64; 2]>>>,
    ) -> PlaceContributions {
        for parts in found.iter_mut().flatten() {
            parts.truncate(self.components.len());
        }
        PlaceContributions {
            position: spot.name.clone(),
            components: self.components.iter().map(Component::name).collect(),
            examples: found,
        }
    }

    pub(super) fn rows(
        &self,
        spot: &Spot,
        group: &Group,
        found: &[Option<Vec<[f64; 2]>>],
    ) -> Vec<ComponentRow> {
        let present: Vec<&Vec<[f64; 2]>> = group
            .members
            .iter()
            .filter_map(|&i| found[i].as_ref())
            .collect();
        let mut rows: Vec<ComponentRow> = self
            .components
            .iter()
            .enumerate()
            .map(|(place, component)| {
                let column = |value: fn([f64; 2]) -> f64| -> Stat {
                    Stat::of(
                        &present
                            .iter()
                            .map(|parts| value(parts[place]))
                            .collect::<Vec<f64>>(),
                    )
                };
                ComponentRow {
                    component: component.name(),
                    kind: component.kind,
                    layer: component.layer,
                    head: component.head,
                    position: spot.name.clone(),
                    group: group.name.clone(),
                    n: present.len(),
                    fact: column(|pair| pair[0]),
                    counterfactual: column(|pair| pair[1]),
                    delta: column(|pair| pair[1] - pair[0]),
                    share: None,
                    reason: present.is_empty().then_some(Reason::TooFewRows),
                }
            })
            .collect();
        shares(&mut rows);
        rows
    }
}

/// Each head's part of the sum of all mean deltas of its sign.
fn shares(rows: &mut [ComponentRow]) {
    let delta = |row: &ComponentRow| match row.kind {
        ComponentKind::Head => row.delta.mean,
        _ => None,
    };
    let total = |sign: f64| -> f64 {
        let deltas = rows.iter().filter_map(delta);
        deltas.filter(|delta| delta * sign > 0.0).sum()
    };
    let (negative, positive) = (total(-1.0), total(1.0));
    for row in rows {
        row.share = delta(row)
            .filter(|&delta| delta != 0.0)
            .map(|delta| delta / if delta < 0.0 { negative } else { positive });
    }
}
