//! Needs of the options over runs: which quantity or question each one is of.

use repgeo::geometry::id::Estimator;

use super::need::{CLASSES, Need, SEED, need, need_one_of};
use crate::cli::estimators::{k_names, takes_k};
use crate::cli::given::Given;

fn of(given: &Given<'_>, names: &[&str]) -> bool {
    given.any("quantity", names)
}

fn id(given: &Given<'_>) -> bool {
    of(given, &["id"])
}

fn pairs(given: &Given<'_>) -> bool {
    let names = [
        "imbalance",
        "information-imbalance",
        "overlap",
        "data-overlap",
    ];
    of(given, &names) || similarity(given)
}

fn overlap(given: &Given<'_>) -> bool {
    of(given, &["overlap", "data-overlap"])
}

fn labels(given: &Given<'_>) -> bool {
    of(given, &["labels", "label-overlap"])
}

fn similarity(given: &Given<'_>) -> bool {
    of(given, &["similarity"])
}

fn peaks(given: &Given<'_>) -> bool {
    of(given, &["peaks", "density-peaks"])
}

fn clones(given: &Given<'_>) -> bool {
    of(given, &["clones"])
}

/// Whether a dimension is sought, of layers or of chunks.
fn dimension(given: &Given<'_>) -> bool {
    id(given) || (clones(given) && given.has("chunk_id"))
}

/// Whether peaks are compared with something.
fn scored(given: &Given<'_>) -> bool {
    peaks(given) && (given.has("labels") || given.has("to_run"))
}

fn by_neighbours(given: &Given<'_>) -> bool {
    let names = [
        "imbalance",
        "information-imbalance",
        "overlap",
        "data-overlap",
        "all",
    ];
    given.any("measures", &names)
}

const ID: &str = "it is of --quantity id; add that";
const DIMENSION: &str = "it is of --quantity id, and of clones with --chunk-id; add one of them";
const PEAKS: &str = "it is of --quantity peaks; add that";
const CLONES: &str = "it is of --quantity clones; add that";
const SCORED: &str =
    "it is of peaks that are compared; add --quantity peaks with --labels or --to-run";
const NO_CHUNKS: &str =
    "chunks of neurons seek no neighbours and have no order of layers; leave it out";

pub(super) const PROBE: &[Need] = &[need(
    "labels",
    "--targets are read out; leave one of the two out, or add --per-class",
    |given| !given.has("targets") || given.has("per_class"),
)];

pub(super) const DYNAMICS: &[Need] = &[
    need(
        "to",
        "it is of pairs of layers; add --quantity imbalance, overlap or similarity",
        pairs,
    ),
    need(
        "to_run",
        "it is of pairs of layers and of peaks; add --quantity imbalance, overlap, similarity or peaks",
        |given| pairs(given) || peaks(given),
    ),
    need("estimator", DIMENSION, dimension),
    need(
        "order",
        "it is Gride's; add --estimator gride, of --quantity id",
        |given| given.any("estimator", &["gride"]) && dimension(given),
    ),
    need("control", ID, id),
    need(
        "measures",
        "it is of --quantity similarity; add that",
        similarity,
    ),
    need_one_of(
        "k",
        || {
            let names = k_names();
            format!(
                "what is followed chooses its own neighbours; add --quantity imbalance, overlap, \
                 labels or peaks, --measure imbalance or overlap, or --estimator {names}"
            )
        },
        |given| match (dimension(given), similarity(given)) {
            (true, _) => {
                let asked: Vec<&'static Estimator> = given.asked("estimator");
                asked.into_iter().any(takes_k)
            }
            (_, true) => by_neighbours(given),
            _ => !clones(given),
        },
    ),
    need(
        "class_fraction",
        "it is of --quantity labels; add that",
        labels,
    ),
    need("preset", PEAKS, peaks),
    need("density", PEAKS, peaks),
    need("alpha", PEAKS, peaks),
    need("id", PEAKS, peaks),
    need("z", PEAKS, peaks),
    need("stored", PEAKS, peaks),
    need("halo", SCORED, scored),
    need("halo_as_cluster", SCORED, scored),
    need("noise_label", PEAKS, peaks),
    need("sizes", CLONES, clones),
    need("draws", CLONES, clones),
    need("disjoint", CLONES, clones),
    need("chunk_id", CLONES, clones),
    need("smooth", NO_CHUNKS, |given| !clones(given)),
    need("onset_frac", NO_CHUNKS, |given| !clones(given)),
    need("prominence", NO_CHUNKS, |given| !clones(given)),
    need("bottleneck", NO_CHUNKS, |given| !clones(given)),
    need("skip_first", NO_CHUNKS, |given| !clones(given)),
    need(
        "metric",
        "nothing in it is a distance between rows; leave it out",
        |given| !clones(given) && (!similarity(given) || by_neighbours(given)),
    ),
    need("duplicates", NO_CHUNKS, |given| !clones(given)),
    need("cache", NO_CHUNKS, |given| !clones(given)),
    need("max_memory", NO_CHUNKS, |given| !clones(given)),
    need("labels", CLASSES, |given| {
        given.has("per_class") || labels(given) || peaks(given)
    }),
    // The overlap deals rows into the blocks of its error, RSA draws rows where there are many.
    need("seed", SEED, |given| {
        given.draws_rows()
            || overlap(given)
            || labels(given)
            || clones(given)
            || (id(given) && given.has("control"))
            || given.any("measures", &["rsa", "overlap", "data-overlap", "all"])
    }),
];
