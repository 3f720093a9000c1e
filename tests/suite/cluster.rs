//! An analysis divided among processes gives the bytes of one, whatever happens to its parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::thread;
use std::time::Duration;

use repgeo::random::SplitMix64;
use repgeo::storage::npy;
use tempfile::TempDir;

use super::common::{command, fixture, normals, path, printed, text};

/// Analyses of `fixtures/minilm`, some layers and rows of it so that a slow build takes seconds.
const OF_MINILM: [&str; 3] = [
    "id-profile a.safetensors --layers 0,3,6 --rows 0..300",
    "imbalance a.safetensors --layers 0,6 --rows 0..300",
    "density-peaks a.safetensors --labels labels.csv:label --layers 0,6 --rows 0..300",
];

/// Everything that can be divided, over small dumps of 240 rows; those of `other` repeat some.
const OF_SMALL: [&str; 12] = [
    "imbalance acts --to -1 -k 1,5 --shuffle 2 --partitions 2",
    "imbalance acts --against other --to matched --duplicates drop",
    "overlap acts -k 5,10 --labels labels.txt --to next",
    "overlap acts other",
    "density-peaks other --labels labels.txt",
    "density-peaks acts --density kstar --metric cosine",
    "dynamics acts other --quantity imbalance",
    "dynamics acts other --quantity overlap --to next",
    "dynamics acts other --estimator mle",
    "id-profile other --estimator two-nn,gride,mle --control shuffle --decimate 0.5",
    "id-profile acts --metric cosine --subsample 101 --seed 3",
    "id-profile acts --range-max 100 --id-scaling=decimation --duplicates keep",
];

/// A folder with dumps, in which runs are made.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let fixture = |name: &str| fixture("minilm").join(name);
        for (from, to) in [
            ("hidden_states.safetensors", "a.safetensors"),
            ("hidden_states.safetensors", "b.safetensors"),
            ("labels.csv", "labels.csv"),
        ] {
            fs::copy(fixture(from), folder.path().join(to)).unwrap();
        }
        Self { folder }
    }

    /// One with two dumps of three small layers.
    fn small() -> Self {
        let folder = TempDir::new().unwrap();
        for (dump, seed) in [("acts", 0), ("other", 10)] {
            fs::create_dir(folder.path().join(dump)).unwrap();
            for layer in 0..3 {
                let mut data = normals(240, 12, seed + layer);
                if dump == "other" {
                    let first = data.row(0).to_owned();
                    data.row_mut(7).assign(&first);
                }
                let bytes = npy(&[240, 12], data.as_slice().unwrap());
                fs::write(
                    folder.path().join(format!("{dump}/layer_{layer}.npy")),
                    bytes,
                )
                .unwrap();
            }
        }
        let labels: Vec<String> = (0..240).map(|row| format!("class{}", row % 3)).collect();
        fs::write(folder.path().join("labels.txt"), labels.join("\n") + "\n").unwrap();
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, line: &str) -> std::process::Command {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = command(&words);
        command
            .current_dir(self.folder.path())
            .args(["--threads", "2"]);
        command
    }

    fn run(&self, line: &str) -> Output {
        self.start(line).output().unwrap()
    }

    fn ok(&self, line: &str) -> String {
        printed(&mut self.start(line))
    }

    /// The words of a command that ends with this code.
    #[track_caller]
    fn ends(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {words}");
        words
    }

    fn spawn(&self, line: &str) -> Child {
        self.start(line).spawn().unwrap()
    }

    /// Number of tasks of a run.
    fn tasks(&self, run: &str) -> usize {
        let plan = fs::read(self.at(run).join("plan.json")).unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&plan).unwrap();
        let searches = plan["searches"].as_array().unwrap();
        let blocks = searches
            .iter()
            .map(|search| search["blocks"].as_array().unwrap().len());
        assert_eq!(plan["units_a_task"], 1);
        blocks.sum()
    }

    /// The parts of a run.
    fn parts(&self, run: &str) -> Vec<PathBuf> {
        let items = fs::read_dir(self.at(run).join("shards")).unwrap().flatten();
        let mut paths: Vec<PathBuf> = items.map(|item| item.path()).collect();
        paths.sort();
        paths
    }
}

