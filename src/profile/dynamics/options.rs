//! What is followed over runs, with which other run, and what is done about a run that fails.

use crate::error::{Error, Result};
use crate::input::{RunSource, Series};
use crate::profile::events::EventOptions;
use crate::progress::Progress;

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
pub struct DynamicsOptions<'a> {
    /// What is followed.
    pub quantity: DynamicsQuantity,
    /// The name of the run that every run is compared with, where there is one.
    pub to_run: Option<String>,
    /// Quantities of the single command to keep; empty for all of
    /// [`DynamicsQuantity::quantities`].
    pub only: Vec<String>,
    /// Whether a run that cannot be analysed is listed and left out, instead of being the end.
    pub keep_going: bool,
    /// Who is told which run is at work.
    pub progress: &'a dyn Progress,
    /// How events are sought over the layers of all runs, whose names it is given.
    pub events: &'a dyn Fn(&Series) -> Result<EventOptions>,
}

impl DynamicsOptions<'_> {
    /// The quantities to keep.
    ///
    /// # Errors
    /// [`Error::Usage`] for one that the analysis does not have.
    pub(super) fn kept(&self) -> Result<Vec<&'static str>> {
        let all = self.quantity.quantities();
        if let Some(unknown) = self.only.iter().find(|one| !all.contains(&one.as_str())) {
            return Err(Error::Usage(format!(
                "--only {unknown}: {} has {}",
                self.quantity.flag(),
                all.join(", ")
            )));
        }
        let wanted = |one: &&str| self.only.is_empty() || self.only.iter().any(|only| only == one);
        Ok(all.into_iter().filter(wanted).collect())
    }
}
