//! Progress that says which layer is in work.

use crate::progress::Progress;

/// Passes progress on under the name of a layer.
pub(super) struct Named<'a> {
    /// The layer.
    pub layer: &'a str,
    /// Who is told.
    pub progress: &'a dyn Progress,
}

impl Progress for Named<'_> {
    fn begin(&self, _label: &str, total: u64) {
        self.progress.begin(self.layer, total);
    }

    fn advance(&self, steps: u64) {
        self.progress.advance(steps);
    }

    fn end(&self) {
        self.progress.end();
    }
}
