//! Linear read-outs of a layer: how well a class or a number can be read off it.

mod cholesky;
mod dense;
mod folds;
mod inverse;
mod logistic;
mod objective;
mod preconditioner;
mod ridge;
mod standard;
mod steps;

pub use folds::{Fold, Groups, folds, holdout};
pub use logistic::{Logistic, LogisticFit, logistic};
pub use preconditioner::MOST_COLUMNS;
pub use ridge::{Ridge, ridge};
pub use standard::Standardised;
