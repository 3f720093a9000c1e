//! The published tables of the VAE paper as runs: what `dynamics` makes of values that the authors
//! measured, from one hunchback to two over K and in two phases over epochs.

use std::fs;

use repgeo::Result;
use repgeo::geometry::{Known, Reason};
use repgeo::input::{Dump, RunSource, Series};
use repgeo::profile::dynamics::{
    DynamicsNumber, DynamicsOptions, DynamicsProfile, DynamicsQuantity, DynamicsValue, RunAnalysis,
    RunFound, RunParameters, RunShape, dynamics,
};
use repgeo::profile::events::EventOptions;
use repgeo::profile::{Bench, IdOptions, id_profile};
use repgeo::progress::Silent;

use super::common::fixture;

const WIDTHS: [u32; 7] = [2, 4, 8, 16, 32, 64, 128];

/// A published table: the first column, and the numbers of every other by its head.
struct Table {
    first: Vec<String>,
    columns: Vec<(String, Vec<f64>)>,
}

impl Table {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(fixture("events").join(name)).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let heads = lines.next().unwrap();
        let rows: Vec<Vec<&str>> = lines.collect();
        let column = |at: usize| rows.iter().map(|row| row[at].parse().unwrap()).collect();
        Self {
            first: rows.iter().map(|row| row[0].to_owned()).collect(),
            columns: (1..heads.len())
                .map(|at| (heads[at].to_owned(), column(at)))
                .collect(),
        }
    }

    fn column(&self, name: &str) -> &[f64] {
        let mut columns = self.columns.iter();
        &columns.find(|(head, _)| head == name).unwrap().1
    }
}

/// Runs whose numbers are known: layer by layer, by the name of the run.
struct Published<'a> {
    quantity: &'static str,
    variant: &'static str,
    layers: Vec<String>,
    numbers: &'a dyn Fn(&str) -> Vec<f64>,
}

impl RunAnalysis for Published<'_> {
    fn layers(&self, _: &RunSource) -> Result<Vec<String>> {
        Ok(self.layers.clone())
    }

    fn analyse(&self, run: &RunSource) -> Result<RunFound> {
        // The parameters of an analysis: nobody knows those of the published numbers here.
        let dump = Dump::open(&fixture("vae/epochs/ep0000.safetensors"))?;
        let options = IdOptions {
            range_max: 2,
            ..IdOptions::default()
        };
        let parameters = id_profile(&dump, &options, &Bench::default())?.parameters;
        let numbers = self.layers.iter().zip((self.numbers)(&run.name));
        Ok(RunFound {
            n_rows: 5000,
            understood: String::new(),
            parameters: RunParameters::Id(Box::new(parameters)),
            warnings: Vec::new(),
            values: numbers
                .map(|(layer, value)| DynamicsValue {
                    run: String::new(),
                    layer: layer.clone(),
                    other: None,
                    quantity: self.quantity,
                    variant: self.variant.into(),
                    scale: None,
                    outcome: Known(Ok(DynamicsNumber {
                        value,
                        std_error: None,
                    })),
                    smoothed: None,
                    n: Some(5000),
                })
                .collect(),
        })
    }
}

fn runs(names: impl Iterator<Item = (String, f64)>) -> Vec<RunSource> {
    names
        .map(|(name, x)| RunSource {
            path: name.clone().into(),
            name,
            x: Some(x),
            columns: Vec::new(),
        })
        .collect()
}

fn followed(
    runs: &[RunSource],
    published: &Published<'_>,
    quantity: DynamicsQuantity,
) -> DynamicsProfile {
    let options = DynamicsOptions::new(quantity, &[published.quantity.into()]).unwrap();
    let events = |_: &Series| {
        Ok(EventOptions {
            bottleneck: Some(5),
            ..EventOptions::default()
        })
    };
    dynamics(runs, published, &options, &events, &Silent).unwrap()
}

#[test]
fn two_humps_appear_between_k_16_and_32() {
    let table = Table::read("vae_id.csv");
    let published = Published {
        quantity: "id",
        variant: "two_nn_base",
        layers: table.first.clone(),
        numbers: &|run| table.column(run).to_vec(),
    };
    let widths = WIDTHS.iter().map(|&k| (format!("K{k}"), f64::from(k)));
    let found = followed(&runs(widths), &published, DynamicsQuantity::Id);
    assert_eq!(found.values.len(), 77);
    for (events, k) in found.events.iter().zip(WIDTHS) {
        assert_eq!(events.run, format!("K{k}"));
        assert!(events.hunchback.ok().unwrap().present, "K{k}");
        assert_eq!(
            events.double_hunchback.ok().unwrap().present,
            k >= 32,
            "K{k}"
        );
        let peak = events
            .events
            .iter()
            .find(|one| one.event.name() == "peak")
            .unwrap();
        let place = [2, 3, 3, 1, 3, 3, 8][WIDTHS.iter().position(|&one| one == k).unwrap()];
        assert_eq!(
            peak.outcome.ok().unwrap().layer,
            format!("l{place}"),
            "K{k}"
        );
    }
    let [change] = &found.shape_changes[..] else {
        panic!("one shape changes once: {:?}", found.shape_changes);
    };
    assert_eq!((change.from.as_str(), change.to.as_str()), ("K16", "K32"));
    assert_eq!(
        (change.shape, change.present),
        (RunShape::DoubleHunchback, true)
    );
    assert_eq!((change.from_x, change.to_x), (Some(16.0), Some(32.0)));
    // The latent: its dimension grows with K throughout.
    let latent = found
        .ranges
        .iter()
        .find(|range| range.layer == "l5")
        .unwrap();
    assert_eq!(latent.argmin.as_ref().unwrap().run, "K2");
    assert_eq!(latent.argmax.as_ref().unwrap().run, "K128");
    assert_eq!(latent.parted.reason(), Some(Reason::NotReached));
}

#[test]
fn the_imbalance_of_the_output_is_least_at_the_published_epoch_of_each_k() {
    let table = Table::read("vae_epochs.csv");
    let epoch = |name: &str| {
        table
            .first
            .iter()
            .position(|one| name == format!("ep{one}"))
            .unwrap()
    };
    let least = [50.0, 10.0, 20.0, 200.0, 10.0, 10.0, 20.0];
    for (k, least) in WIDTHS.into_iter().zip(least) {
        let column = table.column(&format!("K{k}"));
        let published = Published {
            quantity: "information_imbalance",
            variant: "forward",
            layers: vec!["l10".into()],
            numbers: &|run| vec![column[epoch(run)]],
        };
        let epochs = table.first.iter();
        let epochs = epochs.map(|one| (format!("ep{one}"), one.parse().unwrap()));
        let found = followed(&runs(epochs), &published, DynamicsQuantity::Imbalance);
        let [range] = &found.ranges[..] else {
            panic!("one layer has one range");
        };
        assert_eq!(range.argmin.as_ref().unwrap().x, Some(least), "K{k}");
        assert_eq!(range.argmax.as_ref().unwrap().x, Some(0.0), "K{k}");
        match range.parted.ok().map(|parted| &parted.phases) {
            // Rapid fit, then slow generalisation.
            Some(phases) => {
                assert_eq!(phases.split.x, Some(least), "K{k}");
                let (first, last) = (column[0], column[column.len() - 1]);
                let lowest = column.iter().copied().fold(f64::INFINITY, f64::min);
                assert_eq!((phases.fall, phases.rise), (first - lowest, last - lowest));
            }
            // The outlier still learns when training stops.
            None => assert_eq!((k, range.parted.reason()), (16, Some(Reason::NotReached))),
        }
    }
}
