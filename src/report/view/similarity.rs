//! Shows the report of `repgeo similarity`: its records, its page and its curves.

use super::axes::{at, axis, compared, matrix, point};
use super::few_parts::few_parts;
use super::orders::orders_of;
use super::similarity_records::similarity_records;
use super::warned::of_comparison;
use crate::geometry::similarity::Measure;
use crate::profile::similarity::{Joined, RankedSource, SimilarityPair, SimilarityProfile};
use crate::report::page::{
    Cell, Column, Curve, CurveRole, Curves, Grid, Mark, Note, Page, Part, Phrase, Piece, Scale,
    count, decimal, index, known, name, number, phrase, series,
};
use crate::report::{Printable, Record};

impl Printable for SimilarityProfile {
    fn records(&self) -> Vec<Record<'_>> {
        similarity_records(self)
    }

    fn page(&self) -> Page {
        let mut parts: Vec<Part> = self
            .matrices
            .iter()
            .map(|found| {
                let scale = scale(self, found.measure);
                Part::Matrix(matrix(&found.values, found.measure.name, scale))
            })
            .collect();
        if self.matrices.is_empty() {
            parts.push(match self.parameters.options.measures.len() {
                0..=SIDE_BY_SIDE => pair_grid(self).into(),
                _ => measure_grid(self).into(),
            });
        }
        if !self.ranking.is_empty() {
            parts.push(ranking_grid(self).into());
        }
        let lines = freeze_line(self).into_iter();
        let lines = lines.chain(self.joined.iter().map(joined_line));
        let mut closing: Vec<Note> = lines.map(Note::Line).collect();
        closing.push(Note::Context(context(self)));
        closing.extend(of_comparison(
            &self.warnings,
            &self.layers,
            self.against.as_deref(),
        ));
        Page::new("Similarity of layers", parts, closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        if !self.matrices.is_empty() {
            return Vec::new();
        }
        let measures = self.parameters.options.measures.iter();
        measures
            .map(|measure| Part::Curves(curves(self, measure)))
            .collect()
    }
}

/// One measure over layers, a curve a source, with chance and the threshold of likeness.
fn curves(profile: &SimilarityProfile, measure: &Measure) -> Curves {
    let mut sources: Vec<Option<&str>> = Vec::new();
    for pair in &profile.pairs {
        if !sources.contains(&pair.source.as_deref()) {
            sources.push(pair.source.as_deref());
        }
    }
    let mut curves = Vec::new();
    for source in sources {
        let pairs = || {
            let own = profile.pairs.iter();
            own.filter(|pair| *pair.measure == *measure && pair.source.as_deref() == source)
        };
        let named = |what: &'static str| match source {
            Some(source) => phrase![what, " ", name(source)],
            None => what.into(),
        };
        curves.push(Curve {
            name: name(source.unwrap_or(measure.name)).into(),
            points: pairs()
                .map(|p| at(&p.a, p.value(), p.std_error()))
                .collect(),
            ..Curve::default()
        });
        let chance = pairs().map(|p| at(&p.a, p.chance, None)).collect();
        let permuted = pairs().map(|p| {
            let null = p.null.as_ref();
            let spread = null.and_then(|null| null.std_dev);
            point(p.a.relative_depth, null.map(|null| null.mean), spread)
        });
        for (what, points) in [
            ("chance", chance),
            ("permuted", permuted.collect::<Vec<_>>()),
        ] {
            if points.iter().any(|point| point.y.is_some()) {
                curves.push(Curve {
                    name: named(what),
                    role: CurveRole::Null,
                    points,
                });
            }
        }
    }
    let threshold = profile
        .parameters
        .options
        .threshold
        .filter(|_| !profile.ranking.is_empty());
    Curves {
        title: phrase!["Similarity, ", name(measure.name)],
        x: compared(&profile.layers),
        y: axis(name(measure.name)),
        curves,
        marks: threshold
            .map(|y| Mark::Level {
                y,
                label: "threshold".into(),
            })
            .into_iter()
            .collect(),
    }
}

/// The largest number of measures that stand side by side; more stand below each other.
const SIDE_BY_SIDE: usize = 2;