/// Plans `analysis` into `run`, does all of it, and compares the merged report with `alone`.
fn check_divided(place: &Place, analysis: &str, run: &str, block: usize, alone: &str) {
    place.ok(&format!("plan {analysis} -o {run} --block-rows {block}"));
    let tasks = place.tasks(run);
    // Backwards: parts need no order but that ranks follow tables.
    let half = tasks / 2;
    let ranks = analysis.contains("imbalance");
    if ranks {
        place.ok(&format!("shard {run} --task 0..{}", tasks - 1));
    } else {
        place.ok(&format!("shard {run} --task {half}..{}", tasks - 1));
        let left = place.run(&format!("status {run} --array"));
        if half > 0 {
            assert_eq!(left.status.code(), Some(3));
            let expected = if half == 1 {
                "0\n".into()
            } else {
                format!("0-{}\n", half - 1)
            };
            assert_eq!(text(&left.stdout), expected);
            place.ok(&format!("shard {run} --task 0..{}", half - 1));
        }
    }
    let merged = place.ok(&format!("merge {run} --format json"));
    assert!(
        merged == alone,
        "{analysis} in blocks of {block} is another report"
    );
    place.ok(&format!("verify {run} --rows 3"));
}

#[test]
fn blocks_of_any_size_give_the_bytes_of_one_machine() {
    // One block, four, and seven of which the last is smaller.
    for (place, analyses, blocks) in [
        (Place::new(), &OF_MINILM[..], [100_000, 80, 46]),
        (Place::small(), &OF_SMALL[..], [100_000, 65, 37]),
    ] {
        for (at, analysis) in analyses.iter().enumerate() {
            let alone = place.ok(&format!("{analysis} --format json"));
            for block in blocks {
                let run = format!("run-{at}-{block}");
                check_divided(&place, analysis, &run, block, &alone);
            }
        }
    }
}

#[test]
fn tables_that_are_merged_are_those_of_one_machine() {
    let place = Place::new();
    place.ok("neighbours a.safetensors --layers 0,6 -k 7 -o alone");
    place.ok("plan neighbours a.safetensors --layers 0,6 -k 7 -o run --block-rows 250");
    place.ok(&format!("shard run --task 0..{}", place.tasks("run") - 1));
    place.ok("merge run -o merged");
    let mut compared = 0;
    for item in fs::read_dir(place.at("alone")).unwrap().flatten() {
        let other = place.at("merged").join(item.file_name());
        assert_eq!(fs::read(item.path()).unwrap(), fs::read(other).unwrap());
        compared += 1;
    }
    assert_eq!(compared, 2);
}

