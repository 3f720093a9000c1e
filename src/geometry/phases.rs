//! Parts a series over training into a fall and a rise.

use super::Reason;

/// A fall to the smallest value and the rise after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phases {
    /// Index of the smallest value, the first on ties: the last of the fall, the first of the rise.
    pub split: usize,
    /// First value less the smallest.
    pub fall: f64,
    /// Last value less the smallest.
    pub rise: f64,
}

/// What a fall or a rise must exceed, in standard errors of the difference.
const ERRORS: f64 = 2.0;

/// The two phases of `values`, one a checkpoint, and the standard errors of those that have one.
///
/// ```text
/// split = argmin_t y_t        fall = y_0 − y_split        rise = y_last − y_split
/// ```
///
/// Of the imbalance Δ(last→first) of an autoencoder the fall is the rapid fit and the rise the slow
/// generalisation (arXiv 2411.01978). Where both errors of a difference are known, it must exceed
/// twice √(s_a² + s_b²).
///
/// # Errors
/// [`Reason::TooFewRows`] below three values; [`Reason::NotReached`] where the smallest value is the
/// first or the last, so that a phase is missing; [`Reason::WithinErrors`] where the errors alone may
/// have made the fall or the rise.
pub fn phases(values: &[f64], errors: &[Option<f64>]) -> Result<Phases, Reason> {
    let last = match values.len() {
        0..=2 => return Err(Reason::TooFewRows),
        n => n - 1,
    };
    let split = (1..values.len()).fold(
        0,
        |best, at| if values[at] < values[best] { at } else { best },
    );
    if split == 0 || split == last || values[last] <= values[split] {
        return Err(Reason::NotReached);
    }
    let error = |at: usize| errors.get(at).copied().flatten();
    let beyond = |high: usize| match (error(high), error(split)) {
        (Some(a), Some(b)) => values[high] - values[split] > ERRORS * libm::hypot(a, b),
        _ => true,
    };
    if !(beyond(0) && beyond(last)) {
        return Err(Reason::WithinErrors);
    }
    Ok(Phases {
        split,
        fall: values[0] - values[split],
        rise: values[last] - values[split],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_value_parts_the_phases() {
        let found = phases(&[1.0, 0.25, 0.125, 0.25, 0.5], &[]).unwrap();
        assert_eq!((found.split, found.fall, found.rise), (2, 0.875, 0.375));
        let ties = phases(&[1.0, 0.0, 0.0, 1.0], &[]).unwrap();
        assert_eq!(ties.split, 1);
    }

    #[test]
    fn a_fall_or_a_rise_alone_is_one_phase() {
        for values in [
            [3.0, 2.0, 1.0],
            [1.0, 2.0, 3.0],
            [2.0, 2.0, 2.0],
            [2.0, 1.0, 1.0],
        ] {
            assert_eq!(phases(&values, &[]), Err(Reason::NotReached));
        }
        assert_eq!(phases(&[1.0, 0.0], &[]), Err(Reason::TooFewRows));
    }

    #[test]
    fn errors_alone_make_no_phase() {
        let values = [1.0, 0.5, 0.6];
        let found = |error| phases(&values, &[Some(error); 3]);
        assert_eq!(found(0.05), Err(Reason::WithinErrors));
        assert_eq!(found(0.03).map(|found| found.split), Ok(1));
        assert!(phases(&values, &[Some(0.05), None, Some(0.05)]).is_ok());
    }
}
