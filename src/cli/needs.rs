//! Refuses an option that a call cannot use, by name: what each option needs stands here, once.
//!
//! What an option needs beside its own presence is written in its command's list; one check walks
//! the list before any work begins. Needs of presence alone (`requires`, `conflicts_with`) stand at
//! the option.

use clap::{ArgMatches, Command};
use repgeo::{Error, Result};

use super::given::Given;

/// What an option needs, and the way out where that is not there.
struct Need {
    option: &'static str,
    met: fn(&Given<'_>) -> bool,
    way_out: &'static str,
}

const SEED: &str = "nothing in it is random; leave it out";
const CLASSES: &str = "labels only choose rows here; add --per-class";
const SECOND: &str = "there is no second dump; name it with --against";

const fn need(option: &'static str, way_out: &'static str, met: fn(&Given<'_>) -> bool) -> Need {
    Need {
        option,
        met,
        way_out,
    }
}

fn two_nn(given: &Given<'_>) -> bool {
    !given.has("estimator") || given.any("estimator", &["two-nn", "all"])
}

fn ratios(given: &Given<'_>) -> bool {
    two_nn(given) || gride(given)
}

fn gride(given: &Given<'_>) -> bool {
    !given.has("estimator") || given.any("estimator", &["gride", "all"])
}

// `requires` of clap is silent where what is required conflicts with something that was typed, so
// options of options stand here as well.
const DEALING: Need = need(
    "partition_order",
    "it is of --partitions; add that",
    |given| given.has("partitions"),
);

const ID_PROFILE: &[Need] = &[
    DEALING,
    need("repeats", "it is of --decimate; add that", |given| {
        given.has("decimate")
    }),
    need(
        "k",
        "the estimators asked for choose their own neighbours; add --estimator mle, mom, tle, ess, \
         corr-int, mada, mind-ml or binomial",
        |given| {
            let own = ["two-nn", "gride", "abide", "lpca", "participation-ratio"];
            given.beside("estimator", &own)
        },
    ),
    need("fit", "it is TwoNN's; add --estimator two-nn", two_nn),
    need("fraction", "it is TwoNN's; add --estimator two-nn", two_nn),
    need("order", "it is Gride's; add --estimator gride", gride),
    need("range_max", "it is Gride's; add --estimator gride", gride),
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

const PEAKS: &[Need] = &[
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

/// Whether the columns of each layer are compared with the whole.
fn subsets(given: &Given<'_>) -> bool {
    given.has("coordinates") || given.has("greedy")
}

const IMBALANCE: &[Need] = &[
    DEALING,
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

const OVERLAP: &[Need] = &[
    need(
        "class_fraction",
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

const ALL: &str = "all";
const NEIGHBOURS: &str = "it is of --measure imbalance and overlap; add one of them";

fn by_neighbours(given: &Given<'_>) -> bool {
    given.any(
        "measures",
        &[
            "imbalance",
            "overlap",
            "information-imbalance",
            "data-overlap",
            ALL,
        ],
    )
}

fn matched(given: &Given<'_>) -> bool {
    given.has("rank") || given.any("to", &["matched"])
}

fn rsa(given: &Given<'_>) -> bool {
    given.any("measures", &["rsa", ALL])
}

const SIMILARITY: &[Need] = &[
    need(
        "bandwidth",
        "it is the width of a Gaussian kernel; add --measure cka-rbf or cka-rbf-debiased",
        |given| given.any("measures", &["cka-rbf", "cka-rbf-debiased", ALL]),
    ),
    need("variance", "it is of svcca; add --measure svcca", |given| {
        given.any("measures", &["svcca", ALL])
    }),
    need("dissimilarity", "it is of rsa; add --measure rsa", rsa),
    need("correlation", "it is of rsa; add --measure rsa", rsa),
    need("k", NEIGHBOURS, by_neighbours),
    need(
        "metric",
        "it is the distance of --measure imbalance and overlap; add one of them (rsa has \
         --dissimilarity)",
        by_neighbours,
    ),
    need("cache", NEIGHBOURS, by_neighbours),
    need("max_memory", NEIGHBOURS, by_neighbours),
    need(
        "permutations",
        "the chance of the overlap is known exactly; add another measure",
        |given| given.beside("measures", &["overlap", "data-overlap"]),
    ),
    need(
        "threshold",
        "it is of matched layers; add --rank, or --against with --to matched",
        matched,
    ),
    need(
        "join",
        "it needs one similarity a layer; add --rank, or --against with --to matched",
        matched,
    ),
    need("against_layers", SECOND, |given| given.is_between_two()),
    need("against_rows", SECOND, |given| given.is_between_two()),
    need("labels", CLASSES, |given| given.has("per_class")),
    // RSA draws rows where there are many, the overlap deals rows into the blocks of its error.
    need("seed", SEED, |given| {
        given.draws_rows()
            || given.has("partitions")
            || given.counts("permutations")
            || given.has("join")
            || given.any("measures", &["rsa", "overlap", "data-overlap", ALL])
    }),
];

const CLONES: &[Need] = &[
    need(
        "score_draws",
        "chunks are read out with --readout and --targets; add them",
        |given| given.has("readout"),
    ),
    need("labels", CLASSES, |given| given.has("per_class")),
];

fn compares(given: &Given<'_>) -> bool {
    given.beside("quantity", &["id"])
}

const DYNAMICS: &[Need] = &[
    need(
        "to",
        "it is of pairs of layers; add --quantity imbalance or overlap",
        compares,
    ),
    need(
        "estimator",
        "it is of --quantity id; leave it out",
        |given| !compares(given),
    ),
    need(
        "order",
        "it is Gride's; add --estimator gride, of --quantity id",
        |given| given.any("estimator", &["gride"]) && !compares(given),
    ),
    need(
        "k",
        "TwoNN and its kin choose their own neighbours; add --quantity imbalance or overlap, or \
         --estimator mle, mom, tle, ess, corr-int, mada, mind-ml or binomial",
        |given| {
            let own = ["two-nn", "gride", "abide", "lpca", "participation-ratio"];
            compares(given) || given.beside("estimator", &own)
        },
    ),
    need("labels", CLASSES, |given| given.has("per_class")),
    // The overlap deals rows into the blocks of its error.
    need("seed", SEED, |given| {
        given.draws_rows() || given.any("quantity", &["overlap", "data-overlap"])
    }),
];

const SCAN: &str = "headers alone are read; add --scan";

fn scans(given: &Given<'_>) -> bool {
    given.has("scan")
}

const REPORT: &[Need] = &[need("seed", SEED, |given| given.draws_rows())];

const INSPECT: &[Need] = &[
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

const TABLES: &[Need] = &[
    need("labels", CLASSES, |given| given.has("per_class")),
    need("seed", SEED, |given| given.draws_rows()),
];

const FORWARD: &[Need] = &[need(
    "positions",
    "keys and values are always whole, logits of the last position; add another stream to --dump",
    |given| given.beside("dump", &["k", "v", "logits"]),
)];

const ATTRIBUTION: &[Need] = &[need(
    "value_bias",
    "it divides an attention block among its heads; add --by head or both",
    |given| given.any("by", &["head", "both"]),
)];

const HEAD_PATTERN: &[Need] = &[need(
    "targets",
    "attention has no targets; leave it out",
    |_| false,
)];

const ATTENTION_MODIFY: &[Need] = &[need(
    "value_bias",
    "it matters to --mode post only: other modes keep the sum of a row",
    |given| given.any("mode", &["post"]),
)];

fn needs(command: &str) -> &'static [Need] {
    match command {
        "id-profile" => ID_PROFILE,
        "density-peaks" | "landscape" => PEAKS,
        "imbalance" => IMBALANCE,
        "overlap" => OVERLAP,
        "similarity" => SIMILARITY,
        "clones" => CLONES,
        "dynamics" => DYNAMICS,
        "inspect" => INSPECT,
        "report" => REPORT,
        "neighbours" => TABLES,
        "forward" => FORWARD,
        "attribution" => ATTRIBUTION,
        "head-pattern" => HEAD_PATTERN,
        "attention-modify" => ATTENTION_MODIFY,
        _ => &[],
    }
}

/// What may stand beside `id-profile --explain`; an input is read by nobody and does no harm.
const WITH_EXPLAIN: [&str; 7] = [
    "explain", "input", "format", "output", "quiet", "ascii", "threads",
];

/// Refuses what was typed after a command of `program` and has no part in the call.
///
/// # Errors
/// [`Error::Usage`] naming the option and what would use it.
pub fn check(program: &Command, matches: &ArgMatches) -> Result<()> {
    let Some((name, typed)) = matches.subcommand() else {
        return Ok(());
    };
    let Some(command) = program.find_subcommand(name) else {
        return Ok(());
    };
    // A plan holds an analysis, which has needs of its own.
    if name == "plan" {
        return check(command, typed);
    }
    let given = Given(typed);
    let refuse = |option: &str, way_out: &str| {
        let flag = flag(command, option);
        Err(Error::Usage(format!(
            "{flag} has no part in this call: {way_out}"
        )))
    };
    if name == "id-profile" && given.has("explain") {
        let all = command.get_arguments().map(|arg| arg.get_id().as_str());
        let mut others = all.filter(|id| !WITH_EXPLAIN.contains(id));
        if let Some(other) = others.find(|id| given.has(id)) {
            return refuse(
                other,
                "--explain does nothing else; leave one of the two out",
            );
        }
    }
    let mut unmet = needs(name)
        .iter()
        .filter(|need| given.has(need.option) && !(need.met)(&given));
    match unmet.next() {
        Some(need) => refuse(need.option, need.way_out),
        None => Ok(()),
    }
}

/// An option as it is typed.
fn flag(command: &Command, option: &str) -> String {
    let arg = command.get_arguments().find(|arg| arg.get_id() == option);
    match arg.and_then(|arg| arg.get_long()) {
        Some(long) if long.len() > 1 => format!("--{long}"),
        Some(short) => format!("-{short}"),
        None => option.to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_need_is_of_an_option_that_is_there() {
        let program = Cli::command();
        let mut checked = 0;
        for command in program.get_subcommands() {
            for need in needs(command.get_name()) {
                let mut all = command.get_arguments();
                let known = all.any(|arg| arg.get_id() == need.option);
                assert!(known, "{} {}", command.get_name(), need.option);
                checked += 1;
            }
        }
        assert!(checked > 40);
    }

    fn refusal(line: &[&str]) -> Option<String> {
        let program = Cli::command();
        let line = [&["repgeo"], line].concat();
        let matches = program
            .clone()
            .try_get_matches_from(line)
            .expect("a good line");
        check(&program, &matches)
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn a_refusal_names_the_option_and_the_way_out() {
        let message = refusal(&["similarity", "acts", "--bandwidth", "0.5"]).expect("refused");
        assert!(message.contains("--bandwidth") && message.contains("--measure cka-rbf"));
        let message = refusal(&["similarity", "acts", "-k", "3"]).expect("refused");
        assert!(message.starts_with("-k "), "{message}");
        for used in [
            &[
                "similarity",
                "acts",
                "--bandwidth",
                "0.5",
                "--measure",
                "cka,cka-rbf",
            ][..],
            &["similarity", "acts", "-k", "3", "--measure", "all"],
            &["id-profile", "acts", "-k", "3", "--estimator", "two-nn,mle"],
            &["imbalance", "acts", "--seed", "3", "--shuffle", "2"],
        ] {
            assert_eq!(refusal(used), None, "{used:?}");
        }
    }
}
