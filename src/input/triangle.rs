//! Tells distances from their squares by the triangle inequality.

use std::collections::HashMap;
use std::path::Path;

use ndarray::Array2;

use crate::{Error, Result};

/// Rows that are looked at, and neighbours of each.
const ROWS: usize = 200;
const NEIGHBOURS: usize = 32;
/// An excess up to this share is rounding in single precision.
const ROUNDING: f64 = 1e-3;
/// The share of broken triangles from which distances are refused, and their least number.
const SHARE: f64 = 0.005;
const LEAST: usize = 3;

/// Fails where going by way of a third row is shorter too often: no metric does that, but squares
/// do, wherever the angle on the way is wide.
///
/// # Errors
/// [`Error::BadTable`] naming the first such row.
pub(crate) fn check(
    indices: &Array2<u32>,
    distances: &Array2<f64>,
    path: &Path,
    squared: bool,
) -> Result<()> {
    let (n, k) = indices.dim();
    let k = k.min(NEIGHBOURS);
    let (mut seen, mut broken, mut first) = (0usize, 0usize, None);
    let step = n.div_ceil(ROWS).max(1);
    for row in (0..n).step_by(step) {
        let direct: HashMap<u32, f64> = (0..k)
            .map(|column| (indices[[row, column]], distances[[row, column]]))
            .collect();
        for there in 0..k {
            let (by, one) = (indices[[row, there]] as usize, distances[[row, there]]);
            for onwards in 0..k {
                let Some(straight) = direct.get(&indices[[by, onwards]]) else {
                    continue;
                };
                seen += 1;
                if *straight > (one + distances[[by, onwards]]) * (1.0 + ROUNDING) {
                    broken += 1;
                    first.get_or_insert(row);
                }
            }
        }
    }
    match first {
        Some(row) if broken >= LEAST && broken as f64 > SHARE * seen as f64 => {
            let said = if squared {
                "even their roots"
            } else {
                "distances"
            };
            Err(Error::BadTable {
                path: path.to_owned(),
                row,
                fact: format!(
                    "{said} break the triangle inequality ({broken} of {seen} triangles), as \
                     squares and cosine distances do"
                ),
                remedy: match squared {
                    true => "compute Euclidean distances".into(),
                    false => "if they are squares, as faiss gives them, add --squared".into(),
                },
            })
        }
        _ => Ok(()),
    }
}
