//! Tells the series over layers and runs apart, and picks one out.

use std::collections::HashMap;

use super::quantity::DynamicsQuantity;
use super::shape::{DynamicsLayer, DynamicsRun, DynamicsValue, SeriesKey};
use crate::input::Series;

impl SeriesKey {
    /// The series that a value is of.
    pub(super) fn of(value: &DynamicsValue, quantity: DynamicsQuantity) -> Self {
        Self {
            quantity: value.quantity,
            variant: value.variant.clone(),
            labels: value.other.clone().filter(|_| !quantity.compares_layers()),
            width: value.scale.filter(|_| quantity.has_scales()),
        }
    }

    /// Whether a value is of this series.
    pub fn is_of(&self, value: &DynamicsValue, quantity: DynamicsQuantity) -> bool {
        let labels = || value.other.as_ref().filter(|_| !quantity.compares_layers());
        let width = || value.scale.filter(|_| quantity.has_scales());
        self.quantity == value.quantity
            && self.variant == value.variant
            && self.labels.as_ref() == labels()
            && self.width == width()
    }

    /// Whether it only says how to read another series: what chance or independent neurons give, or
    /// the same overlap less its chance. Such a series has no events and no place on the page.
    pub fn is_beside(&self) -> bool {
        self.variant.contains("chance")
            || self.variant.contains("iid")
            || self.variant == "adjusted"
    }
}

/// The series of `values`, in their order.
pub(super) fn keys<'a>(
    values: impl IntoIterator<Item = &'a DynamicsValue>,
    quantity: DynamicsQuantity,
) -> Vec<SeriesKey> {
    let mut keys: Vec<SeriesKey> = Vec::new();
    for value in values {
        if !keys.iter().any(|key| key.is_of(value, quantity)) {
            keys.push(SeriesKey::of(value, quantity));
        }
    }
    keys
}

/// Whether two values that stand side by side are of one run: those of a run stand together.
pub(super) fn of_one_run(a: &DynamicsValue, b: &DynamicsValue) -> bool {
    a.run == b.run
}

/// What the values are of.
pub(super) struct SeriesOf<'a> {
    pub(super) runs: &'a [DynamicsRun],
    pub(super) layers: &'a [DynamicsLayer],
    pub(super) quantity: DynamicsQuantity,
    pub(super) keys: &'a [SeriesKey],
}

impl SeriesOf<'_> {
    /// One series over all layers, gaps included, with its errors, of the values of one run.
    pub(super) fn over_layers(&self, values: &[DynamicsValue], key: &SeriesKey) -> Series {
        let own = values
            .iter()
            .filter(|value| key.is_of(value, self.quantity))
            .map(|value| (value.layer.as_str(), value));
        let own: HashMap<&str, &DynamicsValue> = own.collect();
        let at = |layer: &DynamicsLayer| own.get(layer.layer.as_str()).copied();
        let values = self.layers.iter().map(|layer| {
            let value = at(layer).and_then(DynamicsValue::value);
            (layer.layer.as_str(), value)
        });
        let errors = self.layers.iter().map(|layer| at(layer)?.std_error());
        Series::new(values).with_errors(errors.collect())
    }
}
