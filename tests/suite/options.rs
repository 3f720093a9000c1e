//! No option is taken and left unused: alone or beside any other it changes the report, or is
//! refused by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ndarray::Array2;
use rayon::prelude::*;
use repgeo::random::SplitMix64;
use repgeo::storage::npy;
use tempfile::TempDir;

/// What changes no report by design: where it goes, how it looks, how it is searched.
const NO_EFFECT: [&str; 14] = [
    "help",
    "version",
    "threads",
    "quiet",
    "format",
    "output",
    "plot",
    "ascii",
    "cache",
    "max-memory",
    "device",
    "kernel",
    "explain",
    "id-scaling",
];

/// What writes files beside the report, chooses a series, or needs arrays of more axes or with NaN;
/// other tests have it.
const ELSEWHERE: [&str; 23] = [
    "only",
    "bf16-bits",
    "squared",
    "local",
    "assignments",
    "assignments-format",
    "log-density",
    "decision-graph",
    "pool",
    "mask",
    "axes",
    "join",
    "order-file",
    "neighbours",
    "drop-nonfinite",
    "quantity",
    "variant",
    "scale",
    "other",
    "run",
    "layer",
    "by",
    "precision",
];

struct Inputs {
    folder: TempDir,
}

impl Inputs {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for (dump, seeds) in [("acts", [1, 2, 3]), ("other", [4, 5, 6])] {
            fs::create_dir(folder.path().join(dump)).unwrap();
            for (name, seed) in ["a", "b", "c"].into_iter().zip(seeds) {
                let path = folder.path().join(dump).join(format!("{name}.npy"));
                save(&path, 30, 4, seed);
            }
        }
        save(&folder.path().join("w.npy"), 3, 4, 7);
        save(&folder.path().join("bias.npy"), 3, 1, 8);
        let text = |name: &str, line: &dyn Fn(usize) -> String| {
            let lines: Vec<String> = (0..30).map(line).collect();
            fs::write(folder.path().join(name), lines.join("\n") + "\n").unwrap();
        };
        text("labels.txt", &|row| format!("class{}", row % 3));
        text("targets.txt", &|row| format!("{}", row % 3));
        let profile = "layer,id,depth\na,1,0\nb,3,1\nc,5,2\nd,2,4\ne,1,5\nf,4,6\ng,2,7\n";
        fs::write(folder.path().join("profile.csv"), profile).unwrap();
        fs::write(
            folder.path().join("accuracy.csv"),
            "layer,acc\na,1\nb,3\nc,2\n",
        )
        .unwrap();
        fs::write(folder.path().join("runs.csv"), "path,x\nacts,1\nother,2\n").unwrap();
        let numbers: Vec<String> = (0..9)
            .map(|run| {
                let value = (run * 5) % 7;
                format!("r{run},a,0,0,,id,two_nn_base,1,{value},,30")
            })
            .collect();
        let header = "run,layer,index,depth,other,quantity,variant,scale,value,std_error,n\n";
        let over_runs = folder.path().join("over_runs.csv");
        fs::write(over_runs, header.to_owned() + &numbers.join("\n") + "\n").unwrap();
        let losses: Vec<String> = (0..9)
            .map(|run| format!("r{run},r{},g{},{},{}", 8 - run, run % 2, run, (run * 4) % 9))
            .collect();
        let header = "run,name,group,loss,acc\n";
        let loss = folder.path().join("loss.csv");
        fs::write(loss, header.to_owned() + &losses.join("\n") + "\n").unwrap();
        Self { folder }
    }

    /// `text` with `@` for the folder of the inputs.
    fn words(&self, text: &str) -> Vec<String> {
        let folder = self.folder.path().to_str().unwrap();
        let words = text.split_whitespace();
        words.map(|word| word.replace('@', folder)).collect()
    }
}

fn save(path: &Path, rows: usize, columns: usize, seed: u64) {
    let mut random = SplitMix64::new(seed);
    let data = Array2::from_shape_simple_fn((rows, columns), || random.uniform());
    fs::write(path, npy(&[rows, columns], data.as_slice().unwrap())).unwrap();
}

