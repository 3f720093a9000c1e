//! Tidy CSV: one number, one row, the same ten columns for every command.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use crate::geometry::Reason;
use crate::report::zero;

/// One number with its context: one CSV row.
///
/// Which quantities and variants exist is listed in `docs/output.md`.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// The layer.
    pub layer: &'a str,
    /// The second layer, the label column or the token role; empty if there is none.
    pub other: &'a str,
    /// What was measured, e.g. `id`.
    pub quantity: &'static str,
    /// How it was measured, e.g. `two_nn_base`; empty if there is only one way.
    pub variant: Cow<'static, str>,
    /// Neighbour order n1, k, or chunk width.
    pub scale: Option<usize>,
    /// The number; `None` where it does not exist.
    pub value: Option<f64>,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// How many rows or ratios it rests on.
    pub n: Option<usize>,
    /// Why there is no value, where that is known; no column of the CSV.
    pub reason: Option<Reason>,
}

impl<'a> Record<'a> {
    /// A record of a number that needs no scale and has no error.
    pub fn new(layer: &'a str, quantity: &'static str, value: Option<f64>) -> Self {
        Self {
            layer,
            other: "",
            quantity,
            variant: Cow::Borrowed(""),
            scale: None,
            value,
            std_error: None,
            n: None,
            reason: None,
        }
    }

    fn cells(&self, places: &Places) -> [Cow<'_, str>; 10] {
        let count = |count: Option<usize>| count.map(|n| n.to_string()).unwrap_or_default();
        let number = |number: Option<f64>| number.map(shortest).unwrap_or_default();
        let place = places.find(self.layer);
        [
            self.layer.into(),
            count(place.map(|(index, _)| index)).into(),
            number(place.and_then(|(_, depth)| depth)).into(),
            self.other.into(),
            self.quantity.into(),
            self.variant.as_ref().into(),
            count(self.scale).into(),
            number(self.value).into(),
            number(self.std_error).into(),
            count(self.n).into(),
        ]
    }
}

/// Where layers stand, so that a data frame can put them back into order: index in the dump, and
/// relative depth, by name.
#[derive(Default)]
pub(in crate::report) struct Places(HashMap<String, (usize, Option<f64>)>);

impl Places {
    /// What a report says of its layers.
    pub(in crate::report) fn of(body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).unwrap_or_default();
        let layers = body["layers"].as_array().map_or(&[][..], Vec::as_slice);
        let mut places = HashMap::new();
        for layer in layers {
            let index = layer["index"]
                .as_u64()
                .and_then(|at| usize::try_from(at).ok());
            if let (Value::String(name), Some(index)) = (&layer["layer"], index) {
                let depth = layer["relative_depth"].as_f64();
                places.entry(name.clone()).or_insert((index, depth));
            }
        }
        Self(places)
    }

    /// Index and relative depth of a layer.
    pub(super) fn find(&self, layer: &str) -> Option<(usize, Option<f64>)> {
        self.0.get(layer).copied()
    }
}

/// The columns of the CSV of every command.
pub(in crate::report) const HEADER: [&str; 10] = [
    "layer",
    "index",
    "depth",
    "other",
    "quantity",
    "variant",
    "scale",
    "value",
    "std_error",
    "n",
];

/// Columns before those of every command: what the records of one command are also about.
#[derive(Debug, Clone, Default)]
pub struct Leading {
    /// Their names, none of which is one of `HEADER`.
    pub header: Vec<String>,
    /// The cells of every record, one list a record; empty without such columns.
    pub cells: Vec<Vec<String>>,
}

/// The header, then a line a record; a number that does not exist is an empty cell.
pub(in crate::report) fn tidy(records: &[Record], leading: &Leading, places: &Places) -> String {
    const IN_MEMORY: &str = "writing to memory cannot fail";
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = leading.header.iter().map(String::as_str).chain(HEADER);
    writer.write_record(header).expect(IN_MEMORY);
    for (at, record) in records.iter().enumerate() {
        let cells = record.cells(places);
        let before = leading.cells.get(at).map_or(&[][..], Vec::as_slice);
        let before = before.iter().map(String::as_bytes);
        let cells = before.chain(cells.iter().map(|cell| cell.as_bytes()));
        writer.write_record(cells).expect(IN_MEMORY);
    }
    let bytes = writer.into_inner().expect(IN_MEMORY);
    String::from_utf8(bytes).expect("every cell is UTF-8, and quoting adds ASCII")
}

/// A table of any columns, for files beside a report.
pub(in crate::report) fn plain_csv(
    header: &[&str],
    lines: impl Iterator<Item = Vec<String>>,
) -> String {
    const IN_MEMORY: &str = "writing to memory cannot fail";
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).expect(IN_MEMORY);
    for line in lines {
        writer.write_record(&line).expect(IN_MEMORY);
    }
    let bytes = writer.into_inner().expect(IN_MEMORY);
    String::from_utf8(bytes).expect("every cell is UTF-8, and quoting adds ASCII")
}

/// The fewest digits that read back as the same f64; counts have no decimal point.
pub(in crate::report) fn shortest(value: f64) -> String {
    let value = zero::unsigned(value);
    let magnitude = value.abs();
    if value == 0.0 || (1e-5..1e16).contains(&magnitude) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_take_no_more_digits_than_they_need() {
        for (value, text) in [
            (-0.0, "0"),
            (11.25, "11.25"),
            (3_072_000.0, "3072000"),
            (0.1, "0.1"),
            (1e-7, "1e-7"),
            (1.5e25, "1.5e25"),
            (0.0, "0"),
        ] {
            assert_eq!(shortest(value), text);
        }
    }

    #[test]
    fn the_header_stands_even_over_nothing() {
        assert_eq!(
            tidy(&[], &Leading::default(), &Places::default()),
            "layer,index,depth,other,quantity,variant,scale,value,std_error,n\n"
        );
    }

    proptest! {
        #[test]
        fn every_finite_number_reads_back_bit_for_bit(value in prop::num::f64::ANY) {
            prop_assume!(value.is_finite());
            let back: f64 = shortest(value).parse().unwrap();
            // But for the sign of zero, which no report shows.
            prop_assert_eq!(back.to_bits(), (value + 0.0).to_bits());
        }

        #[test]
        fn parsing_the_csv_gives_the_records_back(
            layer in "\\PC{0,12}",
            variant in "[a-z_]{0,8}",
            scale in prop::option::of(0usize..1000),
            value in prop::option::of(-1e9f64..1e9),
            n in prop::option::of(any::<usize>()),
        ) {
            let record = Record {
                variant: variant.into(),
                scale,
                std_error: value.map(f64::abs),
                n,
                ..Record::new(&layer, "id", value)
            };
            let text = tidy(
                std::slice::from_ref(&record),
                &Leading::default(),
                &Places::default(),
            );
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            prop_assert_eq!(reader.headers().unwrap(), &HEADER[..]);
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&row[0], record.layer);
            prop_assert_eq!(&row[3], record.other);
            prop_assert_eq!(&row[4], record.quantity);
            prop_assert_eq!(&row[5], record.variant.as_ref());
            prop_assert_eq!(row[6].parse().ok(), record.scale);
            prop_assert_eq!(row[7].parse().ok(), record.value);
            prop_assert_eq!(row[8].parse().ok(), record.std_error);
            prop_assert_eq!(row[9].parse().ok(), record.n);
        }
    }
}
