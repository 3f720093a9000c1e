//! Aligned columns for a terminal.

use super::fit;
use super::style::{Emphasis, Style};

/// A grid of cells; numbers align on the decimal point. How wide it becomes is its user's business.
pub(super) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// One column of a [`Grid`].
pub(super) struct Column {
    header: String,
    align: Align,
    gap: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Point,
}

/// One cell of a [`Grid`].
#[derive(Default)]
pub(super) struct Cell {
    text: String,
    emphasis: Emphasis,
}

/// A piece of a line.
struct Span {
    text: String,
    emphasis: Emphasis,
}

impl Column {
    /// A column of text.
    pub(super) fn text(header: impl Into<String>) -> Self {
        Self {
            header: header.into(),
            align: Align::Left,
            gap: 3,
        }
    }

    /// A column of numbers, aligned on the decimal point.
    pub(super) fn number(header: impl Into<String>) -> Self {
        Self {
            align: Align::Point,
            ..Self::text(header)
        }
    }

    /// Stands `gap` spaces after the column before it.
    pub(super) fn after(self, gap: usize) -> Self {
        Self { gap, ..self }
    }
}

impl Cell {
    /// A cell that stands out.
    pub(super) fn bold(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            emphasis: Emphasis::Bold,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            emphasis: Emphasis::Plain,
        }
    }
}

impl Grid {
    /// An empty grid.
    pub(super) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing at its end stay empty.
    pub(super) fn push(&mut self, mut row: Vec<Cell>) {
        row.resize_with(self.columns.len(), Cell::default);
        self.rows.push(row);
    }

    /// The header and the rows, a line each.
    pub(super) fn render(&self, style: Style) -> String {
        let layouts: Vec<Layout> = (0..self.columns.len()).map(|c| self.layout(c)).collect();
        let header = self.line(&layouts, style, |column| Span {
            text: self.columns[column].header.clone(),
            emphasis: Emphasis::Faint,
        });
        let rows = self.rows.iter().map(|row| {
            self.line(&layouts, style, |column| Span {
                text: layouts[column].place(&row[column].text, self.columns[column].align),
                emphasis: row[column].emphasis,
            })
        });
        std::iter::once(header).chain(rows).collect()
    }

    fn layout(&self, column: usize) -> Layout {
        let cells = || self.rows.iter().map(|row| row[column].text.as_str());
        let header = fit::width(&self.columns[column].header);
        match self.columns[column].align {
            Align::Left => Layout {
                before_point: 0,
                total: cells().map(fit::width).fold(header, usize::max),
            },
            Align::Point => {
                let widest = |part: fn(&str) -> &str| {
                    let widths = cells().map(|cell| fit::width(part(cell)));
                    widths.max().unwrap_or(0)
                };
                let before_point = widest(|cell| split_at_point(cell).0);
                let after_point = widest(|cell| split_at_point(cell).1);
                Layout {
                    before_point,
                    total: header.max(before_point + after_point),
                }
            }
        }
    }

    fn line(&self, layouts: &[Layout], style: Style, cell: impl Fn(usize) -> Span) -> String {
        let mut spans = Vec::new();
        let mut missing = 0;
        for (column, layout) in layouts.iter().enumerate() {
            let span = cell(column);
            if column > 0 {
                missing += self.columns[column].gap;
            }
            spans.push(Span {
                text: " ".repeat(missing),
                emphasis: Emphasis::Plain,
            });
            missing = layout.total - fit::width(&span.text).min(layout.total);
            spans.push(span);
        }
        finish(spans, style)
    }
}

/// How wide a column is, and where its decimal points stand.
struct Layout {
    before_point: usize,
    total: usize,
}

impl Layout {
    fn place(&self, cell: &str, align: Align) -> String {
        match align {
            Align::Left => cell.to_owned(),
            Align::Point => {
                let before = fit::width(split_at_point(cell).0);
                " ".repeat(self.before_point - before) + cell
            }
        }
    }
}

fn split_at_point(cell: &str) -> (&str, &str) {
    cell.split_at(cell.find('.').unwrap_or(cell.len()))
}

/// The spans as one line without trailing spaces, painted.
fn finish(mut spans: Vec<Span>, style: Style) -> String {
    while let Some(last) = spans.last_mut() {
        last.text.truncate(last.text.trim_end().len());
        if !last.text.is_empty() {
            break;
        }
        spans.pop();
    }
    let mut line: String = spans
        .iter()
        .filter(|span| !span.text.is_empty())
        .map(|span| style.paint(&span.text, span.emphasis))
        .collect();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid(rows: &[(String, String)]) -> Grid {
        let mut grid = Grid::new(vec![Column::text("layer"), Column::number("id")]);
        for (name, number) in rows {
            grid.push(vec![name.as_str().into(), number.as_str().into()]);
        }
        grid
    }

    #[test]
    fn wide_characters_count_twice() {
        let text = grid(&[("層".into(), "1".into()), ("ab".into(), "2".into())]);
        assert_eq!(
            text.render(Style::default()),
            "layer   id\n層      1\nab      2\n"
        );
    }

    #[test]
    fn colour_touches_only_what_is_emphasised_and_never_the_padding() {
        let mut grid = Grid::new(vec![Column::text("layer"), Column::number("id")]);
        grid.push(vec!["a".into(), Cell::bold("1.5")]);
        let style = Style {
            colour: true,
            ..Style::default()
        };
        assert_eq!(
            grid.render(style),
            "\x1b[2mlayer\x1b[0m   \x1b[2mid\x1b[0m\na       \x1b[1m1.5\x1b[0m\n"
        );
    }

    proptest! {
        #[test]
        fn decimal_points_stand_in_one_column(
            numbers in prop::collection::vec(0.001f64..1e6, 1..12)
        ) {
            let rows: Vec<(String, String)> = numbers
                .iter()
                .map(|&number| ("a".into(), super::super::number::significant(number, 3)))
                .collect();
            let text = grid(&rows).render(Style::default());
            let units: Vec<usize> = text
                .lines()
                .skip(1)
                .map(|line| line.find('.').unwrap_or(line.len()))
                .collect();
            prop_assert!(units.iter().all(|unit| *unit == units[0]), "{text}");
        }
    }
}
