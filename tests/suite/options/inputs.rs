//! Makes the small files that the tried calls read.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use repgeo::random::SplitMix64;
use repgeo::storage::npy;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::common::fixture;
use super::run;

/// Prompts of a language model.
const PROMPTS: usize = 12;

/// A safetensors file with the first rows of every tensor of `file`.
fn first_rows(file: &[u8], rows: usize) -> Vec<u8> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap());
    let (header, data) = file[8..].split_at(usize::try_from(length).unwrap());
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let mut kept = Vec::new();
    for tensor in header.as_object_mut().unwrap().values_mut() {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let [from, to] = [0, 1].map(|end| number(&tensor["data_offsets"][end]));
        let bytes = (to - from) / number(&tensor["shape"][0]) * rows;
        tensor["shape"][0] = rows.into();
        tensor["data_offsets"] = json!([kept.len(), kept.len() + bytes]);
        kept.extend(&data[from..from + bytes]);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    [&length[..], &header, &kept].concat()
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
        let prompts = |name: &str, header: &str, line: &dyn Fn(usize) -> String| {
            let lines: Vec<String> = (0..PROMPTS).map(line).collect();
            let text = format!("{header}{}\n", lines.join("\n"));
            fs::write(folder.path().join(name), text).unwrap();
        };
        prompts("tokens.csv", "fact,counterfactual\n", &|row| {
            format!("{},{}", row % 5, 5 + row % 5)
        });
        prompts("groups.txt", "", &|row| format!("group{}", row % 2));
        let all = fs::read(fixture("mechanisms/gpt2_tiny/prompts.safetensors")).unwrap();
        let first = folder.path().join("prompts.safetensors");
        fs::write(first, first_rows(&all, PROMPTS)).unwrap();
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

    /// With a planned run whose parts are all there.
    pub fn with_run() -> Self {
        let inputs = Self::new();
        run(&inputs.words("plan id-profile @/acts -o @/run")).unwrap();
        let shard = Command::new(env!("CARGO_BIN_EXE_repgeo"))
            .args(inputs.words("shard @/run --task 0..2 --threads 1"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&shard.stderr);
        assert!(shard.status.success(), "{said}");
        inputs
    }

    /// With the streams of the small GPT-2.
    pub fn with_streams() -> Self {
        let inputs = Self::new();
        let forward = "forward MODEL --tokens @/prompts.safetensors -o @/streams.safetensors \
                       --positions all --dump embed,pos-embed,resid-pre,resid-mid,resid-post,\
                       attn-out,mlp-out,z,pattern,k,v,scale,logits";
        run(&inputs.words(forward)).unwrap();
        inputs
    }

    /// `text` with `@` for the folder of the inputs, `#` for a number that no other call has, and
    /// `MODEL` for the small GPT-2.
    pub fn words(&self, text: &str) -> Vec<String> {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let folder = self.folder.path().to_str().unwrap();
        let call = CALLS.fetch_add(1, Ordering::Relaxed).to_string();
        let model = fixture("mechanisms/gpt2_tiny");
        let words = text.split_whitespace();
        let filled = words.map(|word| {
            let word = word.replace('@', folder).replace('#', &call);
            word.replace("MODEL", model.to_str().unwrap())
        });
        filled.collect()
    }
}

fn save(path: &Path, rows: usize, columns: usize, seed: u64) {
    let mut random = SplitMix64::new(seed);
    let data = Array2::from_shape_simple_fn((rows, columns), || random.uniform());
    fs::write(path, npy(&[rows, columns], data.as_slice().unwrap())).unwrap();
}
