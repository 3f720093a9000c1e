//! How `repgeo imbalance` looks: its records, its tables and its last lines.

use super::csv::Record;
use super::heatmap::{Scale, heatmap};
use super::number::{grouped, significant};
use super::sparkline::sparkline;
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::geometry::relation::Relation;
use crate::profile::compare::LayerRef;
use crate::profile::imbalance::{
    BestPair, Direction, ImbalanceMatrix, ImbalancePair, ImbalanceProfile, Null, Steps,
};

/// More pairs than this are shown as a matrix only.
const MANY_PAIRS: usize = 24;

impl Printable for ImbalanceProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let mut records: Vec<Record<'_>> = self.pairs.iter().flat_map(pair_records).collect();
        for steps in &self.steps {
            records.extend(steps.steps.iter().map(|step| Record {
                other: &step.to,
                scale: Some(steps.k),
                n: Some(self.n),
                ..Record::new(&step.from, "relative_difference", step.relative_difference)
            }));
        }
        records
    }

    fn table(&self, style: &Style) -> String {
        let mut blocks: Vec<String> = Vec::new();
        for matrix in &self.matrices {
            blocks.push(matrix_block(matrix, *style));
        }
        let shown: Vec<&ImbalancePair> = self
            .pairs
            .iter()
            .filter(|pair| self.matrices.is_empty() || is_step(self, pair))
            .collect();
        if !shown.is_empty() && (self.matrices.is_empty() || shown.len() <= MANY_PAIRS) {
            blocks.push(pair_grid(self, &shown, *style));
        }
        blocks.join("\n")
    }

    fn closing(&self, style: &Style) -> String {
        let mut lines = Vec::new();
        for steps in &self.steps {
            lines.extend(step_lines(self, steps, *style));
        }
        for best in &self.best_pairs {
            lines.extend(text::wrap(&best_line(self, best, *style), style.width));
        }
        if let [pair] = &self.pairs[..] {
            lines.extend(text::wrap(&verdict(pair, *style), style.width));
        }
        let faint = |line: String| style.paint(&line, Emphasis::Faint);
        lines.extend(
            text::wrap(&context(self, *style), style.width)
                .into_iter()
                .map(faint),
        );
        let against = self.against.as_deref();
        let closing: String = lines.into_iter().map(|line| line + "\n").collect();
        closing + &warnings::of_comparison(&self.warnings, &self.layers, against, *style)
    }
}

fn pair_records(pair: &ImbalancePair) -> Vec<Record<'_>> {
    let record = |variant: &'static str, value| Record {
        other: &pair.b.layer,
        variant: variant.into(),
        scale: Some(pair.k),
        n: Some(pair.n),
        ..Record::new(&pair.a.layer, "imbalance", value)
    };
    let mut records = vec![
        Record {
            std_error: pair.std_error_forward,
            ..record("forward", pair.forward)
        },
        Record {
            std_error: pair.std_error_backward,
            ..record("backward", pair.backward)
        },
    ];
    if let Some(parts) = &pair.partitions {
        let part = |variant, value, std_error| Record {
            n: Some(parts.n),
            std_error,
            ..record(variant, value)
        };
        records.extend([
            part(
                "forward_partitions_mean",
                parts.forward,
                parts.std_error_forward,
            ),
            part(
                "backward_partitions_mean",
                parts.backward,
                parts.std_error_backward,
            ),
            part("forward_partitions_std", parts.std_forward, None),
            part("backward_partitions_std", parts.std_backward, None),
        ]);
    }
    if let Some([there, back]) = &pair.shuffle {
        records.extend([
            record("forward_shuffle_mean", Some(there.mean)),
            record("backward_shuffle_mean", Some(back.mean)),
            record("forward_shuffle_p", Some(there.p_value)),
            record("backward_shuffle_p", Some(back.p_value)),
        ]);
    }
    records
}

/// Whether a pair is a layer and the next one of the same dump.
fn is_step(profile: &ImbalanceProfile, pair: &ImbalancePair) -> bool {
    profile.against.is_none()
        && profile
            .layers
            .windows(2)
            .any(|two| two[0].index == pair.a.index && two[1].index == pair.b.index)
}

