//! Shows the report of `repgeo imbalance`: its records and its page.

use super::axes::matrix;
use super::few_parts::few_parts;
use super::imbalance_figures::figures;
use super::imbalance_words::{direction, relation_words};
use super::orders::orders_of;
use super::warned::of_comparison;
use crate::geometry::permutation::PValue;
use crate::geometry::relation::{Relation, floor};
use crate::neighbours::Metric;
use crate::profile::compare::LayerRef;
use crate::profile::imbalance::{
    BestPair, ImbalanceMatrix, ImbalancePair, ImbalanceProfile, Null, Step, Steps,
};
use crate::report::page::{
    Cell, Column, Grid, Matrix, Note, Page, Part, Phrase, Piece, Scale, count, decimal, error,
    known, name, number, phrase, series,
};
use crate::report::{Printable, Record};

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
                std_error: step.std_error,
                ..Record::new(&step.from, "relative_difference", step.relative_difference)
            }));
        }
        records
    }

    fn page(&self) -> Page {
        let mut parts: Vec<Part> = Vec::new();
        for one in &self.matrices {
            parts.extend(matrices(one).into_iter().map(Part::Matrix));
        }
        let shown: Vec<&ImbalancePair> = self
            .pairs
            .iter()
            .filter(|pair| self.matrices.is_empty() || is_step(self, pair))
            .collect();
        if !shown.is_empty() && (self.matrices.is_empty() || shown.len() <= MANY_PAIRS) {
            parts.push(pair_grid(self, &shown).into());
        }
        let mut closing: Vec<Note> = Vec::new();
        let lines = self.steps.iter().map(|steps| step_line(self, steps));
        let lines = lines.chain(self.best_pairs.iter().map(|best| best_line(self, best)));
        closing.extend(lines.map(Note::Line));
        if let [pair] = &self.pairs[..] {
            closing.push(Note::Line(verdict(pair)));
        }
        closing.push(Note::Context(context(self)));
        closing.extend(of_comparison(
            &self.warnings,
            &self.layers,
            self.against.as_deref(),
        ));
        Page::new("Information imbalance", parts, closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        figures(self)
    }
}

fn pair_records(pair: &ImbalancePair) -> Vec<Record<'_>> {
    let record = |variant: &'static str, value| Record {
        other: &pair.b.layer,
        variant: variant.into(),
        scale: Some(pair.k),
        n: Some(pair.n),
        reason: pair.outcome.reason(),
        ..Record::new(&pair.a.layer, "information_imbalance", value)
    };
    let ([there, there_error], [back, back_error]) = (pair.forward(), pair.backward());
    let mut records = vec![
        Record {
            std_error: there_error,
            ..record("forward", there)
        },
        Record {
            std_error: back_error,
            ..record("backward", back)
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
        let p = |variant, p: PValue| Record {
            std_error: p.p_std_error,
            ..record(variant, Some(p.p_value))
        };
        records.extend([
            record("forward_shuffle_mean", Some(there.mean)),
            record("backward_shuffle_mean", Some(back.mean)),
            p("forward_shuffle_p", there.p),
            p("backward_shuffle_p", back.p),
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

/// From the floor, where a layer predicts the other, to 1, where it says nothing.
fn matrices(found: &ImbalanceMatrix) -> Vec<Matrix> {
    let scale = Scale::logarithmic(found.floor.unwrap_or(0.5).min(0.5), 1.0);
    let meaning = format!("Δ(row→column), k {}", found.k);
    let there = matrix(&found.forward, meaning.clone(), scale);
    match &found.backward {
        None => vec![there],
        Some(backward) => vec![
            Matrix {
                title: Some("first dump to second".into()),
                ..there
            },
            Matrix {
                title: Some("second dump to first".into()),
                ..matrix(backward, meaning, scale)
            },
        ],
    }
}

/// A line a pair, both directions side by side.
fn pair_grid(profile: &ImbalanceProfile, pairs: &[&ImbalancePair]) -> Grid {
    let several = profile.parameters.options.k.len() > 1;
    let mut columns = vec![Column::words("a"), Column::words("b")];
    if several {
        columns.push(Column::number("k"));
    }
    columns.extend([
        Column::number("Δ(a→b)"),
        Column::error(),
        Column::number("Δ(b→a)"),
        Column::error(),
    ]);
    let parts = profile.parameters.options.partitioning.is_some();
    if parts {
        columns.extend([
            Column::number("parts a,b"),
            Column::error(),
            Column::number("parts b,a"),
            Column::error(),
        ]);
    }
    let shuffled = profile.parameters.options.shuffle > 0;
    if shuffled {
        columns.extend([
            Column::number("shuffled a,b"),
            Column::number("p").near(),
            Column::number("shuffled b,a"),
            Column::number("p").near(),
        ]);
    }
    let steps = !profile.steps.is_empty();
    if steps {
        columns.extend([Column::number("R"), Column::error()]);
    }
    columns.push(Column::words("relation"));
    let mut grid = Grid::new(columns);
    for pair in pairs {
        let mut row: Vec<Cell> = vec![name(&pair.a.layer).into(), name(&pair.b.layer).into()];
        if several {
            row.push(count(pair.k).into());
        }
        for [value, its_error] in [pair.forward(), pair.backward()] {
            row.extend([known(value, 3).into(), error(its_error).into()]);
        }
        if parts {
            let found = pair.partitions.as_ref();
            row.extend([
                known(found.and_then(|found| found.forward), 3).into(),
                error(found.and_then(|found| found.std_error_forward)).into(),
                known(found.and_then(|found| found.backward), 3).into(),
                error(found.and_then(|found| found.std_error_backward)).into(),
            ]);
        }
        if shuffled {
            for side in 0..2 {
                let null: Option<&Null> = pair.shuffle.as_ref().map(|nulls| &nulls[side]);
                row.push(known(null.map(|null| null.mean), 3).into());
                row.push(error(null.map(|null| null.p.p_value)).into());
            }
        }
        if steps {
            let step = step_of(profile, pair);
            row.extend([
                known(step.and_then(|step| step.relative_difference), 2).into(),
                error(step.and_then(|step| step.std_error)).into(),
            ]);
        }
        row.push(match pair.outcome.0 {
            Ok(both) => relation_words(both.relation).into(),
            Err(reason) => Piece::Code(reason).into(),
        });
        grid.push(row);
    }
    grid
}

/// R from the first layer of a pair to the second, where it is the next.
fn step_of<'p>(profile: &'p ImbalanceProfile, pair: &ImbalancePair) -> Option<&'p Step> {
    let steps = profile.steps.iter().find(|steps| steps.k == pair.k)?;
    let is_step = is_step(profile, pair);
    let named = |step: &&Step| step.from == pair.a.layer && step.to == pair.b.layer;
    steps.steps.iter().filter(|_| is_step).find(named)
}

/// What one pair says, as a sentence.
fn verdict(pair: &ImbalancePair) -> Phrase {
    let (a, b) = (name(&pair.a.layer), name(&pair.b.layer));
    match pair.outcome.ok().map(|both| both.relation) {
        None => Phrase::default(),
        Some(Relation::Equivalent) => {
            phrase![
                "equivalent: ",
                a,
                " and ",
                b,
                " predict each other's neighbours"
            ]
        }
        Some(Relation::Independent) => phrase![
            "independent: neither ",
            a,
            " nor ",
            b,
            " predicts the other's neighbours"
        ],
        Some(Relation::AContainsB) => phrase![
            "a contains b: ",
            a,
            " predicts the neighbours of ",
            b,
            " far better than the reverse"
        ],
        Some(Relation::BContainsA) => phrase![
            "b contains a: ",
            b,
            " predicts the neighbours of ",
            a,
            " far better than the reverse"
        ],
        Some(Relation::PartlyShared) => phrase![
            "partly shared: ",
            a,
            " and ",
            b,
            " each hold something that the other lacks"
        ],
    }
}

/// R over the layers, and its runs in words.
fn step_line(profile: &ImbalanceProfile, steps: &Steps) -> Phrase {
    let values: Vec<Option<f64>> = steps
        .steps
        .iter()
        .map(|step| step.relative_difference)
        .collect();
    let label: Phrase = match profile.parameters.options.k.len() {
        0 | 1 => "R".into(),
        _ => format!("R (k {})", steps.k).into(),
    };
    // A run of one step says no more than its line in the table.
    let long = steps.runs.iter().filter(|run| run.last > run.first);
    let words = long.map(|run| {
        let (first, last) = (&steps.steps[run.first].from, &steps.steps[run.last].to);
        phrase![direction(run.direction), " ", name(first), "→", name(last)]
    });
    let range = values.iter().flatten();
    let (low, high) = range.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
        (low.min(value), high.max(value))
    });
    let span = (low <= high).then(|| phrase!["   ", number(low, 2), " to ", number(high, 2)]);
    phrase![
        label,
        "  ",
        series(values),
        span,
        "   ",
        Phrase::join(words, ", ")
    ]
}

