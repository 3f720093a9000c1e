//! Fits a grid into a terminal: what repeats goes below it, names give way, numbers never do.

use std::collections::HashSet;

use super::fit;
use super::names::{Names, ways};
use super::spell::plain;
use super::style::{Emphasis, Style};
use super::table;
use crate::report::page::{Bond, Cell, Column, Grid, Kind, Piece};

/// The grid under its title; no line is wider than `style.width`.
pub(super) fn grid(grid: &Grid, style: Style) -> String {
    let title = grid.title.as_ref().map_or_else(Vec::new, |title| {
        fit::wrap(&plain(title, style), style.width)
    });
    let title: String = title.into_iter().map(|line| line + "\n").collect();
    title + &fitted(grid, style)
}

/// Tried in order, as far as the width asks for it: without spare columns, with constant columns
/// below, with shorter names, in several blocks, a paragraph a row.
fn fitted(grid: &Grid, style: Style) -> String {
    let Some(limit) = style.width else {
        return aligned(grid, style);
    };
    if fits(grid, limit, style) {
        return aligned(grid, style);
    }
    let needed = without_spare(grid);
    if fits(&needed, limit, style) {
        return aligned(&needed, style);
    }
    let (varying, constant) = without_constant(&needed, style);
    let ways = ways(&names_of(&varying), style);
    for way in &ways {
        let named = renamed(&varying, way);
        if fits(&named, limit, style) {
            return aligned(&named, style) + &below(way, constant.as_ref(), style);
        }
    }
    // The fewest blocks, and among equals the longest names.
    let split = ways.iter().filter_map(|way| {
        let named = renamed(&varying, way);
        blocks(&named, limit, style).map(|blocks| (blocks, way))
    });
    if let Some((blocks, way)) = split.min_by_key(|(blocks, _)| blocks.len()) {
        let drawn: Vec<String> = blocks.iter().map(|block| aligned(block, style)).collect();
        return drawn.join("\n") + &below(way, constant.as_ref(), style);
    }
    paragraphs(&varying, style) + &faint(constant.as_deref(), style)
}

fn fits(grid: &Grid, limit: usize, style: Style) -> bool {
    let bare = Style {
        colour: false,
        ..style
    };
    aligned(grid, bare)
        .lines()
        .all(|line| fit::width(line) <= limit)
}

fn below(names: &Names, constant: Option<&String>, style: Style) -> String {
    let about = names.about.as_deref();
    faint(constant.map(String::as_str), style) + &faint(about, style)
}

fn faint(text: Option<&str>, style: Style) -> String {
    let lines = text.map_or_else(Vec::new, |text| fit::wrap(text, style.width));
    let lines = lines
        .iter()
        .map(|line| style.paint(line, Emphasis::Faint) + "\n");
    lines.collect()
}

/// The same columns as `columns` says, in its order.
fn chosen(grid: &Grid, columns: &[usize]) -> Grid {
    let row = |row: &Vec<Cell>| columns.iter().map(|&at| row[at].clone()).collect();
    Grid {
        title: None,
        columns: columns.iter().map(|&at| grid.columns[at].clone()).collect(),
        rows: grid.rows.iter().map(row).collect(),
    }
}

fn without_spare(grid: &Grid) -> Grid {
    let kept = (0..grid.columns.len()).filter(|&at| !grid.columns[at].spare);
    chosen(grid, &kept.collect::<Vec<_>>())
}

/// Columns that belong together: a number, its error, its chance level.
fn groups(grid: &Grid) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, column) in grid.columns.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if column.bond != Bond::Apart => group.push(at),
            _ => groups.push(vec![at]),
        }
    }
    groups
}

/// The grid without the columns that say the same in every row, and what they say.
fn without_constant(grid: &Grid, style: Style) -> (Grid, Option<String>) {
    let groups = groups(grid);
    let [first, rest @ ..] = &grid.rows[..] else {
        return (grid.clone(), None);
    };
    let is_constant = |group: &&Vec<usize>| {
        let same = |row: &Vec<Cell>| group.iter().all(|&at| row[at].phrase == first[at].phrase);
        !rest.is_empty() && rest.iter().all(same)
    };
    let (constant, varying): (Vec<_>, Vec<_>) = groups.iter().partition(is_constant);
    if constant.is_empty() || varying.is_empty() {
        return (grid.clone(), None);
    }
    let said: Vec<String> = constant
        .iter()
        .map(|group| said(grid, first, group, style))
        .filter(|said| !said.is_empty())
        .collect();
    let said = (!said.is_empty()).then(|| format!("in every row: {}", said.join(", ")));
    let columns: Vec<usize> = varying.into_iter().flatten().copied().collect();
    (chosen(grid, &columns), said)
}

