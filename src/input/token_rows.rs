//! Rows that are tokens: which of them count, and which token of which prompt each one is.

/// The rows of a dump under [`Pooling::Tokens`](super::Pooling::Tokens): token after token, prompt after prompt. Those that a
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
    pub(super) fn new(widths: &[(usize, usize)], kept: Option<Vec<u32>>) -> Self {
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
}
