//! A matrix as shades, for a terminal: darker is larger.

use super::fit;
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

/// The matrix with a line a row under its title, and a legend below it.
pub(super) fn heatmap(matrix: &Matrix, style: Style) -> String {
    let shades = if style.ascii { ASCII_SHADES } else { SHADES };
    let edges = edges(&matrix.scale);
    let title = matrix.title.as_ref().map_or_else(String::new, |title| {
        style.paint(&plain(title, style), Emphasis::Bold) + "\n"
    });
    let body = if matrix.columns.len() <= NUMBERED {
        numbered(matrix, &edges, shades, style)
    } else {
        shaded(matrix, &edges, shades, style)
    };
    title + &body + &legend(matrix, &edges, shades, style)
}

/// Columns are numbered; their names are those of the rows, or listed where they are not.
fn numbered(matrix: &Matrix, edges: &[f64], shades: [&str; 5], style: Style) -> String {
    let mut columns = vec![Column::text("")];
    columns.extend((0..matrix.columns.len()).flat_map(|column| {
        [
            Column::number(format!("[{column}]")).after(2),
            Column::text("").after(1),
        ]
    }));
    let mut grid = Grid::new(columns);
    for (at, (name, values)) in matrix.rows.iter().zip(&matrix.values).enumerate() {
        let mut row: Vec<Cell> = vec![row_name(matrix, at, name, style).into()];
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
    column_names(matrix, style) + &grid.render(style)
}

/// Two characters a column, as many as fit.
fn shaded(matrix: &Matrix, edges: &[f64], shades: [&str; 5], style: Style) -> String {
    let names: Vec<String> = matrix
        .rows
        .iter()
        .enumerate()
        .map(|(at, name)| row_name(matrix, at, name, style))
        .collect();
    let widest = names.iter().map(|name| fit::width(name)).max().unwrap_or(0);
    let count = matrix.columns.len();
    let room = style
        .width
        .map_or(usize::MAX, |width| width.saturating_sub(widest.min(24) + 2));
    // A cell is as wide as fits, so that the picture is nearly square.
    let cell = if 2 * count <= room { 2 } else { 1 };
    let names_width = widest.min(24);
    let shown = count.min(room / cell);
    let mut out = column_names(matrix, style);
    let ruler: String = (0..shown)
        .map(|column| {
            let tens = column % 10 == 0;
            let mark = if tens {
                (column / 10 % 10).to_string()
            } else {
                " ".into()
            };
            mark + &" ".repeat(cell - 1)
        })
        .collect();
    let units: String = (0..shown)
        .map(|column| format!("{}{}", column % 10, " ".repeat(cell - 1)))
        .collect();
    for line in [ruler, units] {
        let line = format!("{}  {line}", " ".repeat(names_width));
        out += &style.paint(line.trim_end(), Emphasis::Faint);
        out.push('\n');
    }
    for (name, values) in names.iter().zip(&matrix.values) {
        let name = fit::elide_middle(name, names_width, style);
        let padding = " ".repeat(names_width - fit::width(&name) + 2);
        let cells: String = values[..shown]
            .iter()
            .map(|value| match value {
                None => format!("?{}", " ".repeat(cell - 1)),
                Some(value) => shades[level(edges, *value)].repeat(cell),
            })
            .collect();
        out += format!("{name}{padding}{cells}").trim_end();
        out.push('\n');
    }
    if shown < count {
        out += &format!(
            "({} more columns do not fit; see --format csv)\n",
            count - shown
        );
    }
    out
}

fn row_name(matrix: &Matrix, at: usize, name: &str, style: Style) -> String {
    let name = fit::safe(name, style);
    if matrix.rows == matrix.columns {
        format!("[{at}] {name}")
    } else {
        name
    }
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
            assert_eq!(
                text.lines().filter(|line| line.starts_with('[')).count(),
                33
            );
            for line in text.lines().filter(|line| line.starts_with('[')) {
                assert!(fit::width(line) <= width.max(33), "{width}: {line:?}");
            }
        }
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