/// The report, or why there is none.
fn run(args: &[String]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_repgeo"))
        .args(args)
        .args(["--threads", "1", "--quiet", "--format", "json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.code() {
        Some(0) => Ok(text(output.stdout)),
        // 1 where two dumps do not fit together.
        Some(1 | 2) => Err(text(output.stderr)),
        code => panic!("{args:?}: {code:?} {}", text(output.stderr)),
    }
}

/// The long options of a command, from its help.
fn listed(command: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_repgeo"))
        .args([command, "-h"])
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let lines = help.lines().map(str::trim_start);
    let lines = lines.filter(|line| line.starts_with('-'));
    let named = lines.filter_map(|line| {
        let rest = &line[line.find("--")? + 2..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        Some(rest[..end.unwrap_or(rest.len())].to_owned())
    });
    named.collect()
}

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

const EVENTS: [&str; 5] = [
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

const PEAKS: [&str; 10] = [
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
];

/// Every option of a command that is not elsewhere, with a value that is not its default.
fn options(command: &str) -> (&'static str, Vec<&'static str>) {
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
                ],
                &[&EVENTS, &LAYERS, &ROWS],
            ),
        ),
        "density-peaks" => ("@/acts", with(&PEAKS, &[&EVENTS, &LAYERS, &ROWS])),
        "landscape" => (
            "@/acts --layers 0",
            with(
                &[
                    "--linkage average --absent floor",
                    "--absent floor",
                    "--min-rows 4",
                    "--min-density=-90",
                    "--leaf-share 0.2 --labels @/labels.txt",
                    "--cuts=-5,0.1",
                ],
                &[&PEAKS, &LAYERS[1..], &ROWS],
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
                &[&PAIRS, &LAYERS[..3], &ROWS],
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
            "@/acts --layers 0",
            with(
                &[
                    "--sizes 2",
                    "--draws 3",
                    "--score-draws 4",
                    "--partitions 2",
                    "--readout @/w.npy @/bias.npy --targets @/targets.txt",
                    "--targets @/targets.txt",
                    "--rescale",
                    "--train @/other/a.npy --train-targets @/targets.txt",
                    "--train-targets @/targets.txt",
                    "--network @/other/a.npy @/w.npy @/bias.npy",
                    "--drop-nonfinite",
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
        "events" => (
            "@/profile.csv --column id",
            with(
                &["--x depth", "--threshold 2.5", "--std-error depth"],
                &[&EVENTS],
            ),
        ),
        other => panic!("no options of {other}"),
    }
}

/// Whether a refusal names an option of `text`.
fn names(refusal: &str, text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || c == '=');
    let mut options = words.filter(|word| word.starts_with("--"));
    // A refusal may call an option by its one letter.
    let short = |option: &str| match option {
        "--k" => Some("-k "),
        "--z" => Some("-z "),
        _ => None,
    };
    options.any(|option| {
        refusal.contains(option) || short(option).is_some_and(|short| refusal.contains(short))
    })
}

/// Options of which clap takes one only, or that say the same thing twice.
fn is_twice(a: &str, b: &str) -> bool {
    let first = |text: &str| {
        let words = text.split(|c: char| c.is_whitespace() || c == '=');
        let options = words.filter(|word| word.starts_with("--"));
        options.map(str::to_owned).collect::<Vec<_>>()
    };
    let (a, b) = (first(a), first(b));
    a.iter().any(|option| b.contains(option))
}

fn no_option_is_unused(command: &str) {
    let inputs = Inputs::new();
    let (base, options) = options(command);
    let with = |extra: &[&str]| {
        let text = format!("{command} {base} {}", extra.join(" "));
        run(&inputs.words(&text))
    };
    for option in listed(command) {
        let known = NO_EFFECT.contains(&option.as_str()) || ELSEWHERE.contains(&option.as_str());
        let dashed = format!("--{option}");
        let tried = options.iter().any(|text| {
            let mut words = text.split(|c: char| c.is_whitespace() || c == '=');
            words.any(|word| word == dashed)
        });
        let in_base = base.contains(&dashed);
        assert!(
            known || tried || in_base,
            "{command} --{option}: give it a value here"
        );
    }
    let plain = with(&[]).unwrap();
    let alone: BTreeMap<&str, Result<String, String>> = options
        .par_iter()
        .map(|option| (*option, with(&[option])))
        .collect();
    let mut unused: Vec<String> = Vec::new();
    for (option, found) in &alone {
        match found {
            Ok(report) if *report == plain => unused.push((*option).to_owned()),
            Err(refusal) if !names(refusal, option) => {
                unused.push(format!("{option} is not named in: {refusal}"));
            }
            _ => {}
        }
    }
    let pairs: Vec<(&str, &str)> = options
        .iter()
        .enumerate()
        .flat_map(|(at, a)| options[at + 1..].iter().map(move |b| (*a, *b)))
        .filter(|(a, b)| !is_twice(a, b))
        .collect();
    let more: Vec<String> = pairs
        .par_iter()
        .filter_map(|&(a, b)| match with(&[a, b]) {
            Err(refusal) => (!names(&refusal, a) && !names(&refusal, b))
                .then(|| format!("{a} {b}: neither is named in {refusal}")),
            Ok(report) => {
                // Too few layers are left for events, which the report says.
                if EVENTS.contains(&a) && report.contains("\"events_reason\"") {
                    return None;
                }
                let same = |other: &str| alone[other].as_ref().is_ok_and(|alone| *alone == report);
                let unused = match (same(a), same(b)) {
                    (true, _) => b,
                    (_, true) => a,
                    _ => return None,
                };
                Some(format!("{a} {b}: {unused} is unused"))
            }
        })
        .collect();
    unused.extend(more);
    assert!(unused.is_empty(), "{command}:\n{}", unused.join("\n"));
}

macro_rules! of_each_command {
    ($($test:ident: $command:literal),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                no_option_is_unused($command);
            }
        )+
    };
}

of_each_command! {
    no_option_of_id_profile_is_unused: "id-profile",
    no_option_of_density_peaks_is_unused: "density-peaks",
    no_option_of_landscape_is_unused: "landscape",
    no_option_of_imbalance_is_unused: "imbalance",
    no_option_of_overlap_is_unused: "overlap",
    no_option_of_similarity_is_unused: "similarity",
    no_option_of_clones_is_unused: "clones",
    no_option_of_dynamics_is_unused: "dynamics",
    no_option_of_correlate_is_unused: "correlate",
    no_option_of_probe_is_unused: "probe",
    no_option_of_inspect_is_unused: "inspect",
    no_option_of_events_is_unused: "events",
}
