//! Quantities along an axis: lines with their errors, gaps as gaps, events above the plot.

use super::axes::{self, Ruler};
use super::colour;
use super::drawing::{Drawing, WIDTH, heading};
use super::ink::{Hold, Ink, px};
use super::legend::{Entry, Swatch, legend};
use super::words;
use crate::report::page::{Band, Curve, CurveRole, Curves, Mark, Point};
use crate::report::write::text::significant;

/// The height of the plot itself.
const PLOT: f64 = 170.0;

/// The number of points from which a line has no dots and its error is a band.
const DENSE: usize = 48;

/// Dash patterns that stay apart.
const DASHES: usize = 3;

/// The curves, or `None` where none has a point.
pub(super) fn draw(curves: &Curves) -> Option<Drawing> {
    let points = || curves.curves.iter().flat_map(|curve| &curve.points);
    points().find(|point| point.y.is_some())?;
    let mut ink = Ink::default();
    let title = words::line(&curves.title);
    let mut top = heading(&mut ink, &title);

    let levels = curves.marks.iter().filter_map(|mark| match mark {
        Mark::Level { y, .. } => Some(*y),
        _ => None,
    });
    let heights = points().flat_map(reach).chain(levels);
    // The left edge depends on the ticks, and they on nothing else.
    let sketch = Ruler::over(&curves.y, heights.clone(), 0.0, 1.0);
    let [left, right] = [axes::left_room(&sketch), WIDTH - 8.0];
    let x = Ruler::over(&curves.x, points().map(|point| point.x), left, right);
    top += event_rows(&mut ink, curves, &x, [left, right], top);
    let bottom = top + PLOT;
    let y = Ruler::over(&curves.y, heights, bottom, top);

    axes::left_edge(&mut ink, &curves.y, &y, [left, right], [top, bottom]);
    let edge = axes::lower_edge(&mut ink, &curves.x, &x, [left, right], [top, bottom]);
    marks(&mut ink, curves, [&x, &y], [left, right], [top, bottom]);
    let inks = Inks::of(curves);
    for (curve, at) in curves.curves.iter().zip(0..) {
        draw_curve(&mut ink, curves, curve, &inks.0[at], [&x, &y]);
    }
    let entries: Vec<Entry> = curves
        .curves
        .iter()
        .zip(&inks.0)
        .filter(|(curve, _)| curve.points.iter().any(|point| point.y.is_some()))
        .map(|(curve, style)| Entry {
            swatch: Swatch::Stroke(style.stroke.clone()),
            label: words::line(&curve.name),
        })
        .collect();
    let shown: &[Entry] = if entries.len() > 1 { &entries } else { &[] };
    let below = legend(&mut ink, shown, [left, right], bottom + edge);
    let known = points().filter(|point| point.y.is_some()).count();
    Some(Drawing {
        kind: "curves",
        description: format!(
            "{} against {}: {} curves of {known} values in all.",
            axes::title(&curves.y),
            axes::title(&curves.x),
            curves.curves.len(),
        ),
        title,
        height: bottom + edge + below + 4.0,
        ink,
    })
}

/// How far a point reaches up and down.
fn reach(point: &Point) -> Vec<f64> {
    let Some(y) = point.y else { return Vec::new() };
    match point.band {
        None => vec![y],
        Some(Band::Error(error)) => vec![y - error, y + error],
        Some(Band::Range(low, high)) => vec![y, low, high],
    }
}

/// The strokes and fills of all curves.
struct Inks(Vec<CurveInk>);

struct CurveInk {
    /// Attributes of its line.
    stroke: String,
    /// Attributes of its error bars.
    bar: String,
    /// Attributes of its dots.
    dot: String,
    /// Attributes of its band.
    band: String,
}

