//! Takes tokens for rows: what a dump and its masks say of them.

use super::dump::Dump;
use super::entry::Entry;
use super::layer_info::LayerInfo;
use super::mask::{Mask, MaskRows};
use super::pooling::Pooling;
use super::token_rows::TokenRows;
use crate::{Error, Result};

impl Dump {
    /// The rows of this dump, if its layers were opened with tokens for rows
    /// ([`DumpOptions::pooling`](super::DumpOptions::pooling)), under `mask` or what the dump says of
    /// its tokens.
    ///
    /// # Errors
    /// [`Error::Unsupported`] or [`Error::RowMismatch`] if the mask does not fit, keeps nothing, or what
    /// the dump says may mean two things.
    pub fn token_rows(&self, mask: Option<&Mask>) -> Result<Option<TokenRows>> {
        match self.layers().first() {
            Some(layer) => self.token_rows_of(layer, mask),
            None => Ok(None),
        }
    }

    /// The same of one layer of a dump whose layers may have different rows.
    ///
    /// # Errors
    /// As [`Dump::token_rows`].
    pub fn token_rows_of(
        &self,
        layer: &LayerInfo,
        mask: Option<&Mask>,
    ) -> Result<Option<TokenRows>> {
        match self.options.pooling {
            Some(Pooling::Tokens) => self.tokens_of(layer, mask),
            _ => Ok(None),
        }
    }

    /// The same, whatever the dump was opened for; `None` where nothing says which row is which token.
    pub(super) fn tokens_of(
        &self,
        layer: &LayerInfo,
        mask: Option<&Mask>,
    ) -> Result<Option<TokenRows>> {
        let entry = &layer.parts[0];
        match entry.shape.len() {
            2 => self.flat_rows(layer, mask),
            3 => {
                let mask = match mask {
                    None if self.options.ignore_padding => None,
                    None => self.padding.mask(&layer.parts, &layer.shape)?,
                    given => given,
                };
                let widths: Vec<(usize, usize)> = layer
                    .parts
                    .iter()
                    .map(|part| (part.shape[0], part.shape[1]))
                    .collect();
                if let Some(mask) = mask {
                    mask.check_rows(entry, layer.shape[0])?;
                    let mut first = 0;
                    for (part, &(n, tokens)) in layer.parts.iter().zip(&widths) {
                        MaskRows { mask, first }.check_widths(part, n, tokens)?;
                        first += n;
                    }
                }
                let kept = mask.map(|mask| kept(entry, mask)).transpose()?;
                Ok(Some(TokenRows::new(&widths, kept)))
            }
            _ => Ok(None),
        }
    }

    /// Rows that are tokens as they are stored: `[N T, D]` beside a mask `[N, T]`.
    fn flat_rows(&self, layer: &LayerInfo, mask: Option<&Mask>) -> Result<Option<TokenRows>> {
        let entry = &layer.parts[0];
        let n = layer.shape[0];
        if let Some(mask) = mask {
            let found = mask.flags().len();
            if found != n {
                return Err(Error::RowMismatch {
                    first: entry.label(),
                    n_first: n,
                    second: format!("{}, with a value a token,", mask.label()),
                    n_second: found,
                    remedy: "give the --mask that was used for this dump, or --mask none".into(),
                });
            }
            mask.check_direction(entry)?;
            let kept = kept(entry, mask)?;
            return Ok(Some(TokenRows::new(&mask.widths(), Some(kept))));
        }
        if self.options.ignore_padding {
            return Ok(None);
        }
        let own = self.padding.flat_mask(n)?;
        own.map(|mask| {
            mask.check_direction(entry)?;
            Ok(TokenRows::new(&mask.widths(), Some(kept(entry, &mask)?)))
        })
        .transpose()
    }
}

/// The tokens that count, as rows.
fn kept(entry: &Entry, mask: &Mask) -> Result<Vec<u32>> {
    let n = mask.flags().len();
    if u32::try_from(n).is_err() {
        return Err(entry.unsupported(
            format!("{n} tokens"),
            "split it: rows are counted in 32 bits",
        ));
    }
    let flags = (0u32..).zip(mask.flags());
    let kept: Vec<u32> = flags
        .filter(|(_, kept)| **kept)
        .map(|(row, _)| row)
        .collect();
    match kept.is_empty() {
        false => Ok(kept),
        true => Err(entry.unsupported(
            format!("no token left under {}", mask.label()),
            "fix the mask, or leave it out with --mask none",
        )),
    }
}
