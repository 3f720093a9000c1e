//! Says which orders of the rows a p-value is a share of.

use crate::geometry::permutation::PValue;
use crate::report::page::{Phrase, count, phrase};

/// All orders, or how many draws and what error that leaves.
pub(super) fn orders_of(p: PValue) -> Phrase {
    match p.p_std_error {
        None => phrase!["p of all ", count(p.n_orders), " orders of the rows"],
        Some(_) => phrase![
            "p of ",
            count(p.n_orders - 1),
            " drawn orders of the rows and the one found, ± √(p(1 − p)/",
            count(p.n_orders),
            ")"
        ],
    }
}
