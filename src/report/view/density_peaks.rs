//! Shows the report of `repgeo density-peaks`: its records, its page and its curves.

use super::axes::{axis, depth, point, share};
use super::event_lines::{nucleation_marks, peak_mark};
use super::warned::warnings;
use crate::geometry::partition::Scores;
use crate::profile::events::Events;
use crate::profile::landscape::{DensityRule, DimensionRule, HaloRule, PeakQuantity};
use crate::profile::landscape::{LayerPeaks, PeakParameters, PeakProfile, QuantityEvents};
use crate::report::page::{
    Axis, Cell, Column, Curve, Curves, Grid, Mark, Note, Page, Part, Phrase, Piece, code, count,
    decimal, known, name, number, phrase, series,
};
use crate::report::{Printable, Record};

impl Printable for PeakProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let layers = self.layers.iter();
        layers
            .flat_map(|layer| layer_records(layer, &self.parameters))
            .collect()
    }

    fn page(&self) -> Page {
        let grid = layer_grid(&self.layers, &self.parameters);
        let mut closing: Vec<Note> = self
            .events
            .iter()
            .map(|found| Note::Line(quantity_line(self, found)))
            .collect();
        closing.extend(lead_line(self).map(Note::Line));
        closing.push(Note::Context(context(&self.parameters)));
        let layers = self.layers.iter();
        let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        closing.extend(warnings(&self.warnings, layers));
        Page::new("Density peaks", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        figures(self)
    }
}

/// Which of the first two sets of labels peaks first, and by how much.
fn lead_line(profile: &PeakProfile) -> Option<Phrase> {
    let lead = profile.lead.as_ref()?.found()?;
    let [first, second, ..] = &profile.parameters.labels[..] else {
        return None;
    };
    let (first, second) = (name(first), name(second));
    let ahead = lead.difference;
    let layers = match ahead.abs() {
        1.0 => "1 layer".to_owned(),
        count => format!("{count} layers"),
    };
    Some(match ahead {
        0.0 => phrase![first, " and ", second, " peak together"],
        _ if ahead > 0.0 => phrase![first, " peaks ", layers, " before ", second],
        _ => phrase![first, " peaks ", layers, " after ", second],
    })
}

/// Peaks, shares and scores over layers, with the events that were sought.
fn figures(profile: &PeakProfile) -> Vec<Part> {
    let curve = |name: Phrase, value: &dyn Fn(&LayerPeaks) -> Option<f64>| Curve {
        name,
        points: profile
            .layers
            .iter()
            .map(|layer| point(layer.relative_depth, value(layer), None))
            .collect(),
        ..Curve::default()
    };
    let marks = |quantity: PeakQuantity, other: &str, marks: fn(&Events) -> Vec<Mark>| {
        let mut events = profile.events.iter();
        let found = events.find(|found| found.quantity == quantity && found.other == other);
        found.map(|found| marks(&found.events)).unwrap_or_default()
    };
    let layers = profile.layers.iter();
    let x = depth(layers.map(|layer| (layer.relative_depth, layer.layer.as_str())));
    let figure = |title: Phrase, y: Axis, curves: Vec<Curve>, marks: Vec<Mark>| {
        Part::Curves(Curves {
            title,
            x: x.clone(),
            y,
            curves,
            marks,
        })
    };
    let mut figures = vec![
        figure(
            "Density peaks".into(),
            axis("peaks"),
            vec![curve("peaks".into(), &|layer| {
                layer.n_peaks().map(|n| n as f64)
            })],
            marks(PeakQuantity::NPeaks, "", peak_mark),
        ),
        figure(
            "Rows in peaks".into(),
            share("share of rows"),
            vec![
                curve("outside halos".into(), &|layer| {
                    layer.outcome.ok().map(|counts| counts.core_fraction)
                }),
                curve("largest peak".into(), &|layer| {
                    layer.outcome.ok().map(|counts| counts.largest_fraction)
                }),
            ],
            Vec::new(),
        ),
    ];
    for labels in &profile.parameters.labels {
        let scores = |layer: &LayerPeaks| {
            let mut scores = layer.scores.iter();
            scores
                .find(|score| score.labels == *labels)?
                .scores()
                .copied()
        };
        figures.push(figure(
            phrase!["Agreement of peaks with ", name(labels)],
            axis("score"),
            vec![
                curve("ARI".into(), &|layer| Some(scores(layer)?.ari)),
                curve("AMI".into(), &|layer| Some(scores(layer)?.ami)),
                curve("majority share".into(), &|layer| {
                    Some(scores(layer)?.majority_fraction)
                }),
            ],
            marks(PeakQuantity::Ari, labels, nucleation_marks),
        ));
    }
    figures
}

