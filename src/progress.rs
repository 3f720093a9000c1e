//! How long work says how far it is, without knowing who listens.

/// A listener for the progress of one long piece of work.
///
/// The lower floors call it; only `cli` draws anything.
pub trait Progress: Sync {
    /// Work on `label` begins and consists of `total` equal steps.
    fn begin(&self, label: &str, total: u64);
    /// `steps` more of them are done. May be called from any thread.
    fn advance(&self, steps: u64);
    /// The work begun last is over.
    fn end(&self);
    /// Something that the user should know and that changes no result, in one sentence.
    fn note(&self, _text: &str) {}
}

/// Listens to nothing.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _label: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}
