//! What a dimension means, in words and in figures measured where the answer is known.

use super::style::Style;
use super::table::{Cell, Column, Grid};
use super::text;
use crate::geometry::id::{CORR_INT_K, ESS_K, MADA_K, MIND_ML_K, MLE_K, MOM_K, TLE_K};

/// Mean estimate over true dimension at N = 1000 for d = 2, 5, 10 and 20, over cube, Gaussian and
/// sphere; `None` where some sample has no estimate.
///
/// Printed by `cargo bench --bench calibration -- --rust`; the same figures stand in the section
/// "Calibration" of `docs/methods.md`.
const CALIBRATION: [(&str, [Option<f64>; 4]); 27] = [
    (
        "two_nn_base",
        [Some(1.00), Some(0.97), Some(0.91), Some(0.80)],
    ),
    (
        "two_nn_mle",
        [Some(1.00), Some(0.97), Some(0.91), Some(0.80)],
    ),
    (
        "two_nn_mle_censored",
        [Some(0.99), Some(0.97), Some(0.91), Some(0.80)],
    ),
    (
        "two_nn_bayes",
        [Some(0.99), Some(0.95), Some(0.87), Some(0.74)],
    ),
    ("gride_1", [Some(1.00), Some(0.97), Some(0.91), Some(0.80)]),
    ("gride_2", [Some(1.00), Some(0.97), Some(0.89), Some(0.77)]),
    ("gride_4", [Some(1.00), Some(0.95), Some(0.87), Some(0.75)]),
    ("gride_8", [Some(1.00), Some(0.94), Some(0.84), Some(0.71)]),
    ("gride_16", [Some(0.99), Some(0.92), Some(0.81), Some(0.68)]),
    ("gride_32", [Some(0.99), Some(0.89), Some(0.77), Some(0.63)]),
    ("abide", [Some(0.97), Some(0.88), Some(0.78), Some(0.65)]),
    ("binomial", [Some(1.00), Some(0.95), Some(0.89), None]),
    ("mle", [Some(1.00), Some(0.94), Some(0.85), Some(0.72)]),
    ("mle_mean", [Some(1.05), Some(1.00), Some(0.90), Some(0.76)]),
    ("mom", [Some(1.01), Some(0.91), Some(0.78), Some(0.64)]),
    ("tle", [Some(1.08), Some(1.03), Some(0.92), Some(0.75)]),
    ("mada", [Some(1.07), Some(1.00), Some(0.90), Some(0.75)]),
    ("ess", [Some(1.03), Some(0.99), Some(0.99), Some(0.99)]),
    ("corr_int", [Some(0.99), Some(0.91), Some(0.79), Some(0.65)]),
    ("mind_ml", [Some(1.00), Some(0.96), Some(0.87), Some(0.75)]),
    (
        "participation_ratio",
        [Some(1.16), Some(1.06), Some(1.02), Some(1.00)],
    ),
    ("lpca_fo", [Some(1.17), Some(1.07), Some(1.03), Some(1.02)]),
    (
        "lpca_ratio",
        [Some(1.17), Some(1.07), Some(1.03), Some(0.97)],
    ),
    (
        "lpca_max_gap",
        [Some(1.17), Some(1.07), Some(1.03), Some(1.02)],
    ),
    (
        "lpca_kaiser",
        [Some(1.17), Some(1.07), Some(1.03), Some(1.02)],
    ),
    (
        "lpca_broken_stick",
        [Some(1.17), Some(1.07), Some(1.03), Some(0.00)],
    ),
    ("lpca_fan", [Some(0.67), Some(0.80), Some(0.74), Some(0.72)]),
];

/// The dimensions at which the bias of every estimator was measured.
pub const CALIBRATED_DIMENSIONS: [usize; 4] = [2, 5, 10, 20];

/// The same of `two_nn_base` for d = 20 at N = 250 and 4000.
const FEWER_AND_MORE_ROWS: [f64; 2] = [0.76, 0.83];

/// Paragraphs are broken here even where the terminal is wider or there is none.
const LINE: usize = 100;

/// Neighbours of the binomial estimator.
const BINOMIAL_K: usize = 20;

/// Columns that the table takes with the words about each estimator; narrower, they are left out.
const WIDE: usize = 96;

/// What one estimator looks at.
struct Entry {
    name: &'static str,
    reads: &'static str,
    k: Option<usize>,
    error: Option<&'static str>,
}

