//! How `repgeo similarity` looks.

use super::csv::Record;
use super::heatmap::{Scale, heatmap};
use super::number::{grouped, significant};
use super::similarity_records::similarity_records;
use super::sparkline::sparkline;
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::profile::similarity::{Joined, RankedSource, SimilarityPair, SimilarityProfile};

impl Printable for SimilarityProfile {
    fn records(&self) -> Vec<Record<'_>> {
        similarity_records(self)
    }

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let mut blocks: Vec<String> = self
            .matrices
            .iter()
            .map(|matrix| heatmap(&matrix.values, &scale(self, matrix.measure), style))
            .collect();
        if self.matrices.is_empty() {
            blocks.push(match self.parameters.measures.len() {
                0..=SIDE_BY_SIDE => pair_grid(self, style),
                _ => measure_grid(self, style),
            });
        }
        if !self.ranking.is_empty() {
            blocks.push(ranking_grid(self, style));
        }
        blocks.join("\n")
    }

    fn closing(&self, style: &Style) -> String {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(freeze_line(self, *style));
        lines.extend(self.joined.iter().map(|joined| joined_line(joined, *style)));
        let lines = lines.iter().flat_map(|line| text::wrap(line, style.width));
        let mut closing: String = lines.map(|line| line + "\n").collect();
        for line in text::wrap(&context(self, *style), style.width) {
            closing += &(style.paint(&line, Emphasis::Faint) + "\n");
        }
        let against = self.against.as_deref();
        closing + &warnings::of_comparison(&self.warnings, &self.layers, against, *style)
    }
}

/// Up to so many measures stand side by side; more stand below each other.
const SIDE_BY_SIDE: usize = 2;

/// Shades from nothing in common to all, or the other way for distances.
fn scale(profile: &SimilarityProfile, measure: &str) -> Scale {
    let meaning = measure.to_owned();
    match (measure, profile.parameters.imbalance_k) {
        ("procrustes", _) => Scale::linear(0.0, 2.0, meaning),
        ("imbalance", Some(k)) => {
            let floor = (k + 1) as f64 / profile.n.max(1) as f64;
            Scale::logarithmic(floor.min(0.5), 1.0, meaning)
        }
        _ => Scale::linear(0.0, 1.0, meaning),
    }
}

/// A line a pair and measure.
fn measure_grid(profile: &SimilarityProfile, style: Style) -> String {
    let any = |what: fn(&SimilarityPair) -> bool| profile.pairs.iter().any(what);
    let shown = Shown {
        measure: "value",
        backward: any(|pair| pair.backward.is_some()),
        error: any(|pair| pair.std_error.is_some()),
        chance: any(|pair| pair.chance.is_some()),
        null: any(|pair| pair.null.is_some()),
    };
    let sourced = any(|pair| pair.source.is_some());
    let mut columns = vec![
        Column::text("a"),
        Column::text("b"),
        Column::text("measure"),
    ];
    if sourced {
        columns.push(Column::text("source"));
    }
    shown.columns(&mut columns, style);
    let mut grid = Grid::new(columns);
    for pair in &profile.pairs {
        let mut row: Vec<Cell> = vec![
            text::safe(&pair.a.layer, style).into(),
            text::safe(&pair.b.layer, style).into(),
            pair.measure.into(),
        ];
        if sourced {
            row.push(text::safe(pair.source.as_deref().unwrap_or(""), style).into());
        }
        shown.cells(Some(pair), &mut row, style);
        grid.push(row);
    }
    grid.render(style)
}

/// A line a pair of layers, the measures side by side.
fn pair_grid(profile: &SimilarityProfile, style: Style) -> String {
    let measures = &profile.parameters.measures;
    let has = |measure: &str, what: &dyn Fn(&SimilarityPair) -> bool| {
        let mut own = profile.pairs.iter().filter(|pair| pair.measure == measure);
        own.any(what)
    };
    let sourced = profile.pairs.iter().any(|pair| pair.source.is_some());
    let mut columns = vec![Column::text("a"), Column::text("b")];
    if sourced {
        columns.push(Column::text("source"));
    }
    let shown: Vec<Shown> = measures
        .iter()
        .map(|&measure| Shown {
            measure,
            backward: has(measure, &|pair| pair.backward.is_some()),
            error: has(measure, &|pair| pair.std_error.is_some()),
            chance: has(measure, &|pair| pair.chance.is_some()),
            null: has(measure, &|pair| pair.null.is_some()),
        })
        .collect();
    for one in &shown {
        one.columns(&mut columns, style);
    }
    let mut grid = Grid::new(columns);
    let Some(first) = measures.first() else {
        return grid.render(style);
    };
    let per_measure: Vec<&SimilarityPair> = profile
        .pairs
        .iter()
        .filter(|pair| pair.measure == *first)
        .collect();
    for pair in per_measure {
        let mut row: Vec<Cell> = vec![
            text::safe(&pair.a.layer, style).into(),
            text::safe(&pair.b.layer, style).into(),
        ];
        if sourced {
            row.push(text::safe(pair.source.as_deref().unwrap_or(""), style).into());
        }
        for one in &shown {
            let found = profile.pairs.iter().find(|other| {
                other.measure == one.measure
                    && other.source == pair.source
                    && other.a.index == pair.a.index
                    && other.b.index == pair.b.index
            });
            one.cells(found, &mut row, style);
        }
        grid.push(row);
    }
    grid.render(style)
}

/// Which columns a measure has.
struct Shown {
    measure: &'static str,
    backward: bool,
    error: bool,
    chance: bool,
    null: bool,
}

