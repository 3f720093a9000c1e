//! Small reports made by hand: every shape that a report can take.

use repgeo::geometry::diagnostics::{Diagnostics, DistanceDiagnostics, LEVELS, Quantiles};
use repgeo::geometry::id::{
    ESTIMATORS, ErrorKind, Estimator, Fit, GRIDE, Plateau as Window, TWO_NN,
};
use repgeo::geometry::{Known, Reason};
use repgeo::input::{Series, SeriesFile};
use repgeo::neighbours::Metric;
use repgeo::profile::events::{EventOptions, EventsReport, events_with_parts};
use repgeo::profile::id::{
    AdaptiveStep, ControlId, DecimationPoint, Extremum, IdEstimate, IdOptions, IdParameters,
    IdProfile, IdSummary, IdValue, LayerId, LeadingEigenvalues, OrderKind, Plateau, Resampled,
    ScalePoint, ScaleValue,
};
use repgeo::profile::inspect::{InspectParameters, InspectReport, InspectedLayer};
use repgeo::profile::{
    Control, Decimation, OrderRule, Partitioning, ReadParameters, Resampling, RowParameters,
};

use repgeo::warning::{Warning, WarningCode};

/// Three layers: a constant embedding without an ID, a peak, an end; with Gride's scaling.
pub fn profile() -> IdProfile {
    let mut embedding = layer("embed", 0, 3);
    embedding.n_rows = 1;
    embedding.diagnostics = diagnostics(10_000, 1);
    embedding.diagnostics.max_mean_over_std = None;
    embedding.diagnostics.top_column_variance_share = None;
    embedding.diagnostics.distances = None;
    embedding.estimates = vec![missing_two_nn(Reason::AllRowsIdentical)];
    embedding.scaling = Vec::new();
    embedding.plateau = Some(no_plateau());
    embedding.warnings = vec![
        Warning::new(
            WarningCode::Duplicates,
            9_999,
            "9999 rows repeat an earlier row and were removed",
        ),
        Warning::new(WarningCode::NotEstimated, 1, "no intrinsic dimension"),
    ];

    let mut middle = layer("layers.0", 1, 3);
    middle.estimates = vec![two_nn(24.618, 0.2513)];
    middle.scaling = scaling(&[23.5, 17.25, 12.0, 11.875, 11.75]);
    middle.plateau = Some(plateau());

    let mut last = layer("layers.1", 2, 3);
    last.estimates = vec![two_nn(8.136, 0.0831)];
    last.scaling = scaling(&[8.0, 7.5, 7.0, 6.5]);
    last.plateau = Some(no_plateau());

    IdProfile {
        parameters: parameters(options()),
        layers: vec![embedding, middle, last],
        summary: Some(IdSummary {
            variant: "two_nn_base".into(),
            peak: extremum("layers.0", 1, 24.618),
            minimum: extremum("layers.1", 2, 8.136),
        }),
        events: None,
        events_reason: None,
        warnings: vec![Warning::new(
            WarningCode::SkippedArrays,
            1,
            "1 array is no layer and was left out: labels",
        )],
    }
}

/// One layer with Gride at the plateau, Bayes, both ways of resampling and decimation.
pub fn resampled() -> IdProfile {
    let mut only = layer("probe", 0, 1);
    only.relative_depth = 0.0;
    let mut bayes = two_nn(4.5, 0.125);
    bayes.fit = Some("bayes");
    bayes.fraction = None;
    bayes.mode = Some(4.4375);
    bayes.resampled = Some(parts(Resampling::Partitions, 500, Some(0.0625), false));
    let mut gride = two_nn(4.25, 0.0625);
    gride.estimator = &GRIDE;
    gride.fit = None;
    gride.fraction = None;
    gride.order = Some(16);
    gride.order_rule = Some(OrderKind::Plateau);
    gride.resampled = Some(parts(Resampling::Decimation, 250, None, true));
    only.estimates = vec![bayes, gride];
    only.scaling = scaling(&[4.5, 4.25, 4.125, 4.25, 4.25]);
    only.plateau = Some(plateau());
    only.decimation_scaling = vec![
        DecimationPoint {
            n: 1000,
            resampled: parts(Resampling::Decimation, 1000, None, true),
        },
        DecimationPoint {
            n: 2,
            resampled: Resampled {
                values: vec![None, None],
                mean: None,
                std: None,
                distance: None,
                ..parts(Resampling::Decimation, 2, None, true)
            },
        },
    ];
    IdProfile {
        parameters: IdParameters {
            rows: RowParameters {
                read: ReadParameters {
                    pool: Some("token:3".into()),
                    rows: vec!["--subsample 1000".into()],
                    ..ReadParameters::default()
                },
                ..RowParameters::default()
            },
            ..parameters(IdOptions {
                fit: Fit::BAYES,
                order: Some(OrderRule::Plateau),
                partitioning: Some(Partitioning::random(2)),
                decimation: Some(Decimation {
                    decimate: 0.25,
                    repeats: 2,
                }),
                ..options()
            })
        },
        layers: vec![only],
        summary: None,
        events: None,
        events_reason: None,
        warnings: Vec::new(),
    }
}

