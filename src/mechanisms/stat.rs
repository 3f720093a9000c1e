//! Means over examples.

use serde::Serialize;

use crate::geometry::stats::{mean, std_dev};
use crate::input::Labels;

/// Mean and spread over examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "MeanAndStd"))]
pub struct Stat {
    /// Mean; `None` without examples.
    pub mean: Option<f64>,
    /// Standard deviation with n − 1; `None` below two examples.
    pub std: Option<f64>,
}

impl Stat {
    /// Of these values.
    pub fn of(values: &[f64]) -> Self {
        Self {
            mean: mean(values),
            std: std_dev(values),
        }
    }

    /// Standard error of the mean of `n` values.
    pub fn std_error(&self, n: usize) -> Option<f64> {
        self.std.map(|std| std / (n as f64).sqrt())
    }
}

/// Examples that are averaged together: all, or those of one class.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub name: Option<String>,
    pub members: Vec<usize>,
}

/// All examples, then each class of `labels`; examples without a label are in the first alone.
pub(crate) fn groups(n: usize, labels: Option<&Labels>) -> Vec<Group> {
    let mut groups = vec![Group {
        name: None,
        members: (0..n).collect(),
    }];
    if let Some(labels) = labels {
        groups.extend(labels.classes.iter().enumerate().map(|(class, name)| {
            Group {
                name: Some(name.clone()),
                members: (0..n)
                    .filter(|&i| labels.codes[i].is_some_and(|code| code as usize == class))
                    .collect(),
            }
        }));
    }
    groups
}

/// The share of `values` that hold; `None` without values.
pub(crate) fn share(values: impl Iterator<Item = bool>) -> Option<f64> {
    let (mut held, mut n) = (0usize, 0usize);
    for value in values {
        held += usize::from(value);
        n += 1;
    }
    (n > 0).then(|| held as f64 / n as f64)
}
