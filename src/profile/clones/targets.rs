//! Targets of the readout, from labels.

use crate::error::{Error, Result};
use crate::geometry::clones::Targets;
use crate::input::Labels;

/// The targets of the rows `rows`: classes below `n_outputs`, or signs for one output.
///
/// # Errors
/// [`Error::Usage`] for a missing label, or one that names no output.
pub fn targets(labels: &Labels, rows: &[u32], n_outputs: usize) -> Result<Targets> {
    let value = |row: u32| -> Result<&str> {
        let code = labels.codes.get(row as usize).copied().flatten();
        let class = code.and_then(|code| labels.classes.get(code as usize));
        class.map(String::as_str).ok_or_else(|| {
            Error::Usage(format!(
                "--targets: row {row} of {} has no value; leave it out with --rows",
                labels.name
            ))
        })
    };
    if n_outputs == 1 {
        let sign = |&row: &u32| {
            let text = value(row)?;
            let number = text.parse::<f64>().ok();
            number
                .filter(|number| number.is_finite() && *number != 0.0)
                .map(f64::signum)
                .ok_or_else(|| {
                    Error::Usage(format!(
                        "--targets: row {row} of {} is {text:?}; a readout with one output needs \
                         targets of either sign, e.g. -1 and 1",
                        labels.name
                    ))
                })
        };
        return rows
            .iter()
            .map(sign)
            .collect::<Result<_>>()
            .map(Targets::Signs);
    }
    let class = |&row: &u32| {
        let text = value(row)?;
        let class = text.parse::<usize>().ok().or_else(|| whole(text));
        class.filter(|&class| class < n_outputs).ok_or_else(|| {
            Error::Usage(format!(
                "--targets: row {row} of {} is {text:?}; a readout with {n_outputs} outputs needs \
                 classes from 0 to {}",
                labels.name,
                n_outputs - 1
            ))
        })
    };
    let classes = rows.iter().map(class).collect::<Result<_>>();
    classes.map(Targets::Classes)
}

/// The class that a whole number written as a float names: `2.0`, as pandas writes a column of
/// whole numbers once a value is missing.
fn whole(text: &str) -> Option<usize> {
    let digits = text.strip_suffix('.').or_else(|| {
        let (digits, zeros) = text.split_once('.')?;
        zeros.bytes().all(|byte| byte == b'0').then_some(digits)
    });
    digits?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        assert_eq!(whole("2.0"), Some(2));
        assert_eq!(whole("10."), Some(10));
        for text in ["2.5", "-1.0", "2e0", "", ".0", "nan"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
