//! Finds an estimate of a layer, or of a control of it, by its name.

use crate::profile::id::{ControlId, IdEstimate, LayerId};

/// The estimate of a layer that is called `variant`.
pub(super) fn estimate_of<'a>(layer: &'a LayerId, variant: &str) -> Option<&'a IdEstimate> {
    layer
        .estimates
        .iter()
        .find(|estimate| estimate.variant() == variant)
}

/// The same of a control.
pub(super) fn control_estimate<'a>(
    control: &'a ControlId,
    variant: &str,
) -> Option<&'a IdEstimate> {
    let mut estimates = control.estimates.iter();
    estimates.find(|estimate| estimate.variant() == variant)
}
