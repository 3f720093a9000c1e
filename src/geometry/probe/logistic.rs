//! Multinomial logistic regression to its optimum.

use super::dense::{add_scaled, dot, times};
use super::objective::Problem;
use super::preconditioner::Preconditioner;
use super::steps::Steps;
use crate::geometry::Reason;

/// A linear read-out of classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// Columns read.
    width: usize,
    /// Weights, a class after the other.
    pub weights: Vec<f64>,
    /// Intercepts, one a class.
    pub intercepts: Vec<f64>,
}

/// A read-out, and how well it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// The read-out.
    pub readout: Logistic,
    /// The objective there, over the number of rows.
    pub objective: f64,
    /// How far above its minimum that can be at most, over the number of rows.
    pub gap: f64,
    /// Steps taken.
    pub n_steps: usize,
}

/// The step at which the preconditioner is made again, at the point that the search has reached.
const RENEWED: usize = 15;

/// Steps at most.
const STEPS: usize = 2000;

/// How near to the minimum the objective comes, over the number of rows.
const GAP: f64 = 1e-12;

/// The minimum of
///
/// ```text
/// Σ_r −ln p_r(class_r) + penalty/2 ‖W‖²      p_r = softmax(W x_r + b)
/// ```
///
/// over standardised rows of `width` columns, with `classes` from 0 to `n_classes` − 1; the intercepts b
/// are not penalised. This is the objective of scikit-learn's `LogisticRegression` with C = 1/penalty.
///
/// L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.4), preconditioned by a Hessian without
/// the coupling of classes, Σ_r v_r x_r x_rᵀ + penalty I for each of the K classes, where v_r = (1 − Σ_k
/// p_rk²)/(K − 1) is the mean curvature of row r over the differences of classes. At the beginning, where
/// probabilities are equal, that is the Hessian itself; it is made again after 15 steps. Where to go is
/// reckoned in f32, how far that led in f64. The objective is strongly convex in W, so the gradient bounds
/// what is left: gap ≤ ‖∇_W‖²/(2 penalty), and the search ends below 1e-12 a row.
///
/// # Errors
/// [`Reason::SingleClass`] below two classes; [`Reason::ConstantLayer`] without columns;
/// [`Reason::NotConverged`] after 2000 steps.
pub fn logistic(
    rows: &[f64],
    width: usize,
    classes: &[usize],
    n_classes: usize,
    penalty: f64,
) -> Result<LogisticFit, Reason> {
    if n_classes < 2 {
        return Err(Reason::SingleClass);
    }
    if width == 0 {
        return Err(Reason::ConstantLayer);
    }
    let n = classes.len() as f64;
    let problem = Problem {
        rows,
        width,
        classes,
        n_classes,
        penalty: penalty / n,
    };
    let mut point = vec![0.0; n_classes * (width + 1)];
    let mut preconditioner = Preconditioner::of(&problem, &point);
    let (mut value, mut gradient) = problem.at(&point);
    let mut solved = preconditioner.solve(&gradient);
    let mut steps = Steps::default();
    for step in 0..STEPS {
        let gap = problem.gap(&gradient);
        if gap <= GAP {
            let (weights, intercepts) = point.split_at(n_classes * width);
            return Ok(LogisticFit {
                readout: Logistic {
                    width,
                    weights: weights.to_vec(),
                    intercepts: intercepts.to_vec(),
                },
                objective: value,
                gap,
                n_steps: step,
            });
        }
        if step == RENEWED {
            preconditioner = Preconditioner::of(&problem, &point);
            solved = preconditioner.solve(&gradient);
            steps.solve_again(|y| preconditioner.solve(y));
        }
        let direction = steps.direction(&gradient, &solved);
        let slope = dot(&direction, &gradient);
        let mut length = 1.0;
        // Near the minimum the value no longer tells a step from rounding; the gradient does.
        let rounding = 1e-15 * value.abs();
        let (next, found) = loop {
            let mut next = point.clone();
            add_scaled(&mut next, length, &direction);
            let found = problem.at(&next);
            if found.0 <= value + 1e-4 * length * slope + rounding {
                break (next, found);
            }
            length *= 0.5;
            if length < 1e-12 {
                return Err(Reason::NotConverged);
            }
        };
        let next_solved = preconditioner.solve(&found.1);
        steps.add(
            &difference(&next, &point),
            &difference(&found.1, &gradient),
            &difference(&next_solved, &solved),
        );
        (point, (value, gradient), solved) = (next, found, next_solved);
    }
    Err(Reason::NotConverged)
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

impl Logistic {
    /// The class of each standardised row: that of the largest probability, the first on ties.
    pub fn classes(&self, rows: &[f64]) -> Vec<usize> {
        let n_classes = self.intercepts.len();
        let mut logits = vec![0.0; rows.len() / self.width.max(1) * n_classes];
        times(rows, &self.weights, self.width, &mut logits);
        let class = |logits: &[f64]| {
            let value = |class: usize| logits[class] + self.intercepts[class];
            (1..n_classes).fold(0, |best, class| {
                if value(class) > value(best) {
                    class
                } else {
                    best
                }
            })
        };
        logits.chunks_exact(n_classes).map(class).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn two_points_have_the_optimum_of_one_equation() {
        // Rows ±1, classes 0 and 1: w = (−v, v), b = 0, and 2/(1 + e^{2v}) = penalty v.
        let found = logistic(&[-1.0, 1.0], 1, &[0, 1], 2, 0.5).unwrap();
        let v = found.readout.weights[1];
        assert!((found.readout.weights[0] + v).abs() < 1e-9);
        let left = 2.0 / (1.0 + (2.0 * v).exp()) - 0.5 * v;
        assert!(left.abs() < 1e-6, "{left}");
        assert_eq!(found.readout.classes(&[-3.0, 0.1]), [0, 1]);
    }

    /// Rows around one centre a class, standardised by hand.
    fn blobs(n: usize, width: usize, n_classes: usize) -> (Vec<f64>, Vec<usize>) {
        let mut random = SplitMix64::new(8);
        let centres: Vec<f64> = (0..n_classes * width).map(|_| random.uniform()).collect();
        let classes: Vec<usize> = (0..n).map(|row| row % n_classes).collect();
        let mut x = Vec::new();
        for &class in &classes {
            for column in 0..width {
                x.push(centres[class * width + column] + 1.2 * random.uniform());
            }
        }
        for column in 0..width {
            let mean = (0..n).map(|row| x[row * width + column]).sum::<f64>() / n as f64;
            (0..n).for_each(|row| x[row * width + column] -= mean);
        }
        (x, classes)
    }

    #[test]
    fn the_gradient_of_the_definition_vanishes_at_the_optimum() {
        for (n, width, n_classes) in [(60, 5, 3), (20, 40, 4)] {
            let (x, classes) = blobs(n, width, n_classes);
            let found = logistic(&x, width, &classes, n_classes, 1.0).unwrap();
            assert!(found.gap <= GAP);
            let Logistic {
                weights,
                intercepts,
                ..
            } = &found.readout;
            let mut gradient = weights.clone();
            let mut objective = 0.5 * weights.iter().map(|w| w * w).sum::<f64>();
            for (row, &class) in x.chunks_exact(width).zip(&classes) {
                let logit = |k: usize| {
                    let w = &weights[k * width..][..width];
                    intercepts[k] + row.iter().zip(w).map(|(x, w)| x * w).sum::<f64>()
                };
                let sum: f64 = (0..n_classes).map(|k| logit(k).exp()).sum();
                objective += sum.ln() - logit(class);
                for k in 0..n_classes {
                    let p = logit(k).exp() / sum - f64::from(u8::from(k == class));
                    for (column, x) in row.iter().enumerate() {
                        gradient[k * width + column] += p * x;
                    }
                }
            }
            let largest = gradient.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            assert!(largest < 1e-5, "{largest}");
            assert!((objective / n as f64 - found.objective).abs() < 1e-10);
        }
    }

    #[test]
    fn what_cannot_be_read_out_says_why() {
        assert_eq!(
            logistic(&[1.0], 1, &[0], 1, 1.0).err(),
            Some(Reason::SingleClass)
        );
        assert_eq!(
            logistic(&[], 0, &[0, 1], 2, 1.0).err(),
            Some(Reason::ConstantLayer)
        );
    }
}
