//! How `repgeo landscape` looks: its records, its table, its tree.

use super::csv::Record;
use super::density_peaks::{context, layer_grid, layer_records};
use super::number::{grouped, significant};
use super::style::Style;
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::profile::landscape::{
    ClassMix, DecisionGraph, Landscape, MappedPeak, PeakTree, SaddleSummary, Topography,
};

/// So many saddles are listed in the table; the report holds all.
const SHOWN_SADDLES: usize = 20;

/// So many classes are named behind a peak.
const SHOWN_CLASSES: usize = 3;

/// So many peaks have a tree in the table.
const SHOWN_PEAKS: usize = 200;

impl Printable for Landscape {
    fn records(&self) -> Vec<Record<'_>> {
        let Some(layer) = self.layers.first() else {
            return Vec::new();
        };
        let mut records = layer_records(layer, &self.parameters);
        let Some(topography) = &self.topography else {
            return records;
        };
        let record = |quantity, variant: String, value| Record {
            variant: variant.into(),
            ..Record::new(&layer.layer, quantity, value)
        };
        for peak in &topography.peaks {
            let of_peak = |quantity, value| Record {
                n: Some(peak.peak.size),
                ..record(quantity, format!("peak_{}", peak.peak.peak), value)
            };
            records.push(Record {
                std_error: Some(peak.peak.error),
                ..of_peak("peak_log_density", Some(peak.peak.log_density))
            });
            records.push(of_peak("peak_row", Some(peak.peak.row as f64)));
            records.push(of_peak("peak_size", Some(peak.peak.size as f64)));
            records.push(of_peak("peak_core", Some(peak.peak.n_core as f64)));
            for (axis, quantity) in ["peak_x", "peak_y"].into_iter().enumerate() {
                records.push(of_peak(quantity, peak.at.map(|at| at[axis])));
            }
            for mix in &peak.classes {
                let of_labels = |quantity, value| Record {
                    other: &mix.labels,
                    n: usize::try_from(mix.n).ok(),
                    ..of_peak(quantity, Some(value))
                };
                records.push(of_labels("majority_fraction", mix.majority_fraction));
                records.push(of_labels("label_entropy", mix.entropy));
            }
        }
        for saddle in &topography.saddles {
            let [a, b] = saddle.peaks;
            records.push(Record {
                std_error: saddle.error,
                ..record(
                    "saddle_log_density",
                    format!("peak_{a}_{b}"),
                    saddle.log_density,
                )
            });
        }
        records
    }

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let mut parts = vec![layer_grid(&self.layers, &self.parameters, style).render(style)];
        if let Some(topography) = &self.topography {
            parts.push(peak_grid(topography, style).render(style));
            if topography.n_adjacent > 0 {
                parts.push(saddle_table(topography, style));
            }
            if let Some(tree) = &self.dendrogram {
                parts.push(tree_text(tree, topography, style));
            }
        }
        if let Some(graph) = &self.decision_graph {
            parts.push(graph_text(graph, style));
        }
        parts.join("\n")
    }

    fn closing(&self, style: &Style) -> String {
        let lines = context(&self.parameters, *style);
        let layers = self.layers.iter();
        let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        let closing: String = lines.into_iter().map(|line| line + "\n").collect();
        closing + &warnings::lines(&self.warnings, layers, *style)
    }
}

fn peak_grid(topography: &Topography, style: Style) -> Grid {
    let mut grid = Grid::new(vec![
        Column::text("peak"),
        Column::number("row"),
        Column::number("log density"),
        Column::number(style.plus_minus()).after(2),
        Column::number("rows"),
        Column::number("core"),
        Column::number("x"),
        Column::number("y"),
        Column::text("holds"),
    ]);
    for one in &topography.peaks {
        let axis = |axis: usize| -> Cell {
            one.at
                .map_or(style.dash().into(), |at| format!("{:.2}", at[axis]).into())
        };
        let holds: Vec<String> = one.classes.iter().map(|mix| classes(mix, style)).collect();
        grid.push(vec![
            one.peak.peak.to_string().into(),
            one.peak.row.to_string().into(),
            format!("{:.2}", one.peak.log_density).into(),
            significant(one.peak.error, 2).into(),
            grouped(one.peak.size, style).into(),
            grouped(one.peak.n_core, style).into(),
            axis(0),
            axis(1),
            holds.join("; ").into(),
        ]);
    }
    grid
}

/// The most frequent classes and their shares.
fn classes(mix: &ClassMix, style: Style) -> String {
    let shown = mix.classes.iter().take(SHOWN_CLASSES).map(|class| {
        let share = 100.0 * class.n as f64 / mix.n as f64;
        format!("{} {share:.0} %", text::safe(&class.class, style))
    });
    let mut words: Vec<String> = shown.collect();
    if mix.classes.len() > SHOWN_CLASSES {
        words.push(format!("{} more", mix.classes.len() - SHOWN_CLASSES));
    }
    words.join(", ")
}

