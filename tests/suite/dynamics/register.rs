//! Every quantity of the register over runs is, number for number, that of the command for a single
//! dump: with every estimator, order, control, measure, density rule and target.

use std::collections::BTreeSet;
use std::fs;

use rayon::prelude::*;
use repgeo::geometry::id::{ESTIMATORS, Estimator, GRIDE};
use repgeo::profile::Control;
use repgeo::profile::dynamics::DynamicsQuantity;
use repgeo::profile::landscape::{DensityKind, Preset};
use repgeo::storage::npy;
use tempfile::TempDir;

use super::super::common::{normals, path, stdout};

const ROWS: usize = 90;
const RUNS: [&str; 2] = ["a", "b"];

/// Two runs of three layers of which the second lacks one, and labels of their rows.
fn runs() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (run, seed) in RUNS.into_iter().zip([10, 20]) {
        fs::create_dir(folder.path().join(run)).unwrap();
        for (layer, at) in ["x", "y", "z"].into_iter().zip(0..) {
            if (run, layer) == ("b", "y") {
                continue;
            }
            let factors = normals(ROWS, 3, seed).dot(&normals(3, 12, seed + at + 1));
            let data = factors + 0.2 * normals(ROWS, 12, seed + at + 5);
            let file = folder.path().join(run).join(format!("{layer}.npy"));
            fs::write(file, npy(&[ROWS, 12], data.as_slice().unwrap())).unwrap();
        }
    }
    let labels: String = (0..ROWS)
        .map(|row| format!("class{}\n", (row * 7) % 4))
        .collect();
    fs::write(folder.path().join("labels.txt"), labels).unwrap();
    folder
}

/// The flags of a call, as both commands take them.
type Flags = Vec<String>;

fn flags(words: &str) -> Flags {
    words.split_whitespace().map(str::to_owned).collect()
}

/// `--estimator` and what it takes: Gride's orders, other neighbours, controls.
fn estimators() -> Vec<(&'static Estimator, Flags)> {
    let mut all = Vec::new();
    for one in ESTIMATORS {
        let name = format!("--estimator {}", one.flag);
        if *one == GRIDE {
            for order in ["1", "3", "match-density", "plateau"] {
                all.push((one, flags(&format!("{name} --order {order}"))));
            }
        } else {
            all.push((one, flags(&name)));
        }
        if one.neighbours().is_some_and(|reads| !reads.chooses_k) {
            all.push((one, flags(&format!("{name} -k 7"))));
        }
    }
    all
}

/// The command for a single dump, and the calls of it that `quantity` follows.
fn calls(quantity: DynamicsQuantity, labels: &str) -> (&'static str, Vec<Flags>) {
    let to = |extra: &str| -> Vec<Flags> {
        let targets = ["first", "last", "next", "z"].into_iter();
        targets
            .map(|to| flags(&format!("--to {to} {extra}")))
            .collect()
    };
    match quantity {
        DynamicsQuantity::Id => {
            let estimated = estimators().into_iter();
            let mut all: Vec<Flags> = estimated.map(|(_, flags)| flags).collect();
            for control in Control::ALL {
                for estimator in ["two-nn", "gride --order plateau", "mle", "lpca"] {
                    let control = control.flag();
                    all.push(flags(&format!(
                        "--estimator {estimator} --control {control} --seed 3"
                    )));
                }
            }
            ("id-profile", all)
        }
        DynamicsQuantity::Imbalance => ("imbalance", to("-k 5")),
        DynamicsQuantity::Overlap => ("overlap", to("-k 5 --seed 2")),
        DynamicsQuantity::Similarity => ("similarity", to("--measure all -k 4")),
        DynamicsQuantity::Labels => {
            let scales = ["-k 9", "--class-fraction 0.4"].into_iter();
            let all = scales.map(|scale| flags(&format!("--labels {labels} {scale}")));
            ("overlap", all.collect())
        }
        DynamicsQuantity::Peaks => {
            let rules = DensityKind::ALL.into_iter();
            let rules = rules.map(|rule| format!("--density {}", rule.flag()));
            let presets = Preset::ALL.into_iter();
            let presets = presets.map(|preset| format!("--preset {}", preset.flag()));
            let mut all: Vec<Flags> = rules
                .chain(presets)
                .map(|rule| flags(&format!("{rule} --z 0.5 --labels {labels}")))
                .collect();
            for extra in [
                "-k 11 --density knn",
                "--id 4",
                "--halo",
                "--halo-as-cluster",
            ] {
                all.push(flags(&format!("{extra} --z 0.5 --labels {labels}")));
            }
            all.push(flags("--z 0.5"));
            ("density-peaks", all)
        }
        DynamicsQuantity::Clones => {
            let sizes = "--layers z --sizes 2,8 --draws 3 --seed 4";
            let one_number = |one: &&'static Estimator| {
                let mut all = ESTIMATORS.iter();
                all.all(|part| part.part_of != Some(one.name))
            };
            let mut all = vec![flags(sizes), flags(&format!("{sizes} --disjoint"))];
            let estimated = estimators().into_iter();
            for (_, estimator) in estimated.filter(|(one, _)| one_number(one)) {
                all.push([flags(&format!("{sizes} --chunk-id")), estimator].concat());
            }
            ("clones", all)
        }
    }
}

/// A number without where its layer stands among others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    layer: String,
    other: String,
    quantity: String,
    variant: String,
    scale: String,
    value: String,
    std_error: String,
    n: String,
}

