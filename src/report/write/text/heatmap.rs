//! A matrix as shades, for a terminal: darker is larger.

use std::ops::Range;

use super::fit;
use super::names::{Names, ways};
use super::number::significant;
use super::spell::plain;
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use crate::report::page::{Matrix, Scale, Shade};

/// Up to this many columns every shade has its number beside it.
const NUMBERED: usize = 10;

/// Shades from low to high.
const SHADES: [&str; 5] = ["·", "░", "▒", "▓", "█"];
const ASCII_SHADES: [&str; 5] = [".", ":", "+", "#", "@"];

/// The number at which each shade but the lightest begins, ascending.
fn edges(scale: &Scale) -> [f64; SHADES.len() - 1] {
    let Scale { low, high, shade } = *scale;
    let steps = SHADES.len() as f64;
    std::array::from_fn(|at| {
        let step = (at + 1) as f64;
        match shade {
            Shade::Linear | Shade::Diverging => low + (high - low) / steps * step,
            Shade::Logarithmic => low * libm::exp(libm::log(high / low) / steps * step),
        }
    })
}

fn level(edges: &[f64], value: f64) -> usize {
    edges.partition_point(|&edge| edge <= value)
}

/// The matrix with a line a row under its title, and a legend below it. Few columns show their
/// numbers, as long as all of them fit; else shades alone.
pub(super) fn heatmap(matrix: &Matrix, style: Style) -> String {
    let shades = if style.ascii { ASCII_SHADES } else { SHADES };
    let edges = edges(&matrix.scale);
    let title = matrix.title.as_ref().map_or_else(String::new, |title| {
        style.paint(&plain(title, style), Emphasis::Bold) + "\n"
    });
    let ways = ways(&[matrix.rows.iter().map(String::as_str).collect()], style);
    let numbered = (matrix.columns.len() <= NUMBERED)
        .then(|| numbered(matrix, &ways, &edges, shades, style))
        .flatten();
    let body = numbered.unwrap_or_else(|| shaded(matrix, &ways, &edges, shades, style));
    title + &column_names(matrix, style) + &body + &legend(matrix, &edges, shades, style)
}

/// Every number with its shade, where they fit. Columns are numbered; their names are those of the
/// rows, or listed where they are not.
fn numbered(
    matrix: &Matrix,
    ways: &[Names],
    edges: &[f64],
    shades: [&str; 5],
    style: Style,
) -> Option<String> {
    let limit = style.width.unwrap_or(usize::MAX);
    ways.iter()
        .flat_map(|way| [(way, 2), (way, 1)])
        .find_map(|(way, gap)| {
            let mut columns = vec![Column::text("")];
            columns.extend((0..matrix.columns.len()).flat_map(|column| {
                [
                    Column::number(format!("[{column}]")).after(gap),
                    Column::text("").after(1),
                ]
            }));
            let mut grid = Grid::new(columns);
            for (name, values) in row_names(matrix, way).into_iter().zip(&matrix.values) {
                let mut row: Vec<Cell> = vec![name.into()];
                for value in values {
                    match value {
                        None => row.extend([style.dash().into(), Cell::default()]),
                        Some(value) => {
                            row.push(significant(*value, 3).into());
                            row.push(shades[level(edges, *value)].into());
                        }
                    }
                }
                grid.push(row);
            }
            let bare = Style {
                colour: false,
                ..style
            };
            let fits = grid
                .render(bare)
                .lines()
                .all(|line| fit::width(line) <= limit);
            fits.then(|| grid.render(style) + &about(way, style))
        })
}

/// One or two characters a column; columns that do not fit stand below, in blocks.
fn shaded(
    matrix: &Matrix,
    ways: &[Names],
    edges: &[f64],
    shades: [&str; 5],
    style: Style,
) -> String {
    let count = matrix.columns.len();
    let limit = style.width.unwrap_or(usize::MAX);
    let room = |way: &Names| {
        let names = row_names(matrix, way);
        let widest = names.iter().map(|name| fit::width(name)).max().unwrap_or(0);
        limit.saturating_sub(widest + 2)
    };
    // A cell is as wide as fits, so that the picture is nearly square.
    let fitting = |cell: usize| ways.iter().find(|way| cell * count <= room(way));
    let (way, cell) = match (fitting(2), fitting(1)) {
        (Some(way), _) => (way, 2),
        (None, Some(way)) => (way, 1),
        (None, None) => {
            let roomiest = ways.iter().rev().max_by_key(|way| room(way));
            (roomiest.unwrap_or(&ways[0]), 1)
        }
    };
    let names = row_names(matrix, way);
    let names_width = names.iter().map(|name| fit::width(name)).max().unwrap_or(0);
    let at_once = (room(way) / cell).max(1);
    let blocks: Vec<String> = (0..count)
        .step_by(at_once)
        .map(|first| {
            let columns = first..count.min(first + at_once);
            let mut out = ruler(columns.clone(), cell, names_width, style);
            for (name, values) in names.iter().zip(&matrix.values) {
                let padding = " ".repeat(names_width - fit::width(name) + 2);
                let cells: String = values[columns.clone()]
                    .iter()
                    .map(|value| match value {
                        None => format!("?{}", " ".repeat(cell - 1)),
                        Some(value) => shades[level(edges, *value)].repeat(cell),
                    })
                    .collect();
                out += format!("{name}{padding}{cells}").trim_end();
                out.push('\n');
            }
            out
        })
        .collect();
    blocks.join("\n") + &about(way, style)
}

