//! Ascending numbers as ranges: rows in a plan, tasks in the words of Slurm.

use crate::error::{Error, Result};

/// Runs of consecutive numbers, each from its first to one beyond its last.
pub(super) fn ranges(numbers: &[u32]) -> Vec<[u32; 2]> {
    let mut found: Vec<[u32; 2]> = Vec::new();
    for &number in numbers {
        match found.last_mut() {
            Some([_, end]) if *end == number => *end += 1,
            _ => found.push([number, number + 1]),
        }
    }
    found
}

/// The numbers of some ranges.
pub(super) fn numbers(ranges: &[[u32; 2]]) -> Vec<u32> {
    ranges.iter().flat_map(|&[start, end]| start..end).collect()
}

/// Tasks as `sbatch --array` takes them: `0-3,7`; empty for none.
pub fn array_list(tasks: &[usize]) -> String {
    let tasks: Vec<u32> = tasks
        .iter()
        .filter_map(|&task| u32::try_from(task).ok())
        .collect();
    let parts = ranges(&tasks)
        .into_iter()
        .map(|[start, end]| match end - start {
            1 => start.to_string(),
            _ => format!("{start}-{}", end - 1),
        });
    parts.collect::<Vec<_>>().join(",")
}

/// The tasks of a list such as `4`, `0..7` (7 included) or `0-3,7`, as `--task` takes it.
///
/// # Errors
/// [`Error::Usage`] for anything else.
pub(super) fn tasks(text: &str) -> Result<Vec<usize>> {
    let refuse = || {
        Error::Usage(format!(
            "--task {text}: give a task, a range of them (0..7 holds 0 and 7), or several with commas"
        ))
    };
    let mut tasks = Vec::new();
    for part in text.split(',') {
        let ends = part.split_once("..").or_else(|| part.split_once('-'));
        let (first, last) = ends.unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| refuse());
        let (first, last) = (number(first)?, number(last)?);
        // No run has that many tasks; a slip of the hand must not fill the memory.
        if first > last || last > 100_000_000 {
            return Err(refuse());
        }
        tasks.extend(first..=last);
    }
    tasks.sort_unstable();
    tasks.dedup();
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_give_their_numbers_back() {
        for list in [&[][..], &[0], &[0, 1, 2], &[1, 3, 4, 9], &[7, 8]] {
            assert_eq!(numbers(&ranges(list)), list);
        }
        assert_eq!(ranges(&[1, 3, 4]), [[1, 2], [3, 5]]);
    }

    #[test]
    fn tasks_are_written_as_slurm_reads_them_and_read_back() {
        for (list, text) in [
            (&[][..], ""),
            (&[4], "4"),
            (&[0, 1, 2, 3, 7], "0-3,7"),
            (&[2, 4, 5], "2,4-5"),
        ] {
            assert_eq!(array_list(list), text);
            if !text.is_empty() {
                assert_eq!(tasks(text).unwrap(), list);
            }
        }
        assert_eq!(tasks("0..2").unwrap(), [0, 1, 2]);
        for nonsense in ["", "a", "3..1", "1-", "1..x", "999999999999"] {
            assert!(tasks(nonsense).is_err(), "{nonsense}");
        }
    }
}
