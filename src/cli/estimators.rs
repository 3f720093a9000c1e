//! Help that depends on which estimators there are, read off the register.

use repgeo::geometry::id::{ESTIMATORS, Estimator};

/// Help of `-k`.
pub fn k_help() -> String {
    let names = listed(&names(takes_k), "and");
    format!("Neighbours of {names} [default: each its own]")
}

/// The estimators that `-k` is for: `a, b or c`.
pub fn k_names() -> String {
    listed(&names(takes_k), "or")
}

/// Whether the user says how many neighbours it looks at.
pub fn takes_k(one: &Estimator) -> bool {
    one.neighbours().is_some_and(|reads| !reads.chooses_k)
}

/// Help of `--local`.
pub fn local_help() -> String {
    let names = listed(&local_names(), "or");
    format!(
        "Write the dimension at every input row by the one local estimator asked for ({names}) to \
         an .npy file (f64, NaN where a row has none), or to a .csv with the number of each row and, \
         under --pool tokens, its prompt and token"
    )
}

/// Estimators with a dimension for every row.
pub fn local_names() -> Vec<&'static str> {
    names(Estimator::is_local)
}

fn names(wanted: impl Fn(&Estimator) -> bool) -> Vec<&'static str> {
    let wanted = ESTIMATORS.iter().filter(|one| wanted(one));
    wanted.map(|one| one.flag).collect()
}

/// `a, b and c`.
pub fn listed(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
