//! Joins numbers with lines by their keys, and correlates.

use super::options::CorrelateOptions;
use super::shape::{
    CorrelateParameters, CorrelateProfile, JoinedPair, NumberCorrelation, NumberKey, Unmatched,
};
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::geometry::correlation::{interval, tested};
use crate::input::OutsideTable;

/// One number of the reports, key by key.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What it is.
    pub number: NumberKey,
    /// Its values by key, each key once; `None` is a number that does not exist.
    pub values: Vec<(String, Option<f64>)>,
}

/// Fewer pairs than this are no correlation.
const FEWEST: usize = 4;

/// Every number of `measured` with every column of `table`, over the keys that both have.
///
/// # Errors
/// [`Error::Usage`] without numbers, and where no key of the reports is one of the table.
pub fn correlate(
    measured: &[Measured],
    table: &OutsideTable,
    options: &CorrelateOptions,
) -> Result<CorrelateProfile> {
    let mut keys: Vec<&String> = Vec::new();
    for (key, _) in measured.iter().flat_map(|one| &one.values) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if measured.is_empty() {
        return Err(Error::Usage(
            "no number of the reports fits; choose others with --quantity, --variant, --scale, \
             --other, --layer or --run"
                .into(),
        ));
    }
    if !keys.iter().any(|key| table.keys.contains(key)) {
        let some = |keys: Vec<&String>| {
            let shown: Vec<&str> = keys.iter().take(5).map(|key| key.as_str()).collect();
            shown.join(", ")
        };
        return Err(Error::Usage(format!(
            "no {} of the reports ({}) is a {} of the table ({}); name the column of the keys with \
             --key, or write the keys alike",
            options.by,
            some(keys),
            table.key,
            some(table.keys.iter().collect()),
        )));
    }
    let correlations = measured.iter().flat_map(|one| {
        let columns = table.columns.iter();
        columns.map(|(column, values)| together(one, column, values, table, options))
    });
    let known = |key: &&&String| table.keys.contains(**key);
    Ok(CorrelateProfile {
        parameters: CorrelateParameters {
            options: options.clone(),
            key: table.key.clone(),
        },
        correlations: correlations.collect(),
        unmatched: Unmatched {
            reports: keys
                .iter()
                .filter(|key| !known(key))
                .map(|key| (*key).clone())
                .collect(),
            table: table
                .keys
                .iter()
                .filter(|key| !keys.contains(key))
                .cloned()
                .collect(),
        },
        warnings: Vec::new(),
    })
}

/// One number with one column.
fn together(
    one: &Measured,
    column: &str,
    values: &[Option<f64>],
    table: &OutsideTable,
    options: &CorrelateOptions,
) -> NumberCorrelation {
    let mut pairs = Vec::new();
    let mut groups = Vec::new();
    for (key, x) in &one.values {
        let line = table.keys.iter().position(|other| other == key);
        let Some((line, (x, y))) = line.and_then(|line| Some((line, (*x).zip(values[line])?)))
        else {
            continue;
        };
        groups.extend(table.groups.as_ref().map(|groups| groups[line]));
        pairs.push(JoinedPair {
            key: key.clone(),
            x,
            y,
        });
    }
    let x: Vec<f64> = pairs.iter().map(|pair| pair.x).collect();
    let y: Vec<f64> = pairs.iter().map(|pair| pair.y).collect();
    let groups = table.groups.as_ref().map(|_| groups.as_slice());
    let (kind, draws, seed) = (options.correlation, options.draws, options.seed);
    let outcome = match pairs.len() < FEWEST {
        true => Err(Reason::TooFewRows),
        false => tested(kind, &x, &y, groups, draws, seed),
    };
    let range = options.interval.filter(|_| outcome.is_ok());
    NumberCorrelation {
        number: one.number.clone(),
        column: column.to_owned(),
        n: pairs.len(),
        outcome: outcome.into(),
        interval: range.and_then(|rule| interval(kind, &x, &y, rule, draws, seed).ok()),
        pairs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::correlate::JoinKey;

    fn measured(values: &[(&str, f64)]) -> Measured {
        Measured {
            number: NumberKey {
                quantity: "id".into(),
                variant: String::new(),
                scale: None,
                other: String::new(),
                layer: "last".into(),
                run: String::new(),
            },
            values: values
                .iter()
                .map(|(key, x)| ((*key).to_owned(), Some(*x)))
                .collect(),
        }
    }

    fn table(lines: &[(&str, Option<f64>)]) -> OutsideTable {
        OutsideTable {
            key: "model".into(),
            keys: lines.iter().map(|(key, _)| (*key).to_owned()).collect(),
            columns: vec![("loss".into(), lines.iter().map(|(_, y)| *y).collect())],
            groups: None,
        }
    }

    #[test]
    fn keys_are_matched_whatever_their_order_and_those_left_over_are_listed() {
        let one = measured(&[("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0), ("e", 9.0)]);
        let lines = [
            ("d", Some(40.0)),
            ("b", Some(20.0)),
            ("z", Some(0.0)),
            ("a", Some(10.0)),
            ("c", Some(30.0)),
        ];
        let found = correlate(&[one], &table(&lines), &CorrelateOptions::default()).unwrap();
        let pair = &found.correlations[0];
        let tested = pair.outcome.0.unwrap();
        assert_eq!((pair.n, tested.value, tested.n_orders), (4, 1.0, 24));
        assert_eq!(tested.p_value, 2.0 / 24.0);
        assert_eq!(pair.pairs[1].y, 20.0);
        assert_eq!(found.unmatched.reports, ["e"]);
        assert_eq!(found.unmatched.table, ["z"]);
    }

    #[test]
    fn too_few_or_constant_is_null_with_a_reason() {
        let options = CorrelateOptions::default();
        let one = measured(&[("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)]);
        let some = |y: [Option<f64>; 4]| {
            let lines: Vec<(&str, Option<f64>)> = ["a", "b", "c", "d"].into_iter().zip(y).collect();
            let found = correlate(std::slice::from_ref(&one), &table(&lines), &options).unwrap();
            let one = &found.correlations[0];
            (one.n, one.outcome.reason())
        };
        let (three, constant) = ([Some(1.0), None, Some(2.0), Some(3.0)], [Some(1.0); 4]);
        assert_eq!(some(three), (3, Some(Reason::TooFewRows)));
        assert_eq!(some(constant), (4, Some(Reason::ConstantLayer)));
    }

    #[test]
    fn no_common_key_is_an_error_that_shows_both_sides() {
        let one = measured(&[("a", 1.0)]);
        let options = CorrelateOptions {
            by: JoinKey::Layer,
            ..CorrelateOptions::default()
        };
        let error = correlate(&[one], &table(&[("x", None)]), &options)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("layer") && error.contains("(a)") && error.contains("(x)"),
            "{error}"
        );
    }
}
