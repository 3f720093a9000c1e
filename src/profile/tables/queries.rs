//! The layers of another dump, whose nearest rows are sought layer by layer.

use crate::error::{Error, Result};
use crate::input::{Dump, LayerInfo};
use crate::profile::layers::{LayerOptions, PreparedLayer, prepare};
use crate::warning::WarningCode;

/// Another dump that stands beside the first.
pub struct Queries {
    /// Its layers, as many as the first has.
    pub dump: Dump,
    /// How they are read.
    pub options: LayerOptions,
}

impl Queries {
    /// Reads the layer that stands beside layer `at` of the first dump, which has `columns`.
    pub(super) fn read(
        &self,
        at: usize,
        beside: &LayerInfo,
        columns: usize,
    ) -> Result<(&LayerInfo, PreparedLayer)> {
        let layer = &self.dump.layers()[at];
        let mut prepared = prepare(&self.dump, layer, &self.options)?;
        // Each has an answer of its own, so few are no harm.
        prepared
            .warnings
            .retain(|warning| warning.code != WarningCode::FewRows);
        let found = prepared.matrix.n_columns();
        if found == columns {
            return Ok((layer, prepared));
        }
        Err(Error::Usage(format!(
            "--queries: {} has {found} columns, and {} of ACTS, which it is compared with, has \
             {columns}; choose layers of one width with --layers and --query-layers",
            layer.name, beside.name
        )))
    }
}
