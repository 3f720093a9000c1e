//! Series in CSV: the tidy eight columns of repgeo, or any table with a header.

use std::path::Path;

use super::choose::{Cell, choose, malformed, no_series};
use crate::input::{Series, SeriesChoice, SeriesFile, TOO_LARGE, TextTable, is_missing};
use crate::report::write::csv::HEADER;
use crate::{Error, Result};

/// Reads the series that `choice` means.
pub(super) fn read(text: &str, path: &Path, choice: &SeriesChoice) -> Result<SeriesFile> {
    let table = Table::parse(text, path, choice.column.as_deref())?;
    // Files of before had no index and depth.
    let known = HEADER
        .iter()
        .filter(|name| !["index", "depth"].contains(name));
    if known.into_iter().all(|name| table.find(name).is_some()) {
        if choice.names_columns() {
            return Err(Error::Usage(format!(
                "{}: --column, --std-error and --x are for other tables; choose in a CSV of repgeo with \
                 --quantity, --variant, --scale and --other",
                path.display()
            )));
        }
        let rows = 0..table.table.n_rows();
        let cells: Vec<Cell> = rows.map(|row| table.tidy(row)).collect::<Result<_>>()?;
        match &choice.layer {
            None => choose(&cells, path, choice),
            Some(layer) => table.along_runs(cells, layer, choice),
        }
    } else {
        table.plain(choice)
    }
}

/// The text of a table.
struct Table<'a> {
    path: &'a Path,
    header: Vec<String>,
    table: TextTable,
}

