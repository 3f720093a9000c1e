//! Every layer with every set of labels.

use std::collections::BTreeMap;

use super::shape::{LabelledLayer, LabelledValue};
use super::subject::{LayerTables, Subject};
use crate::geometry::Reason;
use crate::geometry::relation::{Depth, LabelOverlap, label_overlap, label_overlap_apart};
use crate::geometry::stats::{mean, std_dev};
use crate::input::Labels;

impl Subject<'_> {
    /// Every layer of the first dump with every set of labels.
    pub(super) fn labelled(&self, found: &LayerTables) -> Vec<LabelledLayer> {
        let depths: Vec<(Option<usize>, Depth)> = match self.class_fraction {
            Some(share) => vec![(None, Depth::ClassFraction(share))],
            None => self
                .k
                .iter()
                .map(|&k| (Some(k), Depth::Neighbours(k)))
                .collect(),
        };
        let mut all = Vec::new();
        for labels in self.labels {
            let with_errors = |label_overlap: LabelOverlap| {
                let [std_error_micro, std_error_macro] = self.label_errors(&label_overlap, labels);
                LabelledValue {
                    label_overlap,
                    std_error_micro,
                    std_error_macro,
                }
            };
            for (k, depth) in &depths {
                for (at, layer) in self.comparison.left().iter().enumerate() {
                    let outcome = match found.get(&(0, at)) {
                        None => Err(layer.no_nearest.unwrap_or(Reason::AllRowsIdentical)),
                        Some(table) => {
                            let (codes, classes) = (&labels.codes, &labels.classes);
                            match self.exclude {
                                None => label_overlap(table.view(), codes, classes, *depth),
                                Some(apart) => {
                                    let apart = &apart.codes;
                                    label_overlap_apart(table.view(), codes, classes, *depth, apart)
                                }
                            }
                        }
                    };
                    all.push(LabelledLayer {
                        layer: layer.layer.clone(),
                        index: layer.index,
                        relative_depth: layer.relative_depth,
                        labels: labels.name.clone(),
                        k: *k,
                        outcome: outcome.map(with_errors).into(),
                    });
                }
            }
        }
        all
    }

    /// Errors over blocks of rows of the mean over rows, and over classes.
    fn label_errors(&self, overlap: &LabelOverlap, labels: &Labels) -> [Option<f64>; 2] {
        let mut means = [Vec::new(), Vec::new()];
        for block in &self.blocks {
            let mut classes: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
            for &row in block {
                let row = row as usize;
                if let (Some(class), Some(value)) = (labels.codes[row], overlap.rows[row]) {
                    classes.entry(class).or_default().push(value);
                }
            }
            let rows: Vec<f64> = classes.values().flatten().copied().collect();
            let by_class: Vec<f64> = classes.values().filter_map(|values| mean(values)).collect();
            means[0].extend(mean(&rows));
            means[1].extend(mean(&by_class));
        }
        means.map(|means| std_dev(&means).map(|std| std / (means.len() as f64).sqrt()))
    }
}
