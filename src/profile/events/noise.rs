//! Tells what of a profile its errors may have made: a rise, a turn, a second hump.

use crate::geometry::special::chi_squared_upper_quantile;
use crate::geometry::stats;
use crate::random::SplitMix64;

/// The chance that errors alone pass a test.
pub(super) const LEVEL: f64 = 0.01;

/// Profiles of noise whose fits say how badly errors alone may fit.
const REDRAWS: usize = 2000;

/// Flanks of a hump are as long as this many standard errors of their difference.
pub(super) const FLANK: f64 = 3.0;

/// What holds beyond the errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// No constant fits.
    pub varies: bool,
    /// No rise and no fall from the first layer to the last fits.
    pub turns: bool,
    /// No single hump fits.
    pub dips: bool,
    /// Of one-sided profiles, the rise fits better than the fall.
    pub rises: bool,
}

impl Verdict {
    /// The verdict on `values` with standard errors `errors`, all above 0.
    ///
    /// A shape (constant, monotone, single-humped) is rejected if its best fit leaves more squares
    /// in units of the errors than the best rise leaves of pure noise in all but 1 % of redraws.
    /// Pure noise about a constant is where a rise fits worst of all monotone truths (Robertson,
    /// Wright, Dykstra, Order Restricted Statistical Inference, 1988), and a hump, which is a rise
    /// and a fall, fits no worse: so the chance of a false alarm is below 1 % for all of them.
    pub(super) fn new(values: &[f64], errors: &[f64]) -> Self {
        let weights: Vec<f64> = errors.iter().map(|error| 1.0 / (error * error)).collect();
        let fits = Fits {
            weights: &weights,
            reversed: &weights.iter().rev().copied().collect::<Vec<f64>>(),
        };
        let mut normal = Normal(SplitMix64::new(0));
        let [mut constant, mut rise] = [Vec::new(), Vec::new()];
        for _ in 0..REDRAWS {
            let noise: Vec<f64> = errors.iter().map(|error| error * normal.next()).collect();
            constant.push(fits.constant(&noise));
            rise.push(fits.rise(&noise));
        }
        let limit = |mut squares: Vec<f64>| {
            squares.sort_unstable_by(f64::total_cmp);
            stats::quantile(&squares, 1.0 - LEVEL)
        };
        let (constant, noise) = (limit(constant), limit(rise));
        let (rise, fall) = (fits.rise(values), fits.fall(values));
        Self {
            varies: fits.constant(values) > constant,
            turns: rise.min(fall) > noise,
            dips: fits.hump(values) > noise,
            rises: rise <= fall,
        }
    }
}

/// Weighted squares that the best fits leave.
struct Fits<'a> {
    weights: &'a [f64],
    reversed: &'a [f64],
}

impl Fits<'_> {
    fn constant(&self, values: &[f64]) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let sum: f64 = values.iter().zip(self.weights).map(|(y, w)| y * w).sum();
        let square = |(y, w): (&f64, &f64)| w * (y - sum / total) * (y - sum / total);
        values.iter().zip(self.weights).map(square).sum()
    }

    fn rise(&self, values: &[f64]) -> f64 {
        rises(values, self.weights).last().copied().unwrap_or(0.0)
    }

    fn fall(&self, values: &[f64]) -> f64 {
        let turned: Vec<f64> = values.iter().map(|y| -y).collect();
        self.rise(&turned)
    }

    /// A rise up to some layer and a fall from there on.
    fn hump(&self, values: &[f64]) -> f64 {
        let backwards: Vec<f64> = values.iter().rev().copied().collect();
        let up = rises(values, self.weights);
        let down = rises(&backwards, self.reversed);
        let tops = up.iter().zip(down.iter().rev());
        tops.map(|(up, down)| up + down)
            .fold(f64::INFINITY, f64::min)
    }
}

/// The weighted squares that the best rise leaves of the first 0, 1, … values: pool adjacent
/// violators.
fn rises(values: &[f64], weights: &[f64]) -> Vec<f64> {
    // Blocks of (mean, weight, squares about the mean), and the squares of all up to each.
    let mut blocks: Vec<[f64; 3]> = Vec::new();
    let mut sums: Vec<f64> = Vec::new();
    let mut left = vec![0.0];
    for (&y, &w) in values.iter().zip(weights) {
        let mut last = [y, w, 0.0];
        while let Some(&[mean, weight, squares]) = blocks.last() {
            if mean < last[0] {
                break;
            }
            blocks.pop();
            sums.pop();
            let both = weight + last[1];
            let apart = mean - last[0];
            last = [
                (mean * weight + last[0] * last[1]) / both,
                both,
                squares + last[2] + weight * last[1] / both * apart * apart,
            ];
        }
        blocks.push(last);
        let sum = sums.last().copied().unwrap_or(0.0) + last[2];
        sums.push(sum);
        left.push(sum);
    }
    left
}

/// The largest step that errors make between neighbours of `n` values, in standard errors of a step:
/// all n − 1 steps stay below it with 99 %.
pub(super) fn largest_step(n: usize) -> f64 {
    chi_squared_upper_quantile(LEVEL / (n.max(2) - 1) as f64).sqrt()
}

/// Standard normal numbers: Box and Muller.
pub(super) struct Normal(pub SplitMix64);

impl Normal {
    pub(super) fn next(&mut self) -> f64 {
        // 1 − u lies in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - self.0.uniform())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.0.uniform())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(values: &[f64], error: f64) -> Verdict {
        Verdict::new(values, &vec![error; values.len()])
    }

    #[test]
    fn the_best_rise_pools_what_falls() {
        // Means 1, 2.5, 2.5, 4: squares 0.5.
        let left = rises(&[1.0, 3.0, 2.0, 4.0], &[1.0; 4]);
        assert_eq!(left, [0.0, 0.0, 0.0, 0.5, 0.5]);
        let all = rises(&[3.0, 2.0, 1.0], &[1.0, 1.0, 1.0]);
        assert!((all[3] - 2.0).abs() < 1e-15);
    }

    #[test]
    fn shapes_count_beyond_their_errors() {
        let line: Vec<f64> = (0..13).map(|i| 10.0 + f64::from(i)).collect();
        let straight = verdict(&line, 0.5);
        assert!(straight.varies && straight.rises && !straight.turns && !straight.dips);
        assert!(!verdict(&[10.0, 11.0, 10.0, 11.5, 10.0], 1.0).varies);
        let hump = [1.0, 4.0, 9.0, 10.0, 8.0, 3.0, 1.0];
        let one = verdict(&hump, 0.3);
        assert!(one.turns && !one.dips);
        let two = [1.0, 9.0, 10.0, 4.0, 3.0, 9.0, 10.0, 2.0];
        assert!(verdict(&two, 0.3).dips);
        assert!(!verdict(&two, 5.0).dips);
    }

    #[test]
    fn errors_alone_rarely_make_events() {
        let mut normal = Normal(SplitMix64::new(5));
        let mut alarms = [0; 3];
        let turns = 400;
        for turn in 0..turns {
            let slope = f64::from(turn % 4) * 0.4;
            let values: Vec<f64> = (0..25)
                .map(|i| slope * f64::from(i) + normal.next())
                .collect();
            let found = verdict(&values, 1.0);
            alarms[0] += i32::from(slope == 0.0 && found.varies);
            alarms[1] += i32::from(found.turns);
            alarms[2] += i32::from(found.dips);
        }
        // 1 % of 100 constants, and of 400 profiles: three standard errors of leave.
        assert!(
            alarms[0] <= 4 && alarms[1] <= 8 && alarms[2] <= 8,
            "{alarms:?}"
        );
    }
}