impl<'a> Table<'a> {
    fn parse(text: &str, path: &'a Path, wanted: Option<&str>) -> Result<Self> {
        let table = TextTable::parse(path, text, wanted)?;
        Ok(Self {
            path,
            header: table.header.clone(),
            table,
        })
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The column that a flag names.
    fn named(&self, name: &str, flag: &str) -> Result<usize> {
        let missing = || {
            let fact = format!("there is no column {name:?}");
            no_series(self.path, flag, &fact, &self.header)
        };
        self.find(name).ok_or_else(missing)
    }

    /// The number in a cell; an empty one, `nan` and `null` are gaps.
    fn number(&self, row: usize, column: usize) -> Result<Option<f64>> {
        let text = self.table.cell(row, column);
        if is_missing(text) || text == "na" {
            return Ok(None);
        }
        match self.table.number(text) {
            Some(value) if value.abs() < TOO_LARGE => Ok(Some(value)),
            _ => {
                let name = &self.header[column];
                let fact = format!(
                    "row {}, column {name}: {text:?} is no number below 1e150",
                    row + 1
                );
                Err(malformed(self.path, fact))
            }
        }
    }

    fn tidy(&self, row: usize) -> Result<Cell> {
        let place = |name: &str| self.find(name).unwrap_or_default();
        let text = |name: &str| self.table.cell(row, place(name)).to_owned();
        let scale = text("scale");
        Ok(Cell {
            run: self.find("run").map(|_| text("run")).unwrap_or_default(),
            layer: text("layer"),
            other: text("other"),
            quantity: text("quantity"),
            variant: text("variant"),
            scale: match scale.as_str() {
                "" => None,
                _ => Some(scale.parse().map_err(|_| {
                    let fact = format!("row {}: scale {scale:?} is no whole number", row + 1);
                    malformed(self.path, fact)
                })?),
            },
            value: self.number(row, place("value"))?,
            std_error: self.number(row, place("std_error"))?,
            parts: Vec::new(),
        })
    }

    /// One layer over the runs of a CSV, at the places `x` of the runs where they ascend.
    fn along_runs(
        &self,
        cells: Vec<Cell>,
        layer: &str,
        choice: &SeriesChoice,
    ) -> Result<SeriesFile> {
        if self.find("run").is_none() {
            return Err(malformed(
                self.path,
                "it has no column run to follow a layer along",
            ));
        }
        // Extremes over runs stand beside one run each.
        let of_layer = cells
            .into_iter()
            .filter(|cell| cell.layer == layer && !cell.quantity.ends_with("_over_runs"));
        let along: Vec<Cell> = of_layer
            .map(|cell| Cell {
                layer: cell.run,
                run: String::new(),
                ..cell
            })
            .collect();
        if along.is_empty() {
            let fact = format!("no run has a layer {layer}");
            return Err(no_series(self.path, "--layer", &fact, &[]));
        }
        let mut found = choose(&along, self.path, choice)?;
        if let (Some(x), Some(run)) = (self.find("x"), self.find("run")) {
            let place = |name: &String| {
                let rows = 0..self.table.n_rows();
                let mut rows = rows.filter(|&row| self.table.cell(row, run) == name.as_str());
                rows.next().map_or(Ok(None), |row| self.number(row, x))
            };
            let places = found.series.names().iter().map(place);
            let places: Option<Vec<f64>> = places.collect::<Result<_>>()?;
            let placed = places.and_then(|places| found.series.clone().with_positions(places));
            found.series = placed.unwrap_or(found.series);
        }
        Ok(found)
    }

    /// A row is a layer: its name from `layer`, its position from `x`, its value from a column.
    fn plain(&self, choice: &SeriesChoice) -> Result<SeriesFile> {
        if choice.is_of_report() {
            return Err(Error::Usage(format!(
                "{}: --quantity, --variant, --scale, --other, --run and --layer choose in a CSV of \
                 repgeo, which this is not; choose with --column",
                self.path.display()
            )));
        }
        let x = match &choice.x {
            Some(name) => Some(self.named(name, "--x")?),
            None => self.find("x"),
        };
        let layer = self.find("layer");
        let column = match &choice.column {
            Some(name) => self.named(name, "--column")?,
            None => self.only_column(layer, x)?,
        };
        let error = match &choice.std_error {
            Some(name) => Some(self.named(name, "--std-error")?),
            None => self
                .find(&format!("{}_std_error", self.header[column]))
                .or_else(|| self.find("std_error"))
                .filter(|&error| error != column),
        };
        let named = layer.or(x);
        let mut values = Vec::with_capacity(self.table.n_rows());
        for row in 0..self.table.n_rows() {
            let name = named.map_or_else(
                || row.to_string(),
                |column| self.table.cell(row, column).to_owned(),
            );
            values.push((name, self.number(row, column)?));
        }
        let mut series = Series::new(values);
        if let Some(error) = error {
            let errors: Result<Vec<Option<f64>>> = (0..self.table.n_rows())
                .map(|row| self.number(row, error))
                .collect();
            series = series.with_errors(errors?);
        }
        if let Some(x) = x {
            let positions: Result<Option<Vec<f64>>> = (0..self.table.n_rows())
                .map(|row| self.number(row, x))
                .collect();
            let fact = format!("column {} does not ascend in every row", self.header[x]);
            series = positions?
                .and_then(|positions| series.with_positions(positions))
                .ok_or_else(|| malformed(self.path, fact))?;
        }
        Ok(SeriesFile {
            series,
            quantity: self.header[column].clone(),
            ..SeriesFile::default()
        })
    }

    /// The only column that can hold the values.
    fn only_column(&self, layer: Option<usize>, x: Option<usize>) -> Result<usize> {
        let columns: Vec<usize> = (0..self.header.len())
            .filter(|&column| Some(column) != layer && Some(column) != x)
            .filter(|&column| !self.header[column].ends_with("std_error"))
            .collect();
        let names: Vec<String> = columns.iter().map(|&c| self.header[c].clone()).collect();
        match columns[..] {
            [only] => Ok(only),
            [] => Err(malformed(self.path, "there is no column of values")),
            _ => Err(no_series(
                self.path,
                "--column",
                "several columns fit",
                &names,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, choice: &SeriesChoice) -> Result<SeriesFile> {
        super::read(text, Path::new("table.csv"), choice)
    }

    fn column(name: &str) -> SeriesChoice {
        SeriesChoice {
            column: Some(name.into()),
            ..SeriesChoice::default()
        }
    }

    const TIDY_CSV: &str = "\
layer,other,quantity,variant,scale,value,std_error,n
a,,id,two_nn_base,1,5.5,0.1,100
a,,id,gride,1,6,,100
a,,id,gride,2,5,,100
b,,id,two_nn_base,1,,,100
b,,id,gride,1,7,,100
b,,id,gride,2,4,,100
c,,n_peaks,,,3,,
";

    #[test]
    fn the_headline_of_a_tidy_csv_comes_first() {
        let found = read(TIDY_CSV, &SeriesChoice::default()).unwrap();
        assert_eq!(found.series.names(), ["a", "b"]);
        assert_eq!(found.series.values(), [Some(5.5), None]);
        assert_eq!(
            (found.quantity.as_str(), found.variant.as_str()),
            ("id", "two_nn_base")
        );
        assert_eq!(found.scale, Some(1));
    }

    #[test]
    fn two_scales_are_an_error_that_lists_them() {
        let mut choice = SeriesChoice {
            variant: Some("gride".into()),
            ..SeriesChoice::default()
        };
        let error = read(TIDY_CSV, &choice).unwrap_err().to_string();
        assert!(
            error.contains("several series fit") && error.contains("--scale"),
            "{error}"
        );
        choice.scale = Some(2);
        let found = read(TIDY_CSV, &choice).unwrap();
        assert_eq!(found.series.values(), [Some(5.0), Some(4.0)]);
    }

    #[test]
    fn what_is_not_there_is_an_error_that_lists_what_is() {
        let choice = SeriesChoice {
            quantity: Some("ari".into()),
            ..SeriesChoice::default()
        };
        let error = read(TIDY_CSV, &choice).unwrap_err().to_string();
        assert!(
            error.contains("--quantity") && error.contains("n_peaks"),
            "{error}"
        );
    }

    #[test]
    fn a_plain_table_needs_a_column_only_where_there_are_several() {
        let found = read("layer,id\nin,1\nout,nan\n", &SeriesChoice::default()).unwrap();
        assert_eq!(found.series.names(), ["in", "out"]);
        assert_eq!(found.series.values(), [Some(1.0), None]);
        assert_eq!(found.quantity, "id");

        let two = "x,fid,loss\n0,350,\n5,205,2\n";
        assert!(read(two, &SeriesChoice::default()).is_err());
        let found = read(two, &column("loss")).unwrap();
        assert_eq!(found.series.values(), [None, Some(2.0)]);
        assert_eq!(found.series.names(), ["0", "5"]);
        assert!((found.series.position(1) - 5.0).abs() < 1e-15);
    }

    #[test]
    fn a_bad_table_is_an_error_that_names_the_cell() {
        for (text, fact) in [
            ("layer,id\na,high\n", "row 1, column id: \"high\""),
            ("layer,id\na,inf\n", "\"inf\" is no number below 1e150"),
            ("layer,id\na\n", "record"),
            ("layer\na\n", "no column of values"),
            ("", "no column of values"),
            ("x,id\n1,1\n1,2\n", "column x does not ascend"),
            ("x,id\n,1\n1,2\n", "column x does not ascend"),
            (
                "layer,other,quantity,variant,scale,value,std_error,n\na,,id,,half,1,,\n",
                "\"half\"",
            ),
            (
                "layer,other,quantity,variant,scale,value,std_error,n\na,,id,,,1,,\na,,id,,,2,,\n",
                "more than one id",
            ),
            (
                "layer,other,quantity,variant,scale,value,std_error,n\n",
                "nothing fits",
            ),
        ] {
            let error = read(text, &SeriesChoice::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains(fact), "{error}");
        }
    }
}
