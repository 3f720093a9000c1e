//! Tells where runs compare a layer of one name with layers of different names.

use std::collections::HashMap;

use super::shape::DynamicsValue;
use crate::warning::{Warning, WarningCode};

/// A warning of the layers that runs compare with different layers, as where one run lacks the next
/// or the last one; `values` are those of a quantity that compares layers.
pub(super) fn different_partners(values: &[DynamicsValue]) -> Option<Warning> {
    // A layer, the first partner that it has, and the run.
    let mut first: HashMap<&str, (&str, &str)> = HashMap::new();
    let mut different: Vec<(&DynamicsValue, &str, (&str, &str))> = Vec::new();
    for value in values {
        let Some(other) = value.other.as_deref() else {
            continue;
        };
        let known = *first
            .entry(&value.layer)
            .or_insert((other, value.run.as_str()));
        let said = |(one, ..): &(&DynamicsValue, &str, _)| one.layer == value.layer;
        if known.0 != other && !different.iter().any(said) {
            different.push((value, other, known));
        }
    }
    let (value, other, (known, run)) = different.first()?;
    let n = different.len();
    let whose = match n {
        1 => "its values are".to_owned(),
        _ => format!("so it is with {n} layers, whose values are"),
    };
    Some(Warning::new(
        WarningCode::PartnersDiffer,
        n,
        format!(
            "{} is compared with {known} in {run} and with {other} in {}; {whose} of different pairs \
             in different runs; choose layers that all runs have with --layers",
            value.layer, value.run
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Reason;

    fn value(run: &str, layer: &str, other: Option<&str>) -> DynamicsValue {
        DynamicsValue {
            run: run.to_owned(),
            layer: layer.to_owned(),
            other: other.map(str::to_owned),
            quantity: "data_overlap",
            variant: String::new(),
            scale: None,
            outcome: Err(Reason::TooFewRows).into(),
            smoothed: None,
            n: None,
        }
    }

    #[test]
    fn each_layer_counts_once_and_gaps_have_no_partner() {
        let same = [
            value("r", "a", Some("b")),
            value("r", "b", Some("c")),
            value("s", "a", Some("b")),
            value("s", "b", None),
        ];
        assert_eq!(different_partners(&same), None);
        let other = [
            value("s", "a", Some("c")),
            value("t", "a", Some("d")),
            value("t", "b", Some("d")),
        ];
        let found = different_partners(&[&same[..], &other[..]].concat()).unwrap();
        assert_eq!((found.code, found.count), (WarningCode::PartnersDiffer, 2));
        let begins = "a is compared with b in r and with c in s; so it is with 2 layers";
        assert!(found.message.starts_with(begins), "{}", found.message);
    }
}