/// The numbers of a CSV by run; the run is empty where there is no such column.
fn numbers(args: &[&str]) -> Vec<(String, Number)> {
    let text = stdout(&[args, &["--format", "csv"]].concat());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let records = reader.records().map(Result::unwrap);
    let number = |record: csv::StringRecord| {
        let cell = |column: &str| {
            let place = header.iter().position(|name| name == column);
            place.map(|at| record[at].to_owned()).unwrap_or_default()
        };
        let number = Number {
            layer: cell("layer"),
            other: cell("other"),
            quantity: cell("quantity"),
            variant: cell("variant"),
            scale: cell("scale"),
            value: cell("value"),
            std_error: cell("std_error"),
            n: cell("n"),
        };
        (cell("run"), number)
    };
    records.map(number).collect()
}

/// Whether a number of the single command is followed over runs.
fn is_followed(number: &Number, quantity: DynamicsQuantity, flags: &Flags) -> bool {
    let by_rule = |flag: &String| flag == "plateau" || flag == "match-density";
    // Beside a headline that a rule chose, points of the scaling are none.
    let of_scaling = number.variant == "gride" || number.variant.starts_with("gride_control");
    quantity.quantities().contains(&number.quantity.as_str())
        && !number.variant.ends_with("_std_dev")
        && !(quantity == DynamicsQuantity::Id && of_scaling && flags.iter().any(by_rule))
}

/// Of several scales of one series the first, which is the headline; chunks have a series a size.
fn headlines(all: Vec<Number>, quantity: DynamicsQuantity) -> Vec<Number> {
    let mut kept: Vec<Number> = Vec::new();
    for number in all {
        let same = |known: &Number| {
            let scale = quantity != DynamicsQuantity::Clones || known.scale == number.scale;
            let other = quantity == DynamicsQuantity::Imbalance || known.other == number.other;
            known.layer == number.layer
                && known.quantity == number.quantity
                && known.variant == number.variant
                && scale
                && other
        };
        if !kept.iter().any(same) {
            kept.push(number);
        }
    }
    kept
}

/// Compares one call over both runs with a call a run; the quantities that were compared.
fn compared(folder: &TempDir, quantity: DynamicsQuantity, flags: &Flags) -> BTreeSet<String> {
    let (command, _) = calls(quantity, "");
    let runs = RUNS.map(|run| path(&folder.path().join(run)).to_owned());
    let flags_of: Vec<&str> = flags.iter().map(String::as_str).collect();
    let start = [
        "dynamics",
        &runs[0],
        &runs[1],
        "--quantity",
        quantity.flag(),
    ];
    let over_runs = numbers(&[&start[..], &flags_of].concat());
    let mut quantities = BTreeSet::new();
    for (run, name) in runs.iter().zip(RUNS) {
        let single = numbers(&[&[command, run], &flags_of[..]].concat());
        let single = single.into_iter().map(|(_, number)| number);
        let followed = single.filter(|number| is_followed(number, quantity, flags));
        let mut expected = headlines(followed.collect(), quantity);
        let own = over_runs.iter().filter(|(of, _)| of == name);
        let own = own.map(|(_, number)| number.clone());
        let of_quantity = |number: &Number| {
            let is_it = quantity.quantities().contains(&number.quantity.as_str());
            // A gap has neither value nor n: another run has the number.
            is_it && !(number.value.is_empty() && number.n.is_empty())
        };
        let mut found: Vec<Number> = own.filter(of_quantity).collect();
        expected.sort();
        found.sort();
        assert!(!expected.is_empty(), "{command} {flags:?}");
        assert_eq!(found, expected, "{command} {flags:?} {name}");
        quantities.extend(found.into_iter().map(|number| number.quantity));
    }
    quantities
}

#[test]
fn every_quantity_with_all_it_takes_is_that_of_the_single_command() {
    let folder = runs();
    let labels = folder.path().join("labels.txt");
    for quantity in DynamicsQuantity::ALL {
        let (_, all) = calls(quantity, path(&labels));
        let seen: BTreeSet<String> = all
            .par_iter()
            .flat_map_iter(|flags| compared(&folder, quantity, flags))
            .collect();
        let known = quantity.quantities().into_iter().map(str::to_owned);
        assert_eq!(seen, known.collect(), "{quantity}");
    }
}

#[test]
fn layers_of_two_runs_are_compared_as_two_dumps_are() {
    let folder = runs();
    let [a, b] = RUNS.map(|run| path(&folder.path().join(run)).to_owned());
    for (quantity, extra) in [
        (DynamicsQuantity::Imbalance, &["-k", "5"][..]),
        (DynamicsQuantity::Overlap, &["-k", "5"]),
        (
            DynamicsQuantity::Similarity,
            &["--measure", "all", "-k", "4"],
        ),
    ] {
        assert!(quantity.compares_layers());
        let (command, _) = calls(quantity, "");
        let start = [
            "dynamics",
            &a,
            &b,
            "--quantity",
            quantity.flag(),
            "--to-run",
            "b",
        ];
        let over_runs = numbers(&[&start[..], extra].concat()).into_iter();
        let start = [command, &a, "--against", &b, "--to", "same"];
        let single = numbers(&[&start[..], extra].concat()).into_iter();
        let mut expected: Vec<Number> = single
            .map(|(_, number)| number)
            .filter(|number| is_followed(number, quantity, &Vec::new()))
            .collect();
        let mut found: Vec<Number> = over_runs
            .filter(|(run, _)| run == "a")
            .map(|(_, number)| number)
            .filter(|number| quantity.quantities().contains(&number.quantity.as_str()))
            .filter(|number| !number.n.is_empty())
            .collect();
        expected.sort();
        found.sort();
        assert!(expected.len() >= 2, "{quantity}");
        assert_eq!(found, expected, "{quantity}");
    }
}