impl Inks {
    /// Measured curves have colours of their own, shades where there are more than categories; what
    /// they are compared with has the colour of the one before it, in dashes.
    fn of(curves: &Curves) -> Self {
        let measured = |curve: &&Curve| curve.role == CurveRole::Measured;
        let n_measured = curves.curves.iter().filter(measured).count();
        let (mut own, mut dashes) = (0_usize, 0_usize);
        let inks = curves.curves.iter().map(|curve| {
            let dash = match curve.role {
                CurveRole::Measured => {
                    (own, dashes) = (own + 1, 0);
                    String::new()
                }
                CurveRole::Part => " thin".into(),
                CurveRole::Control => {
                    dashes += 1;
                    format!(" thin d{}", 1 + (dashes - 1) % DASHES)
                }
                CurveRole::Null => " thin d3".into(),
            };
            let at = own.saturating_sub(1);
            if n_measured > colour::CATEGORIES {
                let shade = colour::ordered(at as f64 / (n_measured - 1) as f64);
                return CurveInk {
                    stroke: format!(r#"class="l{dash}" stroke="{shade}""#),
                    bar: format!(r#"class="e" stroke="{shade}""#),
                    dot: format!(r#"class="dot" fill="{shade}""#),
                    band: format!(r#"class="b" fill="{shade}""#),
                };
            }
            let c = colour::category(at);
            CurveInk {
                stroke: format!(r#"class="l t{c}{dash}""#),
                bar: format!(r#"class="e t{c}""#),
                dot: format!(r#"class="dot f{c}""#),
                band: format!(r#"class="b f{c}""#),
            }
        });
        Self(inks.collect())
    }
}

fn draw_curve(
    ink: &mut Ink,
    curves: &Curves,
    curve: &Curve,
    style: &CurveInk,
    rulers: [&Ruler; 2],
) {
    let [x, y] = rulers;
    let place = |point: &Point, value: f64| Some([x.at(point.x)?, y.at(value)?]);
    let dense = curve.points.len() >= DENSE;
    if dense {
        for band in bands(curve) {
            let upper = band
                .iter()
                .filter_map(|(point, _, high)| place(point, *high));
            let lower = band
                .iter()
                .rev()
                .filter_map(|(point, low, _)| place(point, *low));
            let outline: Vec<[f64; 2]> = upper.chain(lower).collect();
            if outline.len() > 2 {
                ink.path(&(polyline(&outline) + "z"), &style.band);
            }
        }
    }
    let mut line = String::new();
    let mut run: Vec<[f64; 2]> = Vec::new();
    for point in &curve.points {
        match point.y.and_then(|value| place(point, value)) {
            Some(place) => run.push(place),
            None => line += &polyline(&std::mem::take(&mut run)),
        }
    }
    line += &polyline(&run);
    ink.path(&line, &style.stroke);
    for point in &curve.points {
        let Some(value) = point.y else { continue };
        let Some(at) = place(point, value) else {
            continue;
        };
        let ends = match point.band {
            _ if dense => None,
            None => None,
            Some(Band::Error(error)) => Some([value - error, value + error]),
            Some(Band::Range(low, high)) => Some([low, high]),
        };
        if let Some([Some(low), Some(high)]) = ends.map(|ends| ends.map(|end| y.at(end))) {
            ink.path(
                &format!("M{} {}V{}", px(at[0]), px(low), px(high)),
                &style.bar,
            );
        }
        let radius = match (dense, curve.role) {
            (true, _) => 1.2,
            (false, CurveRole::Measured) => 2.4,
            (false, _) => 1.6,
        };
        let data = format!(r#"{} data-x="{}" data-y="{value}""#, style.dot, point.x);
        let tip = tip(curves, curve, point, value);
        ink.circle(at, radius, &data, Some(&tip));
    }
}

/// Runs of points that have a band, with its lower and upper end.
fn bands(curve: &Curve) -> Vec<Vec<(&Point, f64, f64)>> {
    let ends = |point: &Point| match (point.y, point.band?) {
        (Some(y), Band::Error(error)) => Some((y - error, y + error)),
        (Some(_), Band::Range(low, high)) => Some((low, high)),
        (None, _) => None,
    };
    let mut runs = vec![Vec::new()];
    for point in &curve.points {
        match ends(point) {
            Some((low, high)) => runs
                .last_mut()
                .expect("one run is there")
                .push((point, low, high)),
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn polyline(points: &[[f64; 2]]) -> String {
    let mut d = String::new();
    for (at, [x, y]) in points.iter().enumerate() {
        d += if at == 0 { "M" } else { "L" };
        d += &format!("{} {}", px(*x), px(*y));
    }
    d
}

/// Where the point is, what it is, and how sure.
fn tip(curves: &Curves, curve: &Curve, point: &Point, value: f64) -> String {
    let names = &curves.x.names;
    #[allow(clippy::float_cmp)] // the same number stands in both
    let name = names.iter().find(|(place, _)| *place == point.x);
    let place = match name {
        Some((_, name)) => words::line(&crate::report::page::name(name.clone()).into()),
        None => format!("{} {}", axes::title(&curves.x), significant(point.x, 4)),
    };
    let value = significant(value, 4);
    let spread = match point.band {
        None => String::new(),
        Some(Band::Error(error)) => format!(" ± {}", significant(error, 2)),
        Some(Band::Range(low, high)) => {
            format!(" ({} to {})", significant(low, 3), significant(high, 3))
        }
    };
    format!("{place}\n{}: {value}{spread}", words::line(&curve.name))
}

/// The words of events above the plot, in as many rows as keep them apart; gives their height.
fn event_rows(ink: &mut Ink, curves: &Curves, x: &Ruler, [left, right]: [f64; 2], top: f64) -> f64 {
    const ROW: f64 = 11.0;
    let mut ends: Vec<f64> = Vec::new();
    for mark in &curves.marks {
        let (place, label) = match mark {
            Mark::At { x: place, label } => (x.at(*place), label),
            Mark::Span { from, to, label } => (
                x.at(*from).zip(x.at(*to)).map(|(a, b)| f64::midpoint(a, b)),
                label,
            ),
            Mark::Level { .. } => continue,
        };
        let Some(place) = place else { continue };
        let label = words::elided(&words::line(label), 9.0, right - left);
        let half = words::width(&label, 9.0) / 2.0;
        let middle = place.clamp(left + half, (right - half).max(left + half));
        let free = ends.iter().position(|&end| middle - half > end + 4.0);
        let row = free.unwrap_or(ends.len());
        if free.is_none() {
            ends.push(0.0);
        }
        ends[row] = middle + half;
        let y = top + 8.0 + ROW * row as f64;
        ink.text([middle, y], Hold::Middle, "s q", &label);
    }
    ROW * ends.len() as f64 + if ends.is_empty() { 0.0 } else { 3.0 }
}

/// Lines and spans of the marks, behind the curves.
fn marks(
    ink: &mut Ink,
    curves: &Curves,
    [x, y]: [&Ruler; 2],
    [left, right]: [f64; 2],
    [top, bottom]: [f64; 2],
) {
    for mark in &curves.marks {
        match mark {
            Mark::At { x: place, .. } => {
                if let Some(place) = x.at(*place) {
                    ink.line([place, top], [place, bottom], "mark");
                }
            }
            Mark::Span { from, to, .. } => {
                if let (Some(a), Some(b)) = (x.at(*from), x.at(*to)) {
                    let (start, width) = (a.min(b), (a - b).abs().max(1.0));
                    ink.rect([start, top], [width, bottom - top], r#"class="span""#, None);
                }
            }
            Mark::Level { y: level, label } => {
                if let Some(height) = y.at(*level) {
                    ink.line([left, height], [right, height], "mark");
                    let label = words::line(label);
                    ink.text([right, height - 3.0], Hold::End, "s q", &label);
                }
            }
        }
    }
}
