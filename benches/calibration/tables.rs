//! The measured cells as markdown, CSV and Rust.

use std::fmt::Write;

use repgeo::geometry::id::CALIBRATED_DIMENSIONS;
use repgeo::geometry::id::ErrorKind;

use super::cells::{Cell, mean_of};
use super::manifolds::Manifold;
use super::{BLOCKS_SUFFIX, DIMENSIONS};

/// N of the main columns.
const N: usize = 1000;

/// N beside it, for d = 20.
const OTHER_N: [usize; 2] = [250, 4000];

/// (d, N) of the table of errors.
const ERRORS_AT: [(usize, usize); 5] = [(2, 1000), (10, 250), (10, 1000), (10, 4000), (20, 1000)];

/// Mean estimate over d, first over all manifolds, then against N and by manifold; last, spread.
pub fn bias(cells: &[Cell]) -> String {
    let mut header: Vec<String> = DIMENSIONS.iter().map(|d| format!("d = {d}")).collect();
    header.extend(OTHER_N.map(|n| format!("d = 20, N = {n}")));
    header.extend(Manifold::ALL.map(|manifold| format!("d = 20, {}", manifold.name())));
    header.push("spread, d = 10".into());
    let rows = names(cells).filter(|name| !name.ends_with(BLOCKS_SUFFIX));
    let rows = rows.map(|name| {
        let over_all = |d, n| mean_of(&select(cells, name, d, n), Cell::bias);
        let mut row = vec![name.to_owned()];
        row.extend(DIMENSIONS.map(|d| number(over_all(d, N))));
        row.extend(OTHER_N.map(|n| number(over_all(20, n))));
        row.extend(Manifold::ALL.map(|manifold| {
            let mut here = select(cells, name, 20, N);
            here.retain(|cell| cell.setting.manifold == manifold);
            number(mean_of(&here, Cell::bias))
        }));
        row.push(number_of(&select(cells, name, 10, N), Cell::spread, 3));
        row
    });
    markdown("estimator", &header, rows)
}

/// Coverage of the estimator's own mean and of d in per cent, and spread over error.
pub fn errors(cells: &[Cell]) -> String {
    let mut header = vec!["error".to_owned()];
    header.extend(ERRORS_AT.map(|(d, n)| format!("d = {d}, N = {n}")));
    let rows = names(cells).filter_map(|name| {
        let kind = cells.iter().find(|cell| cell.name == name)?.kind?;
        let mut row = vec![name.to_owned(), kind_name(kind).to_owned()];
        row.extend(ERRORS_AT.map(|(d, n)| {
            let here = select(cells, name, d, n);
            let share = |of: fn(&Cell) -> Option<f64>| {
                mean_of(&here, of).map_or("—".into(), |share| format!("{:.0}", 100.0 * share))
            };
            let own = share(Cell::coverage_of_mean);
            let truth = share(Cell::coverage_of_truth);
            format!(
                "{own} / {truth} / {}",
                number_of(&here, Cell::spread_over_error, 1)
            )
        }));
        Some(row)
    });
    markdown("estimator", &header, rows)
}

/// One line a cell.
pub fn csv(cells: &[Cell]) -> String {
    let mut text = String::from(
        "estimator,error_kind,manifold,d,n,bias,spread,spread_over_error,\
         coverage_of_mean,coverage_of_truth\n",
    );
    for cell in cells {
        let setting = cell.setting;
        let optional = |value: Option<f64>| value.map_or(String::new(), |x| x.to_string());
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{}",
            cell.name,
            cell.kind.map_or("", kind_name),
            setting.manifold.name(),
            setting.d,
            setting.n,
            optional(cell.bias()),
            optional(cell.spread()),
            optional(cell.spread_over_error()),
            optional(cell.coverage_of_mean()),
            optional(cell.coverage_of_truth()),
        );
    }
    text
}

/// The columns d = 2, 5, 10, 20 at N = 1000 as the constant of `src/report/explain.rs`.
pub fn rust(cells: &[Cell]) -> String {
    let mut text = String::new();
    for name in names(cells).filter(|name| !name.ends_with(BLOCKS_SUFFIX)) {
        let biases = CALIBRATED_DIMENSIONS.map(|d| {
            let bias = mean_of(&select(cells, name, d, N), Cell::bias);
            bias.map_or("None".into(), |bias| format!("Some({bias:.2})"))
        });
        let _ = writeln!(text, "    (\"{name}\", [{}]),", biases.join(", "));
    }
    text
}

/// The estimators in the order in which they were measured.
fn names(cells: &[Cell]) -> impl Iterator<Item = &str> {
    let first = cells.first().map(|cell| cell.setting);
    let here = cells.iter().filter(move |cell| Some(cell.setting) == first);
    here.map(|cell| cell.name.as_str())
}

fn select<'a>(cells: &'a [Cell], name: &str, d: usize, n: usize) -> Vec<&'a Cell> {
    let wanted = |cell: &&Cell| cell.name == name && (cell.setting.d, cell.setting.n) == (d, n);
    cells.iter().filter(wanted).collect()
}

fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Model => "model",
        ErrorKind::Jackknife => "jackknife",
        _ => "other",
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or("—".into(), |x| format!("{x:.2}"))
}

fn number_of(cells: &[&Cell], quantity: fn(&Cell) -> Option<f64>, decimals: usize) -> String {
    mean_of(cells, quantity).map_or("—".into(), |x| format!("{x:.decimals$}"))
}

fn markdown(corner: &str, header: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {corner} | {} |\n", header.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(header.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
