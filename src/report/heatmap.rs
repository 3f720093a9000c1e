//! A matrix as shades, for a terminal: darker is larger.

use super::number::significant;
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use super::text;
use crate::profile::compare::LayerMatrix;

/// Up to this many columns every shade has its number beside it.
const NUMBERED: usize = 10;

/// Shades from low to high.
const SHADES: [&str; 5] = ["·", "░", "▒", "▓", "█"];
const ASCII_SHADES: [&str; 5] = [".", ":", "+", "#", "@"];

/// Where shades begin, and what they show.
pub(super) struct Scale {
    /// The number at which each shade but the lightest begins, ascending.
    edges: [f64; SHADES.len() - 1],
    /// What stands in the legend, e.g. "overlap, k 30".
    meaning: String,
}

impl Scale {
    /// Equal steps from `low` to `high`.
    pub(super) fn linear(low: f64, high: f64, meaning: String) -> Self {
        let step = (high - low) / SHADES.len() as f64;
        Self {
            edges: std::array::from_fn(|at| low + step * (at + 1) as f64),
            meaning,
        }
    }

    /// Equal ratios from `low` to `high`, both above 0.
    pub(super) fn logarithmic(low: f64, high: f64, meaning: String) -> Self {
        let step = (high / low).ln() / SHADES.len() as f64;
        Self {
            edges: std::array::from_fn(|at| low * (step * (at + 1) as f64).exp()),
            meaning,
        }
    }

    fn level(&self, value: f64) -> usize {
        self.edges.partition_point(|&edge| edge <= value)
    }
}

/// The matrix with a line a row, and a legend below it.
pub(super) fn heatmap(matrix: &LayerMatrix, scale: &Scale, style: Style) -> String {
    let shades = if style.ascii { ASCII_SHADES } else { SHADES };
    let body = if matrix.columns.len() <= NUMBERED {
        numbered(matrix, scale, shades, style)
    } else {
        shaded(matrix, scale, shades, style)
    };
    body + &legend(scale, shades, style)
}

/// Columns are numbered; their names are those of the rows, or listed where they are not.
fn numbered(matrix: &LayerMatrix, scale: &Scale, shades: [&str; 5], style: Style) -> String {
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
                    row.push(shades[scale.level(*value)].into());
                }
            }
        }
        grid.push(row);
    }
    column_names(matrix, style) + &grid.render(style)
}

/// Two characters a column, as many as fit.
fn shaded(matrix: &LayerMatrix, scale: &Scale, shades: [&str; 5], style: Style) -> String {
    let names: Vec<String> = matrix
        .rows
        .iter()
        .enumerate()
        .map(|(at, name)| row_name(matrix, at, name, style))
        .collect();
    let widest = names
        .iter()
        .map(|name| text::width(name))
        .max()
        .unwrap_or(0);
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
        let name = text::elide_middle(name, names_width, style);
        let padding = " ".repeat(names_width - text::width(&name) + 2);
        let cells: String = values[..shown]
            .iter()
            .map(|value| match value {
                None => format!("?{}", " ".repeat(cell - 1)),
                Some(value) => shades[scale.level(*value)].repeat(cell),
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

fn row_name(matrix: &LayerMatrix, at: usize, name: &str, style: Style) -> String {
    let name = text::safe(name, style);
    if matrix.rows == matrix.columns {
        format!("[{at}] {name}")
    } else {
        name
    }
}

/// The numbers of the columns in words, where they are not those of the rows.
fn column_names(matrix: &LayerMatrix, style: Style) -> String {
    if matrix.rows == matrix.columns {
        return String::new();
    }
    let names: Vec<String> = matrix
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| format!("[{at}] {}", text::safe(name, style)))
        .collect();
    let lines = text::wrap(&format!("columns: {}", names.join("  ")), style.width);
    lines.into_iter().map(|line| line + "\n").collect()
}

fn legend(scale: &Scale, shades: [&str; 5], style: Style) -> String {
    let below = scale.edges.iter().zip(shades);
    let mut parts: Vec<String> = below
        .map(|(&edge, shade)| format!("{shade} < {}", significant(edge, 2)))
        .collect();
    parts.push(format!("{} more", shades[SHADES.len() - 1]));
    let line = format!("{}: {}", scale.meaning, parts.join("  "));
    text::wrap(&line, style.width)
        .into_iter()
        .map(|line| style.paint(&line, Emphasis::Faint) + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(n: usize) -> LayerMatrix {
        let names: Vec<String> = (0..n).map(|at| format!("layer_{at}")).collect();
        let mut matrix = LayerMatrix::empty(names.clone(), names);
        for row in 0..n {
            for column in 0..n {
                matrix.set(
                    row,
                    column,
                    Some(row.abs_diff(column) as f64 / n as f64),
                    None,
                );
            }
        }
        matrix
    }

    fn scale() -> Scale {
        Scale::linear(0.0, 1.0, "distance".into())
    }

    #[test]
    fn few_layers_show_their_numbers_beside_the_shades() {
        let text = heatmap(&matrix(3), &scale(), Style::default());
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
            let text = heatmap(&matrix(33), &scale(), style);
            assert!(text.is_ascii());
            assert_eq!(
                text.lines().filter(|line| line.starts_with('[')).count(),
                33
            );
            for line in text.lines().filter(|line| line.starts_with('[')) {
                assert!(text::width(line) <= width.max(33), "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn logarithmic_shades_have_equal_ratios() {
        let scale = Scale::logarithmic(1e-5, 1.0, String::new());
        let levels = [2e-6, 9e-5, 2e-4, 2e-3, 0.02, 0.2, 7.0].map(|value| scale.level(value));
        assert_eq!(levels, [0, 0, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn a_number_that_does_not_exist_has_no_shade() {
        let mut matrix = matrix(2);
        matrix.set(0, 1, None, None);
        let text = heatmap(&matrix, &scale(), Style::default());
        assert!(text.lines().nth(1).unwrap().ends_with('—'), "{text}");
    }
}
