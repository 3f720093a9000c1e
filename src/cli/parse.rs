//! Reads the numbers of flags.

/// A whole number from 1 on.
pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

/// A whole number from 2 on.
pub fn at_least_two(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 2..) => Ok(number),
        _ => Err("give a whole number from 2 on".into()),
    }
}

/// A share of the rows.
pub fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("give a share of the rows in (0, 1]".into()),
    }
}

/// A number of parts between which a spread exists.
pub fn parts(text: &str) -> Result<usize, String> {
    match positive(text)? {
        1 => Err("must be at least 2".into()),
        parts => Ok(parts),
    }
}
