//! Reads the numbers of flags.

/// A whole number from 1 on.
pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

/// The most that any count of repetitions may be: far more than anything needs, and little memory.
pub const MOST: usize = 1_000_000;

/// The most neighbours or rows that may be asked for: rows are counted in 32 bits. Fewer are taken
/// where there are fewer.
pub const MOST_ROWS: usize = u32::MAX as usize;

/// A whole number from 1 to `most`.
pub fn count(most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    between(1, most)
}

/// A whole number from `least` to `most`.
pub fn between(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "must be a whole number, at least {least} and at most {most}"
        )),
    }
}

/// Threads that are started at most: results do not depend on them, and thousands take longer to
/// start than they could ever save.
pub fn threads(text: &str) -> Result<usize, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    count((8 * cores).max(64))(text)
}

/// A share of a whole.
pub fn part(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("give a share in (0, 1]: 0.99 for 99 %".into()),
    }
}

/// A share of the rows.
pub fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("give a share of the rows in (0, 1]".into()),
    }
}