/// Every number of a layer but those of its single peaks.
pub(super) fn layer_records<'a>(
    layer: &'a LayerPeaks,
    parameters: &PeakParameters,
) -> Vec<Record<'a>> {
    let density = |quantity, value| Record {
        variant: parameters.options.density.name().into(),
        scale: Some(parameters.options.density.k()),
        n: Some(layer.n_rows),
        reason: layer.outcome.reason(),
        ..Record::new(&layer.layer, quantity, value)
    };
    let summary = layer.density.as_ref();
    let counts = layer.outcome.ok();
    let dimension = layer.id.outcome.ok();
    let mut records = vec![
        Record {
            variant: layer.id.variant.name().into(),
            scale: layer.id.order,
            std_error: dimension.and_then(|dimension| dimension.std_error),
            n: Some(layer.n_rows),
            ..Record::new(&layer.layer, "id", dimension.map(|dimension| dimension.id))
        },
        density("entropy", summary.and_then(|density| density.entropy)),
        density("kstar_mean", summary.and_then(|density| density.mean_kstar)),
        density(
            "kstar_median",
            summary.and_then(|density| density.kstar.median()),
        ),
        density("n_peaks", counts.map(|counts| counts.n_peaks as f64)),
        density("n_putative", counts.map(|counts| counts.n_putative as f64)),
        density("core_fraction", counts.map(|counts| counts.core_fraction)),
        density(
            "largest_fraction",
            counts.map(|counts| counts.largest_fraction),
        ),
    ];
    for score in &layer.scores {
        let scores = score.scores();
        for (quantity, value) in score_values(scores) {
            records.push(Record {
                other: &score.labels,
                n: Some(score.n),
                reason: score.outcome.reason(),
                ..density(quantity, value)
            });
        }
    }
    records
}

