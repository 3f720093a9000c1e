//! The estimates of a layer again, in sub-samples of its rows.

use super::estimate::Quantity;
use super::options::IdOptions;
use super::shape::{DecimationPoint, LayerId, Resampled};
use crate::error::Result;
use crate::geometry::id::{Orders, TWO_NN};
use crate::geometry::stats;
use crate::input::Matrix;
use crate::profile::bench::Bench;
use crate::profile::resample::{Resampling, Subsets, decimation, partitions};

/// Repeats the estimates of `layer` in sub-samples of its rows, where options ask for it.
pub(super) fn resample(
    matrix: &Matrix,
    options: &IdOptions,
    layer: &mut LayerId,
    bench: &Bench<'_>,
) -> Result<()> {
    let n = matrix.n_rows();
    let subsets = match (options.partitioning, options.decimation) {
        (Some(parts), _) => {
            let subsets = partitions(n, parts.partitions, parts.partition_order, options.seed);
            Some((Resampling::Partitions, subsets))
        }
        (None, Some(asked)) => {
            let size = rounded(n as f64 * asked.decimate);
            let subsets = decimation(n, size, asked.repeats, options.seed);
            Some((Resampling::Decimation, subsets))
        }
        (None, None) => None,
    };
    let quantities: Vec<Option<Quantity>> = layer
        .estimates
        .iter()
        .map(|estimate| match estimate.order {
            _ if *estimate.estimator == TWO_NN => options.two_nn().map(Quantity::TwoNn),
            // Gride has the order that the whole layer chose: parts must be read at the same scale.
            // The others have none and are not repeated.
            order => order.and_then(Orders::doubled).map(Quantity::Gride),
        })
        .collect();
    if let Some((rule, subsets)) = subsets {
        let repeated: Vec<Option<Quantity>> = layer
            .scaling
            .iter()
            .map(|point| {
                let asked = options.scaling_in_parts || options.more_orders.contains(&point.order);
                let orders = Orders::doubled(point.order).filter(|_| asked);
                orders.map(Quantity::Gride)
            })
            .collect();
        let wanted: Vec<Quantity> = quantities
            .iter()
            .chain(&repeated)
            .copied()
            .flatten()
            .collect();
        let mut found = repeat(matrix, &layer.layer, &wanted, rule, &subsets, bench)?.into_iter();
        for (estimate, quantity) in layer.estimates.iter_mut().zip(quantities) {
            estimate.resampled = quantity.and_then(|_| found.next());
        }
        for (point, quantity) in layer.scaling.iter_mut().zip(repeated) {
            point.resampled = quantity.and_then(|_| found.next());
        }
    }
    if let Some(fit) = options.two_nn().filter(|_| options.decimation_scaling) {
        // The customary halvings: N, N/2, … down to at least 11 rows.
        for halving in 0..n.max(4).ilog2() - 1 {
            let size = rounded(n as f64 / 2f64.powi(halving.cast_signed()));
            if size <= 10 {
                continue;
            }
            let repeats = rounded(n as f64 / size as f64);
            let subsets = decimation(n, size, repeats, options.seed);
            let quantity = [Quantity::TwoNn(fit)];
            let found = repeat(
                matrix,
                &layer.layer,
                &quantity,
                Resampling::Decimation,
                &subsets,
                bench,
            )?;
            let points = found
                .into_iter()
                .map(|resampled| DecimationPoint { n: size, resampled });
            layer.decimation_scaling.extend(points);
        }
    }
    Ok(())
}

/// Half to even, as the convention for counts is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rounded(x: f64) -> usize {
    x.round_ties_even() as usize
}

/// Every quantity in every subset, neighbours sought afresh inside it.
fn repeat(
    matrix: &Matrix,
    layer: &str,
    quantities: &[Quantity],
    rule: Resampling,
    subsets: &Subsets,
    bench: &Bench<'_>,
) -> Result<Vec<Resampled>> {
    let mut orders: Vec<usize> = quantities
        .iter()
        .flat_map(|quantity| [quantity.orders().n1(), quantity.orders().n2()])
        .collect();
    orders.sort_unstable();
    let bench = bench.without_cache();
    let mut values = vec![Vec::new(); quantities.len()];
    let mut scales = vec![Vec::new(); quantities.len()];
    for rows in &subsets.rows {
        let part = matrix.select(rows);
        let points = bench.points(&part, layer)?;
        let distances = bench.order_distances(&points, layer, &orders)?;
        for (at, quantity) in quantities.iter().enumerate() {
            let (outcome, distance) = quantity.estimate(&distances, rows.len(), None, None);
            values[at].push(outcome.ok().map(|estimate| estimate.id));
            scales[at].extend(distance);
        }
    }
    let smallest = subsets.rows.iter().map(Vec::len).min().unwrap_or(0);
    let summarise = |(values, scales): (Vec<Option<f64>>, Vec<f64>)| {
        let present: Vec<f64> = values.iter().copied().flatten().collect();
        let std = stats::std_dev(&present);
        let disjoint = std.filter(|_| !subsets.overlapping);
        Resampled {
            rule,
            n: smallest,
            mean: stats::mean(&present),
            std,
            std_error: disjoint.map(|std| std / (present.len() as f64).sqrt()),
            distance: stats::mean(&scales),
            overlapping: subsets.overlapping,
            values,
        }
    };
    Ok(values.into_iter().zip(scales).map(summarise).collect())
}
