//! The scripts that Slurm is given: one for tasks, one for what follows them.

use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::ranges::array_list;
use super::state::Status;

/// How the work is to be handed to Slurm.
#[derive(Debug, Clone)]
pub struct Batch {
    /// This program, from the root on.
    pub program: PathBuf,
    /// The folder of the run, from the root on.
    pub folder: PathBuf,
    /// Options of `sbatch`, as typed.
    pub options: String,
    /// Where merge writes, from the root on.
    pub outputs: Vec<PathBuf>,
    /// How often holes may be submitted again.
    pub tries: usize,
}

/// What is submitted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scripts {
    /// Does one task of an array.
    pub task: String,
    /// Merges, or submits the holes again.
    pub finish: String,
    /// Tasks of each phase that are to be done, as `--array` takes them: tables, then ranks.
    pub arrays: Vec<String>,
}

impl Batch {
    /// The scripts for what is missing of a run.
    pub fn scripts(&self, plan: &Plan, status: &Status) -> Scripts {
        let program = quoted(&self.program);
        let folder = quoted(&self.folder);
        let outputs: String = self
            .outputs
            .iter()
            .map(|path| format!(" -o {}", quoted(path)))
            .collect();
        let logs = self.folder.join("slurm");
        let head = |log: &str| {
            let options = match self.options.trim() {
                "" => String::new(),
                options => format!("#SBATCH {options}\n"),
            };
            let log = logs.join(log);
            let log = log.display();
            format!("#!/bin/bash\n{options}#SBATCH --job-name=repgeo\n#SBATCH --output=\"{log}\"\n")
        };
        let again = match self.tries {
            0 => "echo 'repgeo: no tries are left; see the logs, then repgeo submit again' >&2\n\
                  exit \"$code\"\n"
                .to_owned(),
            tries => format!(
                "case $code in\n\
                 3|5|75) exec {program} submit {folder} --slurm {} --tries {}{outputs} ;;\n\
                 esac\n\
                 exit \"$code\"\n",
                single(&self.options),
                tries - 1,
            ),
        };
        let lists = status.missing.iter().map(|tasks| array_list(tasks));
        Scripts {
            task: format!(
                "{}# plan {}\nexec {program} shard {folder} --quiet\n",
                head("task-%A_%a.log"),
                plan.id
            ),
            finish: format!(
                "{}# plan {}\n{program} merge {folder} --quiet{outputs}\ncode=$?\n\
                 [ \"$code\" = 0 ] && exit 0\n{again}",
                head("finish-%j.log"),
                plan.id
            ),
            arrays: lists.filter(|list| !list.is_empty()).collect(),
        }
    }
}

fn quoted(path: &Path) -> String {
    single(&path.to_string_lossy())
}

/// A word that the shell takes as it stands.
fn single(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        assert_eq!(single("/a/b-1.x"), "/a/b-1.x");
        assert_eq!(single("-p cpu"), "'-p cpu'");
        assert_eq!(single("it's"), r"'it'\''s'");
        assert_eq!(single(""), "''");
    }
}
