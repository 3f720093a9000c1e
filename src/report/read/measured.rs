//! Reads numbers of tidy CSVs, or of any table, as series by run, layer or row.

use std::path::Path;

use super::choose::malformed;
use crate::input::{TextTable, decode_text, is_missing, read_text};
use crate::profile::correlate::{JoinKey, Measured, NumberKey};
use crate::report::write::csv::HEADER;
use crate::{Error, Result};

/// Which numbers of the reports are meant; what is `None` is left open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberChoice {
    /// `--quantity`.
    pub quantity: Option<String>,
    /// `--variant`.
    pub variant: Option<String>,
    /// `--scale`.
    pub scale: Option<usize>,
    /// `--other`.
    pub other: Option<String>,
    /// `--layer`.
    pub layer: Option<String>,
    /// `--run`.
    pub run: Option<String>,
}

impl NumberChoice {
    /// Whether a number whose run is `run` and layer is `layer` is meant.
    fn takes(&self, number: &NumberKey, layer: &str, run: &str) -> bool {
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        fits(&self.quantity, &number.quantity)
            && fits(&self.variant, &number.variant)
            && fits(&self.other, &number.other)
            && fits(&self.layer, layer)
            && fits(&self.run, run)
            && self.scale.is_none_or(|scale| number.scale == Some(scale))
    }
}

/// The numbers of `files` that `choice` means, each by the key `by`.
///
/// A tidy CSV of repgeo gives every number; of any other table, whose keys stand in a column named as
/// `by`, every column of numbers. Where a CSV has no column `run`, its run is the `name` beside it.
///
/// # Errors
/// [`Error::Malformed`] for a file that is no such table, and for two numbers of one key.
pub fn read_measured(
    files: &[(&Path, String)],
    by: JoinKey,
    choice: &NumberChoice,
) -> Result<Vec<Measured>> {
    let mut all: Vec<Measured> = Vec::new();
    for (path, name) in files {
        let text = decode_text(path, &read_text(path)?)?;
        if text.trim_start().starts_with('{') {
            return Err(Error::Malformed {
                path: (*path).to_owned(),
                fact: "this is a JSON report".into(),
                remedy: "give its CSV, which has every number: the command again with -o FILE.csv"
                    .into(),
            });
        }
        let table = TextTable::parse(path, &text, None)?;
        let known = HEADER
            .iter()
            .filter(|name| !["index", "depth"].contains(name));
        let is_tidy = known
            .into_iter()
            .all(|column| table.place(column).is_some());
        let reading = Reading {
            path,
            name,
            table: &table,
            by,
            choice,
        };
        match is_tidy {
            true => reading.tidy(&mut all)?,
            false => reading.plain(&mut all)?,
        }
    }
    Ok(one_partner_each(all))
}

/// Joins the series of one number that differ in the second layer alone and share no key: each layer
/// was compared with one partner, which is no part of the number's name.
fn one_partner_each(all: Vec<Measured>) -> Vec<Measured> {
    let mut joined: Vec<Measured> = Vec::new();
    for one in all {
        let nameless = |number: &NumberKey| NumberKey {
            other: String::new(),
            ..number.clone()
        };
        let fits = |known: &&mut Measured| {
            let keys = known.values.iter().map(|(key, _)| key);
            nameless(&known.number) == nameless(&one.number)
                && !keys
                    .into_iter()
                    .any(|key| one.values.iter().any(|(other, _)| other == key))
        };
        match joined.iter_mut().find(fits) {
            Some(known) => {
                known.number.other.clear();
                known.values.extend(one.values);
            }
            None => joined.push(one),
        }
    }
    joined
}

/// One file on the way to series.
struct Reading<'a> {
    path: &'a Path,
    name: &'a str,
    table: &'a TextTable,
    by: JoinKey,
    choice: &'a NumberChoice,
}

