//! What repeats of one estimator on one kind of set say together.

use repgeo::geometry::id::ErrorKind;
use repgeo::geometry::stats;

use super::estimators::Reading;
use super::manifolds::Manifold;

/// One kind of set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub manifold: Manifold,
    pub d: usize,
    pub n: usize,
}

/// All repeats of one estimator in one setting.
///
/// If one repeat has no value the statistics are `None`: the others are no fair sample.
pub struct Cell {
    pub setting: Setting,
    pub name: String,
    pub kind: Option<ErrorKind>,
    values: Option<Vec<f64>>,
    errors: Vec<f64>,
}

impl Cell {
    pub fn new(setting: Setting, name: &str) -> Self {
        Self {
            setting,
            name: name.into(),
            kind: None,
            values: Some(Vec::new()),
            errors: Vec::new(),
        }
    }

    /// One repeat more.
    pub fn push(&mut self, reading: &Reading) {
        let values = self.values.take().zip(reading.id);
        self.values = values.map(|(mut values, id)| {
            values.push(id);
            values
        });
        if let Some((kind, error)) = reading.error {
            self.kind = Some(kind);
            self.errors.push(error);
        }
    }

    /// Mean estimate over true dimension.
    pub fn bias(&self) -> Option<f64> {
        self.mean().map(|mean| mean / self.setting.d as f64)
    }

    /// Standard deviation between repeats over true dimension.
    pub fn spread(&self) -> Option<f64> {
        self.std_dev().map(|spread| spread / self.setting.d as f64)
    }

    /// Standard deviation between repeats over the mean of the errors given: 1 is honest.
    pub fn spread_over_error(&self) -> Option<f64> {
        Some(self.std_dev()? / stats::mean(&self.errors)?)
    }

    /// Share of repeats with the true dimension within two errors.
    pub fn coverage_of_truth(&self) -> Option<f64> {
        self.coverage(self.setting.d as f64, 1.0)
    }

    /// Share of repeats with the estimator's own mean within two errors.
    ///
    /// A value pulls the mean of R towards itself: deviations are widened by √(R/(R − 1)).
    pub fn coverage_of_mean(&self) -> Option<f64> {
        let repeats = self.values.as_ref()?.len() as f64;
        self.coverage(self.mean()?, (repeats / (repeats - 1.0)).sqrt())
    }

    fn mean(&self) -> Option<f64> {
        stats::mean(self.values.as_ref()?)
    }

    fn std_dev(&self) -> Option<f64> {
        stats::std_dev(self.values.as_ref()?)
    }

    fn coverage(&self, centre: f64, widening: f64) -> Option<f64> {
        let values = self.values.as_ref()?;
        if self.errors.is_empty() || self.errors.len() != values.len() {
            return None;
        }
        let within = |(id, error): &(&f64, &f64)| (*id - centre).abs() * widening <= 2.0 * *error;
        let covered = values.iter().zip(&self.errors).filter(within).count();
        Some(covered as f64 / values.len() as f64)
    }
}

/// The mean of `quantity` over `cells`; `None` if one of them has none, or there are no cells.
pub fn mean_of(cells: &[&Cell], quantity: impl Fn(&Cell) -> Option<f64>) -> Option<f64> {
    let values: Option<Vec<f64>> = cells.iter().map(|cell| quantity(cell)).collect();
    stats::mean(&values?)
}
