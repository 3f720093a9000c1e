//! Draws, fits and scores of the chunks of one layer.

use super::data::CloneData;
use super::dimensions::dimensions;
use super::fits::{Fit, Fitting};
use super::forecast::{
    CHUNKS, DIMENSIONS, Extent, PARTS, PRODUCTS, READOUT, Scored, of_fits, phases,
};
use super::options::{ChunkId, ClonesOptions, chunk_sizes};
use super::scores::{network_report, scores, spread};
use super::shape::{
    ChunkStatistics, ChunkWidth, CloneLayer, ClonesParameters, ClonesProfile, OverAll, OverOthers,
    Spread,
};
use super::verdict::{critical, verdict};
use crate::error::{Error, Result};
use crate::geometry::clones::{Baseline, ChunkFit, Residuals, Targets};
use crate::geometry::{Reason, stats};
use crate::input::Matrix;
use crate::profile::bench::Bench;
use crate::profile::parameters::ReadParameters;
use crate::profile::resample::{PartitionOrder, partitions};
use crate::progress::{Progress, Within};
use crate::random::SplitMix64;
use crate::warning::Warning;

/// The chunks of `features`, whose rows are finite; `layer` and how it was `read` are echoed.
///
/// One W × W Gram matrix serves all draws; each draw eliminates neurons in a random order of its
/// own, so its chunks are nested, and holds a copy of that matrix. With more than two neurons a row
/// each draw holds and projects a copy of the layer instead.
///
/// # Errors
/// [`Error::Usage`] for chunk sizes or shapes that do not fit the layer, and for an estimator of several
/// dimensions; [`Error::Memory`] if not
/// even one draw fits at a time; with `chunk_id` as [`Bench::neighbours`].
pub fn clones(
    features: &Matrix,
    layer: CloneLayer,
    data: &CloneData,
    options: &ClonesOptions,
    read: ReadParameters,
    warnings: Vec<Warning>,
    bench: &Bench<'_>,
) -> Result<ClonesProfile> {
    let progress = bench.progress;
    let width = features.n_columns();
    let sizes = chunk_sizes(options.sizes.as_deref(), width)?;
    check(features, data)?;
    let options = options.used(data.readout.is_some());
    // Refused now, not after the fits.
    options.chunk_id.map(ChunkId::of_a_layer).transpose()?;
    let scored = options.score_draws.unwrap_or(0);
    let mut random = SplitMix64::new(options.seed);
    let orders: Vec<Vec<usize>> = (0..options.draws.max(scored).max(1))
        .map(|_| random.choose(width, width))
        .collect();
    let fitted = &orders[..options.draws.clamp(1, orders.len())];
    let fitting = Fitting {
        features,
        sizes: &sizes,
        max_memory: options.max_memory,
    };
    progress.plan(&phases(&extent(&fitting, data, &options, fitted.len())));
    progress.step(CHUNKS, "");
    let drawn = Drawn {
        orders: fitted,
        options: &options,
        layer: &layer.layer,
        bench,
    };
    let mut widths = drawn.widths(&fitting)?;
    if let Some(parts) = options.partitions {
        let errors = drawn.part_errors(&fitting, parts)?;
        for (one, errors) in widths.iter_mut().zip(errors) {
            errors.fill(one);
        }
    }
    let scored = &orders[..scored.clamp(1, orders.len())];
    score(&mut widths, features, data, scored, &options, progress);
    let (critical_width, found) = critical(&widths);
    let network = data.readout.as_ref().map(|(readout, targets)| {
        let errors: Vec<(usize, f64)> = widths
            .iter()
            .filter_map(|one| Some((one.width, 1.0 - one.test.as_ref()?.accuracy.mean)))
            .collect();
        network_report(
            readout.logits(features),
            &data.networks,
            readout.n_outputs(),
            targets,
            &errors,
            found,
            options.seed,
        )
    });
    Ok(ClonesProfile {
        parameters: ClonesParameters { options, read },
        layer,
        verdict: verdict(&widths, found),
        widths,
        critical_width,
        network,
        warnings,
    })
}

/// Scores the readout, where there is one, from the chunks of every width: over the rows of the layer,
/// and over the training rows.
fn score(
    widths: &mut [ChunkWidth],
    features: &Matrix,
    data: &CloneData,
    orders: &[Vec<usize>],
    options: &ClonesOptions,
    progress: &dyn Progress,
) {
    let Some((readout, targets)) = &data.readout else {
        return;
    };
    let sizes: Vec<usize> = widths.iter().map(|one| one.width).collect();
    let score = |features: &Matrix, targets: &Targets| {
        progress.step(READOUT, "");
        scores(
            readout, features, targets, orders, &sizes, options, progress,
        )
    };
    for (width, test) in widths.iter_mut().zip(score(features, targets)) {
        width.test = Some(test);
    }
    if let Some((features, targets)) = &data.train {
        for (width, train) in widths.iter_mut().zip(score(features, targets)) {
            width.train = Some(train);
        }
    }
}

