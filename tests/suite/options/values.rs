//! Gives every option of every command a value that is not its default.
//!
//! `@` is the folder of the inputs, `#` a number that no other call has, `MODEL` a small GPT-2. Where
//! an option of a base is written `--name=value`, other values may stand in its place.

use super::others::others;

const ROWS: [&str; 5] = [
    "--rows 0..25",
    "--subsample 20",
    "--per-class 7 --labels @/labels.txt",
    "--labels @/labels.txt",
    "--seed 5",
];

const LAYERS: [&str; 4] = [
    "--layers 0,1",
    "--duplicates refuse",
    "--metric cosine",
    "--drop-nonfinite",
];

pub const EVENTS: [&str; 5] = [
    "--smooth 3",
    "--onset-frac 0.4",
    "--prominence 0.3",
    "--bottleneck 1",
    "--skip-first",
];

const PAIRS: [&str; 4] = [
    "--against @/other",
    "--to last",
    "--against-layers 1,2",
    "--against-rows 3..28",
];

const PROMPTS: [&str; 2] = ["--targets @/targets.csv", "--group-by @/groups.txt"];

const PEAKS: [&str; 13] = [
    "--preset llm",
    "--density kstar",
    "--k 8",
    "--alpha 1e-3",
    "--id 3.5",
    "--z 0.7",
    "--stored 120",
    "--halo --labels @/labels.txt",
    "--halo-as-cluster --labels @/labels.txt",
    "--noise-label class1 --labels @/labels.txt",
    "--assignments @/rows#",
    "--assignments-format npy --assignments @/rows#",
    "--log-density @/density#.npy",
];

/// Options over one input.
pub struct Tried {
    /// What stands in every call. An option written `--name=value` gives way to another value.
    pub base: &'static str,
    /// Options of which every pair is tried.
    pub own: Vec<&'static str>,
    /// Options that are tried beside each of those.
    pub beside: Vec<&'static str>,
}

/// Every option of a command, with a value that is not its default: what it reads in its usual input
/// with all others, then what needs another input, beside the same.
pub fn tried(command: &str) -> Vec<Tried> {
    let (base, own) = usual(command);
    let beside = own.clone();
    let all = Tried {
        base,
        own,
        beside: Vec::new(),
    };
    let others = others(command).into_iter().map(|(base, own)| Tried {
        base,
        own,
        beside: beside.clone(),
    });
    [all].into_iter().chain(others).collect()
}

