//! Bias, spread and honesty of the errors of every dimension estimator where d is known.
//!
//! ```sh
//! cargo bench --bench calibration                        # the tables of docs/methods.md
//! cargo bench --bench calibration -- --csv FILE          # and every number behind them
//! cargo bench --bench calibration -- --rust              # and the constant of src/report/explain.rs
//! cargo bench --bench calibration -- --repeats R         # at most R repeats a set
//! cargo bench --bench calibration -- --events            # false alarms and finds of events alone
//! ```
//!
//! Every set is a function of its manifold, d, N and repeat: the same command gives the same
//! numbers.

#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod cells;
mod estimators;
mod events;
mod manifolds;
mod tables;

use std::path::PathBuf;

use cells::{Cell, Setting};
use manifolds::{COLUMNS, Manifold};
use repgeo::geometry::id::{Fit, Fraction, Orders, Ratios, two_nn};

const DIMENSIONS: [usize; 6] = [1, 2, 5, 10, 20, 50];

/// Numbers of rows and how often a set of each size is drawn.
const SIZES: [(usize, usize); 3] = [(250, 60), (1000, 40), (4000, 16)];

/// `ess` looks at all pairs of 100 neighbours of every row; so many repeats must do.
const ESS_REPEATS: usize = 4;

/// Marks an estimator that stands in the table of errors a second time, with its jackknife.
pub const BLOCKS_SUFFIX: &str = " blocks";

struct Arguments {
    csv: Option<PathBuf>,
    rust: bool,
    repeats: usize,
    events: bool,
}

impl Arguments {
    fn parse() -> Self {
        let mut words = std::env::args().skip(1);
        let mut arguments = Self {
            csv: None,
            rust: false,
            repeats: usize::MAX,
            events: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("--csv and --repeats take a value");
            match word.as_str() {
                "--csv" => arguments.csv = Some(value().into()),
                "--rust" => arguments.rust = true,
                "--events" => arguments.events = true,
                "--repeats" => arguments.repeats = value().parse().expect("a number of repeats"),
                _ => {} // cargo bench adds --bench
            }
        }
        arguments
    }
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    if arguments.events {
        events::print();
        return Ok(());
    }
    let cells = measure(arguments.repeats);
    if let Some(path) = arguments.csv {
        std::fs::write(path, tables::csv(&cells))?;
    }
    println!("{}", tables::bias(&cells));
    println!("{}", tables::errors(&cells));
    println!("{}", wide_gaussian());
    if arguments.rust {
        print!("\n{}", tables::rust(&cells));
    }
    Ok(())
}

fn measure(most: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    for d in DIMENSIONS {
        for (n, repeats) in SIZES {
            for manifold in Manifold::ALL {
                let setting = Setting { manifold, d, n };
                cells.extend(repeat(setting, repeats.min(most)));
            }
        }
        eprintln!("d = {d} done");
    }
    cells
}

/// All estimators on `repeats` sets of one kind.
fn repeat(setting: Setting, repeats: usize) -> Vec<Cell> {
    let Setting { manifold, d, n } = setting;
    let mut cells: Vec<Cell> = Vec::new();
    for at in 0..repeats {
        let seed = ((manifold as usize * 1000 + d) * 100_000 + n) * 1000 + at;
        let data = manifold.sample(d, n, COLUMNS, seed as u64);
        for reading in estimators::readings(&data, at < ESS_REPEATS) {
            let known = cells.iter().position(|cell| cell.name == reading.name);
            let at = known.unwrap_or_else(|| {
                cells.push(Cell::new(setting, &reading.name));
                cells.len() - 1
            });
            cells[at].push(&reading);
        }
    }
    cells
}

/// What TwoNN reads on 128-dimensional Gaussians with 5000 rows.
fn wide_gaussian() -> String {
    let (d, n, repeats) = (128, 5000, 8);
    let draw = |seed| {
        let table = estimators::table(&Manifold::Gaussian.sample(d, n, d, seed), 2);
        estimators::ratios(&table, Orders::FIRST)
    };
    let samples: Vec<Ratios> = (0..repeats).map(draw).collect();
    let read = |fit| {
        let read_one = |ratios| two_nn(ratios, fit).map_or(f64::NAN, |estimate| estimate.id);
        let ids: Vec<f64> = samples.iter().map(read_one).collect();
        let smallest = ids.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = ids.iter().copied().fold(0.0, f64::max);
        let mean = ids.iter().sum::<f64>() / ids.len() as f64;
        format!("{mean:.1} ({smallest:.1} to {largest:.1})")
    };
    let fraction = Fraction::default();
    format!(
        "TwoNN on {repeats} Gaussians of {d} dimensions, N = {n}: base {}, mle {}",
        read(Fit::Base { fraction }),
        read(Fit::Mle)
    )
}
