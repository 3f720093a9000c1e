//! Correlations of two columns, with what other orders of one of them would give.

mod interval;
mod test;

pub use interval::{Interval, IntervalRule, interval};
pub use test::{ALL_ORDERS, Correlation, Tested, correlation, tested};
