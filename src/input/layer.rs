//! A layer read into a matrix.

use super::dtype::Dtype;
use super::dump::{Dump, LayerInfo};
use super::mask::Mask;
use super::matrix::Matrix;
use super::pooling::{self, Pooling};
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// How layers are read; the default reads every row of arrays with two axes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// What to make of three or four axes.
    pub pool: Option<Pooling>,
    /// Which tokens count when pooling.
    pub mask: Option<&'a Mask>,
    /// Which input rows to keep, ascending; all if `None`.
    pub rows: Option<&'a [u32]>,
}

/// The rows of one layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its name in the dump.
    pub name: String,
    /// Its position in the dump, from 0.
    pub index: usize,
    /// Its position between 0 (first layer) and 1 (last).
    pub relative_depth: f64,
    /// The values.
    pub matrix: Matrix,
    /// The input row behind each row of the matrix.
    pub rows: Vec<u32>,
    /// What was noticed while reading.
    pub warnings: Vec<Warning>,
}

impl Dump {
    /// Reads one layer of this dump.
    ///
    /// Values in the machine's byte order, C order and aligned stay in the memory map. Everything
    /// else is decoded once, into its own precision; 8- and 16-bit integers and booleans become
    /// f32, larger integers f64.
    ///
    /// # Errors
    /// [`Error::NeedsPooling`] for three or four axes without a pooling; [`Error::Unsupported`] for
    /// no or too many axes, no values, integers beyond 2^53, or a pooling that does not apply;
    /// [`Error::Usage`] for a row that is not there.
    pub fn read(&self, layer: &LayerInfo, options: &ReadOptions) -> Result<Layer> {
        let entry = &layer.entry;
        let n = layer.n_rows();
        let Ok(all) = u32::try_from(n) else {
            return Err(
                entry.unsupported(format!("{n} rows"), "split it: rows are counted in 32 bits")
            );
        };
        if let Some(row) = options
            .rows
            .and_then(|rows| rows.iter().find(|&&row| row >= all))
        {
            return Err(Error::Usage(format!(
                "row {row} is beyond the {n} rows of layer {}",
                layer.name
            )));
        }
        match (entry.shape.len(), options.pool) {
            (0, _) => return Err(entry.unsupported("no axes", "a layer needs rows and columns")),
            (5.., pool) if pool != Some(Pooling::Flatten) => {
                let fact = format!("shape {:?}", entry.shape);
                return Err(
                    entry.unsupported(fact, "use --pool flatten, or dump at most four axes")
                );
            }
            (3.., None) => {
                return Err(Error::NeedsPooling {
                    path: layer.path.clone(),
                    name: layer.name.escape_debug().to_string(),
                    shape: entry.shape.clone(),
                });
            }
            _ => {}
        }
        let array = entry.load()?;
        if let Some(value) = array.beyond_f64() {
            return Err(entry.unsupported(
                format!("the integer {value}, which no f64 holds exactly"),
                "subtract an offset or convert to float before dumping",
            ));
        }
        let matrix = match options.pool {
            Some(pooling) if entry.shape.len() > 2 => {
                pooling::pool(entry, &array, pooling, options.mask, options.rows)?
            }
            _ => pooling::whole(entry, &array, options.rows)?,
        };
        let mut warnings = entry.warnings();
        warnings.extend(integer_warning(&layer.name, layer.dtype, matrix.n_rows()));
        Ok(Layer {
            name: layer.name.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
            matrix,
            rows: options
                .rows
                .map_or_else(|| (0..all).collect(), <[u32]>::to_vec),
            warnings,
        })
    }
}

fn integer_warning(name: &str, dtype: Dtype, n: usize) -> Option<Warning> {
    let message =
        format!("{name}: {dtype} values were converted to float; tied distances are likely");
    (!dtype.is_float()).then(|| Warning::new(WarningCode::IntegerInput, n, message))
}