fn best_line(profile: &ImbalanceProfile, best: &BestPair) -> Phrase {
    let label: Phrase = match profile.parameters.options.k.len() {
        0 | 1 => "best pair".into(),
        _ => format!("best pair (k {})", best.k).into(),
    };
    let side = |side: &LayerRef| {
        phrase![
            name(&side.layer),
            " (depth ",
            decimal(side.relative_depth, 2),
            ")"
        ]
    };
    let median = best
        .ratio_to_median
        .map(|ratio| phrase![", ", number(ratio, 2), " of the median"]);
    let phases = match best.in_high_phases {
        Some(true) => "; both lie in the high-dimensional phase of their dump",
        Some(false) => "; not both lie in the high-dimensional phase of their dump",
        None => "",
    };
    phrase![
        label,
        ": ",
        side(&best.a),
        " and ",
        side(&best.b),
        ", larger imbalance ",
        number(best.information_imbalance, 3),
        median,
        phases,
    ]
}

fn context(profile: &ImbalanceProfile) -> Phrase {
    let floors = profile
        .parameters
        .options
        .k
        .iter()
        .map(|&k| phrase![format!("k {k}: floor "), known(floor(profile.n, k), 2)]);
    let mut facts: Vec<Phrase> = vec![
        phrase!["n ", count(profile.n)],
        Phrase::join(floors, ", "),
        "independent layers have 1".into(),
        "± delete-one jackknife".into(),
        "R beyond two ± is expansion or contraction".into(),
    ];
    let mut parts = profile
        .pairs
        .iter()
        .filter_map(|pair| pair.partitions.as_ref());
    facts.extend(parts.next().map(|parts| {
        phrase![
            "parts of ",
            count(parts.n),
            " rows, floor ",
            known(parts.floor, 2)
        ]
    }));
    let mut nulls = profile
        .pairs
        .iter()
        .filter_map(|pair| pair.shuffle.as_ref());
    facts.extend(nulls.next().map(|[null, _]| orders_of(null.p)));
    let few = profile.parameters.options.partitioning;
    let few = few.and_then(|parts| few_parts(parts.partitions));
    facts.extend(few.map(|worth| Phrase::from(format!("their ± {worth}"))));
    if profile.parameters.metric != Metric::Euclidean {
        facts.push(name(profile.parameters.metric.name()).into());
    }
    Phrase::join(facts, "; ")
}
