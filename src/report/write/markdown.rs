//! Writes a page as Markdown: its grids and matrices as tables, its sentences as they are.

use super::text::{Style, plain, sentences, significant, tree};
use crate::report::page::{Grid, Kind, Matrix, Notes, Page, Part, Piece, name};

/// The whole page.
pub(in crate::report) fn page(page: &Page, style: &Style) -> String {
    let style = Style {
        colour: false,
        width: None,
        ..*style
    };
    let mut parts: Vec<String> = page
        .parts
        .iter()
        .map(|part| match part {
            Part::Grid(grid) => grid_table(grid, style),
            Part::Matrix(matrix) => matrix_table(matrix, style),
            Part::Tree(found) => format!("```text\n{}```\n", tree(found, style)),
            Part::Plane(plane) => {
                let caption = plane.caption.as_ref();
                caption.map_or_else(String::new, |words| paragraph(&plain(words, style)))
            }
            Part::Notes(found) => notes(found, style),
            Part::Curves(_) => String::new(),
        })
        .collect();
    parts.push(notes(&page.closing, style));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn notes(notes: &Notes, style: Style) -> String {
    let lines = sentences(notes, style);
    lines
        .iter()
        .map(|line| format!("- {}\n", escaped(line)))
        .collect()
}

fn paragraph(text: &str) -> String {
    format!("{}\n", escaped(text))
}

fn grid_table(grid: &Grid, style: Style) -> String {
    let title = grid
        .title
        .as_ref()
        .map(|title| paragraph(&plain(title, style)) + "\n");
    let heads = grid.columns.iter().map(|column| {
        let is_number = column.kind != Kind::Words;
        (plain(&column.header, style), is_number)
    });
    let rows = grid.rows.iter().map(|row| {
        let cells = row.iter().map(|cell| {
            let words = escaped(plain(&cell.phrase, style).trim());
            match cell.marked && !words.is_empty() {
                true => format!("**{words}**"),
                false => words,
            }
        });
        cells.collect()
    });
    title.unwrap_or_default() + &table(heads.collect(), rows)
}

fn matrix_table(matrix: &Matrix, style: Style) -> String {
    let mut caption = plain(&matrix.meaning, style);
    if let Some(title) = &matrix.title {
        caption = format!("{}: {caption}", plain(title, style));
    }
    let mut heads = vec![(plain(&matrix.row_label, style), false)];
    heads.extend(matrix.columns.iter().map(|one| (shown(one, style), true)));
    let rows = matrix
        .rows
        .iter()
        .zip(&matrix.values)
        .map(|(name, values)| {
            let mut row = vec![escaped(&shown(name, style))];
            row.extend(values.iter().map(|value| match value {
                Some(value) => significant(*value, 3),
                None => plain(&Piece::Absent.into(), style),
            }));
            row
        });
    paragraph(&caption) + "\n" + &table(heads, rows)
}

/// A name that somebody else chose, without what would move a cursor.
fn shown(foreign: &str, style: Style) -> String {
    plain(&name(foreign).into(), style)
}

fn table(heads: Vec<(String, bool)>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let rules = heads.iter().map(|(_, is_number)| match is_number {
        true => "---:".to_owned(),
        false => "---".to_owned(),
    });
    let rules = line(rules.collect());
    let heads = line(heads.iter().map(|(head, _)| escaped(head)).collect());
    heads + &rules + &rows.map(line).collect::<String>()
}

/// `text` without what Markdown would read as marks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\|*_`<>[]#~".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::{Cell, Column, Note, Scale, known, number};

    #[test]
    fn a_page_is_tables_and_a_list() {
        let mut grid = Grid::new(vec![
            Column::words("layer"),
            Column::number("id"),
            Column::error(),
        ]);
        grid.push(vec![
            name("a|b_c").into(),
            Cell::marked(number(24.61, 3)),
            known(None, 2).into(),
        ]);
        let matrix = Matrix {
            title: None,
            meaning: "overlap".into(),
            row_label: "layer".into(),
            column_label: "layer".into(),
            rows: vec!["x".into()],
            columns: vec!["y".into()],
            values: vec![vec![Some(0.25)]],
            scale: Scale::linear(0.0, 1.0),
        };
        let shown = page(
            &Page::new(
                "ID",
                vec![grid.into(), Part::Matrix(matrix)],
                vec![Note::Line("peak at a".into())].into(),
            ),
            &Style::default(),
        );
        assert_eq!(
            shown,
            "\
| layer | id | ± |
| --- | ---: | ---: |
| a\\|b\\_c | **24.6** | — |

overlap

| layer | y |
| --- | ---: |
| x | 0.250 |

- peak at a
"
        );
    }
}