/// Shades from nothing in common to all, or the other way for distances.
fn scale(profile: &SimilarityProfile, measure: &Measure) -> Scale {
    match (measure.name, profile.parameters.imbalance_k) {
        ("information_imbalance", Some(k)) => {
            let floor = (k as f64 + 1.0) / profile.n.max(1) as f64;
            Scale::logarithmic(floor.min(0.5), 1.0)
        }
        _ => Scale::linear(measure.range[0].max(0.0), measure.range[1]),
    }
}

/// A line a pair and measure.
fn measure_grid(profile: &SimilarityProfile) -> Grid {
    let any = |what: fn(&SimilarityPair) -> bool| profile.pairs.iter().any(what);
    let shown = Shown {
        measure: "value",
        backward: any(|pair| pair.backward.is_some()),
        error: any(|pair| pair.std_error().is_some()),
        chance: any(|pair| pair.chance.is_some()),
        null: any(|pair| pair.null.is_some()),
    };
    let sourced = any(|pair| pair.source.is_some());
    let mut columns = vec![
        Column::words("a"),
        Column::words("b"),
        Column::words("measure"),
    ];
    if sourced {
        columns.push(Column::words("source"));
    }
    shown.columns(&mut columns);
    let mut grid = Grid::new(columns);
    for pair in &profile.pairs {
        let mut row: Vec<Cell> = vec![
            name(&pair.a.layer).into(),
            name(&pair.b.layer).into(),
            pair.measure.name.into(),
        ];
        if sourced {
            row.push(name(pair.source.as_deref().unwrap_or("")).into());
        }
        shown.cells(Some(pair), &mut row);
        grid.push(row);
    }
    grid
}

/// A line a pair of layers, the measures side by side.
fn pair_grid(profile: &SimilarityProfile) -> Grid {
    let measures = &profile.parameters.options.measures;
    let has = |measure: &Measure, what: &dyn Fn(&SimilarityPair) -> bool| {
        let mut own = profile
            .pairs
            .iter()
            .filter(|pair| *pair.measure == *measure);
        own.any(what)
    };
    let sourced = profile.pairs.iter().any(|pair| pair.source.is_some());
    let mut columns = vec![Column::words("a"), Column::words("b")];
    if sourced {
        columns.push(Column::words("source"));
    }
    let shown: Vec<Shown> = measures
        .iter()
        .map(|&measure| Shown {
            measure: measure.name,
            backward: has(measure, &|pair| pair.backward.is_some()),
            error: has(measure, &|pair| pair.std_error().is_some()),
            chance: has(measure, &|pair| pair.chance.is_some()),
            null: has(measure, &|pair| pair.null.is_some()),
        })
        .collect();
    for one in &shown {
        one.columns(&mut columns);
    }
    let mut grid = Grid::new(columns);
    let Some(first) = measures.first() else {
        return grid;
    };
    let per_measure: Vec<&SimilarityPair> = profile
        .pairs
        .iter()
        .filter(|pair| pair.measure == *first)
        .collect();
    for pair in per_measure {
        let mut row: Vec<Cell> = vec![name(&pair.a.layer).into(), name(&pair.b.layer).into()];
        if sourced {
            row.push(name(pair.source.as_deref().unwrap_or("")).into());
        }
        for one in &shown {
            let found = profile.pairs.iter().find(|other| {
                other.measure.name == one.measure
                    && other.source == pair.source
                    && other.a.index == pair.a.index
                    && other.b.index == pair.b.index
            });
            one.cells(found, &mut row);
        }
        grid.push(row);
    }
    grid
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
    fn columns(&self, columns: &mut Vec<Column>) {
        columns.push(Column::number(self.measure));
        if self.error {
            columns.push(Column::error().tight());
        }
        if self.backward {
            columns.push(Column::number("back").tight());
        }
        if self.chance {
            columns.push(Column::number("chance").tight());
        }
        if self.null {
            columns.push(Column::number("permuted").tight());
            columns.push(Column::number("p").tight());
        }
    }

    fn cells(&self, pair: Option<&SimilarityPair>, row: &mut Vec<Cell>) {
        let reason = pair.and_then(|pair| pair.outcome.reason());
        row.push(match reason {
            Some(reason) => Piece::Code(reason).into(),
            None => known(pair.and_then(SimilarityPair::value), 3).into(),
        });
        if self.error {
            row.push(known(pair.and_then(SimilarityPair::std_error), 2).into());
        }
        if self.backward {
            row.push(known(pair.and_then(|pair| pair.backward), 3).into());
        }
        if self.chance {
            row.push(known(pair.and_then(|pair| pair.chance), 2).into());
        }
        if self.null {
            let null = pair.and_then(|pair| pair.null.as_ref());
            row.push(known(null.map(|null| null.mean), 2).into());
            row.push(known(null.map(|null| null.p.p_value), 2).into());
        }
    }
}

