//! Writes a page as LaTeX: each grid and matrix a `tabular` with the rules of booktabs.
//!
//! What is said in sentences stands in comments, so that a number keeps how it was made. Small
//! drawings have no place in a paper's table and are left out.

use super::text::{Style, plain, sentences, significant};
use crate::report::page::{Grid, Kind, Matrix, Page, Part, Phrase, Piece, name};

/// Our symbols, and what else LaTeX reads as marks.
const SPELT: [(char, &str); 21] = [
    ('\\', r"\textbackslash{}"),
    ('{', r"\{"),
    ('}', r"\}"),
    ('&', r"\&"),
    ('%', r"\%"),
    ('$', r"\$"),
    ('#', r"\#"),
    ('_', r"\_"),
    ('~', r"\textasciitilde{}"),
    ('^', r"\textasciicircum{}"),
    ('<', r"$<$"),
    ('>', r"$>$"),
    ('±', r"$\pm$"),
    ('→', r"$\to$"),
    ('Δ', r"$\Delta$"),
    ('²', r"$^2$"),
    ('≥', r"$\geq$"),
    ('×', r"$\times$"),
    ('│', r"$\vert$"),
    ('●', r"$\bullet$"),
    ('|', r"$\vert$"),
];

/// The whole page.
pub(in crate::report) fn page(page: &Page, style: &Style) -> String {
    let style = Style {
        colour: false,
        width: None,
        ..*style
    };
    let mut parts: Vec<String> = vec!["% \\usepackage{booktabs}\n".to_owned()];
    parts.extend(page.parts.iter().map(|part| match part {
        Part::Grid(grid) => grid_table(grid, style),
        Part::Matrix(matrix) => matrix_table(matrix, style),
        Part::Notes(notes) => comments(sentences(notes, style)),
        Part::Tree(_) | Part::Plane(_) | Part::Curves(_) => String::new(),
    }));
    parts.push(comments(sentences(&page.closing, style)));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn comments(lines: Vec<String>) -> String {
    lines.iter().map(|line| format!("% {line}\n")).collect()
}

fn grid_table(grid: &Grid, style: Style) -> String {
    let title = grid.title.as_ref().map(|title| plain(title, style));
    let cells: Vec<Vec<String>> = grid
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| spelt(&cell.phrase, style)).collect())
        .collect();
    // A column of drawings has nothing left.
    let kept: Vec<usize> = (0..grid.columns.len())
        .filter(|&at| cells.iter().any(|row| !row[at].is_empty()))
        .collect();
    let heads = kept.iter().map(|&at| {
        let column = &grid.columns[at];
        (spelt(&column.header, style), column.kind != Kind::Words)
    });
    let rows = cells
        .iter()
        .map(|row| kept.iter().map(|&at| row[at].clone()).collect());
    comments(title.into_iter().collect()) + &tabular(heads.collect(), rows)
}

fn matrix_table(matrix: &Matrix, style: Style) -> String {
    let title = matrix.title.iter().chain([&matrix.meaning]);
    let title = comments(title.map(|words| plain(words, style)).collect());
    let foreign = |one: &String| spelt(&name(one).into(), style);
    let mut heads = vec![(spelt(&matrix.row_label, style), false)];
    heads.extend(matrix.columns.iter().map(|column| (foreign(column), true)));
    let rows = matrix.rows.iter().zip(&matrix.values).map(|(row, values)| {
        let numbers = values.iter().map(|value| match value {
            Some(value) => mathematical(&significant(*value, 3)),
            None => "---".to_owned(),
        });
        std::iter::once(foreign(row)).chain(numbers).collect()
    });
    title + &tabular(heads, rows)
}

fn tabular(heads: Vec<(String, bool)>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
    let aligned = heads
        .iter()
        .map(|(_, is_number)| if *is_number { 'r' } else { 'l' });
    let aligned: String = aligned.collect();
    let heads = line(heads.into_iter().map(|(head, _)| head).collect());
    let rows: String = rows.map(line).collect();
    format!(
        "\\begin{{tabular}}{{{aligned}}}\n\\toprule\n{heads}\\midrule\n{rows}\\bottomrule\n\\end{{tabular}}\n"
    )
}

/// A phrase in LaTeX, without its drawings.
fn spelt(phrase: &Phrase, style: Style) -> String {
    let pieces = phrase.0.iter().map(|piece| match piece {
        Piece::Series(_) => String::new(),
        Piece::Absent => "---".to_owned(),
        Piece::Number { .. } | Piece::Decimal { .. } => {
            mathematical(&plain(&piece.clone().into(), style))
        }
        _ => escaped(&plain(&piece.clone().into(), style)),
    });
    pieces.collect::<String>().trim().to_owned()
}

/// A number with a real minus and a power of ten: `$-1.2 \times 10^{-9}$`.
fn mathematical(number: &str) -> String {
    match number.split_once('e') {
        Some((digits, exponent)) => format!("${digits} \\times 10^{{{exponent}}}$"),
        None => format!("${number}$"),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match SPELT.iter().find(|(known, _)| *known == character) {
            Some((_, spelling)) => out += spelling,
            None => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::{Column, Note, known, number, series};

    #[test]
    fn a_grid_is_a_tabular_and_sentences_are_comments() {
        let mut grid = Grid::new(vec![
            Column::words("layer"),
            Column::number("Δ(a→b)"),
            Column::error(),
            Column::words("gride"),
        ]);
        grid.push(vec![
            name("a_b").into(),
            number(-1.25e-9, 3).into(),
            known(None, 2).into(),
            series([Some(1.0), Some(2.0)]).into(),
        ]);
        let closing = vec![Note::Context("± jackknife".into())].into();
        let shown = page(
            &Page::new("ID", vec![grid.into()], closing),
            &Style::default(),
        );
        assert_eq!(
            shown,
            r"% \usepackage{booktabs}

\begin{tabular}{lrr}
\toprule
layer & $\Delta$(a$\to$b) & $\pm$ \\
\midrule
a\_b & $-1.25 \times 10^{-9}$ & --- \\
\bottomrule
\end{tabular}

% ± jackknife
"
        );
    }
}
