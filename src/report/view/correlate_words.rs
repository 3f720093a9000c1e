//! Numbers of a correlation in words.

use crate::profile::correlate::NumberKey;
use crate::report::page::{Phrase, count, name, phrase};

/// A number in a few words, without its layer.
pub(super) fn words(key: &NumberKey) -> Phrase {
    let variant = (!key.variant.is_empty()).then(|| phrase![" ", name(&key.variant)]);
    let scale = key.scale.map(|scale| phrase![" scale ", count(scale)]);
    let other = (!key.other.is_empty()).then(|| phrase![" with ", name(&key.other)]);
    let run = (!key.run.is_empty()).then(|| phrase![" of ", name(&key.run)]);
    phrase![name(&key.quantity), variant, scale, other, run]
}