/// The text of `id-profile --explain`.
pub fn explain(style: &Style) -> String {
    let [above @ .., below] = paragraphs().map(|paragraph| {
        let limit = style.width.map_or(LINE, |width| width.min(LINE));
        text::wrap(&paragraph, Some(limit)).join("\n")
    });
    format!("{}\n\n{}\n{below}\n", above.join("\n"), estimators(*style))
}

fn estimators(style: Style) -> String {
    let wide = style.width.is_none_or(|width| width >= WIDE);
    let mut columns = vec![Column::text("estimator")];
    columns.extend(wide.then(|| Column::text("reads").after(2)));
    columns.extend([Column::number("k").after(2), Column::text("error").after(2)]);
    columns.extend(CALIBRATED_DIMENSIONS.map(|d| Column::number(format!("d={d}")).after(2)));
    let mut grid = Grid::new(columns);
    let dash = || style.dash().to_owned();
    for entry in entries() {
        let mut row: Vec<Cell> = vec![entry.name.into()];
        row.extend(wide.then(|| entry.reads.into()));
        row.push(entry.k.map_or_else(dash, |k| k.to_string()).into());
        row.push(entry.error.unwrap_or(style.dash()).into());
        let ratios = calibrated(entry.name);
        row.extend(ratios.map(|x| x.map_or_else(dash, |x| format!("{x:.2}")).into()));
        grid.push(row);
    }
    grid.render(style)
}

fn calibrated(name: &str) -> [Option<f64>; 4] {
    let known = CALIBRATION.iter().find(|(known, _)| *known == name);
    known.map_or([None; 4], |(_, ratios)| *ratios)
}

fn paragraphs() -> [String; 6] {
    let [fewer, more] = FEWER_AND_MORE_ROWS;
    let thousand = calibrated("two_nn_base")[3].expect("TwoNN was calibrated at d = 20");
    [
        "An intrinsic dimension says how many directions the rows fill at one length scale. It is \
         no property of the layer alone: N, d and the scale are part of the number."
            .into(),
        format!(
            "N: rows are far apart in high dimension, and an estimator that looks at neighbours \
             reads low there. More rows help slowly: at d = 20 two_nn_base reads {fewer:.2} of d \
             with N = 250, {thousand:.2} with 1000, {more:.2} with 4000. Compare layers at equal N."
        ),
        "d: up to about 5 most estimators are right within a tenth; from 10 on those that look at \
         distances read low, the more so the higher d. A difference between layers then says more \
         than a value. Linear rules also count the directions that a curved sheet bends through."
            .into(),
        "scale: k, or Gride's order n1, sets how far an estimator looks. Few neighbours: least \
         bias from curvature and borders, most noise, and what noise adds to the data is read as \
         dimension. Many: steadier, but lower in high dimension. Compare layers at equal scale."
            .into(),
        "error: 'model' is the spread of independent ratios under the fitted law, 'jackknife' the \
         spread over blocks of ratios. Neither knows that rows share neighbours: fresh samples \
         spread up to twice as wide, most at large k or n1 in low dimension. Neither contains the \
         bias: in high dimension the true d lies outside. --partitions measures the spread anew."
            .into(),
        "d=2 and so on: mean estimate over true dimension at N = 1000, measured on cube, Gaussian \
         and sphere; 1 is right, 0.8 at d=20 means that 16 is read. See Calibration in \
         docs/methods.md."
            .into(),
    ]
}

