//! Checks how the names of files that flags write end.

use std::path::Path;

use repgeo::{Error, Result};

/// Which of `endings` the name of `path` has; refuses any other.
pub fn require_ending(path: &Path, endings: &[&'static str], flag: &str) -> Result<&'static str> {
    let found = path.extension().unwrap_or_default();
    let known = endings.iter().find(|ending| found == **ending).copied();
    known.ok_or_else(|| {
        let endings: Vec<String> = endings.iter().map(|ending| format!(".{ending}")).collect();
        Error::Usage(format!(
            "{flag} {} must end in {}",
            path.display(),
            endings.join(" or ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_told_or_refused_by_name() {
        let endings = ["npy", "csv"];
        let found = |path: &str| require_ending(Path::new(path), &endings, "--local");
        assert_eq!(found("a/b.csv").unwrap(), "csv");
        for other in ["a.txt", "csv", "a.csv/b"] {
            let words = found(other).unwrap_err().to_string();
            assert!(
                words.contains(&format!("--local {other} must end in .npy or .csv")),
                "{words}"
            );
        }
    }
}