/// Three layers with more estimators than fit side by side, a control and events.
pub fn many_estimators() -> IdProfile {
    let profile = profile();
    let layers = profile.layers.into_iter().map(|mut layer| {
        let headline = layer.estimates[0].clone();
        let exists = headline.id().is_some();
        let like = |estimator: &'static Estimator, fit, k| IdEstimate {
            estimator,
            fit,
            fraction: None,
            order: None,
            k,
            outcome: without_error(headline.outcome),
            ..headline.clone()
        };
        let of_k = |one: &&&Estimator| one.neighbours().is_some_and(|reads| !reads.chooses_k);
        let of_k = ESTIMATORS.iter().filter(of_k);
        layer
            .estimates
            .extend(of_k.map(|one| like(one, None, Some(20))));
        layer.estimates.push(IdEstimate {
            steps: vec![AdaptiveStep {
                id: 9.5,
                std_error: None,
                log_likelihood: None,
                mean_kstar: Some(7.25),
                median_kstar: Some(6.0),
                n: 9_871,
            }],
            ..like(named("abide"), None, Some(100))
        });
        layer.estimates.push(like(named("lpca"), Some("fo"), None));
        layer.spectrum = exists.then(|| LeadingEigenvalues {
            n: 384,
            total: 4.0,
            eigenvalues: vec![2.0, 1.0],
            cumulative: vec![0.5, 0.75],
        });
        layer.controls = vec![ControlId {
            control: Control::Gaussian,
            seed: 0,
            estimates: vec![headline],
            scaling: layer.scaling.clone(),
        }];
        layer
    });
    let layers = layers.collect();
    IdProfile {
        parameters: parameters(IdOptions {
            estimators: vec![&TWO_NN, &GRIDE, named("abide"), named("lpca")],
            k: Some(20),
            controls: vec![Control::Gaussian],
            ..options()
        }),
        layers,
        summary: profile.summary,
        events: None,
        events_reason: None,
        warnings: profile.warnings,
    }
    .with_events(&EventOptions::default())
}

/// Two layers read from headers, one of them not yet pooled.
pub fn inspected() -> InspectReport {
    InspectReport {
        parameters: InspectParameters::default(),
        layers: vec![
            inspected_layer("embed", 0, vec![1000, 384]),
            inspected_layer("layers.0", 1, vec![1000, 12, 384]),
        ],
        total_bytes: 9_984_000,
        warnings: Vec::new(),
    }
}

/// The same layers with their values scanned.
pub fn scanned() -> InspectReport {
    let mut report = inspected();
    report.parameters = InspectParameters {
        scan: true,
        metric: Some(Metric::Euclidean),
        rows: Vec::new(),
    };
    report.layers[0].diagnostics = Some(diagnostics(1000, 990));
    let mut constant = diagnostics(1000, 1);
    constant.max_mean_over_std = None;
    constant.top_column_variance_share = None;
    constant.distances = None;
    report.layers[1].diagnostics = Some(constant);
    report.warnings = vec![Warning::new(
        WarningCode::Duplicates,
        10,
        "10 of 1000 rows of embed repeat an earlier row",
    )];
    report
}

/// Two humps around a bottleneck and a gap, with parts that agree on some of it.
pub fn two_humps() -> EventsReport {
    let series = |values: [f64; 9]| {
        let named = values.iter().enumerate();
        Series::new(named.map(|(index, &value)| (format!("layers.{index}"), Some(value))))
    };
    let whole = [2.0, 10.0, 20.0, 8.0, 8.25, 8.0, f64::NAN, 16.0, 3.0];
    let parts = vec![
        series(whole),
        series([2.0, 20.0, 18.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]),
    ];
    let file = SeriesFile {
        series: series(whole),
        parts,
        quantity: "id".into(),
        variant: "two_nn_base".into(),
        scale: Some(1),
        other: String::new(),
    };
    let options = EventOptions {
        bottleneck: Some(4),
        threshold: Some(9.5),
        ..EventOptions::default()
    };
    let events = events_with_parts(&file.series, &file.parts, &options);
    EventsReport::new(&file, events)
}

/// A series without any value.
pub fn gaps_only() -> EventsReport {
    let file = SeriesFile {
        series: Series::new([("a", None), ("b", None)]),
        quantity: "ari".into(),
        other: "labels".into(),
        ..SeriesFile::default()
    };
    let events = events_with_parts(&file.series, &[], &EventOptions::default());
    EventsReport::new(&file, events)
}

fn named(name: &str) -> &'static Estimator {
    let mut all = ESTIMATORS.into_iter();
    all.find(|one| one.name == name).unwrap()
}