/// The usual input of a command, and what may be said of it.
fn usual(command: &str) -> (&'static str, Vec<&'static str>) {
    let with = |own: &[&'static str], shared: &[&[&'static str]]| [own, &shared.concat()].concat();
    match command {
        "id-profile" => (
            "@/acts",
            with(
                &[
                    "--estimator mle",
                    "--estimator two-nn",
                    "--estimator gride",
                    "--k 7",
                    "--fit mle",
                    "--fraction 0.8",
                    "--order 2",
                    "--order match-density",
                    "--density-k 5",
                    "--order plateau,3",
                    "--variance 0.5",
                    "--eigenvalues 2",
                    "--range-max 16",
                    "--control shuffle",
                    "--id-scaling=decimation",
                    "--blocks 5",
                    "--partitions 3",
                    "--partition-order given",
                    "--decimate 0.5",
                    "--repeats 2",
                    "--local @/local# --estimator mle",
                    "--local @/local#.csv --estimator mle",
                ],
                &[&EVENTS, &LAYERS, &ROWS],
            ),
        ),
        "density-peaks" => ("@/acts", with(&PEAKS, &[&EVENTS, &LAYERS, &ROWS])),
        "landscape" => (
            "@/acts --layers=0",
            with(
                &[
                    "--decision-graph @/graph#.csv",
                    "--linkage average --absent floor",
                    "--absent floor",
                    "--min-rows 4",
                    "--min-density=-90",
                    "--leaf-share 0.2 --labels @/labels.txt",
                    "--cuts=-5,0.1 --decision-graph @/graph#.csv",
                ],
                &[&PEAKS, &LAYERS, &ROWS],
            ),
        ),
        "imbalance" => (
            "@/acts",
            with(
                &[
                    "--k 3",
                    "--partitions 2",
                    "--partition-order given",
                    "--shuffle 2",
                    "--coordinates 0..2",
                    "--greedy 2",
                    "--beam 2",
                    "--criterion forward",
                ],
                &[&PAIRS, &LAYERS, &ROWS],
            ),
        ),
        "overlap" => (
            "@/acts",
            with(
                &[
                    "--k 3",
                    "--class-fraction 0.4",
                    "--exclude @/labels.txt --labels @/targets.txt",
                    "--blocks 5",
                    "--partitions 2",
                    "--per-row",
                ],
                &[&PAIRS, &LAYERS, &ROWS],
            ),
        ),
        "similarity" => (
            "@/acts",
            with(
                &[
                    "--measure rsa",
                    "--measure imbalance",
                    "--measure overlap",
                    "--measure svcca,cka-rbf",
                    "--bandwidth 0.5",
                    "--variance 0.5",
                    "--dissimilarity correlation",
                    "--correlation pearson",
                    "--k 4",
                    "--partitions 2",
                    "--permutations 3",
                    "--rank @/other",
                    "--threshold 0.5",
                    "--join @/accuracy.csv",
                    "--join-column acc",
                ],
                &[&PAIRS, &LAYERS, &ROWS],
            ),
        ),
        "clones" => (
            "@/acts --layers=0",
            with(
                &[
                    "--estimator mle",
                    "--order 2",
                    "--k 4",
                    "--sizes 2",
                    "--draws 3",
                    "--score-draws 4",
                    "--disjoint",
                    "--chunk-id",
                    "--partitions 2",
                    "--readout @/w.npy @/bias.npy --targets @/targets.txt",
                    "--targets @/targets.txt",
                    "--rescale",
                    "--train @/other/a.npy --train-targets @/targets.txt",
                    "--train-targets @/targets.txt",
                    "--network @/other/a.npy @/w.npy @/bias.npy",
                    "--drop-nonfinite",
                    "--duplicates refuse",
                    "--metric cosine",
                ],
                &[&ROWS],
            ),
        ),
        "dynamics" => (
            "@/acts @/other",
            with(
                &[
                    "--runs @/runs.csv",
                    "--quantity imbalance",
                    "--quantity overlap",
                    "--quantity labels --labels @/labels.txt",
                    "--quantity similarity",
                    "--quantity peaks",
                    "--only n_peaks --quantity peaks",
                    "--quantity clones --layers 0",
                    "--keep-going",
                    "--estimator gride",
                    "--estimator mle",
                    "--order 2",
                    "--control shuffle",
                    "--measure rsa",
                    "--k 3",
                    "--class-fraction 0.5",
                    "--to first",
                    "--to-run last",
                    "--sizes 2",
                    "--draws 3",
                    "--disjoint",
                    "--chunk-id",
                    "--preset llm",
                    "--density knn",
                    "--alpha 0.01",
                    "--id 3",
                    "--z 0.5",
                    "--stored 25",
                    "--halo",
                    "--halo-as-cluster",
                    "--noise-label class1 --labels @/labels.txt",
                ],
                &[&EVENTS, &LAYERS, &ROWS],
            ),
        ),
        "probe" => (
            "@/acts --labels @/labels.txt",
            with(
                &[
                    "--targets @/targets.txt",
                    "--readout ridge",
                    "--penalty 100",
                    "--folds 3",
                    "--holdout 0.4",
                    "--per-class 7",
                ],
                &[&LAYERS, &ROWS[..2], &ROWS[4..]],
            ),
        ),
        "correlate" => (
            "@/over_runs.csv --table @/loss.csv",
            vec![
                "--key name",
                "--column acc",
                "--correlation pearson",
                "--within group",
                "--draws 500",
                "--interval bootstrap",
                "--seed 5",
            ],
        ),
        "inspect" => ("@/acts", with(&["--scan"], &[&LAYERS, &ROWS])),
        "neighbours" => (
            "@/acts -o @/tables#",
            with(
                &[
                    "--k 4",
                    "--queries @/other",
                    "--query-layers 1,2",
                    "--query-rows 3..28",
                ],
                &[&LAYERS, &ROWS],
            ),
        ),
        "forward" => (
            "MODEL --tokens=@/prompts.safetensors -o @/forward#.safetensors",
            vec![
                "--dump z,pattern",
                "--dump k",
                "--positions all",
                "--precision f64",
                "--tokens @/others.safetensors",
                "--targets @/targets.csv",
            ],
        ),
        "logit-lens" => (
            "@/streams.safetensors --unembed MODEL",
            with(
                &[
                    "--stream resid-mid",
                    "--scale own",
                    "--with-bias",
                    "--center-unembed off",
                    "--positions all",
                    "--rank",
                    "--topk 2",
                    "--norm rms",
                    "--tokens @/moved.safetensors",
                    "--examples @/examples#.csv",
                ],
                &[&PROMPTS],
            ),
        ),
        "attribution" => (
            "@/streams.safetensors --unembed MODEL",
            with(
                &[
                    "--by head",
                    "--value-bias keep",
                    "--center-unembed off",
                    "--positions all",
                    "--check",
                    "--norm rms",
                    "--tokens @/moved.safetensors",
                    "--examples @/examples#.csv",
                ],
                &[&PROMPTS],
            ),
        ),
        "head-pattern" => (
            "@/streams.safetensors",
            with(
                &["--query all", "--tokens @/moved.safetensors"],
                &[&PROMPTS],
            ),
        ),
        "attention-modify" => (
            "MODEL --tokens=@/prompts.safetensors --heads=1.3",
            with(
                &[
                    "--key all",
                    "--alpha 0,3",
                    "--mode pre",
                    "--value-bias keep",
                    "--center-unembed off",
                    "--select max-fact",
                    "--each layer",
                    "--heads 1.3=5",
                    "--precision f64",
                    "--replay @/streams.safetensors",
                    "--tokens @/others.safetensors",
                    "--examples @/examples#.csv",
                ],
                &[&PROMPTS],
            ),
        ),
        "ablate" => (
            "MODEL --tokens=@/prompts.safetensors --components=1.3,blocks.0.mlp_out",
            with(
                &[
                    "--with zero",
                    "--at all",
                    "--together",
                    "--components 0.1",
                    "--precision f64",
                    "--replay @/streams.safetensors",
                    "--tokens @/others.safetensors",
                    "--examples @/examples#.csv",
                    "--center-unembed off",
                ],
                &[&PROMPTS],
            ),
        ),
        "events" => (
            "@/profile.csv --column id",
            with(
                &["--x depth", "--threshold 2.5", "--std-error depth"],
                &[&EVENTS],
            ),
        ),
        "report" => (
            "@/acts -o @/page#.html",
            with(
                &[
                    "--against @/other",
                    "--runs @/runs.csv",
                    "--only dimension",
                    "--skip dimension,imbalance,similarity,against,runs,labels",
                ],
                &[&LAYERS, &ROWS],
            ),
        ),
        "plan" => (
            "id-profile @/acts -o @/run#",
            vec![
                "--target-minutes 1e-9",
                "--max-array 1",
                "--block-rows 10",
                "--estimator mle",
                "--k 7",
                "--layers 0,1",
                "--metric cosine",
                "--rows 0..25",
                "--seed 5",
            ],
        ),
        // Its options are how parts are read and where the report goes.
        "merge" => ("@/run", Vec::new()),
        "bench" => (
            "--rows=40 --columns=4 --k=3 --rounds=1",
            vec!["--rows 50", "--columns 5", "--k 4", "--rounds 2"],
        ),
        other => panic!("no options of {other}"),
    }
}
