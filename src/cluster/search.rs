//! One search of a plan: of which layer by content, for what, in which blocks.

use serde::{Deserialize, Serialize};

use crate::profile::Sought;

/// What is sought in a layer, ranks included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PlannedSought {
    /// The k nearest rows.
    Table(usize),
    /// Distances at these orders.
    Orders(Vec<usize>),
    /// The count of ranks at this place of the analysis: its targets a row, and their groups.
    Ranks {
        /// Its place among the counts of its work.
        count: usize,
        /// Targets of each row.
        targets: usize,
        /// Groups of targets.
        groups: usize,
    },
}

impl From<Sought> for PlannedSought {
    fn from(sought: Sought) -> Self {
        match sought {
            Sought::Table(k) => Self::Table(k),
            Sought::Orders(orders) => Self::Orders(orders),
        }
    }
}

/// Consecutive rows of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The first.
    pub start: usize,
    /// One beyond the last.
    pub end: usize,
    /// Fingerprint of their values.
    pub content: String,
}

/// A search of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSearch {
    /// Which of the analysis's dumps or pairs of dumps.
    pub work: usize,
    /// Whether the layer is one of the second dump.
    pub right: bool,
    /// Its position among the layers of its dump.
    pub at: usize,
    /// Its name.
    pub layer: String,
    /// Rows that take part.
    pub n: usize,
    /// Columns.
    pub columns: usize,
    /// Bytes of a value.
    pub width: usize,
    /// Input rows that take part, as ranges; all if `None`.
    pub rows: Option<Vec<[u32; 2]>>,
    /// Fingerprint of the rows that take part.
    pub content: String,
    /// What is sought.
    pub sought: PlannedSought,
    /// How the rows are cut.
    pub blocks: Vec<Block>,
}

impl PlannedSearch {
    /// Whether ranks are counted, which needs tables.
    pub fn is_ranks(&self) -> bool {
        matches!(self.sought, PlannedSought::Ranks { .. })
    }
}
