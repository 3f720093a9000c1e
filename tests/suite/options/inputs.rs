//! Makes the small files that the tried calls read.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use repgeo::random::SplitMix64;
use repgeo::storage::npy;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::run;
use crate::common::{fixture, path, repgeo, text};

/// Prompts of a language model.
const PROMPTS: usize = 6;

/// A safetensors file with `rows` rows of every tensor of `file`, from row `first`.
fn rows_from(file: &[u8], first: usize, rows: usize) -> Vec<u8> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap());
    let (header, data) = file[8..].split_at(usize::try_from(length).unwrap());
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let mut kept = Vec::new();
    for tensor in header.as_object_mut().unwrap().values_mut() {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let [from, to] = [0, 1].map(|end| number(&tensor["data_offsets"][end]));
        let row = (to - from) / number(&tensor["shape"][0]);
        let from = from + first * row;
        tensor["shape"][0] = rows.into();
        tensor["data_offsets"] = json!([kept.len(), kept.len() + rows * row]);
        kept.extend(&data[from..from + rows * row]);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    [&length[..], &header, &kept].concat()
}

/// The whole numbers of a tensor of 32 bits, the lowest byte first.
fn integers<'a>(file: &'a mut [u8], name: &str) -> &'a mut [[u8; 4]] {
    let length = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
    let header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let place = |end: usize| {
        let offset = header[name]["data_offsets"][end].as_u64().unwrap();
        8 + length + usize::try_from(offset).unwrap()
    };
    file[place(0)..place(1)].as_chunks_mut().0
}

/// Two dumps, labels, tables and, where they are asked for, streams of a small model.
pub struct Inputs {
    folder: TempDir,
}

impl Inputs {
    /// Without streams.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for (dump, seeds) in [("acts", [1, 2, 3]), ("other", [4, 5, 6])] {
            fs::create_dir(folder.path().join(dump)).unwrap();
            for (name, seed) in ["a", "b", "c"].into_iter().zip(seeds) {
                let path = folder.path().join(dump).join(format!("{name}.npy"));
                save(&path, 30, 4, seed);
            }
        }
        let seq = folder.path().join("seq");
        fs::create_dir(&seq).unwrap();
        for (name, seed) in ["a", "b", "c"].into_iter().zip(7..) {
            fs::write(seq.join(format!("{name}.npy")), tokens(30, 5, 4, seed)).unwrap();
        }
        fs::write(folder.path().join("mask.npy"), mask(30, 5)).unwrap();
        fs::write(folder.path().join("order.txt"), "c\na\nb\n").unwrap();
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
        let lines = profile.lines();
        let first: Vec<&str> = lines
            .filter_map(|line| Some(line.rsplit_once(',')?.0))
            .collect();
        fs::write(folder.path().join("one_column.csv"), first.join("\n")).unwrap();
        fs::write(
            folder.path().join("accuracy.csv"),
            "layer,acc\na,1\nb,3\nc,2\n",
        )
        .unwrap();
        fs::write(folder.path().join("runs.csv"), "path,x\nacts,1\nother,2\n").unwrap();
        let prompts = |name: &str, header: &str, line: &dyn Fn(usize) -> String| {
            let lines: Vec<String> = (0..PROMPTS).map(line).collect();
            let text = format!("{header}{}\n", lines.join("\n"));
            fs::write(folder.path().join(name), text).unwrap();
        };
        prompts("groups.txt", "", &|row| format!("group{}", row % 2));
        let all = fs::read(fixture("mechanisms/gpt2_tiny/prompts.safetensors")).unwrap();
        let file = |name: &str| folder.path().join(format!("{name}.safetensors"));
        let mut first = rows_from(&all, 0, PROMPTS);
        fs::write(file("prompts"), &first).unwrap();
        fs::write(file("others"), rows_from(&all, PROMPTS, PROMPTS)).unwrap();
        // The counterfactual token stays that at the attribute's place, the factual one does not.
        let tokens = integers(&mut first, "tokens").to_vec();
        let attribute = integers(&mut first, "attr_pos");
        let width = tokens.len() / PROMPTS;
        prompts("targets.csv", "fact,counterfactual\n", &|row| {
            let there = i32::from_le_bytes(tokens[row * width + attribute[row][0] as usize]);
            format!("{},{there}", (there + 1) % 5)
        });
        // The same prompts, half of them with the attribute elsewhere.
        for place in attribute.iter_mut().step_by(2) {
            place[0] = (place[0] + 1) % 3;
        }
        fs::write(file("moved"), &first).unwrap();
        let over_runs =
            (0..9).map(|run| format!("r{run},a,0,0,,id,two_nn_base,1,{},,30", run * 5 % 7));
        fs::write(folder.path().join("over_runs.csv"), tidy(over_runs)).unwrap();
        for (name, runs, layers) in [("series", 3, 8), ("few", 5, 2)] {
            let file = folder.path().join(format!("{name}.csv"));
            fs::write(file, tidy(series(runs, layers))).unwrap();
        }
        let losses: Vec<String> = (0..9)
            .map(|run| {
                format!(
                    "r{run},r{},l{run},g{},{run},{}",
                    8 - run,
                    run % 2,
                    (run * 4) % 9
                )
            })
            .collect();
        let header = "run,name,layer,group,loss,acc\n";
        let loss = folder.path().join("loss.csv");
        fs::write(loss, header.to_owned() + &losses.join("\n") + "\n").unwrap();
        Self { folder }
    }

    /// With a planned run whose parts are all there.
    pub fn with_run() -> Self {
        let inputs = Self::new();
        inputs.call("plan id-profile @/acts -o @/run").unwrap();
        let (words, _) = inputs.words("shard @/run --task 0..2 --threads 1");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let shard = repgeo(&words);
        assert!(shard.status.success(), "{}", text(&shard.stderr));
        inputs
    }

    /// With neighbour tables of all other rows, and of squares.
    pub fn with_tables() -> Self {
        let inputs = Self::new();
        inputs.call("neighbours @/acts -k 29 -o @/near").unwrap();
        inputs
            .call("neighbours @/other -k 29 -o @/near_others")
            .unwrap();
        let squares = inputs.folder.path().join("near_squares");
        fs::create_dir(&squares).unwrap();
        for (name, seed) in [("a", 1), ("b", 2), ("c", 3)] {
            let rows = uniform(30, 4, seed);
            let all = Array2::from_shape_fn((30, 30), |(i, j)| {
                let apart = &rows.row(i) - &rows.row(j);
                apart.dot(&apart)
            });
            let path = squares.join(format!("{name}.npy"));
            fs::write(path, npy(&[30, 30], all.as_slice().unwrap())).unwrap();
        }
        inputs
    }

    /// With the streams of the small GPT-2.
    pub fn with_streams() -> Self {
        let inputs = Self::new();
        let forward = "forward MODEL --tokens @/prompts.safetensors -o @/streams.safetensors \
                       --positions all --dump embed,pos-embed,resid-pre,resid-mid,resid-post,\
                       attn-out,mlp-out,z,pattern,k,v,scale,logits";
        inputs.call(forward).unwrap();
        inputs
    }

    /// The report of a call and what it wrote beside it, or why there is none. `@` stands for the
    /// folder of the inputs, `#` for what no other call has, and `MODEL` for the small GPT-2.
    pub fn call(&self, text: &str) -> Result<String, String> {
        let (words, own) = self.words(text);
        let report = run(&words)?;
        let mut written = Vec::new();
        take(self.folder.path(), &own, &mut written);
        written.sort();
        let all = [vec![report], written].concat().join("\n");
        Ok(all.replace(&own, "#"))
    }

    /// The words of a call, and what is its own in them.
    fn words(&self, text: &str) -> (Vec<String>, String) {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let folder = path(self.folder.path());
        let own = format!("-{}-", CALLS.fetch_add(1, Ordering::Relaxed));
        let model = fixture("mechanisms/gpt2_tiny");
        let filled = text.split_whitespace().map(|word| {
            let word = word.replace('@', folder).replace('#', &own);
            word.replace("MODEL", path(&model))
        });
        (filled.collect(), own)
    }
}

