//! Events in words, one line each.

use super::number::significant;
use super::style::Style;
use super::text;
use crate::geometry::Reason;
use crate::profile::events::{
    DoubleHunchback, Event, Events, Maximum, Place, PositionSpread, Window,
};

/// What was found on a profile, a line an event; then what was not, with the reason; then how far
/// events move between parts. No line is wider than `style.width`.
pub fn event_lines(events: &Events, style: &Style) -> Vec<String> {
    let style = *style;
    let mut lines = Lines {
        style,
        found: Vec::new(),
        missing: Vec::new(),
    };
    lines.add_all(events);
    let mut all = lines.found;
    if events.flat {
        let range = events.relative_range.unwrap_or(0.0);
        all.push(format!(
            "flat profile: range {} of the mean, below 0.1",
            significant(range, 2)
        ));
    }
    for (reason, names) in lines.missing {
        all.push(format!("none ({}): {}", reason.code(), names.join(", ")));
    }
    all.extend(spread_line(&events.spread));
    all.iter()
        .flat_map(|line| text::wrap(line, style.width))
        .collect()
}

/// The events on a profile in few words, less the peak and the minimum and what was not found.
pub(super) fn event_summary(events: &Events, style: Style) -> String {
    let layer = |place: &Place| text::safe(&place.layer, style);
    let span = |window: &Window| format!("{} to {}", layer(&window.first), layer(&window.last));
    let mut words = Vec::new();
    let mut add = |name: &str, what: Option<String>| {
        words.extend(what.map(|what| format!("{name} {what}")));
    };
    add(
        "onset",
        events
            .onset
            .found
            .as_ref()
            .map(|onset| layer(&onset.crossing.at)),
    );
    add("end", events.end.found.as_ref().map(|end| layer(&end.at)));
    let dip = events.relative_minimum.found.as_ref();
    add("relative minimum", dip.map(|dip| layer(&dip.at)));
    let plateau = events.plateau.found.as_ref();
    add("plateau", plateau.map(|plateau| span(&plateau.window)));
    let hump = events.hunchback.found.as_ref();
    add(
        "hunchback",
        hump.map(|hump| yes_or_no(hump.present).to_owned()),
    );
    let humps = events.double_hunchback.found.as_ref();
    add(
        "double hunchback",
        humps.map(|humps| yes_or_no(humps.present).to_owned()),
    );
    let step = events.transition.found.as_ref();
    add(
        "transition",
        step.map(|step| format!("{} at {}", signed(step.step), layer(&step.to))),
    );
    let line = events.slope.as_ref().and_then(|slope| slope.found.as_ref());
    add("slope", line.map(|line| signed(line.slope)));
    if events.flat {
        let range = events.relative_range.unwrap_or(0.0);
        words.push(format!("flat, range {} of the mean", significant(range, 2)));
    }
    words.join(", ")
}

