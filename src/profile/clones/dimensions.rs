//! The intrinsic dimension of the rows as chunks of the neurons show them.

use super::fits::Fitting;
use super::options::ChunkId;
use super::scores::spread;
use super::shape::ChunkDimension;
use crate::error::Result;
use crate::geometry::{Known, Reason};
use crate::profile::bench::Bench;
use crate::profile::columns::select_columns;
use crate::profile::id::dimension_of;
use crate::progress::Silent;

/// The dimension of the chunks of every size, one in each draw; the whole layer is the same in every
/// draw and is asked once.
pub(super) fn dimensions(
    fitting: &Fitting<'_>,
    orders: &[Vec<usize>],
    asked: ChunkId,
    name: &str,
    bench: &Bench<'_>,
) -> Result<Vec<Known<ChunkDimension>>> {
    let options = asked.of_a_layer()?;
    let width = fitting.features.n_columns();
    let draws = |w: usize| if w == width { 1 } else { orders.len() };
    let total: usize = fitting.sizes.iter().map(|&w| draws(w)).sum();
    bench.progress.begin("dimensions of chunks", total as u64);
    // Each chunk is a search of its own, which would say so.
    let quiet = Bench {
        progress: &Silent,
        ..*bench
    };
    let mut all = Vec::new();
    for &w in fitting.sizes {
        let mut values = Vec::new();
        let mut reason = None;
        for order in &orders[..draws(w)] {
            // In the order of the layer, so that the whole has the digits of its profile.
            let mut columns = order[..w].to_vec();
            columns.sort_unstable();
            let chunk = select_columns(fitting.features, &columns);
            match dimension_of(&chunk, name, &options, &quiet)? {
                Ok(id) => values.push(id),
                Err(why) => {
                    reason.get_or_insert(why);
                }
            }
            bench.progress.advance(1);
        }
        let found = spread(&values).map(|id| ChunkDimension { id });
        all.push(found.ok_or(reason.unwrap_or(Reason::TooFewRows)).into());
    }
    bench.progress.end();
    Ok(all)
}
