//! Tells whoever typed a word of other programs, or a name in the wrong place, what it is called here.

use std::path::Path;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use repgeo::geometry::id::ESTIMATORS;
use repgeo::profile::similarity::MEASURES;

use super::choice::folded;
use super::examples;

/// Options that other programs have, and what does it here.
const ELSEWHERE: [(&str, &str); 5] = [
    ("--json", "--format json"),
    ("--csv", "--format csv"),
    ("--table", "--format table"),
    ("--markdown", "--format markdown"),
    ("--verbose", "--progress lines"),
];

/// The error, with what was meant, if it is known.
pub fn of(error: Error) -> Error {
    match error.kind() {
        ErrorKind::UnknownArgument => of_option(error),
        ErrorKind::InvalidSubcommand => of_command(error),
        _ => error,
    }
}

/// An option of other programs.
fn of_option(error: Error) -> Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let known = ELSEWHERE.iter().find(|(option, _)| option == typed);
    match known {
        Some((_, here)) => with_tip(error, format!("the option is called {here} here")),
        None => error,
    }
}

/// An estimator, a measure or a dump where a command belongs.
fn of_command(error: Error) -> Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let is_it = |names: [&str; 2]| names.into_iter().any(|name| folded(name) == folded(typed));
    let estimator = ESTIMATORS.iter().find(|one| is_it([one.flag, one.name]));
    let measure = MEASURES.iter().find(|one| is_it([one.flag, one.name]));
    let tip = if let Some(one) = estimator {
        format!(
            "an estimator is asked for by repgeo id-profile ACTS --estimator {}",
            one.flag
        )
    } else if let Some(one) = measure {
        format!(
            "a measure is asked for by repgeo similarity ACTS --measure {}",
            one.flag
        )
    } else if is_path(typed) {
        format!("name a command before it, e.g. repgeo id-profile {typed}")
    } else {
        return error;
    };
    with_tip(error, tip)
}

/// A call that works, for whoever left out what a command needs, and what goes before it.
pub fn example(error: &Error) -> Option<String> {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return None;
    }
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return None;
    };
    let line = examples::of_usage(&usage.to_string())?;
    let is_dump = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::Strings(left)) if left.iter().any(|one| one.starts_with("<ACTS>"))
    );
    let acts = match is_dump {
        true => ", where acts/ is a folder of activations, or a file of them",
        false => "",
    };
    Some(format!("\nFor example{acts}:\n  {line}\n"))
}

/// Whether `typed` reads as a path, there or not.
fn is_path(typed: &str) -> bool {
    let path = Path::new(typed);
    path.exists() || path.components().count() > 1 || path.extension().is_some()
}

/// The error with `tip` in place of clap's own guess, which would lead astray.
fn with_tip(mut error: Error, tip: String) -> Error {
    let tip = ContextValue::StyledStrs(vec![tip.into()]);
    error.insert(ContextKind::Suggested, tip);
    for guess in [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::TrailingArg,
        ContextKind::Usage,
    ] {
        error.remove(guess);
    }
    error
}
