//! Shows the report of `repgeo landscape`: its records, its tables, its tree, its planes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::axes::axis;
use super::density_peaks::{context, layer_grid, layer_records};
use super::warned::warnings;
use crate::profile::landscape::{
    ClassMix, DecisionGraph, GraphRow, Landscape, MappedPeak, PeakTree, RelativeShare,
    SaddleSummary, Topography,
};
use crate::report::page::{
    Branch, Cell, Column, Grid, Note, Page, Part, Phrase, Piece, Plane, PlanePoint, Segment, Share,
    Tree, count, decimal, index, known, name, number, phrase,
};
use crate::report::{Printable, Record};

/// Saddles listed in the table; the report holds all.
const SHOWN_SADDLES: usize = 20;

/// Classes named beside a peak.
const SHOWN_CLASSES: usize = 3;

impl Printable for Landscape {
    fn records(&self) -> Vec<Record<'_>> {
        let Some(layer) = self.layers.first() else {
            return Vec::new();
        };
        let mut records = layer_records(layer, &self.parameters.peaks);
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

    fn page(&self) -> Page {
        let mut parts: Vec<Part> = vec![layer_grid(&self.layers, &self.parameters.peaks).into()];
        if let Some(topography) = &self.topography {
            parts.push(peak_grid(topography).into());
            if topography.n_adjacent > 0 {
                parts.push(saddle_grid(topography).into());
                parts.extend(other_saddles(topography));
            }
            if let Some(tree) = &self.dendrogram {
                parts.push(Part::Tree(peak_tree(tree, topography)));
            }
        }
        let graph = self.decision_graph.as_ref();
        parts.extend(graph.map(|graph| Part::Plane(decision_plane(graph))));
        let mut closing = vec![Note::Context(context(&self.parameters.peaks))];
        let layers = self.layers.iter();
        let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        closing.extend(warnings(&self.warnings, layers));
        Page::new("Density landscape", parts, closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        self.topography
            .iter()
            .map(|topography| Part::Plane(map(topography)))
            .collect()
    }
}

fn peak_grid(topography: &Topography) -> Grid {
    let mut grid = Grid::new(vec![
        Column::words("peak"),
        Column::number("row"),
        Column::number("log density"),
        Column::error(),
        Column::number("rows"),
        Column::number("core"),
        Column::number("x"),
        Column::number("y"),
        Column::words("holds"),
    ]);
    for one in &topography.peaks {
        let axis = |axis: usize| -> Cell {
            one.at
                .map_or(Piece::Absent, |at| decimal(at[axis], 2))
                .into()
        };
        let peak = &one.peak;
        grid.push(vec![
            index(peak.peak).into(),
            index(peak.row).into(),
            decimal(peak.log_density, 2).into(),
            number(peak.error, 2).into(),
            count(peak.size).into(),
            count(peak.n_core).into(),
            axis(0),
            axis(1),
            Phrase::join(one.classes.iter().map(classes), "; ").into(),
        ]);
    }
    grid
}

/// The most frequent classes and their shares.
fn classes(mix: &ClassMix) -> Phrase {
    let shown = mix.classes.iter().take(SHOWN_CLASSES).map(|class| {
        let share = 100.0 * class.n as f64 / mix.n as f64;
        phrase![name(&class.class), " ", decimal(share, 0), " %"]
    });
    let more = mix.classes.len().saturating_sub(SHOWN_CLASSES);
    let more = (more > 0).then(|| Phrase::from(format!("{more} more")));
    Phrase::join(shown.chain(more), ", ")
}

fn saddle_grid(topography: &Topography) -> Grid {
    let mut adjacent: Vec<&SaddleSummary> = topography
        .saddles
        .iter()
        .filter(|saddle| saddle.adjacent)
        .collect();
    let height = |saddle: &SaddleSummary| saddle.log_density.unwrap_or(f64::NEG_INFINITY);
    adjacent.sort_by(|a, b| height(b).total_cmp(&height(a)).then(a.peaks.cmp(&b.peaks)));
    let mut grid = Grid::new(vec![
        Column::words("saddle"),
        Column::number("row"),
        Column::number("log density"),
        Column::error(),
    ]);
    for saddle in adjacent.iter().take(SHOWN_SADDLES) {
        let [a, b] = saddle.peaks;
        let height = saddle.log_density.map(|value| decimal(value, 2));
        grid.push(vec![
            format!("{a} to {b}").into(),
            saddle.row.map(index).into(),
            height.unwrap_or(Piece::Absent).into(),
            known(saddle.error, 2).into(),
        ]);
    }
    grid
}

/// How many saddles are not listed, and how many pairs have none.
fn other_saddles(topography: &Topography) -> Option<Part> {
    let n = topography.peaks.len();
    let (all, pairs) = (topography.n_adjacent, n * (n - 1) / 2);
    let mut words = Vec::new();
    if all > SHOWN_SADDLES {
        words.push(phrase![count(all - SHOWN_SADDLES), " lower saddles"]);
    }
    if pairs > all {
        words.push(phrase![count(pairs - all), " pairs are not adjacent"]);
    }
    let line = || Note::Line(Phrase::join(words.clone(), "; "));
    (!words.is_empty()).then(|| Part::Notes(vec![line()].into()))
}

fn peak_tree(tree: &PeakTree, topography: &Topography) -> Tree {
    let branches = tree.nodes.iter().map(|node| {
        let leaf = tree.leaves.get(node.id);
        let place = leaf.map_or(node.id, |leaf| leaf.peak);
        let peak = topography
            .peaks
            .get(place)
            .filter(|_| node.children.is_none());
        Branch {
            label: match (peak, node.height) {
                (Some(peak), _) => leaf_words(peak, leaf.map_or(&[], |leaf| &leaf.classes)),
                (None, Some(height)) => decimal(height, 2).into(),
                (None, None) => "not adjacent".into(),
            },
            height: node.height,
            children: node.children,
            shares: peak.map(shares).unwrap_or_default(),
        }
    });
    Tree {
        title: "tree".into(),
        kind: tree_words(tree).into(),
        reading: "forks at the log density where groups of peaks meet".into(),
        leaves: "peaks",
        field: "dendrogram",
        height: axis("log density"),
        groups: classes_by_size(topography),
        branches: branches.collect(),
        reason: tree.outcome.reason(),
    }
}

/// How the tree was made.
fn tree_words(tree: &PeakTree) -> String {
    let mut words = vec![format!("{} linkage", tree.linkage.name())];
    words.extend(
        tree.min_rows
            .map(|least| format!("peaks of {least} rows or more")),
    );
    let density = |least| format!("peaks of a log density of {least} or more");
    words.extend(tree.min_density.map(density));
    let named = |share| format!("named by shares of classes from {share} of the largest");
    words.extend(tree.leaf_share.map(named));
    words.join(", ")
}

/// A peak, and the classes it holds: by their part of the peak, or where `relative` names some, by
/// the part of them that is here.
fn leaf_words(peak: &MappedPeak, relative: &[RelativeShare]) -> Phrase {
    let of_classes = || {
        let shares = relative.iter().map(|one| {
            let share = decimal(100.0 * one.share, 0);
            phrase![share, " % of ", name(&one.class)]
        });
        Phrase::join(shares, ", ")
    };
    phrase![
        format!("peak {}  ", peak.peak.peak),
        decimal(peak.peak.log_density, 2),
        "  ",
        count(peak.peak.size),
        " rows",
        match relative.is_empty() {
            true => peak.classes.first().map(|mix| phrase!["  ", classes(mix)]),
            false => Some(phrase!["  ", of_classes()]),
        },
    ]
}

/// The classes of a peak by the first labels.
fn shares(peak: &MappedPeak) -> Vec<Share> {
    let mixes = peak.classes.first().into_iter();
    mixes
        .flat_map(|mix| {
            mix.classes.iter().map(|class| Share {
                name: class.class.clone(),
                share: class.n as f64 / mix.n as f64,
            })
        })
        .collect()
}

/// The classes of the first labels by how many rows they have, so that tree and map give a class
/// the same colour.
fn classes_by_size(topography: &Topography) -> Vec<String> {
    let mixes = topography
        .peaks
        .iter()
        .filter_map(|peak| peak.classes.first());
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for class in mixes.flat_map(|mix| &mix.classes) {
        *sizes.entry(&class.class).or_default() += class.n;
    }
    let mut sizes: Vec<(&str, u64)> = sizes.into_iter().collect();
    sizes.sort_by_key(|&(_, n)| Reverse(n));
    sizes.into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// Peaks where the map places them, joined where they meet.
fn map(topography: &Topography) -> Plane {
    let place = |peak: usize| topography.peaks.get(peak)?.at;
    let points = topography.peaks.iter().filter_map(|peak| {
        let class = shares(peak).into_iter().next();
        Some(PlanePoint {
            at: peak.at?,
            errors: [None; 2],
            label: format!("peak {}", peak.peak.peak).into(),
            group: class.map(|class| class.name).unwrap_or_default(),
            size: Some(peak.peak.size as f64),
        })
    });
    let segments = topography.saddles.iter().filter(|saddle| saddle.adjacent);
    Plane {
        title: "Map of peaks".into(),
        caption: None,
        x: axis("x"),
        y: axis("y"),
        isometric: true,
        groups: classes_by_size(topography),
        points: points.collect(),
        segments: segments
            .filter_map(|saddle| {
                Some(Segment {
                    from: place(saddle.peaks[0])?,
                    to: place(saddle.peaks[1])?,
                    label: saddle.log_density.map(|height| decimal(height, 2)).into(),
                })
            })
            .collect(),
    }
}

/// Log density against the distance to the next denser row, and what the cuts make of it.
fn decision_plane(graph: &DecisionGraph) -> Plane {
    let caption = match (graph.density_cut, graph.delta_cut) {
        (Some(density), Some(delta)) => {
            let cuts = format!("decision graph, log density > {density}, delta > {delta}:");
            match graph.reason {
                Some(reason) => phrase![cuts, " no peak, ", Piece::Code(reason)],
                None => {
                    let (n, sizes) = (graph.centres.len(), &graph.sizes);
                    format!("{cuts} {n} peaks of {sizes:?} rows").into()
                }
            }
        }
        _ => phrase![
            "decision graph of ",
            count(graph.rows.len()),
            " rows; choose centres with --cuts",
        ],
    };
    let largest = |value: fn(&GraphRow) -> f64| {
        graph
            .rows
            .iter()
            .map(value)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let cut = |from, to| Segment {
        from,
        to,
        label: "cut".into(),
    };
    let cuts = graph
        .density_cut
        .zip(graph.delta_cut)
        .filter(|_| !graph.rows.is_empty());
    let segments = cuts.map(|(density, delta)| {
        let (right, top) = (largest(|row| row.log_density), largest(|row| row.delta));
        [
            cut([density, delta], [density, top.max(delta)]),
            cut([density, delta], [right.max(density), delta]),
        ]
    });
    Plane {
        title: "Decision graph".into(),
        caption: Some(caption),
        x: axis("log density"),
        y: axis("distance δ to the next denser row"),
        isometric: false,
        groups: vec!["centre".to_owned()],
        points: graph
            .rows
            .iter()
            .map(|row| PlanePoint {
                at: [row.log_density, row.delta],
                errors: [None; 2],
                label: format!("row {}", row.row).into(),
                group: match graph.centres.contains(&row.row) {
                    true => "centre".to_owned(),
                    false => String::new(),
                },
                size: None,
            })
            .collect(),
        segments: segments.into_iter().flatten().collect(),
    }
}
