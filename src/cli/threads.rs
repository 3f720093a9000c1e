//! Chooses how many threads work where `--threads` does not say.

use std::thread::available_parallelism;

/// What programs beside this one and schedulers say about threads.
const VARIABLES: [&str; 3] = [
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "SLURM_CPUS_PER_TASK",
];

/// The least of what the environment says and of the processors that this process may use, which on
/// Linux heeds affinity and the quota of a cgroup.
pub fn by_default() -> usize {
    let asked = VARIABLES.iter().filter_map(|name| std::env::var(name).ok());
    least(
        available_parallelism().map_or(1, usize::from),
        asked.collect::<Vec<_>>().iter().map(String::as_str),
    )
}

/// The least of `processors` and the numbers above 0 in `asked`; what is no number says nothing.
fn least<'a>(processors: usize, asked: impl Iterator<Item = &'a str>) -> usize {
    // OMP_NUM_THREADS may list a number for each level of nesting; the first is the outermost.
    let first = |text: &'a str| text.split(',').next()?.trim().parse().ok();
    asked
        .filter_map(first)
        .filter(|&count: &usize| count > 0)
        .fold(processors, usize::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_number_counts_and_what_is_none_does_not() {
        let threads = |asked: &[&str]| least(8, asked.iter().copied());
        assert_eq!(threads(&[]), 8);
        assert_eq!(threads(&["4", "6"]), 4);
        assert_eq!(threads(&["64", " 3,2 "]), 3);
        assert_eq!(threads(&["0", "", "many", "-1"]), 8);
    }
}
