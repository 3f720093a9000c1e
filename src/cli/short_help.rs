//! Chooses what `-h` shows: the options that most people need; `--help` shows all.

use clap::Command;

/// Options that every command shows under `-h`, where it has them.
const EVERYWHERE: [&str; 3] = ["layers", "output", "plot"];

/// Options that a command shows beside them.
const OF_COMMANDS: [(&str, &[&str]); 20] = [
    ("inspect", &["scan", "pool", "format"]),
    (
        "id-profile",
        &[
            "estimator",
            "id_scaling",
            "control",
            "partitions",
            "pool",
            "subsample",
        ],
    ),
    ("dynamics", &["runs", "quantity", "estimator", "to", "k"]),
    (
        "correlate",
        &["table", "by", "column", "quantity", "correlation", "within"],
    ),
    (
        "probe",
        &["labels", "targets", "readout", "folds", "holdout"],
    ),
    ("events", &["quantity", "column", "smooth", "threshold"]),
    ("report", &["against", "labels", "only", "subsample"]),
    ("imbalance", &["against", "to", "k", "pool", "subsample"]),
    ("overlap", &["against", "to", "k", "labels", "subsample"]),
    (
        "similarity",
        &["against", "to", "measures", "rank", "subsample"],
    ),
    (
        "density-peaks",
        &["preset", "k", "z", "labels", "assignments"],
    ),
    ("landscape", &["preset", "k", "z", "labels", "cuts"]),
    ("clones", &["sizes", "draws", "readout", "targets"]),
    ("neighbours", &["k", "queries", "metric"]),
    ("forward", &["tokens", "dump", "positions"]),
    ("logit-lens", &["unembed", "rank", "topk"]),
    ("attribution", &["unembed", "by", "check"]),
    ("head-pattern", &["query"]),
    ("attention-modify", &["tokens", "heads", "alpha", "mode"]),
    ("ablate", &["tokens", "components", "with", "together"]),
];

/// The same command, whose `-h` fits a screen.
pub fn shortened(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let own = OF_COMMANDS.iter().find(|(one, _)| *one == name);
    let Some((_, own)) = own else {
        return command;
    };
    command.mut_args(|arg| {
        let id = arg.get_id().as_str();
        let is_shown = arg.is_positional()
            || arg.is_required_set()
            || EVERYWHERE.contains(&id)
            || own.contains(&id);
        arg.hide_short_help(!is_shown)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_option_of_the_list_is_there() {
        let program = Cli::command();
        for (name, options) in OF_COMMANDS {
            let command = program.find_subcommand(name).unwrap();
            for option in options {
                let mut arguments = command.get_arguments();
                let is_there = arguments.any(|argument| argument.get_id() == option);
                assert!(is_there, "{name} has no {option}");
            }
        }
    }
}
