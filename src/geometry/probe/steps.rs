//! The steps that L-BFGS remembers, and where they say to go next.

use super::dense::{add_narrow, dot, wide_dot};

/// Steps remembered.
const MEMORY: usize = 20;

/// The last steps of a search, oldest first.
///
/// In f32: they say where to go, and how good that is is found out in f64.
#[derive(Default)]
pub(super) struct Steps {
    steps: Vec<Step>,
}

struct Step {
    /// What was added to the point.
    s: Vec<f32>,
    /// What that added to the gradient.
    y: Vec<f32>,
    /// What the preconditioner makes of y.
    solved: Vec<f32>,
    /// s·y.
    curvature: f64,
}

#[allow(clippy::cast_possible_truncation)] // f32 says well enough where to go
fn narrow_one(x: f64) -> f32 {
    x as f32
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().copied().map(narrow_one).collect()
}

impl Steps {
    /// Remembers a step, what it added to the gradient and what the preconditioner makes of that.
    pub(super) fn add(&mut self, s: &[f64], y: &[f64], solved: &[f64]) {
        // Of a convex function s·y is above 0 but for rounding.
        if dot(s, y) <= 1e-16 * dot(y, y) {
            return;
        }
        let (s, y, solved) = (narrow(s), narrow(y), narrow(solved));
        let curvature = wide_dot(&s, &y);
        if self.steps.len() == MEMORY {
            self.steps.remove(0);
        }
        self.steps.push(Step {
            s,
            y,
            solved,
            curvature,
        });
    }

    /// Asks another preconditioner what it makes of every y.
    pub(super) fn solve_again(&mut self, solve: impl Fn(&[f64]) -> Vec<f64>) {
        for step in &mut self.steps {
            let y: Vec<f64> = step.y.iter().copied().map(f64::from).collect();
            step.solved = narrow(&solve(&y));
        }
    }

    /// The two loops of L-BFGS: where to go from a gradient, of which `solved` is what the preconditioner
    /// makes.
    ///
    /// The preconditioner is linear, so that what it makes of the first loop's vector is put together from
    /// what it made of each part.
    pub(super) fn direction(&self, gradient: &[f64], solved: &[f64]) -> Vec<f64> {
        let mut left = narrow(gradient);
        let mut direction = narrow(solved);
        let mut factors = Vec::with_capacity(self.steps.len());
        for step in self.steps.iter().rev() {
            let factor = wide_dot(&step.s, &left) / step.curvature;
            add_narrow(&mut left, narrow_one(-factor), &step.y);
            add_narrow(&mut direction, narrow_one(-factor), &step.solved);
            factors.push(factor);
        }
        if let Some(last) = self.steps.last() {
            // The size that the last step says the inverse Hessian has.
            let size = last.curvature / wide_dot(&last.y, &last.solved);
            direction.iter_mut().for_each(|x| *x *= narrow_one(size));
        }
        for (step, factor) in self.steps.iter().zip(factors.iter().rev()) {
            let back = wide_dot(&step.y, &direction) / step.curvature;
            add_narrow(&mut direction, narrow_one(factor - back), &step.s);
        }
        direction.into_iter().map(|x| -f64::from(x)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_is_left_along_its_own_directions_at_once() {
        // f = (x² + 100 y²)/2 with the steps (1, 0) and (0, 1): its inverse Hessian is known whole.
        let mut steps = Steps::default();
        let half = |y: &[f64]| y.iter().map(|y| 0.5 * y).collect::<Vec<f64>>();
        for (s, y) in [([1.0, 0.0], [1.0, 0.0]), ([0.0, 1.0], [0.0, 100.0])] {
            steps.add(&s, &y, &half(&y));
        }
        let gradient = [3.0, -200.0];
        let close = |found: Vec<f64>| {
            assert!((found[0] + 3.0).abs() < 1e-6 && (found[1] - 2.0).abs() < 1e-6);
        };
        close(steps.direction(&gradient, &half(&gradient)));
        // Whatever the preconditioner is.
        let other = |y: &[f64]| vec![0.1 * y[0], 0.7 * y[1]];
        steps.solve_again(other);
        close(steps.direction(&gradient, &other(&gradient)));
    }

    #[test]
    fn a_step_along_which_the_gradient_did_not_grow_is_forgotten() {
        let mut steps = Steps::default();
        steps.add(&[1.0], &[-1.0], &[-1.0]);
        assert_eq!(steps.direction(&[2.0], &[4.0]), [-4.0]);
    }
}
