//! Says how far a layer can be trusted: the block that stands beside every number.

use serde::Serialize;

use super::stats;

/// The quantile levels of [`Quantiles`].
pub const LEVELS: [f64; 9] = [0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0];

/// Diagnostics of the values of one layer, before any row is removed.
///
/// Of a precomputed neighbour table only the number of rows and the distances are known; the
/// other fields are `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnostics {
    /// Rows of the layer.
    pub n_rows: usize,
    /// Distinct rows.
    pub n_unique: Option<usize>,
    /// Rows that repeat an earlier one.
    pub n_duplicates: Option<usize>,
    /// Largest number of times one row occurs.
    pub max_multiplicity: Option<usize>,
    /// Rows with NaN or infinity.
    pub n_nonfinite_rows: Option<usize>,
    /// Columns with zero variance.
    pub n_constant_columns: Option<usize>,
    /// Largest |column mean| / column standard deviation over non-constant columns; `None` if none.
    pub max_mean_over_std: Option<f64>,
    /// Largest column variance over the total variance; `None` for a constant layer.
    pub top_column_variance_share: Option<f64>,
    /// What the neighbour distances say; `None` where no neighbours were sought.
    pub distances: Option<DistanceDiagnostics>,
}

/// Diagnostics of the first two neighbour distances of the rows that were analysed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DistanceDiagnostics {
    /// Rows with r1 exactly 0.
    pub n_zero_r1: usize,
    /// Rows with r1 < 1e-6 · median(r1).
    pub n_near_zero_r1: usize,
    /// Rows with r1 = r2 exactly.
    pub n_tied_r1_r2: usize,
    /// Rows whose ratio r2 / r1 is not finite.
    pub n_nonfinite_mu: usize,
    /// The levels of the quantiles below.
    pub levels: [f64; LEVELS.len()],
    /// Quantiles of r1.
    pub r1: Quantiles,
    /// Quantiles of r2.
    pub r2: Quantiles,
    /// Quantiles of the finite ratios r2 / r1.
    pub mu: Quantiles,
}

/// Quantiles at [`LEVELS`], linear between order statistics (type 7); empty without values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Quantiles(pub Vec<f64>);

impl Diagnostics {
    /// What is known of a precomputed neighbour table of `n_rows` rows.
    pub fn of_table(n_rows: usize) -> Self {
        Self {
            n_rows,
            n_unique: None,
            n_duplicates: None,
            max_multiplicity: None,
            n_nonfinite_rows: None,
            n_constant_columns: None,
            max_mean_over_std: None,
            top_column_variance_share: None,
            distances: None,
        }
    }
}

impl Quantiles {
    /// The quantiles of `values`, which get sorted on the way.
    pub fn of(values: &mut [f64]) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        if values.is_empty() {
            return Self(Vec::new());
        }
        Self(
            LEVELS
                .iter()
                .map(|&level| stats::quantile(values, level))
                .collect(),
        )
    }

    /// The median; `None` without values.
    pub fn median(&self) -> Option<f64> {
        self.0.get(LEVELS.len() / 2).copied()
    }
}

/// How many of the distances `r1` lie below 1e-6 of the median of `far`, and how many are 0.
///
/// `far` are distances to a neighbour farther away: where most rows have a twin, the median of the
/// nearest distances is that of twins.
pub fn near_zero(r1: &[f64], far: &[f64]) -> (usize, usize) {
    let limit = stats::median(far).map_or(0.0, |median| 1e-6 * median);
    let below = |limit: f64| r1.iter().filter(|&&near| near < limit).count();
    let zero = r1.iter().filter(|&&near| near <= 0.0).count();
    (below(limit), zero)
}

impl DistanceDiagnostics {
    /// Diagnostics of the first and second neighbour distance of every row; `far` are the distances
    /// to the farthest neighbour looked at.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn new(r1: &[f64], r2: &[f64], far: &[f64]) -> Self {
        assert_eq!(r1.len(), r2.len(), "one pair of distances a row");
        let near = Quantiles::of(&mut r1.to_vec());
        let (n_near_zero_r1, n_zero_r1) = near_zero(r1, far);
        let mut mus: Vec<f64> = r1.iter().zip(r2).map(|(near, far)| far / near).collect();
        mus.retain(|mu| mu.is_finite());
        let count = |holds: &dyn Fn(f64, f64) -> bool| {
            r1.iter()
                .zip(r2)
                .filter(|&(&near, &far)| holds(near, far))
                .count()
        };
        #[allow(clippy::float_cmp)] // ties are exact by definition
        Self {
            n_zero_r1,
            n_near_zero_r1,
            n_tied_r1_r2: count(&|near, far| near == far),
            n_nonfinite_mu: r1.len() - mus.len(),
            levels: LEVELS,
            r1: near,
            r2: Quantiles::of(&mut r2.to_vec()),
            mu: Quantiles::of(&mut mus),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_ramp_are_its_levels() {
        let mut ramp: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let expected = LEVELS.map(|level| 100.0 * level);
        let found = Quantiles::of(&mut ramp).0;
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-12),
            "{found:?}"
        );
        assert!(Quantiles::of(&mut []).0.is_empty());
    }

    #[test]
    fn zeros_near_zeros_and_ties_are_counted_apart() {
        let r1 = [0.0, 1e-9, 1.0, 1.0, 2.0];
        let r2 = [0.0, 1.0, 1.0, 2.0, 3.0];
        let found = DistanceDiagnostics::new(&r1, &r2, &r2);
        assert_eq!(
            (
                found.n_zero_r1,
                found.n_near_zero_r1,
                found.n_tied_r1_r2,
                found.n_nonfinite_mu
            ),
            (1, 2, 2, 1)
        );
        assert_eq!(found.mu.0.len(), LEVELS.len());
    }

    #[test]
    fn twins_are_seen_where_every_row_has_one() {
        let twins = [1e-8; 50];
        let far = [1.0; 50];
        assert_eq!(near_zero(&twins, &twins), (0, 0));
        assert_eq!(near_zero(&twins, &far), (50, 0));
    }

    #[test]
    fn no_rows_have_no_quantiles_and_no_counts() {
        let found = DistanceDiagnostics::new(&[], &[], &[]);
        assert_eq!(found.n_zero_r1, 0);
        assert!(found.r1.0.is_empty());
    }
}
