//! Chunks as CSV rows.

use crate::geometry::Reason;
use crate::profile::clones::{
    ChunkId, ChunkScores, ChunkStatistics, ChunkWidth, ClonesProfile, Spread,
};
use crate::report::Record;

/// Every number of every size: `scale` is the number of neurons, `variant` says over which neurons
/// or rows, with `_std_dev` for the spread over draws and `_iid` for independent neurons.
pub(super) fn clones_records(profile: &ClonesProfile) -> Vec<Record<'_>> {
    let mut rows = Rows {
        layer: &profile.layer.layer,
        n: profile.layer.n_rows,
        estimator: profile.parameters.options.chunk_id.map(ChunkId::variant),
        records: Vec::new(),
    };
    for one in &profile.widths {
        rows.width(one);
    }
    let critical = &profile.critical_width.outcome;
    for (quantity, value) in [
        (
            "critical_width",
            critical.ok().map(|found| found.width as f64),
        ),
        ("n_clones", critical.ok().map(|found| found.n_clones)),
    ] {
        rows.plain(quantity, "", value);
        if let Some(record) = rows.records.last_mut() {
            record.reason = critical.reason();
        }
    }
    if let Some(network) = &profile.network {
        for point in &network.ensembles {
            rows.records.push(Record {
                scale: Some(point.n_networks),
                std_error: point.std_error,
                n: Some(profile.layer.n_rows),
                ..Record::new(rows.layer, "ensemble_accuracy", Some(point.accuracy))
            });
        }
        let limit = network.error_limit;
        let error = limit.outcome.ok().map(|limit| limit.error);
        rows.plain("error_limit", limit.source.name(), error);
        let slope = network.excess_error;
        let found = slope.outcome.ok();
        rows.records.push(Record {
            std_error: found.and_then(|found| found.std_error),
            n: Some(slope.n),
            ..Record::new(
                rows.layer,
                "excess_error_slope",
                found.map(|found| found.slope),
            )
        });
    }
    rows.records
}

struct Rows<'a> {
    layer: &'a str,
    n: usize,
    /// By what dimensions were found, where they were sought.
    estimator: Option<String>,
    records: Vec<Record<'a>>,
}

impl Rows<'_> {
    fn plain(&mut self, quantity: &'static str, variant: &'static str, value: Option<f64>) {
        self.records.push(Record {
            variant: variant.into(),
            n: Some(self.n),
            ..Record::new(self.layer, quantity, value)
        });
    }

    fn at(&mut self, w: usize, quantity: &'static str, variant: String, value: Option<f64>) {
        self.records.push(Record {
            variant: variant.into(),
            scale: Some(w),
            n: Some(self.n),
            ..Record::new(self.layer, quantity, value)
        });
    }

    fn spread(&mut self, w: usize, quantity: &'static str, variant: &str, spread: Option<Spread>) {
        self.at(w, quantity, variant.to_owned(), spread.map(|s| s.mean));
        if let (Some(spread), Some(record)) = (spread, self.records.last_mut()) {
            record.std_error = spread.std_error;
            let spread = spread.std_dev;
            self.at(w, quantity, format!("{variant}_std_dev"), spread);
        }
    }

    fn width(&mut self, one: &ChunkWidth) {
        let w = one.width;
        let disjoint = one.disjoint.as_ref();
        for (variant, statistics, reason) in [
            ("paper", one.paper(), one.of_all.reason()),
            ("complement", one.complement(), one.of_others.reason()),
        ]
        .into_iter()
        .chain(disjoint.map(|found| ("disjoint", found.ok(), found.reason())))
        {
            let first = self.records.len();
            let read = |of: fn(&ChunkStatistics) -> Option<Spread>| statistics.and_then(of);
            self.spread(w, "chunk_r2", variant, read(|s| Some(s.r2)));
            let correlation = read(|s| s.residual_correlation);
            self.spread(w, "chunk_residual_correlation", variant, correlation);
            let frobenius = read(|s| s.frobenius);
            self.spread(w, "chunk_residual_frobenius", variant, frobenius);
            // A chunk that explains all neurons leaves residuals without variance.
            let reason = reason.unwrap_or(Reason::ConstantLayer);
            for record in &mut self.records[first..] {
                record.reason = record.value.is_none().then_some(reason);
            }
        }
        if let (Some(found), Some(estimator)) = (&one.dimension, self.estimator.clone()) {
            self.spread(w, "chunk_id", &estimator, one.id());
            if let Some(record) = self.records.last_mut().filter(|_| found.ok().is_none()) {
                record.reason = found.reason();
            }
        }
        self.at(w, "chunk_r2", "complement_adjusted".into(), one.adjusted_r2);
        if let Some(iid) = one.baseline {
            for (quantity, variant, value) in [
                ("chunk_r2", "paper_iid", iid.r2_paper),
                ("chunk_r2", "complement_iid", iid.r2_complement),
                (
                    "chunk_residual_correlation",
                    "paper_iid",
                    iid.correlation_paper,
                ),
                (
                    "chunk_residual_correlation",
                    "complement_iid",
                    iid.correlation_complement,
                ),
            ] {
                self.at(w, quantity, variant.into(), Some(value));
            }
        }
        for (variant, scores) in [("test", &one.test), ("train", &one.train)] {
            if let Some(scores) = scores {
                self.scores(w, variant, scores);
            }
        }
    }

    fn scores(&mut self, w: usize, variant: &str, scores: &ChunkScores) {
        self.spread(w, "chunk_accuracy", variant, Some(scores.accuracy));
        if let Some(loss) = scores.loss {
            self.spread(w, "chunk_loss", variant, Some(loss));
        }
        if let Some(rescaled) = scores.rescaled_accuracy {
            let variant = format!("{variant}_rescaled");
            self.spread(w, "chunk_accuracy", &variant, Some(rescaled));
        }
    }
}
