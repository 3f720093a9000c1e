//! Explains what a dimension means, in words and in figures measured where the answer is known.

use crate::geometry::id::{CALIBRATED_DIMENSIONS, ESTIMATORS, ErrorKind, Explained};
use crate::report::page::{Cell, Column, Grid, Note, Notes, Page, Part, Piece, decimal, index};

/// Mean estimate over true dimension of `two_nn_base` for d = 20 at N = 250 and 4000.
const FEWER_AND_MORE_ROWS: [f64; 2] = [0.76, 0.83];

/// The page of `id-profile --explain`.
pub fn explain() -> Page {
    let [above @ .., below] = paragraphs().map(|paragraph| Note::Prose(paragraph.into()));
    let closing = Notes {
        apart: true,
        lines: vec![below],
    };
    let above = Part::Notes(above.to_vec().into());
    Page::new(
        "Intrinsic dimension, explained",
        vec![above, estimators().into()],
        closing,
    )
}

fn estimators() -> Grid {
    let mut columns = vec![
        Column::words("estimator"),
        Column::words("reads").near().spare(),
        Column::number("k").near(),
        Column::words("error").near(),
    ];
    columns.extend(CALIBRATED_DIMENSIONS.map(|d| Column::number(format!("d={d}")).near()));
    let mut grid = Grid::new(columns);
    for entry in entries() {
        let error = entry.error.map(ErrorKind::name);
        let mut row: Vec<Cell> = vec![
            entry.variant.into(),
            entry.reads.into(),
            entry.k.map_or(Piece::Absent, index).into(),
            error.map_or(Piece::Absent, Piece::from).into(),
        ];
        let ratios = entry.calibration;
        row.extend(ratios.map(|x| Cell::from(x.map_or(Piece::Absent, |x| decimal(x, 2)))));
        grid.push(row);
    }
    grid
}

fn calibrated(name: &str) -> [Option<f64>; 4] {
    let known = entries().find(|entry| entry.variant == name);
    known.map_or([None; 4], |entry| entry.calibration)
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

/// The explanation of every variant, in the order of the register.
fn entries() -> impl Iterator<Item = &'static Explained> {
    ESTIMATORS.iter().flat_map(|one| one.explained)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Style;
    use crate::report::write::text;

    /// The cells of the first markdown table after the heading "Calibration" of the methods.
    fn documented() -> Vec<Vec<String>> {
        let methods = include_str!("../../../docs/methods.md");
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
        assert_eq!(table.len() - 2, entries().count());
        for entry in entries() {
            let name = entry.variant;
            let row = table[2..].iter().find(|row| row[0] == name).unwrap();
            let found = columns.map(|at| row[at].clone());
            assert_eq!(found, entry.calibration.map(cell), "{name}");
        }
        let rows = ["d = 20, N = 250", "d = 20, N = 4000"].map(|header| column(&table, header));
        let found = rows.map(|at| table[2][at].clone());
        assert_eq!(found, FEWER_AND_MORE_ROWS.map(|ratio| cell(Some(ratio))));
    }

    #[test]
    fn the_text_fits_a_terminal_and_keeps_every_name() {
        for width in [72, 80, 95, 96, 200] {
            let style = Style {
                ascii: true,
                width: Some(width),
                ..Style::default()
            };
            let text = text::page(&explain(), &style);
            assert!(text.is_ascii());
            assert!(
                text.lines().all(|line| line.len() <= width.min(100)),
                "{text}"
            );
            assert!(
                entries().all(|entry| text.contains(entry.variant)),
                "{text}"
            );
        }
    }
}