/// How large the work is.
fn extent<'a>(
    fitting: &Fitting<'a>,
    data: &CloneData,
    options: &ClonesOptions,
    draws: usize,
) -> Extent<'a> {
    let scored = data.readout.as_ref().map(|(readout, _)| Scored {
        outputs: readout.n_outputs(),
        draws: options.score_draws.unwrap_or(0).max(1) * if options.rescale { 2 } else { 1 },
        sets: 1 + usize::from(data.train.is_some()),
    });
    Extent {
        rows: fitting.features.n_rows(),
        width: fitting.features.n_columns(),
        sizes: fitting.sizes,
        draws,
        disjoint: options.disjoint,
        chunk_id: options.chunk_id.is_some(),
        partitions: options.partitions,
        scored,
    }
}

/// Whether everything that was given is of the layer's width.
fn check(features: &Matrix, data: &CloneData) -> Result<()> {
    let width = features.n_columns();
    if width == 0 {
        return Err(Error::Usage("the layer has no neurons".into()));
    }
    let readouts = data.readout.iter().map(|(readout, _)| readout);
    if let Some(readout) = readouts
        .into_iter()
        .find(|readout| readout.width() != width)
    {
        return Err(Error::Usage(format!(
            "--readout has {} outputs x {} inputs but the layer has {width} neurons; W must be \
             outputs x neurons (transpose it?)",
            readout.n_outputs(),
            readout.width()
        )));
    }
    if let Some((train, _)) = data.train.as_ref().filter(|(m, _)| m.n_columns() != width) {
        return Err(Error::Usage(format!(
            "--train has {} neurons but the layer has {width}; dump the same layer for both",
            train.n_columns()
        )));
    }
    for one in &data.networks {
        let outputs = data
            .readout
            .as_ref()
            .map(|(readout, _)| readout.n_outputs());
        let fits = one.readout.width() == one.features.n_columns();
        if !fits || outputs != Some(one.readout.n_outputs()) {
            return Err(Error::Usage(format!(
                "--network: a readout of {} outputs x {} inputs over a layer of {} neurons; every \
                 network needs its own W of outputs x neurons and the outputs of --readout",
                one.readout.n_outputs(),
                one.readout.width(),
                one.features.n_columns()
            )));
        }
        if one.features.n_rows() != features.n_rows() {
            return Err(Error::Usage(format!(
                "--network has {} rows but the layer has {}; dump the same test rows",
                one.features.n_rows(),
                features.n_rows()
            )));
        }
    }
    Ok(())
}

/// What is drawn, and what is asked of it.
struct Drawn<'a> {
    /// One random order of the neurons a draw.
    orders: &'a [Vec<usize>],
    options: &'a ClonesOptions,
    /// The name of the layer.
    layer: &'a str,
    bench: &'a Bench<'a>,
}

impl Drawn<'_> {
    /// The statistics of the chunks of every size.
    fn widths(&self, fitting: &Fitting<'_>) -> Result<Vec<ChunkWidth>> {
        let orders = self.orders;
        let (width, n) = (fitting.features.n_columns(), fitting.features.n_rows());
        let within = Within::new(self.bench.progress);
        within.plan(&of_fits(&Extent {
            rows: n,
            width,
            sizes: fitting.sizes,
            draws: orders.len(),
            disjoint: self.options.disjoint,
            chunk_id: self.options.chunk_id.is_some(),
            partitions: None,
            scored: None,
        }));
        within.step(PRODUCTS, "");
        let prepared = fitting.prepare()?;
        let fits = prepared.fits(orders, &within);
        let sizes = fitting.sizes.iter().zip(&fits);
        let mut widths: Vec<ChunkWidth> = sizes
            .map(|(&w, fits)| chunk_width(w, width, n, fits))
            .collect();
        if self.options.disjoint {
            let pairs = prepared.disjoint(orders, &within);
            for (one, pairs) in widths.iter_mut().zip(pairs) {
                let good: Vec<Residuals> = pairs.iter().filter_map(|pair| pair.ok()).collect();
                let reason = match pairs.iter().find_map(|pair| pair.err()) {
                    Some(reason) => reason,
                    None => Reason::TooFewNeurons,
                };
                one.disjoint = Some(statistics(&good).ok_or(reason).into());
            }
        }
        if let Some(asked) = self.options.chunk_id {
            within.step(DIMENSIONS, "");
            let bench = Bench {
                progress: &within,
                ..*self.bench
            };
            let found = dimensions(fitting, orders, asked, self.layer, &bench)?;
            for (one, found) in widths.iter_mut().zip(found) {
                one.dimension = Some(found);
            }
        }
        Ok(widths)
    }
}

