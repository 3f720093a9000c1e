//! Targets of probes, row by row: classes or numbers.

use crate::error::{Error, Result};
use crate::input::Labels;

/// A class or a number for each input row; rows without one take no part.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeTargets {
    /// A class a row.
    Classes(Labels),
    /// A number a row, and what they are called.
    Numbers(String, Vec<Option<f64>>),
}

impl ProbeTargets {
    /// Numbers that stand where labels would.
    ///
    /// # Errors
    /// [`Error::Usage`] for a cell that is no finite number.
    pub fn numbers(labels: &Labels) -> Result<Self> {
        let parsed = labels.classes.iter().map(|class| {
            let number = class
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite());
            number.ok_or_else(|| {
                Error::Usage(format!(
                    "--targets {}: {class:?} is no finite number; give numbers, or classes with \
                     --labels",
                    labels.name
                ))
            })
        });
        let parsed: Vec<f64> = parsed.collect::<Result<_>>()?;
        let number = |code: &Option<u32>| code.map(|code| parsed[code as usize]);
        let numbers = labels.codes.iter().map(number);
        Ok(Self::Numbers(labels.name.clone(), numbers.collect()))
    }

    /// What they are called.
    pub fn name(&self) -> &str {
        match self {
            Self::Classes(labels) => &labels.name,
            Self::Numbers(name, _) => name,
        }
    }
}