impl Shown {
    fn columns(&self, columns: &mut Vec<Column>, style: Style) {
        columns.push(Column::number(self.measure));
        if self.error {
            columns.push(Column::number(style.plus_minus()).after(1));
        }
        if self.backward {
            columns.push(Column::number("back").after(1));
        }
        if self.chance {
            columns.push(Column::number("chance").after(1));
        }
        if self.null {
            columns.push(Column::number("permuted").after(1));
            columns.push(Column::number("p").after(1));
        }
    }

    fn cells(&self, pair: Option<&SimilarityPair>, row: &mut Vec<Cell>, style: Style) {
        let number = |value: Option<f64>, digits| -> Cell {
            let text = value.map(|value| significant(value, digits));
            text.unwrap_or_else(|| style.dash().to_owned()).into()
        };
        let reason = pair.and_then(|pair| pair.reason);
        row.push(match reason {
            Some(reason) => reason.code().into(),
            None => number(pair.and_then(|pair| pair.value), 3),
        });
        if self.error {
            row.push(number(pair.and_then(|pair| pair.std_error), 2));
        }
        if self.backward {
            row.push(number(pair.and_then(|pair| pair.backward), 3));
        }
        if self.chance {
            row.push(number(pair.and_then(|pair| pair.chance), 2));
        }
        if self.null {
            let null = pair.and_then(|pair| pair.null.as_ref());
            row.push(number(null.map(|null| null.mean), 2));
            row.push(number(null.map(|null| null.p_value), 2));
        }
    }
}

/// Sources, best first, and how deep they stay like the target.
fn ranking_grid(profile: &SimilarityProfile, style: Style) -> String {
    let named = profile.ranking.iter().any(|one| one.source.is_some());
    let threshold = profile.parameters.threshold.unwrap_or(1.0);
    let at_least = if style.ascii { ">=" } else { "≥" };
    let mut columns = vec![Column::text("measure")];
    if named {
        columns.push(Column::number("rank"));
        columns.push(Column::text("source"));
    }
    columns.extend([
        Column::number("mean similarity"),
        Column::text(format!("{at_least} {} up to", significant(threshold, 3))),
        Column::text("over layers"),
    ]);
    let mut grid = Grid::new(columns);
    for one in &profile.ranking {
        let mut row: Vec<Cell> = vec![one.measure.into()];
        if named {
            row.push(
                one.rank
                    .map(|rank| rank.to_string())
                    .unwrap_or_default()
                    .into(),
            );
            row.push(text::safe(one.source.as_deref().unwrap_or(""), style).into());
        }
        let mean = one.mean.map(|mean| significant(mean, 3));
        row.push(mean.unwrap_or_else(|| style.dash().to_owned()).into());
        row.push(depth(one, style).into());
        row.push(sparkline(&one.similarities, &style).into());
        grid.push(row);
    }
    grid.render(style)
}

fn depth(one: &RankedSource, style: Style) -> String {
    match &one.unchanged_up_to {
        None => style.dash().to_owned(),
        Some(side) => format!(
            "{} ({:.2})",
            text::safe(&side.layer, style),
            side.relative_depth
        ),
    }
}

/// The answer to "where may I freeze?" by the first measure.
fn freeze_line(profile: &SimilarityProfile, style: Style) -> Option<String> {
    let best = profile.ranking.first()?;
    let whose = match &best.source {
        Some(source) => format!(
            "{} is most like the target by {}",
            text::safe(source, style),
            best.measure
        ),
        None => format!("by {}", best.measure),
    };
    let threshold = significant(profile.parameters.threshold?, 3);
    Some(match &best.unchanged_up_to {
        Some(side) => format!(
            "{whose}: layers up to {} (depth {:.2}) keep a similarity of at least {threshold}",
            text::safe(&side.layer, style),
            side.relative_depth
        ),
        None => format!("{whose}: already the first layer falls below {threshold}"),
    })
}

fn joined_line(joined: &Joined, style: Style) -> String {
    let source = joined
        .source
        .as_deref()
        .map(|source| format!(" of {source}"));
    let what = format!(
        "{}{} against {}",
        joined.measure,
        source.unwrap_or_default(),
        joined.column
    );
    let what = text::safe(&what, style);
    match (joined.spearman, joined.p_value, joined.reason) {
        (Some(value), Some(p), _) => format!(
            "{what}: Spearman {} over {} layers, p {}",
            significant(value, 3),
            joined.n,
            significant(p, 2)
        ),
        (_, _, reason) => {
            let code = reason.map_or("", |reason| reason.code());
            format!("{what}: no rank correlation ({code})")
        }
    }
}

fn context(profile: &SimilarityProfile, style: Style) -> String {
    let parameters = &profile.parameters;
    let mut facts = vec![format!("n {}", grouped(profile.n, style))];
    facts.extend(
        parameters
            .bandwidth
            .map(|f| format!("bandwidth {f} x median")),
    );
    facts.extend(
        parameters
            .variance
            .map(|v| format!("svcca keeps {v} of variance")),
    );
    if let (Some(what), Some(how)) = (parameters.dissimilarity, parameters.correlation) {
        facts.push(format!("rsa {what}, {how}"));
    }
    facts.extend(parameters.imbalance_k.map(|k| format!("imbalance k {k}")));
    facts.extend(parameters.overlap_k.map(|k| format!("overlap k {k}")));
    facts.extend(parameters.partitions.map(|p| format!("{p} parts")));
    if parameters.permutations > 0 {
        facts.push(format!("{} permutations", parameters.permutations));
    }
    text::safe(&facts.join("; "), style)
}