#[test]
fn a_part_that_is_not_what_its_place_says_is_done_again() {
    let place = Place::small();
    let alone = place.ok("imbalance acts --format json");
    place.ok("plan imbalance acts -o run --block-rows 70");
    let tasks = place.tasks("run");
    let all = format!("shard run --task 0..{}", tasks - 1);
    place.ok(&all);
    let whole: Vec<Vec<u8>> = place
        .parts("run")
        .iter()
        .map(|part| fs::read(part).unwrap())
        .collect();
    // Another run of other rows has parts of the same shape.
    place.ok("plan imbalance acts --rows 0..239 -o foreign --block-rows 70");
    place.ok("shard foreign --task 0");
    let foreign = fs::read(&place.parts("foreign")[0]).unwrap();
    let mut random = SplitMix64::new(5);
    type Harm<'a> = (&'a str, i32, Box<dyn Fn(usize, &Path) + 'a>);
    let flip = |bit: usize| {
        let whole = &whole;
        move |part: usize, path: &Path| {
            let mut bytes = whole[part].clone();
            let at = bit % (8 * bytes.len());
            bytes[at / 8] ^= 1 << (at % 8);
            fs::write(path, bytes).unwrap();
        }
    };
    let mut harms: Vec<Harm<'_>> = vec![
        (
            "missing",
            3,
            Box::new(|_, path| fs::remove_file(path).unwrap()),
        ),
        (
            "empty",
            3,
            Box::new(|_, path| fs::write(path, b"").unwrap()),
        ),
        (
            "truncated",
            3,
            Box::new(|part, path| fs::write(path, &whole[part][..whole[part].len() - 9]).unwrap()),
        ),
        (
            "longer",
            3,
            Box::new(|part, path| {
                fs::write(path, [&whole[part][..], &[0; 8]].concat()).unwrap();
            }),
        ),
        (
            "foreign",
            5,
            Box::new(|_, path| fs::write(path, &foreign).unwrap()),
        ),
        (
            "swapped",
            5,
            Box::new(|part, path| fs::write(path, &whole[(part + 1) % whole.len()]).unwrap()),
        ),
    ];
    for _ in 0..12 {
        let bit = (random.uniform() * 1e9) as usize;
        harms.push(("flipped", 3, Box::new(flip(bit))));
    }
    let parts = place.parts("run");
    for (at, (what, code, harm)) in harms.into_iter().enumerate() {
        let part = (7 * at) % parts.len();
        harm(part, &parts[part]);
        let merged = place.run("merge run --format json");
        let words = text(&merged.stderr);
        assert_eq!(merged.status.code(), Some(code), "{what}: {words}");
        assert!(merged.stdout.is_empty(), "{what}");
        let left = text(&place.run("status run --array").stdout);
        assert_eq!(left.trim(), part.to_string(), "{what}");
        place.ok(&format!("shard run --task {}", left.trim()));
        assert_eq!(fs::read(&parts[part]).unwrap(), whole[part], "{what}");
    }
    assert_eq!(place.ok("merge run --format json"), alone);
}

#[test]
fn a_run_whose_input_or_plan_changed_is_refused() {
    let place = Place::small();
    place.ok("plan id-profile acts -o run --block-rows 100");
    place.ok("shard run --task 0..3");
    let file = place.at("acts/layer_2.npy");
    let before = fs::read(&file).unwrap();
    let mut changed = before.clone();
    let last = changed.len() - 2;
    changed[last] ^= 1;
    fs::write(&file, &changed).unwrap();
    let words = place.ends("shard run --task 6..8", 4);
    assert!(
        words.contains("layer_2") && words.contains("rows 200..240"),
        "{words}"
    );
    // Fewer rows, and none at all.
    let fewer = normals(200, 12, 2);
    fs::write(&file, npy(&[200, 12], fewer.as_slice().unwrap())).unwrap();
    place.ends("shard run --task 6..8", 4);
    fs::remove_file(&file).unwrap();
    place.ends("shard run --task 6..8", 4);
    fs::write(&file, &before).unwrap();
    place.ok("shard run --task 4..8");
    fs::write(&file, &changed).unwrap();
    place.ends("merge run --format json", 4);
    fs::write(&file, &before).unwrap();
    // Clocks do not matter.
    let times = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + Duration::from_secs(9));
    for part in place.parts("run").iter().chain([&file]) {
        fs::File::options()
            .write(true)
            .open(part)
            .unwrap()
            .set_times(times)
            .unwrap();
    }
    let alone = place.ok("id-profile acts --format json");
    assert_eq!(place.ok("merge run --format json"), alone);
    // A plan that was edited, in a number or in its identity.
    let plan = fs::read_to_string(place.at("run/plan.json")).unwrap();
    for (from, to) in [
        ("\"end\": 100", "\"end\": 101"),
        ("\"id\": \"", "\"id\": \"0"),
    ] {
        let edited = plan.replacen(from, to, 1);
        assert_ne!(edited, plan);
        fs::write(place.at("run/plan.json"), edited).unwrap();
        for line in ["shard run --task 0", "merge run", "status run"] {
            place.ends(line, 5);
        }
    }
    fs::write(place.at("run/plan.json"), "{").unwrap();
    place.ends("merge run", 5);
}