fn options() -> IdOptions {
    IdOptions {
        range_max: 32,
        ..IdOptions::default()
    }
}

fn parameters(options: IdOptions) -> IdParameters {
    IdParameters {
        options,
        metric: Metric::Euclidean,
        rows: RowParameters::default(),
    }
}

fn layer(name: &str, index: usize, n_layers: usize) -> LayerId {
    LayerId {
        layer: name.into(),
        index,
        relative_depth: index as f64 / (n_layers.max(2) - 1) as f64,
        n_rows: 9_871,
        n_columns: Some(384),
        dtype: Some("f16".into()),
        estimates: Vec::new(),
        scaling: Vec::new(),
        decimation_scaling: Vec::new(),
        plateau: None,
        spectrum: None,
        controls: Vec::new(),
        diagnostics: diagnostics(10_000, 9_871),
        warnings: Vec::new(),
        local: None,
    }
}

fn two_nn(id: f64, std_error: f64) -> IdEstimate {
    IdEstimate {
        estimator: &TWO_NN,
        fit: Some("base"),
        fraction: Some(0.9),
        order: Some(1),
        order_rule: None,
        k: None,
        outcome: Known(Ok(IdValue {
            id,
            std_error: Some(std_error),
            error_kind: Some(ErrorKind::Model),
        })),
        distance: Some(1.5),
        n: 9_871,
        n_fit: 8_883,
        n_zero: 0,
        n_tied: 0,
        n_filtered: 0,
        mode: None,
        steps: Vec::new(),
        resampled: None,
    }
}

fn without_error(outcome: Known<IdValue>) -> Known<IdValue> {
    Known(outcome.0.map(|value| IdValue {
        std_error: None,
        error_kind: None,
        ..value
    }))
}

fn missing_two_nn(reason: Reason) -> IdEstimate {
    IdEstimate {
        outcome: Known(Err(reason)),
        distance: None,
        n: 0,
        n_fit: 0,
        ..two_nn(0.0, 0.0)
    }
}

/// Gride at orders 1, 2, 4, …; one more order has no ID.
fn scaling(ids: &[f64]) -> Vec<ScalePoint> {
    let present = ids.iter().map(|&id| {
        Ok(ScaleValue {
            id,
            std_error: Some(id / 64.0),
        })
    });
    present
        .chain([Err(Reason::TooFewNeighbours)])
        .enumerate()
        .map(|(step, outcome)| ScalePoint {
            order: 1 << step,
            n: 9_871,
            distance: outcome.ok().map(|_| 1.0 + step as f64 / 4.0),
            outcome: Known(outcome),
            resampled: None,
        })
        .collect()
}

fn plateau() -> Plateau {
    Plateau {
        rule: "longest window with spread below 0.1",
        outcome: Known(Ok(Window {
            first_order: 4,
            last_order: 16,
            order: 8,
            spread: 0.021,
            id: 11.875,
        })),
    }
}

fn no_plateau() -> Plateau {
    Plateau {
        outcome: Known(Err(Reason::NoPlateau)),
        ..plateau()
    }
}

fn parts(rule: Resampling, n: usize, std_error: Option<f64>, overlapping: bool) -> Resampled {
    Resampled {
        rule,
        n,
        values: vec![Some(4.5), None],
        mean: Some(4.5),
        std: Some(0.25),
        std_error,
        distance: Some(2.0),
        overlapping,
    }
}

fn extremum(layer: &str, index: usize, id: f64) -> Extremum {
    Extremum {
        layer: layer.into(),
        index,
        relative_depth: index as f64 / 2.0,
        id,
        at_edge: false,
    }
}

fn inspected_layer(name: &str, index: usize, shape: Vec<usize>) -> InspectedLayer {
    let values: usize = shape.iter().product();
    InspectedLayer {
        layer: name.into(),
        index,
        relative_depth: index as f64,
        bytes: 2 * values as u64,
        shape,
        dtype: "f16".into(),
        diagnostics: None,
    }
}

fn diagnostics(n_rows: usize, n_unique: usize) -> Diagnostics {
    let quantiles = || Quantiles(LEVELS.iter().map(|level| 1.0 + level).collect());
    Diagnostics {
        n_rows,
        n_unique: Some(n_unique),
        n_duplicates: Some(n_rows - n_unique),
        max_multiplicity: Some(1 + n_rows - n_unique),
        n_nonfinite_rows: Some(0),
        n_constant_columns: Some(2),
        max_mean_over_std: Some(12.25),
        top_column_variance_share: Some(0.0625),
        distances: Some(DistanceDiagnostics {
            n_zero_r1: 0,
            n_near_zero_r1: 1,
            n_tied_r1_r2: 0,
            n_nonfinite_mu: 0,
            levels: LEVELS,
            r1: quantiles(),
            r2: quantiles(),
            mu: Quantiles(Vec::new()),
        }),
    }
}
