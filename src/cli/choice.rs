//! Reads a choice of the library from the command line: its names, and its words as help.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command};
use repgeo::choice::Choice;

/// A choice by its name; the name that reports use will do as well, and so will capitals
/// (`TwoNN`, `CKA`).
pub fn choice<C: Choice>() -> impl TypedValueParser<Value = C> {
    Names::new(C::ALL.iter().map(|&one| value(one)))
        .map(|name| C::named(&name).expect("clap lets these names alone through"))
}

/// A choice, or a word of the command line that stands for several or for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick<C> {
    /// One of the choices.
    One(C),
    /// The word.
    Word(&'static str),
}

/// A choice, or one of `words`, each with its help.
pub fn choice_or<C: Choice>(
    words: &'static [(&'static str, &'static str)],
) -> impl TypedValueParser<Value = Pick<C>> {
    let named = words
        .iter()
        .map(|(word, help)| PossibleValue::new(*word).help(*help));
    let all = named.chain(C::ALL.iter().map(|&one| value(one)));
    Names::new(all).map(
        move |name| match words.iter().find(|(word, _)| *word == name) {
            Some((word, _)) => Pick::Word(word),
            None => Pick::One(C::named(&name).expect("clap lets these names alone through")),
        },
    )
}

/// A name without what spellings differ in: capitals, hyphens and underscores.
pub fn folded(name: &str) -> String {
    let letters = name.chars().filter(|&c| c != '-' && c != '_');
    letters.flat_map(char::to_lowercase).collect()
}

/// Lets these names through, however they are spelt, as `--help` spells them.
#[derive(Clone)]
struct Names(Vec<PossibleValue>);

impl Names {
    fn new(names: impl IntoIterator<Item = PossibleValue>) -> Self {
        Self(names.into_iter().collect())
    }
}

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let typed = folded(&value.to_string_lossy());
        let is_it =
            |one: &&PossibleValue| one.get_name_and_aliases().any(|name| folded(name) == typed);
        match self.0.iter().find(is_it) {
            Some(one) => Ok(one.get_name().to_owned()),
            // Clap's own words for a name that is none of them.
            None => PossibleValuesParser::new(self.0.clone()).parse_ref(command, arg, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().cloned()))
    }
}

fn value<C: Choice>(one: C) -> PossibleValue {
    let value = PossibleValue::new(one.flag()).help(one.words());
    if one.name() == one.flag() {
        value
    } else {
        value.alias(one.name())
    }
}

#[cfg(test)]
mod tests {
    use repgeo::geometry::id::ESTIMATORS;
    use repgeo::profile::similarity::MEASURES;

    use super::*;

    #[test]
    fn no_two_names_differ_in_spelling_alone() {
        let estimators = ESTIMATORS.iter().map(|one| one.flag);
        let measures = MEASURES.iter().map(|one| one.flag);
        for names in [estimators.collect::<Vec<_>>(), measures.collect()] {
            let mut spelt: Vec<String> = names.iter().map(|name| folded(name)).collect();
            spelt.sort();
            spelt.dedup();
            assert_eq!(spelt.len(), names.len(), "{names:?}");
        }
        assert_eq!(folded("TwoNN"), folded("two-nn"));
        assert_eq!(folded("MLE_Censored"), "mlecensored");
    }
}
