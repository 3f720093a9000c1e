//! How `repgeo density-peaks` looks: its records, its table and its last lines.

use super::csv::Record;
use super::number::{grouped, significant};
use super::sparkline::sparkline;
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::profile::landscape::{LayerPeaks, PeakParameters, PeakProfile, QuantityEvents};

impl Printable for PeakProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let layers = self.layers.iter();
        layers
            .flat_map(|layer| layer_records(layer, &self.parameters))
            .collect()
    }

    fn table(&self, style: &Style) -> String {
        layer_grid(&self.layers, &self.parameters, *style).render(*style)
    }

    fn closing(&self, style: &Style) -> String {
        let style = *style;
        let mut lines = Vec::new();
        for found in &self.events {
            lines.extend(text::wrap(&quantity_line(self, found, style), style.width));
        }
        if let Some(lead) = self.lead.as_ref().and_then(|lead| lead.found.as_ref())
            && let [first, second, ..] = &self.parameters.labels[..]
        {
            let (first, second) = (text::safe(first, style), text::safe(second, style));
            let ahead = lead.difference;
            let layers = match ahead.abs() {
                1.0 => "1 layer".to_owned(),
                count => format!("{count} layers"),
            };
            let line = match ahead {
                0.0 => format!("{first} and {second} peak together"),
                _ if ahead > 0.0 => format!("{first} peaks {layers} before {second}"),
                _ => format!("{first} peaks {layers} after {second}"),
            };
            lines.extend(text::wrap(&line, style.width));
        }
        lines.extend(context(&self.parameters, style));
        let layers = self.layers.iter();
        let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        let closing: String = lines.into_iter().map(|line| line + "\n").collect();
        closing + &warnings::lines(&self.warnings, layers, style)
    }
}

/// Every number of a layer but those of its single peaks.
pub(super) fn layer_records<'a>(
    layer: &'a LayerPeaks,
    parameters: &PeakParameters,
) -> Vec<Record<'a>> {
    let density = |quantity, value| Record {
        variant: parameters.density.into(),
        scale: Some(parameters.k),
        n: Some(layer.n_rows),
        ..Record::new(&layer.layer, quantity, value)
    };
    let count = |count: Option<usize>| count.map(|count| count as f64);
    let summary = layer.density.as_ref();
    let mut records = vec![
        Record {
            variant: layer.id.variant.into(),
            scale: layer.id.order,
            std_error: layer.id.std_error,
            n: Some(layer.n_rows),
            ..Record::new(&layer.layer, "id", layer.id.id)
        },
        density("entropy", summary.and_then(|density| density.entropy)),
        density("kstar_mean", summary.and_then(|density| density.mean_kstar)),
        density(
            "kstar_median",
            summary.and_then(|density| density.kstar.median()),
        ),
        density("n_peaks", count(layer.n_peaks)),
        density("n_putative", count(layer.n_putative)),
        density("core_fraction", layer.core_fraction),
        density("largest_fraction", layer.largest_fraction),
    ];
    for score in &layer.scores {
        let scores = score.scores.as_ref();
        for (quantity, value) in [
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
        ] {
            records.push(Record {
                other: &score.labels,
                n: Some(score.n),
                ..density(quantity, value)
            });
        }
    }
    records
}

/// A line a layer.
pub(super) fn layer_grid(layers: &[LayerPeaks], parameters: &PeakParameters, style: Style) -> Grid {
    let adaptive = parameters.alpha.is_some();
    let mut columns = vec![
        Column::text("layer"),
        Column::number("n"),
        Column::number("id"),
    ];
    if adaptive {
        columns.push(Column::number("k*"));
    }
    columns.extend(["peaks", "largest", "core"].map(Column::number));
    for labels in &parameters.labels {
        let labels = text::safe(labels, style);
        columns.push(Column::number(format!("ari {labels}")));
        columns.push(Column::number("ami").after(2));
        columns.push(Column::number("majority").after(2));
    }
    columns.push(Column::text(""));
    let mut grid = Grid::new(columns);
    let number = |value: Option<f64>| -> Cell {
        value.map_or(style.dash().into(), |value| significant(value, 3).into())
    };
    let share = |value: Option<f64>| -> Cell {
        value.map_or(style.dash().into(), |value| hundredths(value).into())
    };
    for layer in layers {
        let mut row: Vec<Cell> = vec![
            text::safe(&layer.layer, style).into(),
            grouped(layer.n_rows, style).into(),
            number(layer.id.id),
        ];
        if adaptive {
            let density = layer.density.as_ref();
            row.push(number(density.and_then(|density| density.kstar.median())));
        }
        let peaks = layer.n_peaks;
        row.push(peaks.map_or(style.dash().into(), |n| grouped(n, style).into()));
        row.push(share(layer.largest_fraction));
        row.push(share(layer.core_fraction));
        for score in &layer.scores {
            let scores = score.scores.as_ref();
            row.push(share(scores.map(|scores| scores.ari)));
            row.push(share(scores.map(|scores| scores.ami)));
            row.push(share(scores.map(|scores| scores.majority_fraction)));
        }
        let reason = layer.reason.or_else(|| {
            let mut missing = layer.scores.iter().filter_map(|score| score.reason);
            missing.next()
        });
        row.push(
            reason
                .map(|reason| reason.code())
                .unwrap_or_default()
                .into(),
        );
        grid.push(row);
    }
    grid
}

