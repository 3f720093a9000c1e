//! The programs under `examples/` run, and what they assert holds.

#[allow(dead_code)] // their `main` is for cargo
#[path = "../../examples/one_layer.rs"]
mod one_layer;
#[allow(dead_code)]
#[path = "../../examples/own_estimator.rs"]
mod own_estimator;
#[allow(dead_code)]
#[path = "../../examples/two_dumps.rs"]
mod two_dumps;

#[test]
fn every_example_runs() {
    one_layer::run().unwrap();
    own_estimator::run().unwrap();
    two_dumps::run().unwrap();
}