/// Names and contents of all files in `folder` that have `own` in their path, which are removed.
fn take(folder: &Path, own: &str, written: &mut Vec<String>) {
    for item in fs::read_dir(folder).unwrap() {
        let found = item.unwrap().path();
        if !path(&found).contains(own) {
            continue;
        }
        if found.is_dir() {
            take(&found, own, written);
            fs::remove_dir(&found).unwrap();
        } else {
            let content = fs::read(&found).unwrap();
            written.push(format!(
                "{}: {}",
                found.display(),
                String::from_utf8_lossy(&content)
            ));
            fs::remove_file(&found).unwrap();
        }
    }
}

fn uniform(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut random = SplitMix64::new(seed);
    Array2::from_shape_simple_fn((rows, columns), || random.uniform())
}

fn save(path: &Path, rows: usize, columns: usize, seed: u64) {
    let data = uniform(rows, columns, seed);
    fs::write(path, npy(&[rows, columns], data.as_slice().unwrap())).unwrap();
}

/// An npy file of another type than f64.
fn npy_of(dtype: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let axes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({axes}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// Tokens whose values are 16-bit integers, and good numbers as the bits of bfloat16 too.
fn tokens(rows: usize, tokens: usize, columns: usize, seed: u64) -> Vec<u8> {
    let mut random = SplitMix64::new(seed);
    let bits = (0..rows * tokens * columns).map(|_| 0x3f00 + (random.next_u64() % 512) as u16);
    let data: Vec<u8> = bits.flat_map(u16::to_le_bytes).collect();
    npy_of("<u2", &[rows, tokens, columns], &data)
}

/// Two to all tokens of a row.
fn mask(rows: usize, tokens: usize) -> Vec<u8> {
    let flags = (0..rows)
        .flat_map(|row| (0..tokens).map(move |token| u8::from(token < 2 + row % (tokens - 1))));
    npy_of("|b1", &[rows, tokens], &flags.collect::<Vec<u8>>())
}

/// A tidy CSV over runs.
fn tidy(lines: impl Iterator<Item = String>) -> String {
    let header =
        "run,layer,index,depth,other,quantity,variant,scale,value,std_error,n\n".to_owned();
    lines.fold(header, |text, line| text + &line + "\n")
}

/// Numbers of which every column but the value has several words.
fn series(runs: usize, layers: usize) -> impl Iterator<Item = String> {
    (0..runs * layers * 16).map(move |at| {
        let (run, layer) = (at / 16 / layers, at / 16 % layers);
        let pick = |bit: usize, words: [&'static str; 2]| words[at >> bit & 1];
        let (quantity, variant) = (pick(3, ["id", "overlap"]), pick(2, ["base", "mle"]));
        let (scale, other) = (pick(1, ["1", "2"]), pick(0, ["x", "y"]));
        let depth = layer as f64 / (layers - 1) as f64;
        let value = SplitMix64::new(at as u64).uniform();
        format!("r{run},l{layer},{layer},{depth},{other},{quantity},{variant},{scale},{value},,30")
    })
}
