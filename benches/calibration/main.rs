//! Bias, spread and honesty of the errors of every dimension estimator where d is known.
//!
//! ```sh
//! cargo bench --bench calibration                        # the tables of docs/methods.md
//! cargo bench --bench calibration -- --csv FILE          # and every number behind them
//! cargo bench --bench calibration -- --rust              # the table of src/report/explain.rs
//! cargo bench --bench calibration -- --repeats R         # at most R repeats a set
//! ```
//!
//! Every set is a function of its manifold, d, N and repeat: the same command gives the same
//! numbers.

#![allow(clippy::print_stdout)]

mod cells;
mod estimators;
mod manifolds;
mod tables;

use std::path::PathBuf;

use cells::{Cell, Setting};
use manifolds::{COLUMNS, Manifold};
use repgeo::geometry::id::{Fit, Fraction, Orders, two_nn};

const DIMENSIONS: [usize; 6] = [1, 2, 5, 10, 20, 50];

/// Numbers of rows and how often a set of each size is drawn.
const SIZES: [(usize, usize); 3] = [(250, 40), (1000, 20), (4000, 8)];

/// `ess` looks at all pairs of 100 neighbours of every row; so many repeats must do.
const ESS_REPEATS: usize = 4;

/// Marks an estimator that stands in the table of errors a second time, with its jackknife.
pub const BLOCKS_SUFFIX: &str = " blocks";

struct Arguments {
    csv: Option<PathBuf>,
    rust: bool,
    repeats: usize,
}

impl Arguments {
    fn parse() -> Self {
        let mut words = std::env::args().skip(1);
        let mut arguments = Self {
            csv: None,
            rust: false,
            repeats: usize::MAX,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("--csv and --repeats take a value");
            match word.as_str() {
                "--csv" => arguments.csv = Some(value().into()),
                "--rust" => arguments.rust = true,
                "--repeats" => arguments.repeats = value().parse().expect("a number of repeats"),
                _ => {} // cargo bench adds --bench
            }
        }
        arguments
    }
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let cells = measure(arguments.repeats);
    if let Some(path) = arguments.csv {
        std::fs::write(path, tables::csv(&cells))?;
    }
    if arguments.rust {
        print!("{}", tables::rust(&cells));
    } else {
        println!("{}", tables::bias(&cells));
        println!("{}", tables::errors(&cells));
        println!("{}", wide_gaussian());
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
            match cells.iter_mut().find(|cell| cell.name == reading.name) {
                Some(cell) => cell.push(reading),
                None => cells.push(Cell::new(setting, reading)),
            }
        }
    }
    cells
}

/// What TwoNN reads on a 128-dimensional Gaussian with 5000 rows.
fn wide_gaussian() -> String {
    let (d, n) = (128, 5000);
    let table = estimators::table(&Manifold::Gaussian.sample(d, n, d, 0), 2);
    let ratios = estimators::ratios(&table, Orders::FIRST);
    let fraction = Fraction::default();
    let [base, mle] = [Fit::Base { fraction }, Fit::Mle]
        .map(|fit| two_nn(&ratios, fit).map_or(f64::NAN, |estimate| estimate.id));
    format!("TwoNN on one {d}-dimensional Gaussian, N = {n}: base {base:.1}, mle {mle:.1}")
}