/// The scores of a layer by the names that they have in CSV and JSON.
pub(in crate::report) fn score_values(scores: Option<&Scores>) -> [(&'static str, Option<f64>); 9] {
    [
        ("ari", scores.map(|scores| scores.ari)),
        ("ami", scores.map(|scores| scores.ami)),
        ("nmi", scores.map(|scores| scores.nmi)),
        ("mi", scores.map(|scores| scores.mi)),
        ("homogeneity", scores.map(|scores| scores.homogeneity)),
        ("completeness", scores.map(|scores| scores.completeness)),
        ("v_measure", scores.map(|scores| scores.v_measure)),
        (
            "majority_fraction",
            scores.map(|scores| scores.majority_fraction),
        ),
        ("label_entropy", scores.map(|scores| scores.label_entropy)),
    ]
}

/// A line a layer.
pub(super) fn layer_grid(layers: &[LayerPeaks], parameters: &PeakParameters) -> Grid {
    let adaptive = parameters.options.density.alpha().is_some();
    let mut columns = vec![
        Column::words("layer"),
        Column::number("n"),
        Column::number("id"),
    ];
    if adaptive {
        columns.push(Column::number("k*"));
    }
    columns.extend(["peaks", "largest", "core"].map(Column::number));
    for labels in &parameters.labels {
        columns.push(Column::number(phrase!["ari ", name(labels)]));
        columns.push(Column::number("ami").near());
        columns.push(Column::number("majority").near());
    }
    columns.push(Column::words(""));
    let mut grid = Grid::new(columns);
    let share = |value: Option<f64>| Cell::from(value.map_or(Piece::Absent, hundredths));
    for layer in layers {
        let mut row: Vec<Cell> = vec![
            name(&layer.layer).into(),
            count(layer.n_rows).into(),
            known(layer.id.outcome.ok().map(|found| found.id), 3).into(),
        ];
        if adaptive {
            let density = layer.density.as_ref();
            let median = density.and_then(|density| density.kstar.median());
            row.push(median.map_or(Piece::Absent, halves).into());
        }
        let counts = layer.outcome.ok();
        row.push(layer.n_peaks().map_or(Piece::Absent, count).into());
        row.push(share(counts.map(|counts| counts.largest_fraction)));
        row.push(share(counts.map(|counts| counts.core_fraction)));
        for score in &layer.scores {
            let scores = score.scores();
            row.push(share(scores.map(|scores| scores.ari)));
            row.push(share(scores.map(|scores| scores.ami)));
            row.push(share(scores.map(|scores| scores.majority_fraction)));
        }
        let reason = layer.outcome.reason().or_else(|| {
            let mut missing = layer
                .scores
                .iter()
                .filter_map(|score| score.outcome.reason());
            missing.next()
        });
        row.push(code(reason).into());
        grid.push(row);
    }
    grid
}

/// A quantity over layers drawn small, with the events that a reader looks for.
fn quantity_line(profile: &PeakProfile, found: &QuantityEvents) -> Phrase {
    let value = |layer: &LayerPeaks| match found.quantity {
        PeakQuantity::NPeaks => layer.n_peaks().map(|n| n as f64),
        PeakQuantity::Ari => {
            let mut scores = layer.scores.iter();
            scores
                .find(|score| score.labels == found.other)?
                .scores()
                .map(|scores| scores.ari)
        }
    };
    let is_ari = found.quantity == PeakQuantity::Ari;
    let label = match is_ari {
        true => phrase!["ari ", name(&found.other)],
        false => "peaks".into(),
    };
    let events = &found.events;
    let mut words: Vec<Phrase> = Vec::new();
    let figure = |value: f64| match is_ari {
        true => number(value, 3).into(),
        false => Phrase::from(value.to_string()),
    };
    if let Some(peak) = events.peak.found() {
        let value = figure(peak.at.value);
        words.push(phrase!["max ", value, " at ", name(&peak.at.layer)]);
    }
    if let Some(half) = events.half_maximum.found().filter(|_| is_ari) {
        words.push(phrase!["nucleation layer ", name(&half.at.layer)]);
    }
    if let Some(step) = events.transition.found() {
        words.push(phrase![
            "sharpest step ",
            if step.step > 0.0 { "+" } else { "" },
            figure(step.step),
            " from ",
            name(&step.from.layer),
            " to ",
            name(&step.to.layer),
        ]);
    }
    if events.flat {
        words.push("flat".into());
    }
    let line = phrase![label, "  ", series(profile.layers.iter().map(value))];
    match words.is_empty() {
        true => line,
        false => line.then("   ").then(Phrase::join(words, "   ")),
    }
}

/// Two decimals, and no sign before nothing.
fn hundredths(value: f64) -> Piece {
    let nothing = format!("{value:.2}") == "-0.00";
    decimal(if nothing { 0.0 } else { value }, 2)
}

/// How densities and peaks were made, in one sentence.
pub(super) fn context(parameters: &PeakParameters) -> Phrase {
    let options = &parameters.options;
    let density = match options.density {
        DensityRule::Knn { k } => format!("density of {k} neighbours"),
        rule @ (DensityRule::Kstar { k, alpha } | DensityRule::Pak { k, alpha }) => format!(
            "density {}, k* up to {k} at alpha {alpha:e}",
            rule.name().replace('_', " "),
        ),
    };
    let id = match options.id {
        DimensionRule::Auto => "Gride at the scale of the density".to_owned(),
        DimensionRule::TwoNn => "TwoNN".to_owned(),
        DimensionRule::Round => "TwoNN, rounded".to_owned(),
        DimensionRule::Fixed(id) => format!("{id}, as given"),
    };
    let preset = options.preset.map(|preset| format!("preset {preset}: "));
    let halo = match options.halo {
        HaloRule::LeftOut => "; halo left out of scores",
        HaloRule::Cluster => "; halo a cluster in scores",
        HaloRule::Member => "",
    };
    let line = format!(
        "{}{density}; dimension: {id}; Z {}; {} neighbours stored{halo}",
        preset.unwrap_or_default(),
        options.z,
        parameters.stored
    );
    line.into()
}

/// A median of counts: a count, or one and a half.
fn halves(median: f64) -> Piece {
    let places = usize::from(median.fract() > 0.0);
    decimal(median, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_the_names_of_their_fields() {
        let scores = Scores {
            ari: 1.0,
            ami: 2.0,
            nmi: 3.0,
            mi: 4.0,
            homogeneity: 5.0,
            completeness: 6.0,
            v_measure: 7.0,
            majority_fraction: 8.0,
            label_entropy: 9.0,
        };
        let written = serde_json::to_value(scores).unwrap();
        assert_eq!(written.as_object().unwrap().len(), score_values(None).len());
        for (name, value) in score_values(Some(&scores)) {
            assert_eq!(written[name].as_f64(), value, "{name}");
        }
    }
}