impl Reading<'_> {
    fn cell(&self, row: usize, column: Option<usize>) -> &str {
        column.map_or("", |column| self.table.cell(row, column))
    }

    fn number(&self, row: usize, column: usize) -> Result<Option<f64>> {
        let words = self.cell(row, Some(column));
        if is_missing(words) || words == "na" {
            return Ok(None);
        }
        let number = self.table.number(words).filter(|number| number.is_finite());
        number.map(Some).ok_or_else(|| {
            let column = &self.table.header[column];
            malformed(
                self.path,
                format!("row {}, column {column}: {words:?} is no number", row + 1),
            )
        })
    }

    fn tidy(&self, all: &mut Vec<Measured>) -> Result<()> {
        let place = |name: &str| self.table.place(name);
        let value = place("value").unwrap_or_default();
        for row in 0..self.table.n_rows() {
            let text = |name: &str| self.cell(row, place(name)).to_owned();
            let run = match place("run") {
                Some(_) => text("run"),
                None => self.name.to_owned(),
            };
            let layer = text("layer");
            // Extremes over runs stand beside the run that has them: no series over runs.
            if text("quantity").ends_with("_over_runs") {
                continue;
            }
            let key = match self.by {
                JoinKey::Run => run.clone(),
                JoinKey::Layer => layer.clone(),
                JoinKey::Row => {
                    return Err(malformed(
                        self.path,
                        "a CSV of repgeo has no rows of the input; by row give a table with a column \
                         row, such as --assignments writes",
                    ));
                }
            };
            let scale = text("scale");
            // Where an event lies is what differs between runs; its place is no part of its name.
            let is_event = text("quantity").starts_with("event_");
            let number = NumberKey {
                quantity: text("quantity"),
                variant: text("variant"),
                scale: scale.parse().ok(),
                other: text("other"),
                layer: match self.by == JoinKey::Layer || is_event {
                    true => String::new(),
                    false => layer.clone(),
                },
                run: match self.by {
                    JoinKey::Run => String::new(),
                    _ => run.clone(),
                },
            };
            let fits = self.choice.takes(&number, &layer, &run);
            // A number of no layer has no partner by layer.
            if fits && !(self.by == JoinKey::Layer && layer.is_empty()) {
                self.add(all, number, key, self.number(row, value)?)?;
            }
        }
        Ok(())
    }

    fn plain(&self, all: &mut Vec<Measured>) -> Result<()> {
        let by = self.by.name();
        let Some(key) = self.table.place(by) else {
            return Err(malformed(
                self.path,
                format!("it is no CSV of repgeo, and has no column {by} to join by"),
            ));
        };
        for column in (0..self.table.header.len()).filter(|&column| column != key) {
            let number = NumberKey {
                quantity: self.table.header[column].clone(),
                variant: String::new(),
                scale: None,
                other: String::new(),
                layer: String::new(),
                run: match self.by {
                    JoinKey::Run => String::new(),
                    _ => self.name.to_owned(),
                },
            };
            let rows = 0..self.table.n_rows();
            let values: Result<Vec<Option<f64>>> =
                rows.map(|row| self.number(row, column)).collect();
            // A column of words is no number.
            let Ok(values) = values else { continue };
            if !self.choice.takes(&number, "", self.name) {
                continue;
            }
            for (row, value) in values.into_iter().enumerate() {
                let key = self.cell(row, Some(key)).to_owned();
                self.add(all, number.clone(), key, value)?;
            }
        }
        Ok(())
    }

    fn add(
        &self,
        all: &mut Vec<Measured>,
        number: NumberKey,
        key: String,
        value: Option<f64>,
    ) -> Result<()> {
        let of_number = match all.iter_mut().find(|one| one.number == number) {
            Some(found) => found,
            None => {
                all.push(Measured {
                    number: number.clone(),
                    values: Vec::new(),
                });
                all.last_mut().expect("one was pushed")
            }
        };
        if of_number.values.iter().any(|(known, _)| *known == key) {
            let what = [number.quantity.as_str(), &number.variant, &number.layer].join(" ");
            return Err(malformed(
                self.path,
                format!("{} {key:?} has two numbers {}", self.by, what.trim_end()),
            ));
        }
        of_number.values.push((key, value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, by: JoinKey, choice: &NumberChoice) -> Result<Vec<Measured>> {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("numbers.csv");
        std::fs::write(&file, text).unwrap();
        read_measured(&[(&file, "numbers".into())], by, choice)
    }

    const RUNS: &str = "\
run,x,layer,index,depth,other,quantity,variant,scale,value,std_error,n
a,1,l0,0,0,,id,two_nn_base,1,5,,9
a,1,l1,1,1,,id,two_nn_base,1,6,,9
b,2,l0,0,0,,id,two_nn_base,1,7,,9
b,2,l1,1,1,,id,two_nn_base,1,,,
a,1,l1,1,1,,event_peak,id_two_nn_base_value,,6,,
b,2,l0,0,0,,event_peak,id_two_nn_base_value,,7,,
";

    #[test]
    fn a_number_is_followed_over_runs_in_each_layer_and_an_event_in_any() {
        let found = read(RUNS, JoinKey::Run, &NumberChoice::default()).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].number.layer, "l0");
        assert_eq!(
            found[0].values,
            [("a".into(), Some(5.0)), ("b".into(), Some(7.0))]
        );
        assert_eq!(
            found[1].values,
            [("a".into(), Some(6.0)), ("b".into(), None)]
        );
        assert_eq!(found[2].number.quantity, "event_peak");
        assert_eq!(
            found[2].values,
            [("a".into(), Some(6.0)), ("b".into(), Some(7.0))]
        );
        let one = NumberChoice {
            layer: Some("l1".into()),
            quantity: Some("id".into()),
            ..NumberChoice::default()
        };
        assert_eq!(read(RUNS, JoinKey::Run, &one).unwrap().len(), 1);
    }

    #[test]
    fn by_layer_each_run_has_its_own_series() {
        let found = read(RUNS, JoinKey::Layer, &NumberChoice::default()).unwrap();
        let runs: Vec<&str> = found.iter().map(|one| one.number.run.as_str()).collect();
        assert_eq!(runs, ["a", "b", "a", "b"]);
        assert_eq!(
            found[0].values,
            [("l0".into(), Some(5.0)), ("l1".into(), Some(6.0))]
        );
    }

    #[test]
    fn a_partner_a_layer_makes_one_series_and_two_sets_of_labels_make_two() {
        let header = "layer,index,depth,other,quantity,variant,scale,value,std_error,n\n";
        let pairs = format!("{header}a,0,0,x,cka,,,1,,9\nb,1,1,y,cka,,,2,,9\n");
        let found = read(&pairs, JoinKey::Layer, &NumberChoice::default()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].values,
            [("a".into(), Some(1.0)), ("b".into(), Some(2.0))]
        );
        let labels = format!(
            "{header}a,0,0,x,ari,,,1,,9\na,0,0,y,ari,,,2,,9\nb,1,1,x,ari,,,3,,9\n\
                              b,1,1,y,ari,,,4,,9\n"
        );
        let found = read(&labels, JoinKey::Layer, &NumberChoice::default()).unwrap();
        let others: Vec<&str> = found.iter().map(|one| one.number.other.as_str()).collect();
        assert_eq!(others, ["x", "y"]);
    }

    #[test]
    fn any_table_gives_its_columns_of_numbers() {
        let text = "row,peak,name,density\n0,1,a,-2.5\n1,0,b,-3\n";
        let found = read(text, JoinKey::Row, &NumberChoice::default()).unwrap();
        let names: Vec<&str> = found
            .iter()
            .map(|one| one.number.quantity.as_str())
            .collect();
        assert_eq!(names, ["peak", "density"]);
        assert_eq!(found[1].values[1], ("1".into(), Some(-3.0)));
    }

    #[test]
    fn what_cannot_be_joined_is_an_error() {
        for (text, by, word) in [
            ("row,v\n0,1\n0,2\n", JoinKey::Row, "two numbers"),
            ("layer,v\na,1\n", JoinKey::Run, "no column run"),
            (RUNS, JoinKey::Row, "no rows"),
            ("{}", JoinKey::Run, "-o FILE.csv"),
        ] {
            let error = read(text, by, &NumberChoice::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
