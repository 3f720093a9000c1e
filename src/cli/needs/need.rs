//! A need of an option beside its presence, and the way out where it is not met.

use std::borrow::Cow;

use crate::cli::given::Given;

/// What an option needs, and the way out where that is not there.
pub(super) struct Need {
    pub(super) option: &'static str,
    pub(super) met: fn(&Given<'_>) -> bool,
    pub(super) way_out: WayOut,
}

/// What to do where a need is not met.
pub(super) enum WayOut {
    Words(&'static str),
    /// Names that a register knows.
    Listed(fn() -> String),
}

impl WayOut {
    pub(super) fn words(&self) -> Cow<'static, str> {
        match self {
            Self::Words(words) => Cow::Borrowed(words),
            Self::Listed(words) => Cow::Owned(words()),
        }
    }
}

pub(super) const SEED: &str = "nothing in it is random; leave it out";
pub(super) const CLASSES: &str = "labels only choose rows here; add --per-class";
pub(super) const SECOND: &str = "there is no second dump; name it with --against";

pub(super) const fn need(
    option: &'static str,
    way_out: &'static str,
    met: fn(&Given<'_>) -> bool,
) -> Need {
    Need {
        option,
        met,
        way_out: WayOut::Words(way_out),
    }
}

pub(super) const fn need_one_of(
    option: &'static str,
    way_out: fn() -> String,
    met: fn(&Given<'_>) -> bool,
) -> Need {
    Need {
        option,
        met,
        way_out: WayOut::Listed(way_out),
    }
}

// `requires` of clap is silent where what is required conflicts with something that was typed, so
// options of options stand here as well.
pub(super) const SQUARED: Need = need(
    "squared",
    "it is of the tables of --neighbours; add that, or leave it out",
    |given| given.has("neighbours"),
);
pub(super) const DEALING: Need = need(
    "partition_order",
    "it is of --partitions; add that",
    |given| given.has("partitions"),
);
