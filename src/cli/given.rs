//! Answers what was typed after a command, and what follows from it.

use clap::ArgMatches;
use clap::parser::ValueSource;

use repgeo::choice::Choice;

use super::choice::folded;

/// What was typed after a command.
pub struct Given<'a>(pub &'a ArgMatches);

impl Given<'_> {
    /// Whether the user typed the option.
    pub fn has(&self, option: &str) -> bool {
        self.0.value_source(option) == Some(ValueSource::CommandLine)
    }

    /// Whether one of `names` is among the values of the option, its default included.
    pub fn any(&self, option: &str, names: &[&str]) -> bool {
        self.values(option)
            .any(|value| names.iter().any(|name| folded(name) == value))
    }

    /// Whether a value beside `names` is among those of the option.
    pub fn beside(&self, option: &str, names: &[&str]) -> bool {
        self.values(option)
            .any(|value| names.iter().all(|name| folded(name) != value))
    }

    /// Whether a value of the option, its default included, is one that `is_it` knows.
    pub fn some(&self, option: &str, is_it: impl Fn(&str) -> bool) -> bool {
        self.values(option).any(|value| is_it(&value))
    }

    /// The choices among the values of the option, its default included; all where `all` is one.
    pub fn asked<C: Choice>(&self, option: &str) -> Vec<C> {
        let values: Vec<String> = self.values(option).collect();
        let is_named = |name: &str| values.contains(&folded(name));
        let wanted = |one: &C| is_named("all") || is_named(one.flag()) || is_named(one.name());
        C::ALL.iter().copied().filter(wanted).collect()
    }

    /// The values of the option, its default included, each [`folded`].
    fn values(&self, option: &str) -> impl Iterator<Item = String> {
        let values = self.0.get_raw(option).into_iter().flatten();
        values.map(|value| folded(&value.to_string_lossy()))
    }

    /// Whether a number above 0 was typed.
    pub fn counts(&self, option: &str) -> bool {
        self.has(option) && !self.any(option, &["0"])
    }

    /// Whether rows are drawn at random.
    pub fn draws_rows(&self) -> bool {
        self.has("subsample") || self.has("per_class")
    }

    /// Whether rows are dealt into parts at random.
    pub fn deals_rows(&self) -> bool {
        self.has("partitions") && !self.any("partition_order", &["given"])
    }

    /// Whether there is a second dump.
    pub fn is_between_two(&self) -> bool {
        self.has("other") || self.has("against")
    }
}