/// A group of cells of one row in words: `id 34.8 ± 1.3`.
fn said(grid: &Grid, row: &[Cell], group: &[usize], style: Style) -> String {
    let mut words: Vec<String> = Vec::new();
    for &at in group {
        let value = plain(&row[at].phrase, style);
        if !value.is_empty() {
            words.extend([plain(&grid.columns[at].header, style), value]);
        }
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// The names of each column that has any.
fn names_of(grid: &Grid) -> Vec<Vec<&str>> {
    let columns = (0..grid.columns.len()).map(|at| {
        let pieces = grid.rows.iter().flat_map(move |row| &row[at].phrase.0);
        let names = pieces.filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            _ => None,
        });
        names.collect::<Vec<&str>>()
    });
    columns.filter(|names| !names.is_empty()).collect()
}

fn renamed(grid: &Grid, names: &Names) -> Grid {
    let mut grid = grid.clone();
    for cell in grid.rows.iter_mut().flatten() {
        for piece in &mut cell.phrase.0 {
            if let Piece::Name(name) = piece {
                *piece = Piece::Words(names.of(name).to_owned().into());
            }
        }
    }
    grid
}

/// The grid in blocks that fit, each beginning with the columns that tell rows apart; nothing where
/// they leave no room.
fn blocks(grid: &Grid, limit: usize, style: Style) -> Option<Vec<Grid>> {
    let groups = groups(grid);
    let tells_apart = |keys: &[Vec<usize>]| {
        let mut seen = HashSet::new();
        let columns: Vec<usize> = keys.iter().flatten().copied().collect();
        let key = |row: &Vec<Cell>| -> Vec<String> {
            let cells = columns.iter().map(|&at| plain(&row[at].phrase, style));
            cells.collect()
        };
        grid.rows.iter().all(|row| seen.insert(key(row)))
    };
    let keys = (1..groups.len()).find(|&count| tells_apart(&groups[..count]))?;
    let keys_columns: Vec<usize> = groups[..keys].iter().flatten().copied().collect();
    let mut blocks: Vec<Grid> = Vec::new();
    let mut columns = keys_columns.clone();
    for group in &groups[keys..] {
        let wider = [&columns[..], group].concat();
        if fits(&chosen(grid, &wider), limit, style) {
            columns = wider;
            continue;
        }
        if columns.len() == keys_columns.len() {
            return None;
        }
        blocks.push(chosen(grid, &columns));
        columns = [&keys_columns[..], group].concat();
        if !fits(&chosen(grid, &columns), limit, style) {
            return None;
        }
    }
    blocks.push(chosen(grid, &columns));
    Some(blocks)
}

