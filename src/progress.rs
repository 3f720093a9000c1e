//! Says how far long work is, without knowing who listens.

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
}

/// Listens to nothing.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _label: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}

/// Passes on what happens within one step of a larger plan, whose own phases it keeps to itself.
pub struct Within<'a>(pub &'a dyn Progress);

impl Progress for Within<'_> {
    fn begin(&self, label: &str, total: u64) {
        self.0.begin(label, total);
    }

    fn advance(&self, steps: u64) {
        self.0.advance(steps);
    }

    fn end(&self) {
        self.0.end();
    }

    fn note(&self, text: &str) {
        self.0.note(text);
    }
}
