//! Refuses an option that a call cannot use, by name: what each option needs stands here, once.
//!
//! What an option needs beside its own presence is written in its command's list; one check walks
//! the list before any work begins. Which measure or estimator reads an option is read off their
//! registers. Needs of presence alone (`requires`, `conflicts_with`) stand at the option.

mod mechanisms;
mod need;
mod one;
mod pairs;
mod runs;

use clap::{ArgMatches, Command};
use repgeo::{Error, Result};

use super::given::Given;
use need::Need;

fn needs(command: &str) -> &'static [Need] {
    match command {
        "id-profile" => one::ID_PROFILE,
        "density-peaks" | "landscape" => one::PEAKS,
        "imbalance" => pairs::IMBALANCE,
        "overlap" => pairs::OVERLAP,
        "similarity" => pairs::SIMILARITY,
        "clones" => one::CLONES,
        "dynamics" => runs::DYNAMICS,
        "probe" => runs::PROBE,
        "inspect" => one::INSPECT,
        "report" => one::REPORT,
        "neighbours" => one::TABLES,
        "forward" => mechanisms::FORWARD,
        "attribution" => mechanisms::ATTRIBUTION,
        "head-pattern" => mechanisms::HEAD_PATTERN,
        "attention-modify" => mechanisms::ATTENTION_MODIFY,
        _ => &[],
    }
}

/// What may stand beside `id-profile --explain`; an input is read by nobody and does no harm.
const WITH_EXPLAIN: [&str; 7] = [
    "explain", "input", "format", "output", "quiet", "ascii", "threads",
];

/// Refuses what was typed after a command of `program` and has no part in the call.
///
/// # Errors
/// [`Error::Usage`] naming the option and what would use it.
pub fn check(program: &Command, matches: &ArgMatches) -> Result<()> {
    let Some((name, typed)) = matches.subcommand() else {
        return Ok(());
    };
    let Some(command) = program.find_subcommand(name) else {
        return Ok(());
    };
    // A plan holds an analysis, which has needs of its own.
    if name == "plan" {
        return check(command, typed);
    }
    let given = Given(typed);
    let refuse = |option: &str, way_out: &str| {
        let flag = flag(command, option);
        Err(Error::Usage(format!(
            "{flag} has no part in this call: {way_out}"
        )))
    };
    if name == "id-profile" && given.has("explain") {
        let all = command.get_arguments().map(|arg| arg.get_id().as_str());
        let mut others = all.filter(|id| !WITH_EXPLAIN.contains(id));
        if let Some(other) = others.find(|id| given.has(id)) {
            return refuse(
                other,
                "--explain does nothing else; leave one of the two out",
            );
        }
    }
    let mut unmet = needs(name)
        .iter()
        .filter(|need| given.has(need.option) && !(need.met)(&given));
    match unmet.next() {
        Some(need) => refuse(need.option, &need.way_out.words()),
        None => Ok(()),
    }
}

/// An option as it is typed.
fn flag(command: &Command, option: &str) -> String {
    let arg = command.get_arguments().find(|arg| arg.get_id() == option);
    match arg.and_then(|arg| arg.get_long()) {
        Some(long) if long.len() > 1 => format!("--{long}"),
        Some(short) => format!("-{short}"),
        None => option.to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_need_is_of_an_option_that_is_there() {
        let program = Cli::command();
        let mut checked = 0;
        for command in program.get_subcommands() {
            for need in needs(command.get_name()) {
                let mut all = command.get_arguments();
                let known = all.any(|arg| arg.get_id() == need.option);
                assert!(known, "{} {}", command.get_name(), need.option);
                checked += 1;
            }
        }
        assert!(checked > 40);
    }

    fn refusal(line: &[&str]) -> Option<String> {
        let program = Cli::command();
        let line = [&["repgeo"], line].concat();
        let matches = program
            .clone()
            .try_get_matches_from(line)
            .expect("a good line");
        check(&program, &matches)
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn a_refusal_names_the_option_and_the_way_out() {
        let message = refusal(&["similarity", "acts", "--bandwidth", "0.5"]).expect("refused");
        assert!(message.contains("--bandwidth") && message.contains("--measure cka-rbf"));
        let message = refusal(&["similarity", "acts", "-k", "3"]).expect("refused");
        assert!(message.starts_with("-k "), "{message}");
        for used in [
            &[
                "similarity",
                "acts",
                "--bandwidth",
                "0.5",
                "--measure",
                "cka,cka-rbf",
            ][..],
            &["similarity", "acts", "-k", "3", "--measure", "all"],
            &["id-profile", "acts", "-k", "3", "--estimator", "two-nn,mle"],
            &["imbalance", "acts", "--seed", "3", "--shuffle", "2"],
            &["similarity", "acts", "--join", "rows"],
        ] {
            assert_eq!(refusal(used), None, "{used:?}");
        }
    }

    #[test]
    fn the_table_of_join_is_told_from_its_rules() {
        // Any file that is there.
        let table = "Cargo.toml";
        for (line, option) in [
            (&["similarity", "acts", "--join", table][..], "--join "),
            (
                &["similarity", "acts", "--join", "rows", "--seed", "3"],
                "--seed ",
            ),
            (
                &["similarity", "acts", "--join", "rows", "--join-column", "x"],
                "--join-column ",
            ),
        ] {
            let message = refusal(line).expect("refused");
            assert!(message.starts_with(option), "{message}");
        }
    }

    #[test]
    fn squares_are_of_tables() {
        for command in [
            "id-profile",
            "density-peaks",
            "landscape",
            "imbalance",
            "overlap",
        ] {
            let message = refusal(&[command, "acts", "--squared"]).expect("refused");
            assert!(message.starts_with("--squared "), "{message}");
            assert_eq!(refusal(&[command, "--neighbours", "x", "--squared"]), None);
        }
    }
}
