//! Numbers by row and column as shades, with the bar that says what a shade is.

use super::axes;
use super::colour;
use super::drawing::{Drawing, WIDTH, heading};
use super::ink::{Hold, Ink, escaped, px};
use super::words;
use crate::report::page::{Matrix, Scale, Shade};
use crate::report::write::text::significant;

/// The largest side of a cell.
const LARGEST: f64 = 30.0;

/// More cells than this have no words of their own: their numbers stand once for all.
const SPOKEN: usize = 70 * 70;

/// Shades of a matrix that is drawn shade by shade.
const STEPS: usize = 48;

/// The matrix, or `None` where it has no cell.
pub(super) fn draw(matrix: &Matrix) -> Option<Drawing> {
    let (n_rows, n_columns) = (matrix.rows.len(), matrix.columns.len());
    if n_rows == 0 || n_columns == 0 {
        return None;
    }
    let mut ink = Ink::default();
    let meaning = words::line(&matrix.meaning);
    let title = match &matrix.title {
        Some(title) => format!("{}: {meaning}", words::line(title)),
        None => meaning.clone(),
    };
    let top = heading(&mut ink, &title);

    let rows = words::distinct(&matrix.rows);
    let columns = words::distinct(&matrix.columns);
    let rows: Vec<String> = rows
        .iter()
        .map(|name| words::elided(name, 9.0, 96.0))
        .collect();
    let widest = rows
        .iter()
        .map(|name| words::width(name, 9.0))
        .fold(0.0, f64::max);
    let left = widest + 24.0;
    let side = ((WIDTH - 8.0 - left) / n_columns as f64).min(LARGEST);
    // A matrix of many rows may be higher than wide, but no cell is thinner than a hair.
    let height = side.min((1.6 * WIDTH / n_rows as f64).max(1.5));
    let (right, bottom) = (left + side * n_columns as f64, top + height * n_rows as f64);

    cells(&mut ink, matrix, [left, top], [side, height]);
    for (at, name) in rows.iter().enumerate().step_by(every(11.0, height)) {
        let y = top + height * (at as f64 + 0.5) + 3.0;
        ink.text([left - 4.0, y], Hold::End, "s", name);
    }
    let label = words::line(&matrix.row_label);
    ink.upright(
        [10.0, f64::midpoint(top, bottom)],
        Hold::Middle,
        "q",
        &label,
    );
    let below = column_names(&mut ink, &columns, [left, bottom], side);
    let label = words::line(&matrix.column_label);
    let middle = f64::midpoint(left, right);
    ink.text([middle, bottom + below + 10.0], Hold::Middle, "q", &label);
    let bar = bottom + below + 20.0;
    shade_bar(&mut ink, &matrix.scale, [left, bar]);

    let known = matrix.values.iter().flatten().flatten().count();
    Some(Drawing {
        kind: "matrix",
        description: format!("{meaning}: {known} values in {n_rows} rows and {n_columns} columns."),
        title,
        height: bar + 28.0,
        ink,
    })
}

fn cells(ink: &mut Ink, matrix: &Matrix, origin: [f64; 2], size: [f64; 2]) {
    let [left, top] = origin;
    let [side, height] = size;
    let n = matrix.rows.len() * matrix.columns.len();
    ink.open(r#"class="cell""#);
    if n > SPOKEN {
        by_shade(ink, matrix, origin, size);
    } else {
        let numbered = side >= 25.0 && height >= 13.0;
        for (row, values) in matrix.values.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                let at = [left + side * column as f64, top + height * row as f64];
                cell(ink, matrix, [row, column], *value, at, size, numbered);
            }
        }
    }
    ink.close();
}

