//! Events in words, one line each, and as marks on an axis of depth.

use crate::geometry::Reason;
use crate::profile::events::{
    DoubleHunchback, Event, Events, Maximum, Place, PositionSpread, SpreadSource, Window,
};
use crate::report::page::{Mark, Phrase, Piece, decimal, name, number, phrase};

/// What was found on a profile, a line an event; then what was not, with the reason; then how far
/// events move between parts.
pub(super) fn event_lines(events: &Events) -> Vec<Phrase> {
    let mut lines = Lines {
        found: Vec::new(),
        missing: Vec::new(),
    };
    lines.add_all(events);
    let mut all = lines.found;
    if events.flat {
        let range = events.relative_range.unwrap_or(0.0);
        all.push(phrase![
            "flat profile: range ",
            number(range, 2),
            " of the mean, below 0.1"
        ]);
    }
    for (reason, names) in lines.missing {
        all.push(phrase![
            "none (",
            Piece::Code(reason),
            "): ",
            names.join(", ")
        ]);
    }
    all.extend(spread_line(&events.spread));
    all
}

/// The events on a profile in few words, without the peak and the minimum and what was not found.
pub(super) fn event_summary(events: &Events) -> Phrase {
    let mut words: Vec<Phrase> = Vec::new();
    let mut add = |name: &'static str, what: Option<Phrase>| {
        words.extend(what.map(|what| phrase![name, " ", what]));
    };
    let onset = events.onset.found();
    add("onset", onset.map(|onset| layer(&onset.crossing.at)));
    add("end", events.end.found().map(|end| layer(&end.at)));
    let dip = events.relative_minimum.found();
    add("relative minimum", dip.map(|dip| layer(&dip.at)));
    let plateau = events.plateau.found();
    add("plateau", plateau.map(|plateau| span(&plateau.window)));
    let hump = events.hunchback.found();
    add("hunchback", hump.map(|hump| yes_or_no(hump.present).into()));
    let humps = events.double_hunchback.found();
    add(
        "double hunchback",
        humps.map(|humps| yes_or_no(humps.present).into()),
    );
    let step = events.transition.found();
    add(
        "transition",
        step.map(|step| phrase![signed(step.step), " at ", layer(&step.to)]),
    );
    let line = events.slope.as_ref().and_then(|slope| slope.found());
    add("slope", line.map(|line| signed(line.slope)));
    if events.flat {
        let range = events.relative_range.unwrap_or(0.0);
        words.push(phrase!["flat, range ", number(range, 2), " of the mean"]);
    }
    Phrase::join(words, ", ")
}

/// The highest layer alone: what a count that jumps about bears.
pub(super) fn peak_mark(events: &Events) -> Vec<Mark> {
    let peak = events.peak.found();
    peak.map(|peak| mark("peak", &peak.at))
        .into_iter()
        .collect()
}

/// Where a score has come to half of its highest value, and where it is highest.
pub(super) fn nucleation_marks(events: &Events) -> Vec<Mark> {
    let half = events.half_maximum.found();
    let half = half.map(|half| mark("nucleation layer", &half.at));
    half.into_iter().chain(peak_mark(events)).collect()
}

fn mark(label: &'static str, place: &Place) -> Mark {
    Mark::At {
        x: place.relative_depth,
        label: label.into(),
    }
}