fn arrow(style: Style) -> &'static str {
    if style.ascii { "->" } else { "→" }
}

fn delta(style: Style) -> &'static str {
    if style.ascii { "Delta" } else { "Δ" }
}

fn matrix_block(matrix: &ImbalanceMatrix, style: Style) -> String {
    // From the floor, where a layer predicts the other, to 1, where it says nothing.
    let scale = || {
        let meaning = format!(
            "{}(row{}column), k {}",
            delta(style),
            arrow(style),
            matrix.k
        );
        Scale::logarithmic(matrix.floor.min(0.5), 1.0, meaning)
    };
    let there = heatmap(&matrix.forward, &scale(), style);
    match &matrix.backward {
        None => there,
        Some(backward) => {
            let first = heading("first dump to second", style);
            let second = heading("second dump to first", style);
            let back = heatmap(backward, &scale(), style);
            format!("{first}{there}\n{second}{back}")
        }
    }
}

fn heading(words: &str, style: Style) -> String {
    style.paint(words, Emphasis::Bold) + "\n"
}

/// The information-imbalance plane: a line a pair, both directions side by side.
fn pair_grid(profile: &ImbalanceProfile, pairs: &[&ImbalancePair], style: Style) -> String {
    let several = profile.parameters.k.len() > 1;
    let error = || Column::number(style.plus_minus()).after(2);
    let mut columns = vec![Column::text("a"), Column::text("b")];
    if several {
        columns.push(Column::number("k"));
    }
    columns.extend([
        Column::number(format!("{}(a{}b)", delta(style), arrow(style))),
        error(),
        Column::number(format!("{}(b{}a)", delta(style), arrow(style))),
        error(),
    ]);
    let parts = profile.parameters.partitions.is_some();
    if parts {
        columns.extend([
            Column::number("parts a,b"),
            error(),
            Column::number("parts b,a"),
            error(),
        ]);
    }
    let shuffled = profile.parameters.shuffle > 0;
    if shuffled {
        columns.extend([
            Column::number("shuffled a,b"),
            Column::number("p").after(2),
            Column::number("shuffled b,a"),
            Column::number("p").after(2),
        ]);
    }
    columns.push(Column::text("relation"));
    let mut grid = Grid::new(columns);
    let number = |value: Option<f64>, digits| -> Cell {
        value.map_or(style.dash().into(), |v| significant(v, digits).into())
    };
    let spread = |value: Option<f64>| -> Cell {
        value.map(|v| significant(v, 2)).unwrap_or_default().into()
    };
    for pair in pairs {
        let mut row: Vec<Cell> = vec![
            text::safe(&pair.a.layer, style).into(),
            text::safe(&pair.b.layer, style).into(),
        ];
        if several {
            row.push(grouped(pair.k, style).into());
        }
        row.extend([
            number(pair.forward, 3),
            spread(pair.std_error_forward),
            number(pair.backward, 3),
            spread(pair.std_error_backward),
        ]);
        if let Some(found) = pair.partitions.as_ref().filter(|_| parts) {
            row.extend([
                number(found.forward, 3),
                spread(found.std_error_forward),
                number(found.backward, 3),
                spread(found.std_error_backward),
            ]);
        }
        if shuffled {
            for side in 0..2 {
                let null: Option<&Null> = pair.shuffle.as_ref().map(|nulls| &nulls[side]);
                row.push(number(null.map(|null| null.mean), 3));
                row.push(spread(null.map(|null| null.p_value)));
            }
        }
        row.push(match (pair.relation, pair.reason) {
            (Some(relation), _) => relation_word(relation).into(),
            (None, Some(reason)) => reason.code().into(),
            (None, None) => Cell::default(),
        });
        grid.push(row);
    }
    grid.render(style)
}

fn relation_word(relation: Relation) -> &'static str {
    match relation {
        Relation::Equivalent => "equivalent",
        Relation::Independent => "independent",
        Relation::AContainsB => "a contains b",
        Relation::BContainsA => "b contains a",
        Relation::PartlyShared => "partly shared",
    }
}

