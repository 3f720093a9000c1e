//! The commands that look at one layer at a time.

use repgeo::geometry::id::{Estimator, GRIDE, Reads, TWO_NN};

use super::need::{CLASSES, DEALING, Need, SEED, SQUARED, need, need_one_of};
use crate::cli::estimators::{k_names, takes_k};
use crate::cli::given::Given;

/// The estimators that run.
fn estimators(given: &Given<'_>) -> Vec<&'static Estimator> {
    match given.has("estimator") {
        true => given.asked("estimator"),
        false => vec![&TWO_NN, &GRIDE],
    }
}

fn two_nn(given: &Given<'_>) -> bool {
    estimators(given).contains(&&TWO_NN)
}

fn gride(given: &Given<'_>) -> bool {
    estimators(given).contains(&&GRIDE)
}

fn ratios(given: &Given<'_>) -> bool {
    let mut all = estimators(given).into_iter();
    all.any(|one| matches!(one.reads, Reads::Ratios))
}

pub(super) const ID_PROFILE: &[Need] = &[
    DEALING,
    SQUARED,
    need("repeats", "it is of --decimate; add that", |given| {
        given.has("decimate")
    }),
    need_one_of(
        "k",
        || {
            let names = k_names();
            format!("the estimators asked for choose their own neighbours; add --estimator {names}")
        },
        |given| estimators(given).into_iter().any(takes_k),
    ),
    need("fit", "it is TwoNN's; add --estimator two-nn", two_nn),
    need("fraction", "it is TwoNN's; add --estimator two-nn", two_nn),
    need("order", "it is Gride's; add --estimator gride", gride),
    need("range_max", "it is Gride's; add --estimator gride", gride),
    need(
        "variance",
        "it is the share of variance that lpca_ratio counts to; add --estimator lpca",
        |given| estimators(given).iter().any(|one| one.name == "lpca"),
    ),
    need(
        "eigenvalues",
        "a spectrum is of linear dimensions; add --estimator lpca or participation-ratio",
        |given| {
            let mut all = estimators(given).into_iter();
            all.any(|one| matches!(one.reads, Reads::Spectrum(_)))
        },
    ),
    need(
        "density_k",
        "it is of --order match-density; add that",
        |given| given.any("order", &["match-density"]),
    ),
    need(
        "id_scaling",
        "it is of Gride, =decimation of TwoNN; add --estimator two-nn,gride",
        |given| match given.any("id_scaling", &["decimation"]) {
            true => two_nn(given),
            false => gride(given),
        },
    ),
    need(
        "blocks",
        "TwoNN and Gride have ratios in blocks, the estimators asked for do not; add --estimator \
         two-nn or gride",
        ratios,
    ),
    need(
        "partitions",
        "TwoNN and Gride are repeated in parts; add --estimator two-nn or gride",
        ratios,
    ),
    need(
        "decimate",
        "TwoNN and Gride are repeated in sub-samples; add --estimator two-nn or gride",
        ratios,
    ),
    need("labels", CLASSES, |given| given.has("per_class")),
    need("seed", SEED, |given| {
        given.draws_rows()
            || given.deals_rows()
            || given.has("decimate")
            || given.has("control")
            || given.any("id_scaling", &["decimation"])
    }),
    need(
        "max_memory",
        "tables that are there already need no search; leave it out",
        |given| !given.has("neighbours"),
    ),
];

pub(super) const PEAKS: &[Need] = &[
    SQUARED,
    need(
        "halo",
        "halo rows are left out of scores, which need --labels",
        |given| given.has("labels"),
    ),
    need(
        "halo_as_cluster",
        "halo rows are a cluster of the scores, which need --labels",
        |given| given.has("labels"),
    ),
    need("seed", SEED, |given| given.draws_rows()),
];

const OF_CHUNKS: &str = "it is of the dimension of chunks; add --chunk-id";

pub(super) const CLONES: &[Need] = &[
    need("estimator", OF_CHUNKS, |given| given.has("chunk_id")),
    need(
        "order",
        "it is Gride's; add --chunk-id --estimator gride",
        |given| given.has("chunk_id") && given.any("estimator", &["gride"]),
    ),
    need_one_of(
        "k",
        || format!("add --chunk-id --estimator {}", k_names()),
        |given| {
            let asked: Vec<&'static Estimator> = given.asked("estimator");
            given.has("chunk_id") && asked.into_iter().any(takes_k)
        },
    ),
    need(
        "score_draws",
        "chunks are read out with --readout and --targets; add them",
        |given| given.has("readout"),
    ),
    need("labels", CLASSES, |given| given.has("per_class")),
];

const SCAN: &str = "headers alone are read; add --scan";

fn scans(given: &Given<'_>) -> bool {
    given.has("scan")
}

/// Whether one of `topics` has a chapter, as far as `--only` and `--skip` say.
fn has_topic(given: &Given<'_>, topics: &[&str]) -> bool {
    match given.has("only") {
        true => given.any("only", topics),
        false => topics.iter().any(|topic| !given.any("skip", &[topic])),
    }
}

pub(super) const REPORT: &[Need] = &[
    need(
        "against",
        "--only or --skip leaves the chapter against out; keep it, or leave the second dump out",
        |given| has_topic(given, &["against"]),
    ),
    need(
        "runs",
        "--only or --skip leaves the chapter runs out; keep it, or leave the runs out",
        |given| has_topic(given, &["runs"]),
    ),
    need(
        "labels",
        "--only or --skip leaves the chapters peaks and labels out; keep one, or leave the labels out",
        |given| given.has("per_class") || has_topic(given, &["peaks", "labels"]),
    ),
    need(
        "duplicates",
        "each chapter treats repeated rows as its command does by default; run that command with it",
        |_| false,
    ),
    need("seed", SEED, |given| given.draws_rows()),
];

pub(super) const INSPECT: &[Need] = &[
    need(
        "duplicates",
        "inspect keeps every row and counts those that repeat another; leave it out",
        |_| false,
    ),
    need(
        "drop_nonfinite",
        "inspect leaves such rows out of the distances and counts them; leave it out",
        |_| false,
    ),
    need("rows", SCAN, scans),
    need("subsample", SCAN, scans),
    need("per_class", SCAN, scans),
    need("pool", SCAN, scans),
    need("mask", SCAN, scans),
    need("metric", SCAN, scans),
    need("labels", CLASSES, |given| given.has("per_class")),
    need("seed", SEED, |given| given.draws_rows()),
];

pub(super) const TABLES: &[Need] = &[
    need("labels", CLASSES, |given| given.has("per_class")),
    need("seed", SEED, |given| given.draws_rows()),
];
