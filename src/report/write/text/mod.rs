//! Pages as text for a terminal: the only place that knows width, colour and ASCII.

mod fit;
mod heatmap;
mod number;
mod sparkline;
mod spell;
mod style;
mod table;
mod tree;

use std::borrow::Cow;

pub(in crate::report) use self::fit::is_unsafe;
pub use self::fit::{safe_lines, safe_text};
pub use self::sparkline::sparkline;
pub use self::style::Style;

pub(super) use self::number::significant;
pub(super) use self::spell::plain;

use self::heatmap::heatmap;
use self::spell::warning;
use self::style::Emphasis;
use crate::report::page::{Bond, Column, Grid, Kind, Note, Notes, Page, Part};

/// Paragraphs are broken here even where the terminal is wider or there is none.
const LINE: usize = 100;

/// The whole page; no line is wider than `style.width`.
pub fn page(page: &Page, style: &Style) -> String {
    let mut out = String::new();
    for part in &page.parts {
        let drawn = match part {
            Part::Grid(grid) => titled_grid(grid, *style),
            Part::Matrix(matrix) => heatmap(matrix, *style),
            Part::Tree(found) => tree::tree(found, *style),
            Part::Plane(plane) => plane
                .caption
                .iter()
                .map(|caption| plain(caption, *style) + "\n")
                .collect(),
            Part::Notes(found) => notes(found, *style),
            Part::Curves(_) => String::new(),
        };
        let belongs = matches!(part, Part::Notes(Notes { apart: false, .. }));
        if !out.is_empty() && !drawn.is_empty() && !belongs {
            out.push('\n');
        }
        out += &drawn;
    }
    if page.closing.apart && !out.is_empty() {
        out.push('\n');
    }
    out + &closing(page, style)
}

/// The last lines of the page.
pub fn closing(page: &Page, style: &Style) -> String {
    notes(&page.closing, *style)
}

/// The warnings among them, one a line of any width, behind `prefix`.
pub fn warnings(page: &Page, prefix: &str, style: &Style) -> String {
    let lines = page.closing.lines.iter().filter_map(|note| match note {
        Note::Warning {
            code,
            message,
            layers,
        } => Some(warning(*code, message, layers, *style)),
        _ => None,
    });
    lines.map(|line| format!("{prefix}{line}\n")).collect()
}

fn notes(notes: &Notes, style: Style) -> String {
    let lines = notes.lines.iter().flat_map(|one| note(one, style));
    lines.map(|line| line + "\n").collect()
}

fn note(note: &Note, style: Style) -> Vec<String> {
    match note {
        Note::Line(phrase) => fit::wrap(plain(phrase, style).trim_end(), style.width),
        Note::Context(phrase) => fit::wrap(&plain(phrase, style), style.width)
            .into_iter()
            .map(|line| style.paint(&line, Emphasis::Faint))
            .collect(),
        Note::Prose(phrase) => {
            let limit = style.width.map_or(LINE, |width| width.min(LINE));
            fit::wrap(&plain(phrase, style), Some(limit))
        }
        Note::Series {
            label,
            values,
            words,
        } => {
            let line = format!("{}  {}", plain(label, style), sparkline(values, &style));
            let words = plain(words, style);
            let whole = format!("{line}   {words}");
            match style.width {
                Some(limit) if fit::width(whole.trim_end()) > limit => {
                    let mut lines = chunks(&line, limit);
                    lines.extend(fit::wrap(&words, style.width));
                    lines
                }
                _ => vec![whole.trim_end().to_owned()],
            }
        }
        Note::Warning {
            code,
            message,
            layers,
        } => fit::wrap(&warning(*code, message, layers, style), style.width),
    }
}

/// A sparkline longer than the terminal goes on in the next line.
fn chunks(line: &str, limit: usize) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    characters
        .chunks(limit.max(1))
        .map(|chunk| String::from_iter(chunk).trim_end().to_owned())
        .collect()
}

fn titled_grid(grid: &Grid, style: Style) -> String {
    let title = grid.title.as_ref().map_or_else(Vec::new, |title| {
        fit::wrap(&plain(title, style), style.width)
    });
    let title: String = title.into_iter().map(|line| line + "\n").collect();
    title + &aligned(&with_room(grid, style), style)
}

/// The grid without its spare columns, unless there is room for all.
fn with_room(grid: &Grid, style: Style) -> Cow<'_, Grid> {
    let spare = grid.columns.iter().any(|column| column.spare);
    let fits = |limit: usize| {
        let natural = aligned(
            grid,
            Style {
                width: None,
                ..style
            },
        );
        natural.lines().all(|line| fit::width(line) <= limit)
    };
    if !spare || style.width.is_none_or(fits) {
        return Cow::Borrowed(grid);
    }
    let kept = |at: &usize| !grid.columns[*at].spare;
    let columns: Vec<usize> = (0..grid.columns.len()).filter(kept).collect();
    Cow::Owned(Grid {
        title: None,
        columns: columns.iter().map(|&at| grid.columns[at].clone()).collect(),
        rows: grid
            .rows
            .iter()
            .map(|row| columns.iter().map(|&at| row[at].clone()).collect())
            .collect(),
    })
}

fn aligned(grid: &Grid, style: Style) -> String {
    let columns = grid.columns.iter().flat_map(|column| heads(column, style));
    let mut drawn = table::Grid::new(columns.collect());
    for row in &grid.rows {
        let mut cells = Vec::with_capacity(row.len());
        for (column, cell) in grid.columns.iter().zip(row) {
            let words = plain(&cell.phrase, style);
            let drawn = |words: &str| match cell.marked {
                true => table::Cell::bold(words),
                false => words.into(),
            };
            if column.kind == Kind::Bytes {
                let (number, unit) = words.split_once(' ').unwrap_or((&words, ""));
                cells.extend([drawn(number), drawn(unit)]);
            } else {
                cells.push(drawn(&words));
            }
        }
        drawn.push(cells);
    }
    drawn.render(style)
}

/// The columns that a column takes: a size has its unit in one of its own, so that units align.
fn heads(column: &Column, style: Style) -> Vec<table::Column> {
    let gap = match column.bond {
        Bond::Apart => 3,
        Bond::Near => 2,
        Bond::Tight => 1,
    };
    let header = plain(&column.header, style);
    match column.kind {
        Kind::Words => vec![table::Column::text(header).after(gap)],
        Kind::Number => vec![table::Column::number(header).after(gap)],
        Kind::Bytes => vec![
            table::Column::number(header).after(gap),
            table::Column::text("").after(1),
        ],
    }
}
