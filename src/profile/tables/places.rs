//! Says of rows that are tokens which token of which prompt they are, beside their table.

use crate::input::TokenRows;
use crate::neighbours::NeighbourTable;

/// Arrays beside a table: their names and shapes, and the numbers.
type Arrays = Vec<(&'static str, Vec<usize>, Vec<i64>)>;

/// `row` of the input, `prompt` and `token` of each row of a table; nothing where rows are no tokens.
pub(super) fn of_rows(tokens: Option<&TokenRows>, rows: &[u32]) -> Arrays {
    let Some(tokens) = tokens else {
        return Vec::new();
    };
    let shape = vec![rows.len()];
    let own = rows.iter().map(|&row| i64::from(row)).collect();
    let [prompts, places] = of_each(tokens, rows.iter().copied());
    vec![
        ("row", shape.clone(), own),
        ("prompt", shape.clone(), prompts),
        ("token", shape, places),
    ]
}

/// `query_prompt` and `query_token` of each query, `nearest_prompt` and `nearest_token` of each of its
/// nearest rows, each where the rows of its side are tokens.
pub(super) fn of_queries_and_rows(
    [of_queries, of_rows]: [Option<&TokenRows>; 2],
    [queries, rows]: [&[u32]; 2],
    table: &NeighbourTable,
) -> Arrays {
    let mut arrays = Arrays::new();
    if let Some(tokens) = of_queries {
        let [prompts, places] = of_each(tokens, queries.iter().copied());
        arrays.push(("query_prompt", vec![queries.len()], prompts));
        arrays.push(("query_token", vec![queries.len()], places));
    }
    if let Some(tokens) = of_rows {
        let (m, k) = table.indices.dim();
        let nearest = table.indices.iter().map(|&at| rows[at as usize]);
        let [prompts, places] = of_each(tokens, nearest);
        arrays.push(("nearest_prompt", vec![m, k], prompts));
        arrays.push(("nearest_token", vec![m, k], places));
    }
    arrays
}

fn of_each(tokens: &TokenRows, rows: impl Iterator<Item = u32>) -> [Vec<i64>; 2] {
    let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    let places = rows.map(|row| tokens.place(row as usize));
    let (prompts, tokens) = places
        .map(|(prompt, token)| (number(prompt), number(token)))
        .unzip();
    [prompts, tokens]
}