/// The estimators in the order of [`CALIBRATION`].
fn entries() -> Vec<Entry> {
    let (model, jackknife) = (Some("model"), Some("jackknife"));
    let entry = |name, reads, k, error| Entry {
        name,
        reads,
        k,
        error,
    };
    vec![
        entry(
            "two_nn_base",
            "r2/r1, line through the origin",
            Some(2),
            jackknife,
        ),
        entry("two_nn_mle", "r2/r1, likelihood", Some(2), model),
        entry(
            "two_nn_mle_censored",
            "r2/r1, largest tenth censored",
            Some(2),
            model,
        ),
        entry("two_nn_bayes", "r2/r1, Gamma(2, 5) prior", Some(2), model),
        entry("gride_1", "ratio of neighbours 2 and 1", Some(2), model),
        entry("gride_2", "of neighbours 4 and 2", Some(4), model),
        entry("gride_4", "of neighbours 8 and 4", Some(8), model),
        entry("gride_8", "of neighbours 16 and 8", Some(16), model),
        entry("gride_16", "of neighbours 32 and 16", Some(32), model),
        entry("gride_32", "of neighbours 64 and 32", Some(64), model),
        entry("abide", "Gride while the density is even", None, model),
        entry(
            "binomial",
            "neighbours within half the radius",
            Some(BINOMIAL_K),
            model,
        ),
        entry("mle", "logarithms of distances, pooled", Some(MLE_K), model),
        entry(
            "mle_mean",
            "the same, averaged over rows",
            Some(MLE_K),
            model,
        ),
        entry(
            "mom",
            "mean distance against the largest",
            Some(MOM_K),
            None,
        ),
        entry("tle", "distances among neighbours too", Some(TLE_K), None),
        entry(
            "mada",
            "growth from k/2 to k neighbours",
            Some(MADA_K),
            None,
        ),
        entry("ess", "angles between neighbours", Some(ESS_K), None),
        entry(
            "corr_int",
            "growth of pairs between two radii",
            Some(CORR_INT_K[1]),
            None,
        ),
        entry(
            "mind_ml",
            "nearest against farthest of k + 1",
            Some(MIND_ML_K),
            None,
        ),
        entry(
            "participation_ratio",
            "how evenly variance is spread",
            None,
            None,
        ),
        entry("lpca_fo", "eigenvalues above 5% of the first", None, None),
        entry("lpca_ratio", "eigenvalues that hold 95%", None, None),
        entry(
            "lpca_max_gap",
            "eigenvalues above the largest gap",
            None,
            None,
        ),
        entry("lpca_kaiser", "eigenvalues above their mean", None, None),
        entry(
            "lpca_broken_stick",
            "shares above a broken stick",
            None,
            None,
        ),
        entry("lpca_fan", "eigenvalues up to a gap or 80%", None, None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of the first markdown table after the heading "Calibration" of the methods.
    fn documented() -> Vec<Vec<String>> {
        let methods = include_str!("../../docs/methods.md");
        let section = methods.split_once("Calibration\n").unwrap().1;
        let table = section.lines().skip_while(|line| !line.starts_with('|'));
        table
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                let cells = line.trim_matches('|').split('|');
                cells.map(|cell| cell.trim().to_owned()).collect()
            })
            .collect()
    }

    fn column(table: &[Vec<String>], header: &str) -> usize {
        table[0].iter().position(|cell| cell == header).unwrap()
    }

    fn cell(ratio: Option<f64>) -> String {
        ratio.map_or("—".into(), |ratio| format!("{ratio:.2}"))
    }

    #[test]
    fn the_figures_are_the_ones_in_the_methods() {
        let table = documented();
        let columns = CALIBRATED_DIMENSIONS.map(|d| column(&table, &format!("d = {d}")));
        // A header and a rule stand above the estimators.
        assert_eq!(table.len() - 2, CALIBRATION.len());
        for (row, (name, ratios)) in table[2..].iter().zip(CALIBRATION) {
            assert_eq!(row[0], name);
            let found = columns.map(|at| row[at].clone());
            assert_eq!(found, ratios.map(cell), "{name}");
        }
        let rows = ["d = 20, N = 250", "d = 20, N = 4000"].map(|header| column(&table, header));
        let found = rows.map(|at| table[2][at].clone());
        assert_eq!(found, FEWER_AND_MORE_ROWS.map(|ratio| cell(Some(ratio))));
    }

    #[test]
    fn every_calibrated_estimator_is_explained_once() {
        let explained: Vec<&str> = entries().iter().map(|entry| entry.name).collect();
        assert_eq!(explained, CALIBRATION.map(|(name, _)| name));
    }

    #[test]
    fn the_text_fits_a_terminal_and_keeps_every_name() {
        for width in [72, 80, WIDE - 1, WIDE, 200] {
            let style = Style {
                ascii: true,
                width: Some(width),
                ..Style::default()
            };
            let text = explain(&style);
            assert!(text.is_ascii());
            assert!(
                text.lines().all(|line| line.len() <= width.min(LINE)),
                "{text}"
            );
            assert!(
                CALIBRATION.iter().all(|(name, _)| text.contains(name)),
                "{text}"
            );
        }
    }
}
