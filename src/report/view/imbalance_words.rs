//! Relations and directions of imbalance in words.

use crate::geometry::relation::Relation;
use crate::profile::imbalance::Direction;

/// A relation in words.
pub(super) fn relation_words(relation: Relation) -> &'static str {
    match relation {
        Relation::Equivalent => "equivalent",
        Relation::Independent => "independent",
        Relation::AContainsB => "a contains b",
        Relation::BContainsA => "b contains a",
        Relation::PartlyShared => "partly shared",
    }
}

/// What a layer does to the information of the one before it, in a word.
pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Expansion => "expansion",
        Direction::Neutral => "neutral",
        Direction::Contraction => "contraction",
    }
}
