//! The commands that compare layers, or runs of them.

use repgeo::choice::Choice;
use repgeo::geometry::similarity::{Measure, Setting};
use repgeo::input::Join;
use repgeo::profile::similarity::MEASURES;

use super::need::{CLASSES, DEALING, Need, SECOND, SEED, SQUARED, need, need_one_of};
use crate::cli::estimators::listed;
use crate::cli::given::Given;

/// Whether the columns of each layer are compared with the whole.
fn subsets(given: &Given<'_>) -> bool {
    given.has("coordinates") || given.has("greedy")
}

pub(super) const IMBALANCE: &[Need] = &[
    DEALING,
    SQUARED,
    need("beam", "it is of --greedy; add that", |given| {
        given.has("greedy")
    }),
    need("criterion", "it is of --greedy; add that", |given| {
        given.has("greedy")
    }),
    need(
        "cache",
        "subsets of columns are many and small and are not kept; leave it out",
        |given| !subsets(given),
    ),
    need("against_layers", SECOND, |given| given.is_between_two()),
    need("against_rows", SECOND, |given| given.is_between_two()),
    need("labels", CLASSES, |given| given.has("per_class")),
    need("seed", SEED, |given| {
        given.draws_rows() || given.deals_rows() || given.counts("shuffle")
    }),
];

/// Whether layers are compared with layers, not with labels alone.
fn pairs(given: &Given<'_>) -> bool {
    !given.has("labels") || given.has("to") || given.is_between_two()
}

pub(super) const OVERLAP: &[Need] = &[
    SQUARED,
    need(
        "class_fraction",
        "it is about labels alone; leave --to and the second dump out",
        |given| !pairs(given),
    ),
    need(
        "exclude",
        "it is about labels alone; leave --to and the second dump out",
        |given| !pairs(given),
    ),
    need(
        "partitions",
        "the overlap with labels has errors over blocks; add --to or a second dump, or give --blocks",
        pairs,
    ),
    need(
        "per_row",
        "it is of pairs of layers; add --to or a second dump",
        pairs,
    ),
    need(
        "blocks",
        "--partitions gives the errors in its place; leave one of the two out",
        |given| !given.has("partitions") || given.has("labels"),
    ),
    need("against_layers", SECOND, |given| given.is_between_two()),
    need("against_rows", SECOND, |given| given.is_between_two()),
];

/// The measures that are computed.
fn measures(given: &Given<'_>) -> Vec<&'static Measure> {
    given.asked("measures")
}

/// Whether one of the measures reads `setting`.
fn uses(given: &Given<'_>, setting: Setting) -> bool {
    measures(given).iter().any(|one| one.uses(setting))
}

/// Whether a measure beside the overlap, which knows its chance and deals rows into blocks, is
/// computed.
fn beside_overlap(given: &Given<'_>) -> bool {
    measures(given).iter().any(|one| one.name != OVERLAP_NAME)
}

/// Whether `--join` names a table to correlate with, and not how rows in several files are joined.
fn joins_table(given: &Given<'_>) -> bool {
    given.has("join") && given.some("join", |value| Join::named(value).is_none())
}

const OVERLAP_NAME: &str = "data_overlap";

/// `what`, and the measures that read `setting`.
fn add_one(what: &str, setting: Setting) -> String {
    let readers = MEASURES.iter().filter(|one| one.uses(setting));
    let names: Vec<&str> = readers.map(|one| one.flag).collect();
    format!("{what}; add --measure {}", listed(&names, "or"))
}

fn neighbours() -> String {
    add_one("it is of measures of neighbours", Setting::Neighbours)
}

fn by_neighbours(given: &Given<'_>) -> bool {
    uses(given, Setting::Neighbours)
}

/// RSA draws rows where there are many, the overlap deals rows into the blocks of its error.
fn draws_rows(measure: &Measure) -> bool {
    (measure.rows)(usize::MAX) < usize::MAX || measure.name == OVERLAP_NAME
}

fn matched(given: &Given<'_>) -> bool {
    given.has("rank") || given.any("to", &["matched"])
}

pub(super) const SIMILARITY: &[Need] = &[
    need_one_of(
        "bandwidth",
        || add_one("it is the width of a Gaussian kernel", Setting::Bandwidth),
        |given| uses(given, Setting::Bandwidth),
    ),
    need_one_of(
        "variance",
        || {
            add_one(
                "it is the share of variance that is kept",
                Setting::Variance,
            )
        },
        |given| uses(given, Setting::Variance),
    ),
    need_one_of(
        "dissimilarity",
        || add_one("it is how far apart two rows are", Setting::Dissimilarity),
        |given| uses(given, Setting::Dissimilarity),
    ),
    need_one_of(
        "correlation",
        || {
            add_one(
                "it is how dissimilarities are compared",
                Setting::Correlation,
            )
        },
        |given| uses(given, Setting::Correlation),
    ),
    need_one_of("k", neighbours, by_neighbours),
    need_one_of(
        "metric",
        || {
            add_one(
                "it is the distance of a search for neighbours",
                Setting::Metric,
            )
        },
        |given| uses(given, Setting::Metric),
    ),
    need_one_of("cache", neighbours, by_neighbours),
    need(
        "permutations",
        "the chance of the overlap is known exactly; add another measure",
        beside_overlap,
    ),
    need(
        "threshold",
        "it is of matched layers; add --rank, or --against with --to matched",
        matched,
    ),
    need(
        "join",
        "a table needs one similarity a layer; add --rank, or --against with --to matched",
        |given| !joins_table(given) || matched(given),
    ),
    need(
        "join_column",
        "it is a column of the table of --join; name that",
        joins_table,
    ),
    need("against_layers", SECOND, |given| given.is_between_two()),
    need("against_rows", SECOND, |given| given.is_between_two()),
    need("labels", CLASSES, |given| given.has("per_class")),
    need("seed", SEED, |given| {
        given.draws_rows()
            || given.has("partitions")
            || given.counts("permutations")
            || joins_table(given)
            || measures(given).iter().any(|one| draws_rows(one))
    }),
];
