//! Shows the report of `repgeo correlate`: its records and its page.

use super::correlate_figures::figures;
use super::correlate_words::words;
use super::warned::of_run;
use crate::profile::correlate::{CorrelateProfile, JoinKey, NumberCorrelation};
use crate::report::page::{
    Cell, Column, Grid, Note, Page, Part, Phrase, code, count, known, name, number, phrase,
};
use crate::report::{Printable, Record};

/// Keys without a partner that a page names.
const NAMED: usize = 8;

impl Printable for CorrelateProfile {
    fn records(&self) -> Vec<Record<'_>> {
        self.correlations.iter().flat_map(records).collect()
    }

    fn page(&self) -> Page {
        let mut closing: Vec<Note> = Vec::new();
        let sides = [
            ("of the reports", &self.unmatched.reports),
            ("of the table", &self.unmatched.table),
        ];
        for (side, keys) in sides.into_iter().filter(|(_, keys)| !keys.is_empty()) {
            let named = keys.iter().take(NAMED).map(|key| name(key).into());
            let more = keys.len().saturating_sub(NAMED);
            let more = (more > 0).then(|| phrase![" and ", count(more), " more"]);
            closing.push(Note::Line(phrase![
                "without a partner ",
                side,
                ": ",
                Phrase::join(named, ", "),
                more,
            ]));
        }
        let tests = self.correlations.iter().filter(|one| one.outcome.0.is_ok());
        let tests = tests.count();
        if tests > 1 {
            closing.push(Note::Line(phrase![
                count(tests),
                " correlations: of as many without any relation one in twenty has p below 0.05",
            ]));
        }
        closing.push(Note::Context(context(self)));
        closing.extend(of_run(&self.warnings));
        Page::new("Correlations", vec![grid(self).into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        figures(self)
    }
}

fn records(one: &NumberCorrelation) -> Vec<Record<'_>> {
    let (key, found) = (&one.number, one.outcome.ok());
    let words = [key.quantity.as_str(), &key.variant, &key.other, &key.run];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let record = |quantity, value| Record {
        other: &one.column,
        variant: words.join(" ").into(),
        scale: key.scale,
        n: Some(one.n),
        reason: one.outcome.reason(),
        ..Record::new(&key.layer, quantity, value)
    };
    let mut records = vec![
        record("correlation", found.map(|found| found.value)),
        Record {
            std_error: found.and_then(|found| found.p_std_error),
            ..record("correlation_p", found.map(|found| found.p_value))
        },
    ];
    if let Some(interval) = one.interval {
        records.push(record("correlation_lower", Some(interval.lower)));
        records.push(record("correlation_upper", Some(interval.upper)));
    }
    records
}

fn grid(profile: &CorrelateProfile) -> Grid {
    let by_layer = profile.parameters.options.by != JoinKey::Run;
    let with_interval = profile.parameters.options.interval.is_some();
    let mut columns = vec![Column::words("number")];
    if !by_layer {
        columns.push(Column::words("layer"));
    }
    columns.extend([
        Column::words("with"),
        Column::number("n"),
        Column::number("r"),
    ]);
    if with_interval {
        columns.push(Column::number("from").near());
        columns.push(Column::number("to").near());
    }
    columns.extend([
        Column::number("p"),
        Column::error(),
        Column::number("orders"),
        Column::words(""),
    ]);
    let mut grid = Grid::new(columns);
    for one in &profile.correlations {
        let found = one.outcome.ok();
        let mut row: Vec<Cell> = vec![words(&one.number).into()];
        if !by_layer {
            row.push(name(&one.number.layer).into());
        }
        row.push(name(&one.column).into());
        row.push(count(one.n).into());
        row.push(known(found.map(|found| found.value), 3).into());
        if with_interval {
            row.push(known(one.interval.map(|interval| interval.lower), 3).into());
            row.push(known(one.interval.map(|interval| interval.upper), 3).into());
        }
        row.push(known(found.map(|found| found.p_value), 2).into());
        let error = found.and_then(|found| found.p_std_error);
        row.push(error.map(|error| number(error, 1)).into());
        row.push(found.map(|found| count(found.n_orders)).into());
        row.push(code(one.outcome.reason()).into());
        grid.push(row);
    }
    grid
}

fn context(profile: &CorrelateProfile) -> Phrase {
    let options = &profile.parameters.options;
    let within = options.within.as_ref();
    let within = within.map(|within| phrase![", within groups of ", name(within)]);
    let interval = options
        .interval
        .map(|rule| phrase!["; interval of 95 % by ", rule.name()]);
    phrase![
        options.correlation.name(),
        " by ",
        options.by.name(),
        "; p two-sided over all orders of up to 8 values, else over ",
        count(options.draws),
        " draws",
        within,
        interval,
    ]
}
