//! Names options that say how arrays are read where a dump has nothing for them to read.
//!
//! A warning and no refusal: of two dumps in one call, or of many runs, another may need them.

use super::layer_info::LayerInfo;
use super::padding::Padding;
use super::pooling::Pooling;
use crate::warning::{Warning, WarningCode};

/// `--bf16-bits` where none of `n` arrays holds 16-bit integers.
pub(super) fn bf16_bits(n: usize) -> Warning {
    warning(
        n,
        "--bf16-bits has nothing to read: no array holds 16-bit integers",
    )
}

/// `--pool`, and `--mask` where it is given, where every layer is rows x columns, and no row is a
/// token.
pub(super) fn pooling(
    rule: Pooling,
    masked: bool,
    layers: &[LayerInfo],
    padding: &Padding,
) -> Option<Warning> {
    let are_tokens = |layer: &LayerInfo| {
        let said = masked || padding.words_over_rows(layer.n_rows()).is_some();
        rule == Pooling::Tokens && said
    };
    let is_read = |layer: &LayerInfo| layer.shape.len() > 2 || are_tokens(layer);
    if layers.is_empty() || layers.iter().any(is_read) {
        return None;
    }
    let typed = match masked {
        true => format!("--pool {rule} and --mask have"),
        false => format!("--pool {rule} has"),
    };
    Some(warning(
        layers.len(),
        &format!("{typed} nothing to pool: every layer is rows x columns as it stands"),
    ))
}

fn warning(count: usize, message: &str) -> Warning {
    Warning::new(WarningCode::OptionUnused, count, message)
}
