//! Says how far long work is, without knowing who listens.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A listener for the progress of long work.
///
/// The lower floors call it; only `cli` draws anything. An analysis says its phases and takes one
/// step a layer ([`Progress::plan`], [`Progress::step`]); within a step, pieces of work begin, advance
/// and end.
pub trait Progress: Sync {
    /// The work consists of these phases, in order.
    fn plan(&self, _phases: &[Phase]) {}
    /// The next step of a phase begins, on the layer `name`; the step before it is over.
    fn step(&self, _phase: &'static str, _name: &str) {}
    /// Work on `label` begins and consists of `total` equal steps.
    fn begin(&self, label: &str, total: u64);
    /// `steps` more of them are done. May be called from any thread.
    fn advance(&self, steps: u64);
    /// The work begun last is over.
    fn end(&self);
    /// Something that the user should know and that changes no result, in one sentence.
    fn note(&self, _text: &str) {}
}

/// A part of the work that goes through layers, all of which cost about the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// What is done, in a word.
    pub name: &'static str,
    /// How many layers, or other things, it is done with.
    pub steps: usize,
    /// What one of them costs beside one of another phase: a guess, until it was measured.
    pub cost: f64,
}

impl Phase {
    /// A phase of `steps` steps at the cost of a search for neighbours.
    pub fn new(name: &'static str, steps: usize) -> Self {
        Self {
            name,
            steps,
            cost: 1.0,
        }
    }

    /// A phase of `steps` steps, each at `cost`, in the unit of the plan.
    pub fn of_cost(name: &'static str, steps: usize, cost: f64) -> Self {
        Self { name, steps, cost }
    }
}

/// Listens to nothing.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _label: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}

/// Passes on what happens within one step of a larger plan, whose own phases become the pieces of
/// that step, each as long as its phase was said to cost.
pub struct Within<'a> {
    outer: &'a dyn Progress,
    inner: Mutex<Option<Inner>>,
}

/// The plan within a step, and how far it is.
struct Inner {
    /// Each phase, and how many of its steps have begun.
    phases: Vec<(Phase, usize)>,
    /// What steps that are over cost.
    done: f64,
    /// What the step in work costs.
    cost: f64,
    /// The piece of work of that step: how many of its steps are done, of how many.
    piece: (u64, u64),
    /// Places that were passed on.
    told: u64,
}

/// Pieces that a step with a plan of its own is told in.
const PLACES: u64 = 1000;

impl<'a> Within<'a> {
    /// Within the step of `outer` that is in work.
    pub fn new(outer: &'a dyn Progress) -> Self {
        Self {
            outer,
            inner: Mutex::new(None),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Option<Inner>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Places that were reached since they were last told.
    fn news(&mut self) -> u64 {
        let steps = |(phase, _): &(Phase, usize)| phase.steps as f64 * phase.cost;
        let whole: f64 = self.phases.iter().map(steps).sum();
        let (done, of) = self.piece;
        let share = done.min(of) as f64 / of.max(1) as f64;
        let reached = (self.done + self.cost * share) / whole;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let reached = (reached.min(1.0) * PLACES as f64) as u64;
        let news = reached.saturating_sub(self.told);
        self.told += news;
        news
    }
}

impl Progress for Within<'_> {
    fn plan(&self, phases: &[Phase]) {
        *self.inner() = Some(Inner {
            phases: phases.iter().map(|&phase| (phase, 0)).collect(),
            done: 0.0,
            cost: 0.0,
            piece: (0, 1),
            told: 0,
        });
        self.outer.begin("", PLACES);
    }

    fn step(&self, phase: &'static str, _name: &str) {
        let mut inner = self.inner();
        let Some(inner) = inner.as_mut() else { return };
        inner.done += inner.cost;
        inner.piece = (0, 1);
        inner.cost = 0.0;
        // What nobody planned has no share of what was.
        let mut phases = inner.phases.iter_mut();
        if let Some((phase, begun)) = phases.find(|(one, _)| one.name == phase)
            && *begun < phase.steps
        {
            *begun += 1;
            inner.cost = phase.cost;
        }
        self.outer.advance(inner.news());
    }

    fn begin(&self, label: &str, total: u64) {
        match self.inner().as_mut() {
            Some(inner) => inner.piece = (0, total),
            None => self.outer.begin(label, total),
        }
    }

    fn advance(&self, steps: u64) {
        match self.inner().as_mut() {
            Some(inner) => {
                inner.piece.0 += steps;
                self.outer.advance(inner.news());
            }
            None => self.outer.advance(steps),
        }
    }

    fn end(&self) {
        if self.inner().is_none() {
            self.outer.end();
        }
    }

    fn note(&self, text: &str) {
        self.outer.note(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps how much of how much it was told.
    #[derive(Default)]
    struct Heard(Mutex<Vec<(u64, u64)>>);

    impl Progress for Heard {
        fn begin(&self, _label: &str, total: u64) {
            self.0.lock().unwrap().push((0, total));
        }

        fn advance(&self, steps: u64) {
            self.0.lock().unwrap().last_mut().unwrap().0 += steps;
        }

        fn end(&self) {}
    }

    #[test]
    fn a_plan_within_a_step_is_one_piece_of_it_by_the_cost_of_its_phases() {
        let heard = Heard::default();
        let within = Within::new(&heard);
        let ranks = Phase {
            cost: 3.0,
            ..Phase::new("ranks", 2)
        };
        within.plan(&[Phase::new("neighbours", 2), ranks]);
        let told = || heard.0.lock().unwrap().clone();
        within.step("neighbours", "a");
        within.begin("a", 10);
        within.advance(5);
        // Half of the first of eight.
        assert_eq!(told(), [(62, PLACES)]);
        within.step("neighbours", "b");
        within.step("ranks", "a");
        assert_eq!(told(), [(250, PLACES)]);
        within.begin("a", 4);
        within.advance(4);
        within.step("ranks", "b");
        assert_eq!(told(), [(625, PLACES)]);
        // What was not planned takes nothing from what was.
        within.step("parts", "");
        within.begin("", 2);
        within.advance(2);
        assert_eq!(told(), [(PLACES, PLACES)]);
    }

    #[test]
    fn pieces_without_a_plan_are_passed_on() {
        let heard = Heard::default();
        let within = Within::new(&heard);
        within.begin("tiles", 7);
        within.advance(3);
        assert_eq!(*heard.0.lock().unwrap(), [(3, 7)]);
    }
}