/// The events as marks at their depth; a step that errors explain is none to look at.
pub(super) fn event_marks(events: &Events) -> Vec<Mark> {
    let at = |label: &'static str, place: Option<&Place>| place.map(|place| mark(label, place));
    let lasts = |label: &'static str, first: &Place, last: &Place| Mark::Span {
        from: first.relative_depth,
        to: last.relative_depth,
        label: label.into(),
    };
    let humps = events.double_hunchback.found();
    let humps = humps.filter(|humps| humps.present);
    let step = events.transition.found();
    let step = step.filter(|step| step.within_errors != Some(true));
    let marks = [
        at("peak", events.peak.found().map(|peak| &peak.at)),
        at("minimum", events.minimum.found().map(|low| &low.at)),
        at(
            "onset",
            events.onset.found().map(|onset| &onset.crossing.at),
        ),
        at("end", events.end.found().map(|end| &end.at)),
        at(
            "relative minimum",
            events.relative_minimum.found().map(|dip| &dip.at),
        ),
        at("first hump", humps.map(|humps| &humps.first)),
        at("valley", humps.map(|humps| &humps.valley)),
        at("second hump", humps.map(|humps| &humps.second)),
        step.map(|step| Mark::At {
            x: step.relative_depth,
            label: "transition".into(),
        }),
        events
            .high_phase
            .found()
            .map(|phase| lasts("high phase", &phase.first, &phase.last)),
        events
            .plateau
            .found()
            .map(|plateau| lasts("plateau", &plateau.window.first, &plateau.window.last)),
    ];
    marks.into_iter().flatten().collect()
}

fn layer(place: &Place) -> Phrase {
    name(&place.layer).into()
}

fn depth(place: &Place) -> Phrase {
    phrase!["depth ", decimal(place.relative_depth, 2)]
}

fn span(window: &Window) -> Phrase {
    phrase![layer(&window.first), " to ", layer(&window.last)]
}

fn three(value: f64) -> Piece {
    number(value, 3)
}

fn summit(place: &Place, prominence: f64) -> Phrase {
    phrase![
        three(place.value),
        " at ",
        layer(place),
        " (",
        depth(place),
        ", prominence ",
        decimal(prominence, 2),
        ")",
    ]
}

struct Lines {
    found: Vec<Phrase>,
    /// Events that were not found, by reason.
    missing: Vec<(Reason, Vec<&'static str>)>,
}

impl Lines {
    fn add_all(&mut self, events: &Events) {
        self.add_extrema(events);
        self.add_phases(events);
        self.add_shapes(events);
        self.add_steps(events);
    }

    /// The highest and lowest values.
    fn add_extrema(&mut self, events: &Events) {
        self.add("peak", &events.peak, |peak| {
            summit(&peak.at, peak.prominence)
        });
        self.note_missing("maxima", events.maxima.reason());
        let top = events.peak.found().map(|peak| peak.at.index);
        for maximum in other_maxima(events, top) {
            let words = summit(&maximum.at, maximum.prominence);
            self.found.push(phrase!["maximum ", words]);
        }
        self.add("minimum", &events.minimum, |low| {
            phrase![
                three(low.at.value),
                " at ",
                layer(&low.at),
                " (",
                depth(&low.at),
                ")"
            ]
        });
    }

    /// What lies between the rise to the peak and the fall from it.
    fn add_phases(&mut self, events: &Events) {
        self.add("onset", &events.onset, |onset| {
            let (crossing, step) = (&onset.crossing, &onset.largest_step);
            phrase![
                "at ",
                layer(&crossing.at),
                " (",
                depth(&crossing.at),
                "; reaches ",
                three(crossing.threshold),
                " at position ",
                three(crossing.crossing_position),
                "; largest step ",
                signed(step.step),
                " to ",
                layer(&step.to),
                ")",
            ]
        });
        self.add("end", &events.end, |end| {
            phrase![
                "at ",
                layer(&end.at),
                " (",
                depth(&end.at),
                "; falls below ",
                three(end.threshold),
                " at position ",
                three(end.crossing_position),
                ")",
            ]
        });
        self.add("high phase", &events.high_phase, |phase| {
            phrase![
                layer(&phase.first),
                " to ",
                layer(&phase.last),
                format!(" ({})", layers(phase.n_layers)),
            ]
        });
        self.add("relative minimum", &events.relative_minimum, |dip| {
            phrase![
                three(dip.at.value),
                " at ",
                layer(&dip.at),
                " (",
                depth(&dip.at),
                ", plateau ",
                span(&dip.plateau),
                ")",
            ]
        });
        self.add("plateau", &events.plateau, |plateau| {
            phrase![
                span(&plateau.window),
                format!(" ({}, mean ", layers(plateau.window.n_layers)),
                three(plateau.mean),
                ")",
            ]
        });
    }