/// Sources, best first, and how deep they stay like the target.
fn ranking_grid(profile: &SimilarityProfile) -> Grid {
    let named = profile.ranking.iter().any(|one| one.source.is_some());
    let threshold = profile.parameters.options.threshold.unwrap_or(1.0);
    let mut columns = vec![Column::words("measure")];
    if named {
        columns.push(Column::number("rank"));
        columns.push(Column::words("source"));
    }
    columns.extend([
        Column::number("mean similarity"),
        Column::words(phrase!["≥ ", number(threshold, 3), " up to"]),
        Column::words("over layers"),
    ]);
    let mut grid = Grid::new(columns);
    for one in &profile.ranking {
        let mut row: Vec<Cell> = vec![one.measure.name.into()];
        if named {
            row.push(one.rank.map(index).into());
            row.push(name(one.source.as_deref().unwrap_or("")).into());
        }
        row.push(known(one.mean, 3).into());
        row.push(depth(one).into());
        row.push(series(one.similarities.iter().copied()).into());
        grid.push(row);
    }
    grid
}

fn depth(one: &RankedSource) -> Phrase {
    match one.unchanged_up_to() {
        None => Piece::Absent.into(),
        Some(side) => phrase![
            name(&side.layer),
            " (",
            decimal(side.relative_depth, 2),
            ")"
        ],
    }
}

/// The answer to "where may I freeze?" by the first measure.
fn freeze_line(profile: &SimilarityProfile) -> Option<Phrase> {
    let best = profile.ranking.first()?;
    let whose = match &best.source {
        Some(source) => {
            phrase![
                name(source),
                " is most like the target by ",
                best.measure.name
            ]
        }
        None => phrase!["by ", best.measure.name],
    };
    let threshold = number(profile.parameters.options.threshold?, 3);
    Some(match best.unchanged_up_to() {
        Some(side) => phrase![
            whose,
            ": layers up to ",
            name(&side.layer),
            " (depth ",
            decimal(side.relative_depth, 2),
            ") keep a similarity of at least ",
            threshold,
        ],
        None => phrase![whose, ": already the first layer falls below ", threshold],
    })
}

fn joined_line(joined: &Joined) -> Phrase {
    let source = joined
        .source
        .as_deref()
        .map(|source| phrase![" of ", name(source)]);
    let what = phrase![
        joined.measure.name,
        source,
        " against ",
        name(&joined.column)
    ];
    match joined.outcome.0 {
        Ok(found) => phrase![
            what,
            ": Spearman ",
            number(found.spearman, 3),
            format!(" over {} layers, p ", joined.n),
            number(found.p_value, 2),
            match found.p_std_error {
                None => " of all ",
                Some(_) => " of drawn ",
            },
            count(found.n_orders),
            " orders",
        ],
        Err(reason) => phrase![what, ": no rank correlation (", Piece::Code(reason), ")"],
    }
}

fn context(profile: &SimilarityProfile) -> Phrase {
    let parameters = &profile.parameters;
    let options = &parameters.options;
    let mut facts: Vec<Phrase> = vec![phrase!["n ", count(profile.n)]];
    let mut add = |fact: Option<String>| facts.extend(fact.map(Phrase::from));
    add(options.bandwidth.map(|f| format!("bandwidth {f} x median")));
    add(options
        .variance
        .map(|v| format!("svcca keeps {v} of variance")));
    if let (Some(what), Some(how)) = (options.dissimilarity, options.correlation) {
        add(Some(format!("rsa {what}, {how}")));
    }
    add(parameters.imbalance_k.map(|k| format!("imbalance k {k}")));
    add(parameters.overlap_k.map(|k| format!("overlap k {k}")));
    add(options.partitions.map(|p| match few_parts(p) {
        Some(worth) => format!("± {worth}"),
        None => format!("± of {p} parts"),
    }));
    if options.permutations > 0 {
        let mut nulls = profile.pairs.iter().filter_map(|pair| pair.null.as_ref());
        facts.extend(nulls.next().map(|null| orders_of(null.p)));
    }
    Phrase::join(facts, "; ")
}
