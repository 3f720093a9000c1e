//! Reads a choice of the library from the command line: its names, and its words as help.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use repgeo::choice::Choice;

/// A choice by its name; the name that reports use will do as well.
pub fn choice<C: Choice>() -> impl TypedValueParser<Value = C> {
    PossibleValuesParser::new(C::ALL.iter().map(|&one| value(one)))
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
    PossibleValuesParser::new(all).map(move |name| {
        match words.iter().find(|(word, _)| *word == name) {
            Some((word, _)) => Pick::Word(word),
            None => Pick::One(C::named(&name).expect("clap lets these names alone through")),
        }
    })
}

fn value<C: Choice>(one: C) -> PossibleValue {
    let value = PossibleValue::new(one.flag()).help(one.words());
    if one.name() == one.flag() {
        value
    } else {
        value.alias(one.name())
    }
}
