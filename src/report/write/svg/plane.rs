//! Points on a plane, in the colours of their groups.

use super::axes::{self, Ruler};
use super::drawing::{Drawing, WIDTH, heading};
use super::groups::Groups;
use super::ink::{Hold, Ink, px};
use super::legend::legend;
use super::words;
use crate::report::page::{Plane, PlanePoint};
use crate::report::write::text::significant;

/// More points than this are drawn as dust: no words of their own, one dot where many meet.
const SPOKEN: usize = 1500;

/// The largest number of points that carry their labels.
const LABELLED: usize = 40;

/// The plane, or `None` where it has no point.
pub(super) fn draw(plane: &Plane) -> Option<Drawing> {
    if plane.points.is_empty() {
        return None;
    }
    let mut ink = Ink::default();
    let title = words::line(&plane.title);
    let top = heading(&mut ink, &title) + 4.0;
    let reach = |axis: usize| {
        let points = plane.points.iter().flat_map(move |point| {
            let error = point.errors[axis].unwrap_or(0.0);
            [point.at[axis] - error, point.at[axis] + error]
        });
        let ends = plane.segments.iter();
        let ends = ends.flat_map(move |one| [one.from[axis], one.to[axis]]);
        points.chain(ends).collect::<Vec<f64>>()
    };
    let sketch = Ruler::over(&plane.y, reach(1), 0.0, 1.0);
    let [left, right] = [axes::left_room(&sketch), WIDTH - 8.0];
    let bottom = top + if plane.isometric { right - left } else { 220.0 };
    let mut x = Ruler::over(&plane.x, reach(0), left, right);
    let mut y = Ruler::over(&plane.y, reach(1), bottom, top);
    if plane.isometric {
        Ruler::alike(&mut x, &mut y);
    }
    axes::left_edge(&mut ink, &plane.y, &y, [left, right], [top, bottom]);
    let edge = axes::lower_edge(&mut ink, &plane.x, &x, [left, right], [top, bottom]);
    for segment in &plane.segments {
        let ends = [segment.from, segment.to].map(|[a, b]| Some([x.at(a)?, y.at(b)?]));
        if let [Some(from), Some(to)] = ends {
            ink.line(from, to, "seg");
        }
    }
    let present = plane.points.iter().map(|point| (&*point.group, 1.0));
    let groups = Groups::new(&plane.groups, present);
    if plane.points.len() > SPOKEN {
        dust(&mut ink, plane, &groups, [&x, &y]);
    } else {
        points(&mut ink, plane, &groups, [&x, &y]);
    }
    let below = legend(&mut ink, &groups.legend(), [left, right], bottom + edge);
    Some(Drawing {
        kind: "plane",
        description: format!(
            "{} against {}: {} points.",
            axes::title(&plane.y),
            axes::title(&plane.x),
            plane.points.len(),
        ),
        title,
        height: bottom + edge + below + 4.0,
        ink,
    })
}

fn points(ink: &mut Ink, plane: &Plane, groups: &Groups<'_>, [x, y]: [&Ruler; 2]) {
    let sizes = plane.points.iter().filter_map(|point| point.size);
    let largest = sizes.fold(0.0, f64::max);
    let mut taken: Vec<[f64; 4]> = Vec::new();
    for point in &plane.points {
        let (Some(cx), Some(cy)) = (x.at(point.at[0]), y.at(point.at[1])) else {
            continue;
        };
        let c = groups.class(&point.group);
        for (axis, error) in point.errors.iter().enumerate() {
            let Some(error) = error else { continue };
            let ruler = [x, y][axis];
            let ends = [point.at[axis] - error, point.at[axis] + error].map(|end| ruler.at(end));
            if let [Some(low), Some(high)] = ends.map(|end| end.map(px)) {
                let d = match axis {
                    0 => format!("M{low} {}H{high}", px(cy)),
                    _ => format!("M{} {low}V{high}", px(cx)),
                };
                ink.path(&d, &format!(r#"class="e t{c}""#));
            }
        }
        let radius = match point.size {
            Some(size) if largest > 0.0 => 2.0 + 7.0 * (size / largest).max(0.0).sqrt(),
            _ => 3.0,
        };
        let [a, b] = point.at;
        let data = format!(r#"class="dot f{c}" data-x="{a}" data-y="{b}""#);
        ink.circle([cx, cy], radius, &data, Some(&tip(plane, point)));
        taken.push([cx - radius, cy - radius, cx + radius, cy + radius]);
    }
    if plane.points.len() <= LABELLED {
        labels(ink, plane, [x, y], taken);
    }
}

/// The labels of the points that have room for one beside them.
fn labels(ink: &mut Ink, plane: &Plane, [x, y]: [&Ruler; 2], mut taken: Vec<[f64; 4]>) {
    let dots = taken.clone();
    let places = plane
        .points
        .iter()
        .filter(|point| x.at(point.at[0]).is_some() && y.at(point.at[1]).is_some());
    for (point, [_, top, right, bottom]) in places.zip(dots) {
        let label = words::line(&point.label);
        let (left, middle) = (right + 2.0, f64::midpoint(top, bottom));
        let room = [
            left,
            middle - 5.0,
            left + words::width(&label, 8.0),
            middle + 4.0,
        ];
        let free = |other: &[f64; 4]| {
            room[2] < other[0] || room[0] > other[2] || room[3] < other[1] || room[1] > other[3]
        };
        if !label.is_empty() && room[2] <= WIDTH && taken.iter().all(free) {
            ink.text([left, middle + 3.0], Hold::Start, "v q", &label);
            taken.push(room);
        }
    }
}

fn tip(plane: &Plane, point: &PlanePoint) -> String {
    let value = |axis: usize| {
        let spread = point.errors[axis].map(|error| format!(" ± {}", significant(error, 2)));
        significant(point.at[axis], 4) + &spread.unwrap_or_default()
    };
    let mut lines = vec![
        words::line(&point.label),
        format!("{}: {}", axes::title(&plane.x), value(0)),
        format!("{}: {}", axes::title(&plane.y), value(1)),
    ];
    if !point.group.is_empty() {
        lines.push(words::line(
            &crate::report::page::name(point.group.clone()).into(),
        ));
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// One dot for all points of a group that fall on the same place of the paper.
fn dust(ink: &mut Ink, plane: &Plane, groups: &Groups<'_>, [x, y]: [&Ruler; 2]) {
    let mut seen = std::collections::BTreeMap::new();
    for point in &plane.points {
        if let (Some(cx), Some(cy)) = (x.at(point.at[0]), y.at(point.at[1])) {
            // Half a pixel is as fine as a screen shows.
            let half = |place: f64| px((2.0 * place).round() / 2.0);
            let places: &mut std::collections::BTreeSet<_> =
                seen.entry(groups.class(&point.group)).or_default();
            places.insert((half(cx), half(cy)));
        }
    }
    for (c, places) in seen {
        let d: String = places.iter().map(|(x, y)| format!("M{x} {y}h0")).collect();
        let attributes =
            format!(r#"class="t{c}" fill="none" stroke-width="2" stroke-linecap="round""#);
        ink.path(&d, &attributes);
    }
}