/// The statistics of the chunks of `w` neurons.
fn chunk_width(w: usize, width: usize, n: usize, fits: &[Fit]) -> ChunkWidth {
    let good: Vec<ChunkFit> = fits.iter().filter_map(|fit| fit.ok()).collect();
    let reason = fits.iter().find_map(|fit| fit.err());
    let paper: Vec<Residuals> = good.iter().map(|fit| fit.paper).collect();
    let complement: Vec<Residuals> = good.iter().filter_map(|fit| fit.complement).collect();
    let paper = statistics(&paper);
    let complement = statistics(&complement);
    let reason = reason.unwrap_or(Reason::ConstantLayer);
    let alone = match w == width {
        true => Reason::WholeLayer,
        false => reason,
    };
    let freedom = n as f64 - 1.0 - w as f64;
    let adjusted = |one: &ChunkStatistics| 1.0 - (1.0 - one.r2.mean) * (n as f64 - 1.0) / freedom;
    ChunkWidth {
        width: w,
        disjoint: None,
        dimension: None,
        adjusted_r2: complement.as_ref().map(adjusted),
        of_all: paper.map(|paper| OverAll { paper }).ok_or(reason).into(),
        of_others: complement
            .map(|complement| OverOthers { complement })
            .ok_or(alone)
            .into(),
        baseline: Baseline::new(w, width, n),
        smallest_rank: good.iter().map(|fit| fit.rank).min(),
        most_explained: good.iter().map(|fit| fit.n_explained).max(),
        test: None,
        train: None,
    }
}

fn statistics(residuals: &[Residuals]) -> Option<ChunkStatistics> {
    let over = |read: fn(&Residuals) -> Option<f64>| {
        let values: Vec<f64> = residuals.iter().filter_map(read).collect();
        spread(&values)
    };
    Some(ChunkStatistics {
        r2: over(|one| Some(one.r2))?,
        residual_correlation: over(|one| one.correlation),
        frobenius: over(|one| one.frobenius),
    })
}

/// Standard errors of the means of one size over data.
struct Errors {
    /// R² and correlation of paper, complement and disjoint chunks.
    fits: [[Option<f64>; 2]; 3],
    /// The dimension.
    id: Option<f64>,
}

impl Errors {
    fn fill(self, one: &mut ChunkWidth) {
        let all = one.of_all.0.as_mut().ok().map(|found| &mut found.paper);
        let others = one.of_others.0.as_mut().ok();
        let others = others.map(|found| &mut found.complement);
        let disjoint = one
            .disjoint
            .as_mut()
            .and_then(|found| found.0.as_mut().ok());
        let parts = [all, others, disjoint];
        for (statistics, [r2, correlation]) in parts.into_iter().zip(self.fits) {
            if let Some(statistics) = statistics {
                statistics.r2.std_error = r2;
                if let Some(spread) = &mut statistics.residual_correlation {
                    spread.std_error = correlation;
                }
            }
        }
        let dimension = one.dimension.as_mut();
        if let Some(found) = dimension.and_then(|found| found.0.as_mut().ok()) {
            found.id.std_error = self.id;
        }
    }
}

impl Drawn<'_> {
    /// s/√P of the means over draws in P disjoint parts of the rows.
    fn part_errors(&self, whole: &Fitting<'_>, parts: usize) -> Result<Vec<Errors>> {
        let (features, sizes) = (whole.features, whole.sizes);
        let n = features.n_rows();
        let subsets = partitions(n, parts, PartitionOrder::Random, self.options.seed);
        let by_part: Vec<Vec<ChunkWidth>> = subsets
            .rows
            .iter()
            .map(|rows| {
                let part = features.select(rows);
                let fitting = Fitting {
                    features: &part,
                    ..*whole
                };
                self.bench.progress.step(PARTS, "");
                self.widths(&fitting)
            })
            .collect::<Result<_>>()?;
        let error = |at: usize, read: &dyn Fn(&ChunkWidth) -> Option<Spread>| {
            let values: Option<Vec<f64>> = by_part
                .iter()
                .map(|widths| Some(read(&widths[at])?.mean))
                .collect();
            let values = values?;
            Some(stats::std_dev(&values)? / (values.len() as f64).sqrt())
        };
        let of_size = |at: usize| {
            let both = |of: fn(&ChunkWidth) -> Option<&ChunkStatistics>| {
                [
                    error(at, &|one| Some(of(one)?.r2)),
                    error(at, &|one| of(one)?.residual_correlation),
                ]
            };
            Errors {
                fits: [
                    both(ChunkWidth::paper),
                    both(ChunkWidth::complement),
                    both(ChunkWidth::disjoint),
                ],
                id: error(at, &ChunkWidth::id),
            }
        };
        Ok((0..sizes.len()).map(of_size).collect())
    }
}
