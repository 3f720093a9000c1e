//! Tells whoever typed an option of other programs what it is called here.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options that other programs have, and what does it here.
const ELSEWHERE: [(&str, &str); 3] = [
    ("--json", "--format json"),
    ("--csv", "--format csv"),
    ("--table", "--format table"),
];

/// The error, with what the option that was not found is called here, if it is known.
pub fn of(mut error: Error) -> Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let known = ELSEWHERE.iter().find(|(option, _)| option == typed);
    if let Some((_, here)) = known {
        let tip = format!("the option is called {here} here");
        let tip = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tip);
        // Clap's own guess, and the usage with it, would lead astray.
        for guess in [
            ContextKind::SuggestedArg,
            ContextKind::TrailingArg,
            ContextKind::Usage,
        ] {
            error.insert(guess, ContextValue::None);
        }
    }
    error
}
