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
pub struct Cell {
    pub setting: Setting,
    pub name: String,
    pub kind: Option<ErrorKind>,
    values: Vec<f64>,
    errors: Vec<f64>,
}

impl Cell {
    pub fn new(setting: Setting, reading: Reading) -> Self {
        let mut cell = Self {
            setting,
            name: reading.name.clone(),
            kind: reading.error.map(|(kind, _)| kind),
            values: Vec::new(),
            errors: Vec::new(),
        };
        cell.push(reading);
        cell
    }

    /// One repeat more.
    pub fn push(&mut self, reading: Reading) {
        self.values.push(reading.id);
        self.errors.extend(reading.error.map(|(_, error)| error));
    }

    pub fn repeats(&self) -> usize {
        self.values.len()
    }

    /// Mean estimate over true dimension.
    pub fn bias(&self) -> f64 {
        self.mean() / self.setting.d as f64
    }

    /// Standard deviation between repeats over true dimension.
    pub fn spread(&self) -> Option<f64> {
        stats::std_dev(&self.values).map(|spread| spread / self.setting.d as f64)
    }

    /// Standard deviation between repeats over the mean of the errors given: 1 is honest.
    pub fn spread_over_error(&self) -> Option<f64> {
        Some(stats::std_dev(&self.values)? / stats::mean(&self.errors)?)
    }

    /// Share of repeats with the true dimension within two errors.
    pub fn coverage_of_truth(&self) -> Option<f64> {
        self.coverage(self.setting.d as f64, 1.0)
    }

    /// Share of repeats with the estimator's own mean within two errors.
    ///
    /// A value pulls the mean of R towards itself: deviations are widened by √(R/(R − 1)).
    pub fn coverage_of_mean(&self) -> Option<f64> {
        let repeats = self.repeats() as f64;
        (repeats > 1.0)
            .then(|| self.coverage(self.mean(), (repeats / (repeats - 1.0)).sqrt()))
            .flatten()
    }

    fn mean(&self) -> f64 {
        stats::sum(&self.values) / self.values.len() as f64
    }

    fn coverage(&self, centre: f64, widening: f64) -> Option<f64> {
        let within = |(id, error): &(&f64, &f64)| (*id - centre).abs() * widening <= 2.0 * *error;
        let covered = self.values.iter().zip(&self.errors).filter(within).count();
        (!self.errors.is_empty()).then(|| covered as f64 / self.errors.len() as f64)
    }
}

/// The mean of `quantity` over `cells`; `None` if one of them has none, or there are no cells.
pub fn mean_of(cells: &[&Cell], quantity: impl Fn(&Cell) -> Option<f64>) -> Option<f64> {
    let values: Option<Vec<f64>> = cells.iter().map(|cell| quantity(cell)).collect();
    stats::mean(&values?)
}
