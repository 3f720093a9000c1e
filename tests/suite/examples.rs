//! The programs under `examples/` run, and what they assert holds.

#[path = "../../examples/one_layer.rs"]
mod one_layer;
#[path = "../../examples/own_estimator.rs"]
mod own_estimator;
#[path = "../../examples/two_dumps.rs"]
mod two_dumps;

#[test]
fn every_example_runs() {
    one_layer::run().unwrap();
    own_estimator::run().unwrap();
    two_dumps::run().unwrap();
}
