//! Every layer through the estimators: the loop, the neighbour search, the summary.

use super::estimate::{Estimates, estimate};
use super::options::IdOptions;
use super::repeat::resample;
use super::rules::OrderRule;
use super::shape::{ControlId, Extremum, IdParameters, IdProfile, IdSummary, LayerId};
use super::table_estimates::rows_in_metric;
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::geometry::diagnostics::Diagnostics;
use crate::geometry::id::{GRIDE, LayerView};
use crate::geometry::resolution::Resolution;
use crate::input::{Dump, Matrix, TableSource};
use crate::neighbours::{NeighbourTable, OrderDistances, Points};
use crate::profile::bench::Bench;
use crate::profile::compare::LayerRef;
use crate::profile::controls::Control;
use crate::profile::layers::prepare;
use crate::progress::Phase;
use crate::warning::Warning;

/// The profile of every layer of `dump`.
///
/// # Errors
/// Whatever [`prepare`] gives for a layer; [`Error::ZeroRow`] under the cosine metric.
///
/// [`Error::ZeroRow`]: crate::Error::ZeroRow
pub fn id_profile(dump: &Dump, options: &IdOptions, bench: &Bench<'_>) -> Result<IdProfile> {
    let mut layers = Vec::new();
    let phase = Phase::new("dimension", dump.layers().len());
    bench.progress.plan(&[phase]);
    for info in dump.layers() {
        bench.progress.step(phase.name, &info.name);
        let prepared = prepare(dump, info, &options.layers)?;
        let subject = Subject {
            name: &info.name,
            matrix: &prepared.matrix,
            no_nearest: prepared.no_nearest,
            directions: options.layers.directions,
        };
        let mut found = subject.analyse(options, prepared.diagnostics, bench)?;
        let local = found.local.take();
        let mut layer = LayerId {
            n_columns: Some(prepared.matrix.n_columns()),
            dtype: Some(info.dtype.as_str().to_owned()),
            local: local.map(|local| aligned(&local, &prepared.rows, dump.n_rows())),
            ..found.of(info.into())
        };
        for &control in &options.controls {
            let found = subject.control(control, &layer, options, bench)?;
            layer.controls.push(found);
        }
        if prepared.no_nearest.is_none() {
            resample(&prepared.matrix, options, &mut layer, bench)?;
        }
        layer.warnings.splice(0..0, prepared.warnings);
        layers.push(layer);
    }
    Ok(assemble(
        IdParameters::new(options, bench),
        layers,
        dump.warnings().to_vec(),
    ))
}

/// The profile of precomputed neighbour tables, one a layer.
///
/// A statistic that needs more neighbours than a table stores does not exist
/// (`too_few_neighbours`). Sub-samples, controls and some estimators would need coordinates, so options that
/// ask for them are refused.
///
/// # Errors
/// [`Error::Usage`] for sub-samples and estimators that need coordinates; whatever reading a table gives.
pub fn id_profile_of_tables(
    tables: &[TableSource],
    options: &IdOptions,
    bench: &Bench<'_>,
) -> Result<IdProfile> {
    if !options.controls.is_empty() {
        return Err(Error::Usage(
            "--control needs activations, not --neighbours: a control is made of coordinates"
                .into(),
        ));
    }
    if options.partitioning.is_some() || options.decimation.is_some() || options.decimation_scaling
    {
        return Err(Error::Usage(
            "--partitions, --decimate and --id-scaling=decimation need activations, not \
             --neighbours: a sub-sample of a table lacks neighbours"
                .into(),
        ));
    }
    let blind = options.others().find(|one| one.needs_coordinates());
    if let Some(estimator) = blind {
        return Err(Error::Usage(format!(
            "--estimator {} needs activations, not --neighbours: a table has no coordinates",
            estimator.flag
        )));
    }
    // Pairs within a radius cannot be counted afresh: all neighbours there are may be needed.
    let mut tables_read = options.others().filter_map(|one| one.neighbours());
    let needed = if tables_read.any(|reads| reads.may_need_all) {
        usize::MAX
    } else {
        options.largest_order().max(options.stored())
    };
    let mut layers = Vec::new();
    let phase = Phase::new("dimension", tables.len());
    bench.progress.plan(&[phase]);
    for (index, source) in tables.iter().enumerate() {
        bench.progress.step(phase.name, &source.name);
        bench.progress.begin(&source.name, 1);
        let table = source.read(needed)?;
        let orders = options.orders(table.n);
        let distances = OrderDistances::from_table(&table.distances, &orders);
        let view = LayerView {
            distances: table.distances.view(),
            indices: table.indices.view(),
            data: None,
            pairs_within: None,
        };
        let diagnostics = Diagnostics::of_table(table.n);
        let found = estimate(
            &distances,
            Some(&view),
            table.n,
            options,
            None,
            None,
            diagnostics,
        );
        layers.push(found.of(LayerRef::of_table(source, index, tables.len())));
        bench.progress.end();
    }
    Ok(assemble(
        IdParameters::new(options, bench),
        layers,
        Vec::new(),
    ))
}

/// `values` of the rows `rows` among all `n` input rows; NaN where a row takes no part.
fn aligned(values: &[f64], rows: &[u32], n: usize) -> Vec<f64> {
    let mut all = vec![f64::NAN; n];
    for (&row, &value) in rows.iter().zip(values) {
        all[row as usize] = value;
    }
    all
}