/// What one pair says, as a sentence.
fn verdict(pair: &ImbalancePair, style: Style) -> String {
    let (a, b) = (
        text::safe(&pair.a.layer, style),
        text::safe(&pair.b.layer, style),
    );
    match pair.relation {
        None => String::new(),
        Some(Relation::Equivalent) => {
            format!("equivalent: {a} and {b} predict each other's neighbours")
        }
        Some(Relation::Independent) => {
            format!("independent: neither {a} nor {b} predicts the other's neighbours")
        }
        Some(Relation::AContainsB) => {
            format!("a contains b: {a} predicts the neighbours of {b} far better than the reverse")
        }
        Some(Relation::BContainsA) => {
            format!("b contains a: {b} predicts the neighbours of {a} far better than the reverse")
        }
        Some(Relation::PartlyShared) => {
            format!("partly shared: {a} and {b} each hold something that the other lacks")
        }
    }
}

/// R over the layers, and its runs in words.
fn step_lines(profile: &ImbalanceProfile, steps: &Steps, style: Style) -> Vec<String> {
    let values: Vec<Option<f64>> = steps
        .steps
        .iter()
        .map(|step| step.relative_difference)
        .collect();
    let label = if profile.parameters.k.len() > 1 {
        format!("R (k {})", steps.k)
    } else {
        "R".to_owned()
    };
    let name = |index: usize| text::safe(&steps.steps[index].from, style);
    let words: Vec<String> = steps
        .runs
        .iter()
        .map(|run| {
            let word = match run.direction {
                Direction::Expansion => "expansion",
                Direction::Neutral => "neutral",
                Direction::Contraction => "compression",
            };
            let last = text::safe(&steps.steps[run.last].to, style);
            format!("{word} {}{}{last}", name(run.first), arrow(style))
        })
        .collect();
    let range = values.iter().flatten();
    let (low, high) = range.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
        (low.min(value), high.max(value))
    });
    let span = if low <= high {
        format!("   {} to {}", significant(low, 2), significant(high, 2))
    } else {
        String::new()
    };
    let line = format!(
        "{label}  {}{span}   {}",
        sparkline(&values, &style),
        words.join(", ")
    );
    text::wrap(line.trim_end(), style.width)
}

fn best_line(profile: &ImbalanceProfile, best: &BestPair, style: Style) -> String {
    let label = if profile.parameters.k.len() > 1 {
        format!("best pair (k {})", best.k)
    } else {
        "best pair".to_owned()
    };
    let side = |side: &LayerRef| {
        format!(
            "{} (depth {:.2})",
            text::safe(&side.layer, style),
            side.relative_depth
        )
    };
    let median = best
        .ratio_to_median
        .map(|ratio| format!(", {} of the median", significant(ratio, 2)))
        .unwrap_or_default();
    let phases = match best.in_high_phases {
        Some(true) => "; both lie in the high-dimensional phase of their dump",
        Some(false) => "; not both lie in the high-dimensional phase of their dump",
        None => "",
    };
    format!(
        "{label}: {} and {}, larger imbalance {}{median}{phases}",
        side(&best.a),
        side(&best.b),
        significant(best.imbalance, 3)
    )
}

fn context(profile: &ImbalanceProfile, style: Style) -> String {
    let mut facts = vec![format!("n {}", grouped(profile.n, style))];
    let floors: Vec<String> = profile
        .parameters
        .k
        .iter()
        .map(|&k| {
            let floor = (k + 1) as f64 / profile.n as f64;
            format!("k {k}: floor {}", significant(floor, 2))
        })
        .collect();
    facts.push(floors.join(", "));
    facts.push("independent layers have 1".to_owned());
    facts.push(format!("{} delete-one jackknife", style.plus_minus()));
    if let Some(parts) = profile
        .pairs
        .iter()
        .find_map(|pair| pair.partitions.as_ref())
    {
        facts.push(format!(
            "parts of {} rows, floor {}",
            grouped(parts.n, style),
            significant(parts.floor, 2)
        ));
    }
    if profile.parameters.metric != "euclidean" {
        facts.push(text::safe(&profile.parameters.metric, style));
    }
    facts.join("; ")
}