/// A paragraph a row: its first cells, then the others behind their heads.
fn paragraphs(grid: &Grid, style: Style) -> String {
    let groups = groups(grid);
    let Some((first, others)) = groups.split_first() else {
        return String::new();
    };
    let mut lines = Vec::new();
    for row in &grid.rows {
        let heading: Vec<String> = first
            .iter()
            .map(|&at| plain(&row[at].phrase, style))
            .collect();
        lines.extend(fit::wrap(heading.join(" ").trim_end(), style.width));
        let others: Vec<String> = others
            .iter()
            .map(|group| said(grid, row, group, style))
            .filter(|said| !said.is_empty())
            .collect();
        if !others.is_empty() {
            lines.extend(fit::wrap(&format!("  {}", others.join(", ")), style.width));
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::page::{count, decimal, name};

    fn style(width: usize) -> Style {
        Style {
            width: Some(width),
            ..Style::default()
        }
    }

    fn pairs(n: usize) -> Grid {
        let mut grid = Grid::new(vec![
            Column::words("a"),
            Column::words("b"),
            Column::number("n"),
            Column::number("Δ(a→b)"),
            Column::error(),
        ]);
        for at in 0..n {
            grid.push(vec![
                name(format!("model.layers.{at}.mlp")).into(),
                name(format!("model.layers.{n}.mlp")).into(),
                count(1000).into(),
                decimal(0.1 + at as f64 / 100.0, 3).into(),
                decimal(0.01, 3).into(),
            ]);
        }
        grid
    }

    #[test]
    fn what_repeats_goes_below_then_names_give_way() {
        assert_eq!(
            grid(&pairs(2), style(50)),
            "\
a                    Δ(a→b)  ±
model.layers.0.mlp   0.100   0.010
model.layers.1.mlp   0.110   0.010
in every row: b model.layers.2.mlp, n 1000
"
        );
        assert_eq!(
            grid(&pairs(2), style(30)),
            "\
a   Δ(a→b)  ±
0   0.100   0.010
1   0.110   0.010
in every row: b
  model.layers.2.mlp, n 1000
names stand for
  model.layers.….mlp
"
        );
    }

    #[test]
    fn columns_that_do_not_fit_stand_in_a_block_of_their_own() {
        let mut wide = pairs(2);
        for (at, row) in wide.rows.iter_mut().enumerate() {
            row[2] = count(1000 + at).into();
        }
        assert_eq!(
            grid(&wide, style(20)),
            "\
a   n
0   1000
1   1001

a   Δ(a→b)  ±
0   0.100   0.010
1   0.110   0.010
in every row: b
  model.layers.2.mlp
names stand for
  model.layers.….mlp
"
        );
    }

    #[test]
    fn rows_that_no_column_tells_apart_are_paragraphs() {
        let mut twice = pairs(1);
        twice.push(twice.rows[0].clone());
        let paragraph = "\
model.layers.0.mlp
  b model.layers.1.mlp,
  n 1000, Δ(a→b) 0.100 ±
  0.010
";
        assert_eq!(grid(&twice, style(24)), paragraph.repeat(2));
    }

    /// Rows with names of one family, and a number that no other row has in every column.
    fn any_grid() -> impl Strategy<Value = (Vec<String>, Grid)> {
        let names = prop::collection::hash_set("[a-z]{1,9}[._][0-9]{0,3}[a-z._]{0,20}", 1..12);
        (
            "[a-z.]{0,16}",
            names,
            1usize..9,
            prop::collection::vec(any::<bool>(), 9),
        )
            .prop_map(|(family, names, columns, near)| {
                let names: Vec<String> = names.iter().map(|one| format!("{family}{one}")).collect();
                let mut heads = vec![Column::words("layer")];
                for (column, &near) in near.iter().enumerate().take(columns) {
                    let head = Column::number(format!("quantity {column}"));
                    heads.push(if near && column > 0 {
                        head.near()
                    } else {
                        head
                    });
                }
                let mut grid = Grid::new(heads);
                for (at, layer) in names.iter().enumerate() {
                    let mut row: Vec<Cell> = vec![name(layer).into()];
                    let number = |column: usize| (at * 10 + column) as f64 + 0.125;
                    row.extend((0..columns).map(|column| decimal(number(column), 3).into()));
                    grid.push(row);
                }
                (names, grid)
            })
    }

    proptest! {
        #[test]
        fn at_any_width_no_number_is_cut_and_no_two_names_look_alike(
            (names, wide) in any_grid(),
            width in 40usize..=200,
            ascii in any::<bool>(),
        ) {
            let style = Style { ascii, ..style(width) };
            let shown = grid(&wide, style);
            for line in shown.lines() {
                prop_assert!(fit::width(line) <= width, "{line:?}");
            }
            let words: HashSet<&str> = shown.split([' ', ',', '\n']).collect();
            for cell in wide.rows.iter().flat_map(|row| &row[1..]) {
                let number = plain(&cell.phrase, style);
                prop_assert!(words.contains(number.as_str()), "{number}:\n{shown}");
            }
            let mut labels = HashSet::new();
            for (layer, row) in names.iter().zip(&wide.rows) {
                let number = plain(&row[1].phrase, style);
                let is_it = |line: &&str| line.split([' ', ',']).any(|word| word == number);
                let line = shown.lines().find(is_it).unwrap();
                match line.strip_prefix("  ") {
                    // A paragraph has the whole name above it.
                    Some(_) => {
                        let squeezed = shown.replace(['\n', ' '], "");
                        prop_assert!(squeezed.contains(layer.as_str()), "{layer}:\n{shown}");
                    }
                    None => {
                        let label = line.split_whitespace().next().unwrap();
                        prop_assert!(labels.insert(label.to_owned()), "{label}:\n{shown}");
                    }
                }
            }
        }
    }
}