/// The rows of a layer, or what stands in for them.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    pub(super) matrix: &'a Matrix,
    /// Why no row is nearer than another, if so.
    pub(super) no_nearest: Option<Reason>,
    /// Whether rows of one direction are one row.
    pub(super) directions: bool,
}

impl Subject<'_> {
    /// Every estimate that does not need sub-samples.
    pub(super) fn analyse(
        &self,
        options: &IdOptions,
        diagnostics: Diagnostics,
        bench: &Bench<'_>,
    ) -> Result<Estimates> {
        let points = bench.points(self.matrix, self.name)?;
        let n = points.n_rows();
        let mut warnings = Vec::new();
        let (distances, table) = self.search(&points, options, bench, &mut warnings)?;
        let rows = table
            .as_ref()
            .map(|_| rows_in_metric(self.matrix, &points, bench.metric));
        let near = table.as_ref().map(|table| table.distances.view());
        let count = near.map(|near| {
            let points = &points;
            move |radii| bench.pairs_within(points, near, radii)
        });
        let view = table.as_ref().map(|table| LayerView {
            distances: table.distances.view(),
            indices: table.indices.view(),
            data: rows.as_ref(),
            pairs_within: count.as_ref().map(|count| count as _),
        });
        let mut found = estimate(
            &distances,
            view.as_ref(),
            n,
            options,
            self.no_nearest,
            Some(&Resolution::of(self.matrix, self.directions)),
            diagnostics,
        );
        found.warnings.splice(0..0, warnings);
        Ok(found)
    }
}

impl Subject<'_> {
    /// The estimates of `layer` on a control of these rows, read at the same scales.
    fn control(
        &self,
        control: Control,
        layer: &LayerId,
        options: &IdOptions,
        bench: &Bench<'_>,
    ) -> Result<ControlId> {
        let made = control.of(self.matrix, options.seed);
        let subject = Subject {
            matrix: &made,
            ..*self
        };
        let gride = layer.estimates.iter().find(|one| *one.estimator == GRIDE);
        let options = IdOptions {
            // Where a rule chose the layer's order, the control is read there too.
            order: gride.and_then(|gride| gride.order).map(OrderRule::Fixed),
            local: None,
            ..options.clone()
        };
        let diagnostics = Diagnostics::of_table(made.n_rows());
        // Nobody asks for a made-up layer twice.
        let mut found = subject.analyse(&options, diagnostics, &bench.without_cache())?;
        for estimate in &mut found.estimates {
            if *estimate.estimator == GRIDE {
                estimate.order_rule = gride.and_then(|gride| gride.order_rule);
            }
        }
        Ok(ControlId {
            control,
            seed: options.seed,
            estimates: found.estimates,
            scaling: found.scaling,
        })
    }
}

impl Subject<'_> {
    /// The neighbour distances that `options` need, and the table of the other estimators if there
    /// are any.
    ///
    /// One search does for both unless Gride looks far beyond the others. With a cache everything
    /// that a table can hold comes from one that is kept.
    fn search(
        &self,
        points: &Points<'_>,
        options: &IdOptions,
        bench: &Bench<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<(OrderDistances, Option<NeighbourTable>)> {
        let orders = options.orders(points.n_rows());
        let order_distances = || bench.order_distances(points, self.name, &orders);
        let largest = orders.iter().copied().max().unwrap_or(0);
        let Some(k) = options.table(&orders, bench.cache.is_some()) else {
            return Ok((order_distances()?, None));
        };
        let table = bench.neighbours(self.matrix, self.name, k, warnings)?;
        let distances = if largest <= k {
            OrderDistances::from_table(&table.distances, &orders)
        } else {
            order_distances()?
        };
        Ok((
            distances,
            Some(table).filter(|_| options.others().next().is_some()),
        ))
    }
}

/// Adds the sentence that a reader looks for.
fn assemble(parameters: IdParameters, layers: Vec<LayerId>, warnings: Vec<Warning>) -> IdProfile {
    let summary = summary(&layers);
    IdProfile {
        parameters,
        layers,
        summary,
        events: None,
        events_reason: None,
        warnings,
    }
}

/// Peak and minimum of the first estimate over layers; `None` with fewer than two values.
fn summary(layers: &[LayerId]) -> Option<IdSummary> {
    let values: Vec<(&LayerId, f64)> = layers
        .iter()
        .filter_map(|layer| Some((layer, layer.estimates.first()?.id()?)))
        .collect();
    let variant = layers.first()?.estimates.first()?.variant();
    if values.len() < 2 {
        return None;
    }
    let extremum = |better: fn(f64, f64) -> bool| {
        let best = (1..values.len()).fold(0, |best, at| {
            if better(values[at].1, values[best].1) {
                at
            } else {
                best
            }
        });
        let (layer, id) = values[best];
        Extremum {
            layer: layer.layer.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
            id,
            at_edge: best == 0 || best + 1 == values.len(),
        }
    };
    Some(IdSummary {
        variant,
        peak: extremum(|a, b| a > b),
        minimum: extremum(|a, b| a < b),
    })
}