/// The numbers of the columns, tens above units.
fn ruler(columns: Range<usize>, cell: usize, names_width: usize, style: Style) -> String {
    let tens: String = columns
        .clone()
        .map(|column| {
            let mark = if column % 10 == 0 {
                (column / 10 % 10).to_string()
            } else {
                " ".into()
            };
            mark + &" ".repeat(cell - 1)
        })
        .collect();
    let units: String = columns
        .map(|column| format!("{}{}", column % 10, " ".repeat(cell - 1)))
        .collect();
    let lines = [tens, units].map(|line| {
        let line = format!("{}  {line}", " ".repeat(names_width));
        style.paint(line.trim_end(), Emphasis::Faint) + "\n"
    });
    lines.concat()
}

/// The names of the rows; with their numbers where columns are the same.
fn row_names(matrix: &Matrix, way: &Names) -> Vec<String> {
    let rows = matrix.rows.iter().enumerate();
    rows.map(|(at, name)| {
        let shown = way.of(name);
        let number = format!("[{at}]");
        match matrix.rows == matrix.columns {
            true if shown == number => number,
            true => format!("{number} {shown}"),
            false => shown.to_owned(),
        }
    })
    .collect()
}

/// What a reader must know to have the whole names back.
fn about(way: &Names, style: Style) -> String {
    let lines = way
        .about
        .as_ref()
        .map(|about| fit::wrap(about, style.width));
    let lines = lines.into_iter().flatten();
    lines
        .map(|line| style.paint(&line, Emphasis::Faint) + "\n")
        .collect()
}

/// The numbers of the columns in words, where they are not those of the rows.
fn column_names(matrix: &Matrix, style: Style) -> String {
    if matrix.rows == matrix.columns {
        return String::new();
    }
    let names: Vec<String> = matrix
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| format!("[{at}] {}", fit::safe(name, style)))
        .collect();
    let lines = fit::wrap(&format!("columns: {}", names.join("  ")), style.width);
    lines.into_iter().map(|line| line + "\n").collect()
}

fn legend(matrix: &Matrix, edges: &[f64], shades: [&str; 5], style: Style) -> String {
    let below = edges.iter().zip(shades);
    let mut parts: Vec<String> = below
        .map(|(&edge, shade)| format!("{shade} < {}", significant(edge, 2)))
        .collect();
    parts.push(format!("{} more", shades[SHADES.len() - 1]));
    let line = format!("{}: {}", plain(&matrix.meaning, style), parts.join("  "));
    fit::wrap(&line, style.width)
        .into_iter()
        .map(|line| style.paint(&line, Emphasis::Faint) + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(n: usize) -> Matrix {
        let names: Vec<String> = (0..n).map(|at| format!("layer_{at}")).collect();
        let distance = |row: usize, column: usize| row.abs_diff(column) as f64 / n as f64;
        Matrix {
            title: None,
            meaning: "distance".into(),
            row_label: "layer".into(),
            column_label: "layer".into(),
            rows: names.clone(),
            columns: names,
            values: (0..n)
                .map(|row| (0..n).map(|column| Some(distance(row, column))).collect())
                .collect(),
            scale: Scale::linear(0.0, 1.0),
        }
    }

    #[test]
    fn few_layers_show_their_numbers_beside_the_shades() {
        let text = heatmap(&matrix(3), Style::default());
        assert_eq!(
            text,
            "             [0]      [1]      [2]\n\
             [0] layer_0  0     ·  0.333 ░  0.667 ▓\n\
             [1] layer_1  0.333 ░  0     ·  0.333 ░\n\
             [2] layer_2  0.667 ▓  0.333 ░  0     ·\n\
             distance: · < 0.20  ░ < 0.40  ▒ < 0.60  ▓ < 0.80  █ more\n"
        );
    }

    #[test]
    fn many_layers_fit_any_terminal_in_plain_characters_too() {
        for width in [20, 40, 60, 100] {
            let style = Style {
                ascii: true,
                colour: false,
                width: Some(width),
            };
            let text = heatmap(&matrix(33), style);
            assert!(text.is_ascii());
            // Columns that do not fit stand in blocks below, each with all rows.
            let lines = text.lines().filter(|line| line.starts_with('[')).count();
            assert!(lines >= 33 && lines % 33 == 0, "{text}");
            for line in text.lines().filter(|line| line.starts_with('[')) {
                assert!(fit::width(line) <= width, "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn numbers_give_way_to_shades_before_they_are_cut() {
        let style = |width| Style {
            width: Some(width),
            ..Style::default()
        };
        assert!(heatmap(&matrix(3), style(32)).contains("0.667"));
        assert_eq!(
            heatmap(&matrix(3), style(20)),
            "             0\n             0 1 2\n\
             [0] layer_0  ··░░▓▓\n\
             [1] layer_1  ░░··░░\n\
             [2] layer_2  ▓▓░░··\n\
             distance: · < 0.20\n  ░ < 0.40  ▒ < 0.60\n   ▓ < 0.80  █ more\n"
        );
    }

    #[test]
    fn logarithmic_shades_have_equal_ratios() {
        let edges = edges(&Scale::logarithmic(1e-5, 1.0));
        let levels = [2e-6, 9e-5, 2e-4, 2e-3, 0.02, 0.2, 7.0].map(|value| level(&edges, value));
        assert_eq!(levels, [0, 0, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn a_number_that_does_not_exist_has_no_shade() {
        let mut matrix = matrix(2);
        matrix.values[0][1] = None;
        let text = heatmap(&matrix, Style::default());
        assert!(text.lines().nth(1).unwrap().ends_with('—'), "{text}");
    }
}