struct Lines {
    style: Style,
    found: Vec<String>,
    /// Events that were not found, by reason.
    missing: Vec<(Reason, Vec<&'static str>)>,
}

impl Lines {
    fn add_all(&mut self, events: &Events) {
        let style = self.style;
        let layer = |place: &Place| text::safe(&place.layer, style);
        let three = |value: f64| significant(value, 3);
        let depth = |place: &Place| format!("depth {:.2}", place.relative_depth);
        let span = |window: &Window| format!("{} to {}", layer(&window.first), layer(&window.last));
        let summit = |place: &Place, prominence: f64| {
            let (value, layer, depth) = (three(place.value), layer(place), depth(place));
            format!("{value} at {layer} ({depth}, prominence {prominence:.2})")
        };

        self.add("peak", &events.peak, |peak| {
            summit(&peak.at, peak.prominence)
        });
        self.note_missing("maxima", events.maxima.reason);
        let top = events.peak.found.as_ref().map(|peak| peak.at.index);
        for maximum in other_maxima(events, top) {
            let words = summit(&maximum.at, maximum.prominence);
            self.found.push(format!("maximum {words}"));
        }
        self.add("minimum", &events.minimum, |low| {
            format!(
                "{} at {} ({})",
                three(low.at.value),
                layer(&low.at),
                depth(&low.at)
            )
        });
        self.add("onset", &events.onset, |onset| {
            let (crossing, step) = (&onset.crossing, &onset.largest_step);
            format!(
                "at {} ({}; reaches {} at position {}; largest step {} to {})",
                layer(&crossing.at),
                depth(&crossing.at),
                three(crossing.threshold),
                three(crossing.crossing_position),
                signed(step.step),
                layer(&step.to)
            )
        });
        self.add("end", &events.end, |end| {
            format!(
                "at {} ({}; falls below {} at position {})",
                layer(&end.at),
                depth(&end.at),
                three(end.threshold),
                three(end.crossing_position)
            )
        });
        self.add("high phase", &events.high_phase, |phase| {
            let (first, last) = (layer(&phase.first), layer(&phase.last));
            format!("{first} to {last} ({})", layers(phase.n_layers))
        });
        self.add("relative minimum", &events.relative_minimum, |dip| {
            format!(
                "{} at {} ({}, plateau {})",
                three(dip.at.value),
                layer(&dip.at),
                depth(&dip.at),
                span(&dip.plateau)
            )
        });
        self.add("plateau", &events.plateau, |plateau| {
            let (span, n) = (span(&plateau.window), layers(plateau.window.n_layers));
            format!("{span} ({n}, mean {})", three(plateau.mean))
        });
        self.add("hunchback", &events.hunchback, |hump| {
            let answer = yes_or_no(hump.present);
            format!("{answer} (rise {:.2}, fall {:.2})", hump.rise, hump.fall)
        });
        self.add("double hunchback", &events.double_hunchback, |humps| {
            double_words(humps, layer)
        });
        self.add("transition", &events.transition, |step| {
            format!(
                "{} from {} to {} (depth {:.2}, {} per unit of depth)",
                signed(step.step),
                layer(&step.from),
                layer(&step.to),
                step.relative_depth,
                signed(step.rate)
            )
        });
        self.add("half maximum", &events.half_maximum, |half| {
            format!(
                "at {} ({}; reaches {})",
                layer(&half.at),
                depth(&half.at),
                three(half.threshold)
            )
        });
        if let Some(threshold) = &events.threshold {
            self.add("threshold", threshold, |found| {
                format!(
                    "{} exceeded at {} ({})",
                    found.threshold,
                    layer(&found.at),
                    depth(&found.at)
                )
            });
        }
        if let Some(slope) = &events.slope {
            self.add("slope", slope, |line| {
                let (first, last) = (layer(&line.first), layer(&line.last));
                format!("{} per position from {first} to {last}", signed(line.slope))
            });
        }
    }

    fn add<F>(&mut self, name: &'static str, event: &Event<F>, words: impl Fn(&F) -> String) {
        if let Some(found) = &event.found {
            self.found.push(format!("{name} {}", words(found)));
        }
        self.note_missing(name, event.reason);
    }

    fn note_missing(&mut self, name: &'static str, reason: Option<Reason>) {
        if let Some(reason) = reason {
            match self.missing.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, names)) => names.push(name),
                None => self.missing.push((reason, vec![name])),
            }
        }
    }
}

/// The listed maxima that are not the peak.
fn other_maxima(events: &Events, peak: Option<usize>) -> impl Iterator<Item = &Maximum> {
    let maxima = events.maxima.found.iter().flatten();
    maxima.filter(move |maximum| Some(maximum.at.index) != peak)
}

fn double_words(humps: &DoubleHunchback, layer: impl Fn(&Place) -> String) -> String {
    let p = humps.p.map(|p| format!("; p {}", significant(p, 2)));
    format!(
        "{} (humps {} and {}, valley {}{})",
        yes_or_no(humps.present),
        layer(&humps.first),
        layer(&humps.second),
        layer(&humps.valley),
        p.unwrap_or_default()
    )
}

/// Where events lie in parts of the rows: mean, and from where to where.
fn spread_line(spread: &[PositionSpread]) -> Option<String> {
    let n_parts = spread.first()?.n_parts;
    let known = spread.iter().filter_map(|event| {
        let (mean, min, max) = (event.mean?, event.min?, event.max?);
        let some = if event.n_found < n_parts {
            format!(" in {} of {n_parts}", event.n_found)
        } else {
            String::new()
        };
        let name = event.event.replace('_', " ");
        let [mean, min, max] = [mean, min, max].map(|position| significant(position, 3));
        Some(format!("{name} {mean} ({min} to {max}{some})"))
    });
    let known: Vec<String> = known.collect();
    (!known.is_empty()).then(|| format!("positions over {n_parts} parts: {}", known.join(", ")))
}

fn signed(value: f64) -> String {
    let plus = if value > 0.0 { "+" } else { "" };
    format!("{plus}{}", significant(value, 3))
}

fn yes_or_no(present: bool) -> &'static str {
    if present { "yes" } else { "no" }
}

fn layers(n: usize) -> String {
    match n {
        1 => "1 layer".to_owned(),
        _ => format!("{n} layers"),
    }
}