/// A quantity over layers as a sparkline, with the events that a reader looks for.
fn quantity_line(profile: &PeakProfile, found: &QuantityEvents, style: Style) -> String {
    let value = |layer: &LayerPeaks| match found.quantity {
        "n_peaks" => layer.n_peaks.map(|n| n as f64),
        _ => {
            let mut scores = layer.scores.iter();
            scores
                .find(|score| score.labels == found.other)?
                .scores
                .map(|scores| scores.ari)
        }
    };
    let values: Vec<Option<f64>> = profile.layers.iter().map(value).collect();
    let is_ari = found.quantity == "ari";
    let label = match is_ari {
        true => format!("ari {}", text::safe(&found.other, style)),
        false => "peaks".to_owned(),
    };
    let mut line = format!("{label}  {}", sparkline(&values, &style));
    let layer = |name: &str| text::safe(name, style);
    let events = &found.events;
    let mut words = Vec::new();
    let number = |value: f64| match is_ari {
        true => significant(value, 3),
        false => value.to_string(),
    };
    if let Some(peak) = &events.peak.found {
        let value = number(peak.at.value);
        words.push(format!("max {value} at {}", layer(&peak.at.layer)));
    }
    if let Some(half) = events.half_maximum.found.as_ref().filter(|_| is_ari) {
        words.push(format!("nucleation layer {}", layer(&half.at.layer)));
    }
    if let Some(step) = &events.transition.found {
        let sign = if step.step > 0.0 { "+" } else { "" };
        words.push(format!(
            "sharpest step {sign}{} from {} to {}",
            number(step.step),
            layer(&step.from.layer),
            layer(&step.to.layer)
        ));
    }
    if events.flat {
        words.push("flat".to_owned());
    }
    if !words.is_empty() {
        line += "   ";
        line += &words.join("   ");
    }
    line
}

/// Two decimals, and no sign before nothing.
fn hundredths(value: f64) -> String {
    match format!("{value:.2}") {
        nothing if nothing == "-0.00" => "0.00".to_owned(),
        text => text,
    }
}

/// How densities and peaks were made, in one faint sentence.
pub(super) fn context(parameters: &PeakParameters, style: Style) -> Vec<String> {
    let density = match (parameters.density, parameters.alpha) {
        ("knn", _) => format!("density of {} neighbours", parameters.k),
        (name, alpha) => format!(
            "density {}, k* up to {} at alpha {:e}",
            name.replace('_', " "),
            parameters.k,
            alpha.unwrap_or_default()
        ),
    };
    let id = match parameters.id.as_str() {
        "auto" => "Gride at the scale of the density".to_owned(),
        "two_nn" => "TwoNN".to_owned(),
        "round" => "TwoNN, rounded".to_owned(),
        given => format!("{given}, as given"),
    };
    let preset = parameters.preset.map(|preset| format!("preset {preset}: "));
    let halo = match parameters.halo {
        "left_out" => "; halo left out of scores",
        "cluster" => "; halo a cluster in scores",
        _ => "",
    };
    let line = format!(
        "{}{density}; dimension: {id}; Z {}; {} neighbours stored{halo}",
        preset.unwrap_or_default(),
        parameters.z,
        parameters.stored
    );
    let lines = text::wrap(&line, style.width).into_iter();
    lines
        .map(|line| style.paint(&line, Emphasis::Faint))
        .collect()
}