    /// One hump or two.
    fn add_shapes(&mut self, events: &Events) {
        self.add("hunchback", &events.hunchback, |hump| {
            phrase![
                yes_or_no(hump.present),
                " (rise ",
                decimal(hump.rise, 2),
                ", fall ",
                decimal(hump.fall, 2),
                ")",
            ]
        });
        self.add("double hunchback", &events.double_hunchback, double_words);
    }

    /// Steps, thresholds and trends.
    fn add_steps(&mut self, events: &Events) {
        self.add("transition", &events.transition, |step| {
            phrase![
                signed(step.step),
                " from ",
                layer(&step.from),
                " to ",
                layer(&step.to),
                " (depth ",
                decimal(step.relative_depth, 2),
                ", ",
                signed(step.rate),
                " per unit of depth",
                match step.within_errors {
                    Some(true) => "; within errors",
                    Some(false) => "; beyond errors",
                    None => "",
                },
                ")",
            ]
        });
        self.add("half maximum", &events.half_maximum, |half| {
            phrase![
                "at ",
                layer(&half.at),
                " (",
                depth(&half.at),
                "; reaches ",
                three(half.threshold),
                ")",
            ]
        });
        if let Some(threshold) = &events.threshold {
            self.add("threshold", threshold, |found| {
                phrase![
                    format!("{} exceeded at ", found.threshold),
                    layer(&found.at),
                    " (",
                    depth(&found.at),
                    ")",
                ]
            });
        }
        if let Some(slope) = &events.slope {
            self.add("slope", slope, |line| {
                phrase![
                    signed(line.slope),
                    " per position from ",
                    layer(&line.first),
                    " to ",
                    layer(&line.last),
                ]
            });
        }
    }

    fn add<F>(&mut self, name: &'static str, event: &Event<F>, words: impl Fn(&F) -> Phrase) {
        if let Some(found) = event.found() {
            self.found.push(phrase![name, " ", words(found)]);
        }
        self.note_missing(name, event.reason());
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
    let maxima = events.maxima.found().into_iter().flatten();
    maxima.filter(move |maximum| Some(maximum.at.index) != peak)
}

fn double_words(humps: &DoubleHunchback) -> Phrase {
    phrase![
        yes_or_no(humps.present),
        " (humps ",
        layer(&humps.first),
        " and ",
        layer(&humps.second),
        ", valley ",
        layer(&humps.valley),
        humps.p.map(|p| phrase!["; p ", number(p, 2)]),
        ")",
    ]
}

/// Where events lie in parts of the rows: mean, and from where to where.
fn spread_line(spread: &[PositionSpread]) -> Option<Phrase> {
    let n_parts = spread.first()?.n_parts;
    let known = spread.iter().filter_map(|event| {
        let positions = event.outcome.ok()?;
        let some = (event.n_found < n_parts).then(|| format!(" in {} of {n_parts}", event.n_found));
        Some(phrase![
            event.event.name().replace('_', " "),
            " ",
            three(positions.mean),
            " (",
            three(positions.min),
            " to ",
            three(positions.max),
            some,
            ")",
        ])
    });
    let known = Phrase::join(known, ", ");
    let over = match spread.first()?.source {
        SpreadSource::Errors => {
            format!("positions over {n_parts} redraws by the standard errors: ")
        }
        SpreadSource::Partitions => format!("positions over {n_parts} parts: "),
    };
    (!known.is_empty()).then(|| phrase![over, known])
}

fn signed(value: f64) -> Phrase {
    phrase![if value > 0.0 { "+" } else { "" }, three(value)]
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
