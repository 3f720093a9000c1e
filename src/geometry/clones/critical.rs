//! From which width on a chunk is a clone of its layer.

use crate::geometry::known;

/// Share of variance that a clone must explain.
pub const R2_THRESHOLD: f64 = 0.98;

/// A training error up to this is zero error, whatever that of the whole layer.
pub const ZERO_TRAINING_ERROR: f64 = 0.005;

/// What is known of the chunks of one width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WidthEvidence {
    /// w.
    pub width: usize,
    /// Mean R² over draws, the chunk included.
    pub r2: Option<f64>,
    /// Mean error on the training set, if there is one.
    pub training_error: Option<f64>,
}

known! {
    /// The critical width and what follows.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct CriticalWidth {
        /// w_c: the smallest width whose chunks are clones.
        pub width: usize,
        /// W/w_c.
        pub n_clones: f64,
    }
}

/// The smallest width below the whole with mean R² ≥ 0.98 and, where a training set is known,
/// training error ≤ max(2·err(W), 0.5 %).
///
/// `evidence` is in order of ascending width and ends with the whole layer. `None` if no width
/// below the whole qualifies.
pub fn critical_width(evidence: &[WidthEvidence]) -> Option<CriticalWidth> {
    let (whole, chunks) = evidence.split_last()?;
    let limit = whole
        .training_error
        .map(|error| (2.0 * error).max(ZERO_TRAINING_ERROR));
    let qualifies = |one: &&WidthEvidence| {
        let trained = match (one.training_error, limit) {
            (Some(error), Some(limit)) => error <= limit,
            _ => true,
        };
        trained && one.r2.is_some_and(|r2| r2 >= R2_THRESHOLD)
    };
    let first = chunks.iter().find(qualifies)?;
    Some(CriticalWidth {
        width: first.width,
        n_clones: whole.width as f64 / first.width as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WR28-8 on CIFAR-10 as published: width, R², training error.
    const PUBLISHED: [(usize, f64, f64); 10] = [
        (1, 0.05, 0.87),
        (2, 0.065, 0.85),
        (4, 0.145, 0.8),
        (8, 0.295, 0.6),
        (16, 0.54, 0.3),
        (32, 0.875, 0.09),
        (64, 0.993, 0.003),
        (128, 0.997, 0.001),
        (256, 1.0, 0.001),
        (512, 1.0, 0.001),
    ];

    fn evidence(trained: bool) -> Vec<WidthEvidence> {
        PUBLISHED
            .iter()
            .map(|&(width, r2, error)| WidthEvidence {
                width,
                r2: Some(r2),
                training_error: trained.then_some(error),
            })
            .collect()
    }

    #[test]
    fn the_published_table_has_eight_clones_of_64_neurons() {
        for trained in [true, false] {
            let found = critical_width(&evidence(trained));
            let expected = CriticalWidth {
                width: 64,
                n_clones: 8.0,
            };
            assert_eq!(found, Some(expected));
        }
    }

    #[test]
    fn a_chunk_that_explains_but_does_not_classify_is_no_clone() {
        let mut evidence = evidence(true);
        evidence[6].training_error = Some(0.02);
        assert_eq!(
            critical_width(&evidence).map(|found| found.width),
            Some(128)
        );
    }

    #[test]
    fn the_whole_layer_alone_is_no_clone() {
        let mut evidence = evidence(false);
        evidence.iter_mut().for_each(|one| one.r2 = Some(0.5));
        evidence[9].r2 = Some(1.0);
        assert_eq!(critical_width(&evidence), None);
        assert_eq!(critical_width(&[]), None);
    }
}
