//! Tells how much memory there is: of the machine, of its control group, of the process.

use std::fs;
use std::path::Path;

/// Bytes that this process may hold at most; `None` where the system does not say.
///
/// The least of the machine's memory, the limits of its control groups (what a job scheduler or a
/// container sets) and the limit on its address space (`ulimit -v`). What others use at the moment
/// is not taken off, so the answer is the same from run to run.
pub fn machine_memory() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let total = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    [
        total_memory(&total),
        group_limit(Path::new("/sys/fs/cgroup"), &groups),
        address_space(),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// `MemTotal` of `/proc/meminfo`.
fn total_memory(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The lowest limit of the control groups that `/proc/self/cgroup` names, up to the root.
fn group_limit(root: &Path, groups: &str) -> Option<u64> {
    let mut lowest: Option<u64> = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(kinds), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let (root, file) = match kinds {
            "" => (root.to_owned(), "memory.max"),
            _ if kinds.split(',').any(|kind| kind == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // In a container the path may be of the host, and only the root be there.
        for folder in Path::new(path.trim_start_matches('/')).ancestors() {
            let text = fs::read_to_string(root.join(folder).join(file)).unwrap_or_default();
            if let Ok(limit) = text.trim().parse::<u64>() {
                lowest = Some(lowest.map_or(limit, |other| other.min(limit)));
            }
        }
    }
    lowest
}

#[cfg(unix)]
fn address_space() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::As).current
}

#[cfg(not(unix))]
fn address_space() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_above_the_process_counts() {
        let root = tempfile::tempdir().unwrap();
        let job = root.path().join("slurm/job1/step0");
        fs::create_dir_all(&job).unwrap();
        fs::write(job.join("memory.max"), "max\n").unwrap();
        fs::write(root.path().join("slurm/job1/memory.max"), "1000000\n").unwrap();
        fs::write(root.path().join("slurm/memory.max"), "5000000\n").unwrap();
        assert_eq!(
            group_limit(root.path(), "0::/slurm/job1/step0\n"),
            Some(1_000_000)
        );
        assert_eq!(group_limit(root.path(), "0::/slurm\n"), Some(5_000_000));
        assert_eq!(group_limit(root.path(), "0::/elsewhere\n"), None);

        let old = root.path().join("memory/docker/x");
        fs::create_dir_all(&old).unwrap();
        fs::write(old.join("memory.limit_in_bytes"), "777").unwrap();
        let groups = "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n";
        assert_eq!(group_limit(root.path(), groups), Some(777));
    }

    #[test]
    fn the_total_is_in_kibibytes() {
        assert_eq!(
            total_memory("MemTotal:       16 kB\nMemFree: 1 kB\n"),
            Some(16384)
        );
        assert_eq!(total_memory("nonsense"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_linux_machine_says_how_much_it_has() {
        assert!(machine_memory().is_some_and(|bytes| bytes > 1 << 24));
    }
}