fn saddle_table(topography: &Topography, style: Style) -> String {
    let mut adjacent: Vec<&SaddleSummary> = topography
        .saddles
        .iter()
        .filter(|saddle| saddle.adjacent)
        .collect();
    let height = |saddle: &SaddleSummary| saddle.log_density.unwrap_or(f64::NEG_INFINITY);
    adjacent.sort_by(|a, b| height(b).total_cmp(&height(a)).then(a.peaks.cmp(&b.peaks)));
    let mut grid = Grid::new(vec![
        Column::text("saddle"),
        Column::number("row"),
        Column::number("log density"),
        Column::number(style.plus_minus()).after(2),
    ]);
    for saddle in adjacent.iter().take(SHOWN_SADDLES) {
        let [a, b] = saddle.peaks;
        let number = |value: Option<f64>, words: fn(f64) -> String| -> Cell {
            value.map_or(style.dash().into(), |value| words(value).into())
        };
        grid.push(vec![
            format!("{a} to {b}").into(),
            saddle
                .row
                .map(|row| row.to_string())
                .unwrap_or_default()
                .into(),
            number(saddle.log_density, |value| format!("{value:.2}")),
            number(saddle.error, |value| significant(value, 2)),
        ]);
    }
    let n = topography.peaks.len();
    let (all, pairs) = (topography.n_adjacent, n * (n - 1) / 2);
    let mut words = Vec::new();
    if all > SHOWN_SADDLES {
        words.push(format!(
            "{} lower saddles",
            grouped(all - SHOWN_SADDLES, style)
        ));
    }
    if pairs > all {
        words.push(format!(
            "{} pairs are not adjacent",
            grouped(pairs - all, style)
        ));
    }
    let rest = match words.is_empty() {
        true => String::new(),
        false => words.join("; ") + "\n",
    };
    grid.render(style) + &rest
}

/// The tree, a fork or a peak a line, deeper ones farther to the right.
fn tree_text(tree: &PeakTree, topography: &Topography, style: Style) -> String {
    let linkage = tree.linkage.name();
    if let Some(reason) = tree.reason {
        return format!("tree ({linkage} linkage): none, {}\n", reason.code());
    }
    let n = topography.peaks.len();
    if n > SHOWN_PEAKS {
        return format!(
            "tree ({linkage} linkage): {} peaks are too many to draw; see dendrogram in the JSON\n",
            grouped(n, style)
        );
    }
    let [branch, last, along] = match style.ascii {
        true => ["|- ", "`- ", "|  "],
        false => ["├─ ", "└─ ", "│  "],
    };
    let mut lines = vec![format!(
        "tree ({linkage} linkage; forks at the log density where groups of peaks meet)"
    )];
    // (node, what stands before it, what stands before its children)
    let mut stack: Vec<(usize, String, String)> = Vec::new();
    stack.extend(
        tree.nodes
            .last()
            .map(|root| (root.id, String::new(), String::new())),
    );
    while let Some((id, before, below)) = stack.pop() {
        let node = &tree.nodes[id];
        let words = match (node.children, topography.peaks.get(id)) {
            (None, Some(peak)) => leaf(peak, style),
            _ => node
                .height
                .map_or("not adjacent".to_owned(), |height| format!("{height:.2}")),
        };
        lines.push(text::elide_end(
            &format!("{before}{words}"),
            style.width.unwrap_or(usize::MAX),
            style,
        ));
        if let Some([first, second]) = node.children {
            stack.push((second, format!("{below}{last}"), format!("{below}   ")));
            stack.push((first, format!("{below}{branch}"), format!("{below}{along}")));
        }
    }
    lines.join("\n") + "\n"
}

fn leaf(peak: &MappedPeak, style: Style) -> String {
    let holds = peak
        .classes
        .first()
        .map(|mix| format!("  {}", classes(mix, style)));
    format!(
        "peak {}  {:.2}  {} rows{}",
        peak.peak.peak,
        peak.peak.log_density,
        grouped(peak.peak.size, style),
        holds.unwrap_or_default()
    )
}

fn graph_text(graph: &DecisionGraph, style: Style) -> String {
    let (Some(density), Some(delta)) = (graph.density_cut, graph.delta_cut) else {
        return format!(
            "decision graph of {} rows; choose centres with --cuts\n",
            grouped(graph.rows.len(), style)
        );
    };
    let cuts = format!("decision graph, log density > {density}, delta > {delta}:");
    match graph.reason {
        Some(reason) => format!("{cuts} no peak, {}\n", reason.code()),
        None => format!(
            "{cuts} {} peaks of {:?} rows\n",
            graph.centres.len(),
            graph.sizes
        ),
    }
}
