//! Takes tokens for rows: which of them count, and which token of which prompt each row is.

use super::dump::{Dump, LayerInfo};
use super::entry::Entry;
use super::labels::Labels;
use super::mask::{Mask, MaskRows};
use super::pooling::Pooling;
use crate::{Error, Result};

/// The rows of a dump under [`Pooling::Tokens`]: token after token, prompt after prompt. Those that a
/// mask leaves out keep their numbers and take no part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRows {
    /// Neighbouring prompts of as many tokens.
    spans: Vec<Span>,
    n_prompts: usize,
    n_rows: usize,
    kept: Option<Vec<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    first_row: usize,
    first_prompt: usize,
    tokens: usize,
}

impl TokenRows {
    fn new(widths: &[(usize, usize)], kept: Option<Vec<u32>>) -> Self {
        let (mut n_rows, mut n_prompts) = (0, 0);
        let mut spans = Vec::new();
        for &(prompts, tokens) in widths {
            spans.push(Span {
                first_row: n_rows,
                first_prompt: n_prompts,
                tokens,
            });
            n_rows += prompts * tokens;
            n_prompts += prompts;
        }
        Self {
            spans,
            n_prompts,
            n_rows,
            kept,
        }
    }

    /// Number of prompts: rows of the stored arrays.
    pub fn n_prompts(&self) -> usize {
        self.n_prompts
    }

    /// Number of tokens, those of the padding included.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The rows that count, ascending; `None` for all.
    pub fn kept(&self) -> Option<&[u32]> {
        self.kept.as_deref()
    }

    /// The prompt and the token of a row, both from 0.
    ///
    /// # Panics
    /// If the row is not below [`TokenRows::n_rows`].
    pub fn place(&self, row: usize) -> (usize, usize) {
        assert!(row < self.n_rows, "row index beyond the tokens");
        let after = self.spans.partition_point(|span| span.first_row <= row);
        let span = self.spans[after - 1];
        let inside = row - span.first_row;
        (
            span.first_prompt + inside / span.tokens,
            inside % span.tokens,
        )
    }

    /// A label for each row, from one a row, one a row that counts, or one a prompt.
    pub(crate) fn labels(&self, mut labels: Labels) -> Labels {
        let given = labels.codes.len();
        let codes = match self.kept() {
            _ if given == self.n_rows => return labels,
            Some(kept) if given == kept.len() => {
                let mut codes = vec![None; self.n_rows];
                for (code, &row) in labels.codes.iter().zip(kept) {
                    codes[row as usize] = *code;
                }
                codes
            }
            _ if given == self.n_prompts => (0..self.n_rows)
                .map(|row| labels.codes[self.place(row).0])
                .collect(),
            _ => return labels,
        };
        labels.codes = codes;
        labels
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_token_of_a_prompt() {
        let rows = TokenRows::new(&[(2, 3), (1, 2)], Some(vec![0, 1, 4, 6, 7]));
        assert_eq!((rows.n_rows(), rows.n_prompts()), (8, 3));
        let places: Vec<(usize, usize)> = (0..8).map(|row| rows.place(row)).collect();
        let wanted = [
            (0, 0),
            (0, 1),
            (0, 2),
            (1, 0),
            (1, 1),
            (1, 2),
            (2, 0),
            (2, 1),
        ];
        assert_eq!(places, wanted);
    }

    #[test]
    fn labels_of_prompts_and_of_kept_tokens_find_their_rows() {
        let rows = TokenRows::new(&[(2, 2)], Some(vec![0, 2, 3]));
        let of = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned());
            rows.labels(Labels::from_values("x", words)).codes
        };
        assert_eq!(of(&["a", "b"]), [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(of(&["a", "b", "c"]), [Some(0), None, Some(1), Some(2)]);
        assert_eq!(of(&["a", "b", "c", "d"]), [0, 1, 2, 3].map(Some));
        assert_eq!(of(&["a"; 7]).len(), 7);
    }
}
