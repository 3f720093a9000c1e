//! How often events are said of noise, and how often the published ones are found through it.

use std::fs;
use std::path::Path;

use repgeo::input::Series;
use repgeo::profile::events::{EventOptions, Events, events};
use repgeo::random::SplitMix64;

const REPEATS: usize = 1000;

/// Standard errors over the values, as of TwoNN on a few thousand rows.
const RELATIVE_ERRORS: [f64; 3] = [0.01, 0.02, 0.04];

/// Prints both tables.
pub fn print() {
    println!("| layers | profile | any turn | two humps or a dip | transition beyond errors |");
    println!("|---|---|---|---|---|");
    for n in [13, 25, 33] {
        for slope in [0.0, 0.1, 0.3, 1.0, 3.0] {
            let truth: Vec<f64> = (0..n).map(|i| 20.0 + slope * i as f64).collect();
            let [turn, dip, step] = rates(&truth, &vec![1.0; n], None, |found| {
                [
                    found.hunchback.found().is_some_and(|hump| hump.present)
                        || found.maxima.found().is_some()
                        || found.high_phase.found().is_some(),
                    found
                        .double_hunchback
                        .found()
                        .is_some_and(|humps| humps.present)
                        || found.relative_minimum.found().is_some(),
                    found
                        .transition
                        .found()
                        .is_some_and(|step| step.within_errors == Some(false)),
                ]
            });
            println!("| {n} | {slope} errors a layer | {turn:.3} | {dip:.3} | {step:.3} |");
        }
    }
    println!("\n| K | error | published | found |");
    println!("|---|---|---|---|");
    for (k, values) in published() {
        for relative in RELATIVE_ERRORS {
            let errors: Vec<f64> = values.iter().map(|value| relative * value).collect();
            let [double] = rates(&values, &errors, Some(5), |found| {
                [found
                    .double_hunchback
                    .found()
                    .is_some_and(|humps| humps.present)]
            });
            let expected = if k >= 32 { "two humps" } else { "one" };
            println!(
                "| {k} | {:.0} % | {expected} | {double:.3} |",
                100.0 * relative
            );
        }
    }
}

/// The shares of noisy profiles about `truth` for which `alarms` holds.
fn rates<const K: usize>(
    truth: &[f64],
    errors: &[f64],
    bottleneck: Option<usize>,
    alarms: impl Fn(&Events) -> [bool; K],
) -> [f64; K] {
    let mut random = SplitMix64::new(1);
    let mut normal = || {
        let (u, v) = (1.0 - random.uniform(), random.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let options = EventOptions {
        bottleneck,
        ..EventOptions::default()
    };
    let mut counts = [0usize; K];
    for _ in 0..REPEATS {
        let noisy = truth
            .iter()
            .zip(errors)
            .map(|(y, e)| ("", Some(y + e * normal())));
        let series = Series::new(noisy).with_errors(errors.iter().copied().map(Some).collect());
        let found = alarms(&events(&series, &options));
        counts
            .iter_mut()
            .zip(found)
            .for_each(|(count, holds)| *count += usize::from(holds));
    }
    counts.map(|count| count as f64 / REPEATS as f64)
}

/// The dimension over the layers of variational autoencoders (arXiv 2411.01978), by K.
fn published() -> Vec<(usize, Vec<f64>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/events/vae_id.csv");
    let text = fs::read_to_string(path).expect("the fixture is there");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    (1..rows[0].len())
        .map(|column| {
            let k = rows[0][column].trim_start_matches('K').parse();
            let values = rows[1..]
                .iter()
                .map(|row| row[column].parse().expect("a number"));
            (k.expect("K and a number"), values.collect())
        })
        .collect()
}
