//! Events as CSV rows.

use crate::profile::events::{Event, Events, Place, Window};
use crate::report::Record;

/// Every number of every event: quantity `event_…`, variant the kind of number, layer where it is.
/// An event that was not found is one row `position` without layer and value.
pub fn event_records(events: &Events) -> Vec<Record<'_>> {
    let mut rows = Rows {
        n: events.n,
        records: Vec::new(),
    };
    extrema(&mut rows, events);
    phases(&mut rows, events);
    shapes(&mut rows, events);
    steps(&mut rows, events);
    spreads(&mut rows, events);
    rows.records
}

/// The highest and lowest values.
fn extrema<'a>(rows: &mut Rows<'a>, events: &'a Events) {
    rows.event("event_peak", &events.peak, |row, peak| {
        row.place(&peak.at);
        row.number(&peak.at, "prominence", peak.prominence);
    });
    rows.event("event_minimum", &events.minimum, |row, low| {
        row.place(&low.at)
    });
    rows.event("event_maximum", &events.maxima, |row, maxima| {
        for maximum in maxima {
            row.place(&maximum.at);
            row.number(&maximum.at, "prominence", maximum.prominence);
        }
    });
}

/// What lies between the rise to the peak and the fall from it.
fn phases<'a>(rows: &mut Rows<'a>, events: &'a Events) {
    rows.event("event_onset", &events.onset, |row, onset| {
        let crossing = &onset.crossing;
        row.place(&crossing.at);
        row.number(
            &crossing.at,
            "crossing_position",
            crossing.crossing_position,
        );
        row.number(&crossing.at, "threshold", crossing.threshold);
        row.number(
            &onset.largest_step.to,
            "largest_step",
            onset.largest_step.step,
        );
    });
    rows.event("event_end", &events.end, |row, end| {
        row.place(&end.at);
        row.number(&end.at, "crossing_position", end.crossing_position);
        row.number(&end.at, "threshold", end.threshold);
    });
    rows.event("event_high_phase", &events.high_phase, |row, phase| {
        row.number(&phase.first, "first_position", phase.first.position);
        row.number(&phase.last, "last_position", phase.last.position);
        row.number(&phase.first, "n_layers", phase.n_layers as f64);
    });
    rows.event(
        "event_relative_minimum",
        &events.relative_minimum,
        |row, dip| {
            row.place(&dip.at);
            row.number(
                &dip.plateau.first,
                "plateau_first_position",
                dip.plateau.first.position,
            );
            row.number(
                &dip.plateau.last,
                "plateau_last_position",
                dip.plateau.last.position,
            );
        },
    );
    rows.event("event_plateau", &events.plateau, |row, plateau| {
        row.window(&plateau.window);
        row.number(&plateau.window.first, "mean", plateau.mean);
        row.number(&plateau.window.first, "range", plateau.range);
    });
}

/// One hump or two.
fn shapes<'a>(rows: &mut Rows<'a>, events: &'a Events) {
    rows.event("event_hunchback", &events.hunchback, |row, hump| {
        row.number(&hump.peak, "present", f64::from(u8::from(hump.present)));
        row.number(&hump.peak, "rise", hump.rise);
        row.number(&hump.peak, "fall", hump.fall);
    });
    rows.event(
        "event_double_hunchback",
        &events.double_hunchback,
        |row, humps| {
            row.number(&humps.first, "first_position", humps.first.position);
            row.number(&humps.valley, "valley_position", humps.valley.position);
            row.number(&humps.second, "second_position", humps.second.position);
            row.number(&humps.valley, "present", f64::from(u8::from(humps.present)));
            row.optional(&humps.valley, "p", humps.p);
        },
    );
}

/// Steps, thresholds and trends.
fn steps<'a>(rows: &mut Rows<'a>, events: &'a Events) {
    rows.event("event_transition", &events.transition, |row, step| {
        row.pair(&step.from, &step.to, "position", step.position);
        row.pair(&step.from, &step.to, "relative_depth", step.relative_depth);
        row.pair(&step.from, &step.to, "step", step.step);
        row.pair(&step.from, &step.to, "rate", step.rate);
        if let Some(within) = step.within_errors {
            let within = f64::from(u8::from(within));
            row.pair(&step.from, &step.to, "within_errors", within);
        }
    });
    rows.event("event_half_maximum", &events.half_maximum, |row, half| {
        row.place(&half.at);
        row.number(&half.at, "threshold", half.threshold);
        row.number(&half.at, "sharpness", half.sharpness);
    });
    if let Some(threshold) = &events.threshold {
        rows.event("event_threshold", threshold, |row, found| {
            row.place(&found.at);
            row.number(&found.at, "threshold", found.threshold);
        });
    }
    if let Some(slope) = &events.slope {
        rows.event("event_slope", slope, |row, line| {
            row.pair(&line.first, &line.last, "slope", line.slope);
        });
    }
}

/// How far positions spread.
fn spreads<'a>(rows: &mut Rows<'a>, events: &'a Events) {
    for spread in &events.spread {
        let positions = spread.outcome.ok();
        for (statistic, value) in [
            ("mean", positions.map(|positions| positions.mean)),
            ("min", positions.map(|positions| positions.min)),
            ("max", positions.map(|positions| positions.max)),
        ] {
            rows.records.push(Record {
                variant: format!("{}_{statistic}", spread.event).into(),
                n: Some(spread.n_found),
                ..Record::new("", "event_spread", value)
            });
        }
    }
}

struct Rows<'a> {
    n: usize,
    records: Vec<Record<'a>>,
}

/// The rows of one event.
struct Row<'r, 'a> {
    quantity: &'static str,
    rows: &'r mut Rows<'a>,
}

impl<'a> Rows<'a> {
    fn event<F>(
        &mut self,
        quantity: &'static str,
        event: &'a Event<F>,
        add: impl Fn(&mut Row<'_, 'a>, &'a F),
    ) {
        match event.found() {
            Some(found) => {
                let mut row = Row {
                    quantity,
                    rows: self,
                };
                add(&mut row, found);
            }
            None => self.records.push(Record {
                variant: "position".into(),
                n: Some(self.n),
                ..Record::new("", quantity, None)
            }),
        }
    }
}

impl<'a> Row<'_, 'a> {
    fn place(&mut self, at: &'a Place) {
        self.number(at, "position", at.position);
        self.number(at, "relative_depth", at.relative_depth);
        self.number(at, "value", at.value);
    }

    fn window(&mut self, window: &'a Window) {
        self.number(&window.first, "first_position", window.first.position);
        self.number(&window.last, "last_position", window.last.position);
        self.number(&window.first, "centre_position", window.centre_position);
    }

    fn number(&mut self, at: &'a Place, variant: &'static str, value: f64) {
        self.optional(at, variant, Some(value));
    }

    fn optional(&mut self, at: &'a Place, variant: &'static str, value: Option<f64>) {
        self.push("", at, variant, value);
    }

    /// A number between two layers.
    fn pair(&mut self, from: &'a Place, to: &'a Place, variant: &'static str, value: f64) {
        self.push(&to.layer, from, variant, Some(value));
    }

    fn push(&mut self, other: &'a str, at: &'a Place, variant: &'static str, value: Option<f64>) {
        self.rows.records.push(Record {
            other,
            variant: variant.into(),
            n: Some(self.rows.n),
            ..Record::new(&at.layer, self.quantity, value)
        });
    }
}
