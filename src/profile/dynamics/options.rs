//! Options over runs: the quantity, the run compared with, and what becomes of a run that fails.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::input::RunSource;

use super::quantity::DynamicsQuantity;

/// A run that every run is compared with, layer by layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunTarget {
    /// The first run.
    First,
    /// The last run.
    Last,
    /// One run, by its name or its path.
    Named(String),
}

impl std::str::FromStr for RunTarget {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(match text {
            "first" => Self::First,
            "last" => Self::Last,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl RunTarget {
    /// The run that is meant.
    ///
    /// # Errors
    /// [`Error::Usage`] if no run has that name.
    pub fn find<'a>(&self, runs: &'a [RunSource]) -> Result<&'a RunSource> {
        let found = match self {
            Self::First => runs.first(),
            Self::Last => runs.last(),
            Self::Named(name) => runs
                .iter()
                .find(|run| run.name == *name || run.path.as_os_str() == name.as_str()),
        };
        found.ok_or_else(|| {
            let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
            Error::Usage(format!(
                "--to-run {}: there is no such run; give first, last, or one of {}",
                match self {
                    Self::First => "first",
                    Self::Last => "last",
                    Self::Named(name) => name,
                },
                names.join(", ")
            ))
        })
    }
}

/// What is followed over runs, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsOptions {
    /// What was computed.
    pub(crate) quantity: DynamicsQuantity,
    /// Which quantities of the analysis were kept.
    pub(crate) kept: Vec<&'static str>,
    /// The run whose layers every run was compared with; null within each run.
    pub to_run: Option<String>,
    /// Whether runs that could not be analysed were left out.
    pub keep_going: bool,
}

impl DynamicsOptions {
    /// Follows those quantities of `quantity` that `only` names, all of
    /// [`DynamicsQuantity::quantities`] where it is empty, within each run; a run that cannot be
    /// analysed is the end.
    ///
    /// # Errors
    /// [`Error::Usage`] for one that the analysis does not have.
    pub fn new(quantity: DynamicsQuantity, only: &[String]) -> Result<Self> {
        let mut kept = quantity.quantities();
        if let Some(unknown) = only.iter().find(|one| !kept.contains(&one.as_str())) {
            return Err(Error::Usage(format!(
                "--only {unknown}: {} has {}",
                quantity.flag(),
                kept.join(", ")
            )));
        }
        kept.retain(|one| only.is_empty() || only.iter().any(|only| only == one));
        Ok(Self {
            quantity,
            kept,
            to_run: None,
            keep_going: false,
        })
    }

    /// What is computed.
    pub fn quantity(&self) -> DynamicsQuantity {
        self.quantity
    }
}
