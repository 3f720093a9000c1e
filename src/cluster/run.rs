//! Opens a run in its folder, does its tasks and reads its state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::ranges;
use super::shards::Shards;
use super::state::{State, Status, state_of};
use super::unit::{Done, Layer, read_rows};
use super::work::Work;
use crate::error::{Error, Result};
use crate::neighbours::{Points, SearchOptions};
use crate::progress::Progress;

/// A planned run.
#[derive(Debug)]
pub struct Run {
    /// The plan.
    pub plan: Plan,
    folder: PathBuf,
}

impl Run {
    /// Reads the plan in `folder`.
    ///
    /// # Errors
    /// As [`Plan::read`]; whatever finding the folder gives.
    pub fn open(folder: &Path) -> Result<Self> {
        let plan = Plan::read(folder)?;
        let absolute = std::path::absolute(folder).map_err(|source| Error::Read {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            plan,
            folder: absolute,
        })
    }

    /// The folder, from the root on.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The tasks of a list such as `0..7` or `0-3,7`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a list that is none, or tasks that the plan does not have.
    pub fn tasks(&self, text: &str) -> Result<Vec<usize>> {
        let tasks = ranges::tasks(text)?;
        let count = self.plan.tasks()[1].end;
        match tasks.last() {
            Some(&last) if last >= count => Err(Error::Usage(format!(
                "--task {text}: the plan has tasks 0 to {}",
                count - 1
            ))),
            _ => Ok(tasks),
        }
    }

    /// Does the units of some tasks that are not whole, and calls `tell` with each.
    ///
    /// # Errors
    /// [`Error::InputChanged`] for a layer that is not the planned one; [`Error::Holes`] for ranks
    /// whose tables are not whole; whatever searching and writing gives.
    pub fn work(
        &self,
        works: &[Work],
        tasks: &[usize],
        options: &SearchOptions,
        progress: &dyn Progress,
        tell: &mut dyn FnMut(usize, Done),
    ) -> Result<()> {
        let mut due: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for unit in tasks.iter().flat_map(|&task| self.plan.units_of_task(task)) {
            match state_of(&self.plan, &self.folder, unit)? {
                State::Whole => tell(unit, Done::Found),
                _ => due
                    .entry(self.plan.place_of(unit).0)
                    .or_default()
                    .push(unit),
            }
        }
        for (search, units) in due {
            let planned = &self.plan.searches[search];
            let matrix = read_rows(works, planned)?;
            let points = Points::new(&matrix, self.plan.distance(), &planned.layer)?;
            let layer = Layer::new(&self.plan, works, &points);
            for unit in units {
                layer.make(&self.folder, unit, options, progress)?;
                tell(unit, Done::Made);
            }
        }
        Ok(())
    }

    /// What is whole and what is not.
    ///
    /// # Errors
    /// [`Error::Read`] where the system gives an error.
    pub fn status(&self) -> Result<Status> {
        Status::of(&self.plan, &self.folder)
    }

    /// The searches of a run that is whole.
    ///
    /// # Errors
    /// [`Error::Holes`] and [`Error::Identity`] where it is not.
    pub fn finished(&self) -> Result<Shards> {
        self.status()?.refuse_holes(&self.folder)?;
        Ok(Shards::new(self.plan.clone(), self.folder.clone()))
    }
}