fn cell(
    ink: &mut Ink,
    matrix: &Matrix,
    [row, column]: [usize; 2],
    value: Option<f64>,
    at: [f64; 2],
    size: [f64; 2],
    numbered: bool,
) {
    let pair = format!("{} → {}", matrix.rows[row], matrix.columns[column]);
    let pair = words::line(&crate::report::page::name(pair).into());
    let Some(value) = value else {
        let tip = format!("{pair}\nno value");
        ink.rect(at, size, r#"class="absent""#, Some(&tip));
        return;
    };
    let (fill, dark) = colour::shade(value, &matrix.scale);
    let tip = format!("{pair}\n{}", significant(value, 4));
    let data = format!(r#"fill="{fill}" data-value="{value}""#);
    ink.rect(at, size, &data, Some(&tip));
    if numbered {
        let class = if dark { "v w" } else { "v k" };
        let place = [at[0] + size[0] / 2.0, at[1] + size[1] / 2.0 + 3.0];
        ink.text(place, Hold::Middle, class, &significant(value, 2));
    }
}

/// A path a shade, and all numbers in one attribute, row by row: small for any matrix. The page's
/// script finds the number that is pointed at by the place of the cells.
fn by_shade(ink: &mut Ink, matrix: &Matrix, [left, top]: [f64; 2], [side, height]: [f64; 2]) {
    let mut paths = vec![String::new(); STEPS];
    let mut numbers = Vec::with_capacity(matrix.rows.len());
    let step = |value: f64| {
        let share = colour::share(value, &matrix.scale);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let step = (share * (STEPS - 1) as f64).round() as usize;
        step
    };
    for (row, values) in matrix.values.iter().enumerate() {
        let steps: Vec<Option<usize>> = values.iter().map(|value| value.map(step)).collect();
        let mut column = 0;
        // Neighbours of one shade are one rectangle.
        for run in steps.chunk_by(|a, b| a == b) {
            let start = column;
            column += run.len();
            let Some(step) = run[0] else { continue };
            // Edges, not sizes, are rounded: neighbours meet, and no paper shows between them.
            let [x, end] = [start, column].map(|at| px(left + side * at as f64));
            let [y, foot] = [row, row + 1].map(|at| px(top + height * at as f64));
            paths[step] += &format!("M{x} {y}H{end}V{foot}H{x}z");
        }
        let row: Vec<String> = values
            .iter()
            .map(|value| value.map_or_else(String::new, |value| significant(value, 4)))
            .collect();
        numbers.push(row.join(","));
    }
    let [rows, columns] = [&matrix.rows, &matrix.columns].map(|names| {
        let names = names.iter().map(|name| {
            let name = crate::report::page::name(name.clone()).into();
            escaped(&words::line(&name))
        });
        // A line break would be a space to a reader of XML.
        names.collect::<Vec<_>>().join("&#10;")
    });
    let place = [left, top, side, height].map(|number| format!("{number:.3}"));
    let [place, numbers] = [place.join(" "), numbers.join(";")];
    ink.open(&format!(
        r#"data-cells="{place}" data-rows="{rows}" data-columns="{columns}" data-values="{numbers}""#
    ));
    for (step, path) in paths
        .iter()
        .enumerate()
        .filter(|(_, path)| !path.is_empty())
    {
        let share = step as f64 / (STEPS - 1) as f64;
        let (fill, _) = colour::shade(colour::value(share, &matrix.scale), &matrix.scale);
        ink.path(path, &format!(r#"fill="{fill}""#));
    }
    ink.close();
}

/// Every how many cells a name stands that needs `room`, where each cell has `size`.
fn every(room: f64, size: f64) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let least = (room / size).ceil().max(1.0) as usize;
    axes::round_stride(least)
}

/// The names below the columns: upright where they are wider than a column, and as many as fit.
fn column_names(ink: &mut Ink, names: &[String], [left, bottom]: [f64; 2], side: f64) -> f64 {
    let widest = names
        .iter()
        .map(|name| words::width(name, 9.0))
        .fold(0.0, f64::max);
    let place = |at: usize| left + side * (at as f64 + 0.5);
    // Short names stand in a line even where only some of them do.
    if widest <= side.max(16.0) {
        for (at, name) in names.iter().enumerate().step_by(every(widest + 3.0, side)) {
            ink.text([place(at), bottom + 11.0], Hold::Middle, "s", name);
        }
        return 14.0;
    }
    let short: Vec<String> = names
        .iter()
        .map(|name| words::elided(name, 9.0, 84.0))
        .collect();
    for (at, name) in short.iter().enumerate().step_by(every(11.0, side)) {
        ink.upright([place(at) + 3.0, bottom + 4.0], Hold::End, "s", name);
    }
    widest.min(84.0) + 6.0
}

/// The shades from low to high, with the numbers at both ends and in the middle.
fn shade_bar(ink: &mut Ink, scale: &Scale, [left, top]: [f64; 2]) {
    const LENGTH: f64 = 140.0;
    const PIECES: usize = 28;
    ink.open(r#"class="cell""#);
    for piece in 0..PIECES {
        let share = piece as f64 / (PIECES - 1) as f64;
        let (fill, _) = colour::shade(colour::value(share, scale), scale);
        let width = LENGTH / PIECES as f64;
        let at = [left + width * piece as f64, top];
        ink.rect(at, [width + 0.1, 7.0], &format!(r#"fill="{fill}""#), None);
    }
    ink.close();
    for (share, hold) in [(0.0, Hold::Start), (0.5, Hold::Middle), (1.0, Hold::End)] {
        let value = colour::value(share, scale);
        let text = significant(value, 2);
        ink.text([left + LENGTH * share, top + 17.0], hold, "s", &text);
    }
    if scale.shade == Shade::Logarithmic {
        ink.text(
            [left + LENGTH + 8.0, top + 7.0],
            Hold::Start,
            "s q",
            "equal ratios",
        );
    }
}
