//! The rules by which Gride's headline order is chosen.

use crate::choice::choice;
use crate::geometry::known;

/// Which neighbour order Gride's headline number is read at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRule {
    /// n1 as given.
    Fixed(usize),
    /// The order that matches a density estimate with `k` neighbours, 2^trunc(log2 k).
    MatchDensity {
        /// Neighbours of the density.
        k: usize,
    },
    /// The centre of the plateau of the scaling.
    Plateau,
}

choice! {
    /// An [`OrderRule`] without its numbers.
    pub enum OrderKind {
        /// As given.
        Fixed = "fixed",
        /// The order that matches a density estimate.
        MatchDensity = "match_density",
        /// The centre of the plateau of the scaling.
        Plateau = "plateau",
    }
}

impl OrderRule {
    /// The rule without its numbers.
    pub fn kind(self) -> OrderKind {
        match self {
            Self::Fixed(_) => OrderKind::Fixed,
            Self::MatchDensity { .. } => OrderKind::MatchDensity,
            Self::Plateau => OrderKind::Plateau,
        }
    }
}

known! {
    /// An [`OrderRule`] as reports show it.
    pub(in crate::profile) struct OrderFields {
        /// Gride's headline order: a number, `match_density`, `plateau`, or `None`: whole scaling only.
        order: String,
        /// Neighbours of the density that `match_density` matches.
        density_k: Option<usize>,
    }
}

impl From<OrderRule> for OrderFields {
    fn from(rule: OrderRule) -> Self {
        let (order, density_k) = match rule {
            OrderRule::Fixed(order) => (order.to_string(), None),
            OrderRule::MatchDensity { k } => (rule.kind().name().to_owned(), Some(k)),
            OrderRule::Plateau => (rule.kind().name().to_owned(), None),
        };
        Self { order, density_k }
    }
}