#[test]
fn tasks_at_once_and_kills_at_any_moment_leave_the_same_bytes() {
    let place = Place::small();
    let alone = place.ok("imbalance acts -k 1,3 --format json");
    place.ok("plan imbalance acts -k 1,3 -o run --block-rows 30");
    let tasks = place.tasks("run");
    let mut random = SplitMix64::new(11);
    let tables = 3 * 8;
    for _ in 0..100 {
        let task = (random.uniform() * tasks as f64) as usize;
        let mut child = place.spawn(&format!("shard run --quiet --task {task}"));
        thread::sleep(Duration::from_micros((random.uniform() * 30_000.0) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Two copies of every task at once.
    for range in [0..tables, tables..tasks] {
        let line = format!(
            "shard run --quiet --task {}..{}",
            range.start,
            range.end - 1
        );
        let copies: Vec<Child> = (0..2).map(|_| place.spawn(&line)).collect();
        for mut copy in copies {
            assert!(copy.wait().unwrap().success());
        }
    }
    assert_eq!(place.ok("merge run --format json"), alone);
    let names = place.parts("run");
    assert_eq!(names.len(), tasks, "something is left: {names:?}");
}

#[test]
fn what_cannot_be_done_yet_is_a_hole_and_a_stop_is_another_try() {
    let place = Place::small();
    place.ok("plan imbalance acts -o run --block-rows 100");
    // Ranks before their tables.
    let words = place.ends(&format!("shard run --task {}", place.tasks("run") - 1), 3);
    assert!(words.contains("repgeo shard"), "{words}");
    place.ends("merge run", 3);
    place.ends("verify run", 3);
    place.ends("shard run --task 99", 2);
    place.ends("shard run --task x", 2);
    place.ends("shard run", 2);
    place.ends("shard acts --task 0", 2);
    let mut from_slurm = place.start("shard run --quiet");
    assert!(
        from_slurm
            .env("SLURM_ARRAY_TASK_ID", "1")
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(place.parts("run").len(), 1);
}

#[test]
fn what_a_plan_cannot_hold_is_refused_by_name() {
    let place = Place::small();
    for (line, words) in [
        ("plan id-profile acts", "-o"),
        ("plan id-profile acts -o run --cache c", "--cache"),
        ("plan id-profile acts -o run --format csv", "--format"),
        ("plan id-profile - -o run", "pipe"),
        (
            "plan id-profile acts -o run --fraction 0.5 --estimator gride",
            "--fraction",
        ),
        ("plan imbalance acts -o run --greedy 2", "--greedy"),
        ("plan neighbours acts --queries acts -o run", "queries"),
    ] {
        let refused = place.ends(line, 2);
        assert!(refused.contains(words), "{line}: {refused}");
        assert!(!place.at("run").join("plan.json").exists(), "{line}");
    }
    place.ok("plan id-profile acts -o run");
    place.ok("plan id-profile acts -o run");
    let refused = place.ends("plan imbalance acts -o run", 2);
    assert!(refused.contains("another plan"), "{refused}");
}

#[test]
fn clean_removes_what_the_run_made_and_nothing_else() {
    let place = Place::small();
    place.ok("plan id-profile acts -o run --block-rows 100");
    place.ok("shard run --task 0..8");
    place.ok("merge run -o run/report.json");
    fs::write(place.at("run/shards/notes.txt"), "mine").unwrap();
    let words = place.ok("clean run");
    assert!(words.contains("10 files removed"), "{words}");
    assert!(
        words.contains("report.json") && words.contains("notes.txt"),
        "{words}"
    );
    assert!(place.at("run/report.json").exists() && place.at("run/shards/notes.txt").exists());
    assert!(!place.at("run/plan.json").exists());
    place.ends("clean run", 2);
    place.ends("clean acts", 2);
}

#[test]
fn slurm_scripts_name_the_run_and_the_tasks_that_are_left() {
    let place = Place::small();
    place.ok("plan imbalance acts -o run --block-rows 100");
    place.ok("shard run --task 0,3..4");
    let mut command = place.start("submit run --print --tries 2");
    command.args(["--slurm", "-p cpu -c 2"]);
    let shown = printed(&mut command);
    let run = place.at("run").canonicalize().unwrap();
    for words in [
        "#SBATCH -p cpu -c 2\n",
        "--array=1-2,5-8 ",
        "--array=9-17 ",
        "--tries 1",
        "--slurm '-p cpu -c 2'",
        path(&run),
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!place.at("run/slurm").exists());
}
