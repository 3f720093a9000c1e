//! Says what of a run is whole, what is missing, and which tasks that makes.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;

use super::file::{self, Fault};
use super::key::Key;
use super::plan::Plan;
use super::ranges::array_list;
use crate::error::{Error, Result};

/// What became of the part of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is there and whole.
    Whole,
    /// It is not there.
    Missing,
    /// It is not whole; why.
    Damaged(String),
    /// It is of something else; of what.
    Foreign(String),
}

/// All parts of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// By unit.
    pub units: Vec<State>,
    /// Tasks of each phase that are not whole: tables, then ranks.
    pub missing: [Vec<usize>; 2],
}

/// The state of one part.
///
/// # Errors
/// [`Error::Read`] where the system gives an error.
pub(super) fn state_of(plan: &Plan, folder: &Path, unit: usize) -> Result<State> {
    let path = file::place(folder, unit);
    match file::read(&path, &Key::expected(plan, unit)) {
        Ok(_) => Ok(State::Whole),
        Err(Fault::Missing) => Ok(State::Missing),
        Err(Fault::Damaged(fact)) => Ok(State::Damaged(fact)),
        Err(Fault::Foreign(fact)) => Ok(State::Foreign(fact)),
        Err(failed) => Err(failed.error(&path)),
    }
}

impl Status {
    /// Reads every part and checks it.
    ///
    /// # Errors
    /// [`Error::Read`] where the system gives an error.
    pub(super) fn of(plan: &Plan, folder: &Path) -> Result<Self> {
        let units = (0..plan.units()).into_par_iter();
        let units: Vec<State> = units
            .map(|unit| state_of(plan, folder, unit))
            .collect::<Result<_>>()?;
        let holes = (0..)
            .zip(&units)
            .filter(|(_, state)| **state != State::Whole);
        let tasks: BTreeSet<usize> = holes.map(|(unit, _)| plan.task_of(unit)).collect();
        let [tables, _] = plan.tasks();
        let (first, second) = tasks.into_iter().partition(|task| tables.contains(task));
        Ok(Self {
            units,
            missing: [first, second],
        })
    }

    /// Units that are whole.
    pub fn whole(&self) -> usize {
        let whole = self.units.iter().filter(|state| **state == State::Whole);
        whole.count()
    }

    /// The tasks that are not whole, as `sbatch --array` takes them.
    pub fn array(&self) -> String {
        array_list(&self.missing.concat())
    }

    /// Refuses a run that is not whole.
    ///
    /// # Errors
    /// [`Error::Identity`] for a part of something else, else [`Error::Holes`].
    pub fn refuse_holes(&self, folder: &Path) -> Result<()> {
        for (unit, state) in self.units.iter().enumerate() {
            if let State::Foreign(fact) = state {
                return Err(Error::Identity {
                    path: file::place(folder, unit),
                    fact: fact.clone(),
                    remedy: format!("repgeo shard --task {} does it again", self.array()),
                });
            }
        }
        let holes = self.units.len() - self.whole();
        if holes == 0 {
            return Ok(());
        }
        Err(Error::Holes {
            run: folder.to_owned(),
            fact: format!(
                "{holes} of {} parts are missing or not whole",
                self.units.len()
            ),
            remedy: format!("repgeo shard --task {} does them", self.array()),
        })
    }
}
