//! Measures how much of a neighbourhood shares the row's class.

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::Serialize;

use crate::geometry::Reason;

/// The overlap of neighbourhoods with one set of labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabelOverlap {
    /// Mean over rows.
    pub micro: f64,
    /// Mean over classes of the mean over their rows.
    #[serde(rename = "macro")]
    pub macro_: f64,
    /// What `micro` is on average if labels are dealt at random.
    pub chance_micro: f64,
    /// What `macro` is on average then.
    pub chance_macro: f64,
    /// Rows that were asked: those with a label.
    pub n: usize,
    /// Rows without a label: not asked, but possible neighbours.
    pub n_missing: usize,
    /// Rows with a label but without a second one, or with too few neighbours of another second
    /// label, and so not asked either; absent where no second label leaves neighbours out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_not_asked: Option<usize>,
    /// Classes of a single row, whose overlap is 0 by necessity.
    pub singletons: usize,
    /// One entry a class, in order of first appearance.
    pub classes: Vec<ClassOverlap>,
    /// o_i of every row, `None` without a label.
    #[serde(skip)]
    pub rows: Vec<Option<f64>>,
}

/// The rows of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClassOverlap {
    /// The class.
    pub class: String,
    /// Its number of rows that were asked, n_c where all are.
    pub n: usize,
    /// Mean of o_i over them.
    pub overlap: f64,
    /// (n_c − 1)/(N − 1), or what [`label_overlap_apart`](super::label_overlap_apart) says.
    pub chance: f64,
    /// Neighbours looked at.
    pub k: usize,
}

/// Label overlap of a table whose rows hold the nearest first,
///
/// ```text
/// o_i = #{ j among the first k_i neighbours : y_j = y_i } / k_i
/// ```
///
/// with k_i = k, or with a class fraction f, k_i = max(1, ⌊f·n_c⌋) for a row of a class of n_c rows.
/// `codes` hold the class of each row as an index into `classes`. Sources: arXiv 2302.00294,
/// 2007.03506 (micro); 2409.03662 (macro, f = 0.3).
///
/// # Errors
/// [`Reason::SingleClass`] with fewer than two classes; [`Reason::TooFewNeighbours`] if some k_i is
/// beyond the table.
///
/// # Panics
/// If there is not one code for each row of the table.
pub fn label_overlap(
    neighbours: ArrayView2<u32>,
    codes: &[Option<u32>],
    classes: &[String],
    depth: Depth,
) -> Result<LabelOverlap, Reason> {
    let (n, stored) = neighbours.dim();
    assert_eq!(n, codes.len(), "one label a row");
    let sizes = sizes_of(codes, classes.len());
    if sizes.iter().filter(|&&size| size > 0).count() < 2 {
        return Err(Reason::SingleClass);
    }
    let k_of = |class: usize| depth.k(sizes[class]);
    if (0..sizes.len()).any(|class| sizes[class] > 0 && k_of(class) > stored) {
        return Err(Reason::TooFewNeighbours);
    }
    let rows: Vec<Option<f64>> = codes
        .par_iter()
        .enumerate()
        .map(|(row, &code)| {
            let own = code?;
            let k = k_of(own as usize);
            let same = neighbours
                .row(row)
                .iter()
                .take(k)
                .filter(|&&j| codes[j as usize] == Some(own))
                .count();
            Some(same as f64 / k as f64)
        })
        .collect();

    let others = (n - 1) as f64;
    let chance = |class: usize| (sizes[class] - 1) as f64 / others;
    Ok(averages(codes, classes, rows, k_of, chance))
}

/// How many rows have each of `count` codes.
pub(super) fn sizes_of(codes: &[Option<u32>], count: usize) -> Vec<usize> {
    let mut sizes = vec![0usize; count];
    for &code in codes.iter().flatten() {
        sizes[code as usize] += 1;
    }
    sizes
}

/// Both averages of `rows`, the overlap of every row that was asked.
pub(super) fn averages(
    codes: &[Option<u32>],
    classes: &[String],
    rows: Vec<Option<f64>>,
    k_of: impl Fn(usize) -> usize,
    chance_of: impl Fn(usize) -> f64,
) -> LabelOverlap {
    let mut sums = vec![0.0; classes.len()];
    let mut sizes = vec![0usize; classes.len()];
    for (code, overlap) in codes.iter().zip(&rows) {
        if let (Some(code), Some(overlap)) = (code, overlap) {
            sums[*code as usize] += overlap;
            sizes[*code as usize] += 1;
        }
    }
    let per_class: Vec<ClassOverlap> = (0..classes.len())
        .filter(|&class| sizes[class] > 0)
        .map(|class| ClassOverlap {
            class: classes[class].clone(),
            n: sizes[class],
            overlap: sums[class] / sizes[class] as f64,
            chance: chance_of(class),
            k: k_of(class),
        })
        .collect();
    let asked: usize = sizes.iter().sum();
    let count = per_class.len() as f64;
    LabelOverlap {
        micro: sums.iter().sum::<f64>() / asked as f64,
        macro_: per_class.iter().map(|class| class.overlap).sum::<f64>() / count,
        chance_micro: per_class
            .iter()
            .map(|class| class.n as f64 * class.chance)
            .sum::<f64>()
            / asked as f64,
        chance_macro: per_class.iter().map(|class| class.chance).sum::<f64>() / count,
        n: asked,
        n_missing: codes.len() - asked,
        n_not_asked: None,
        singletons: sizes.iter().filter(|&&size| size == 1).count(),
        classes: per_class,
        rows,
    }
}

/// How many neighbours a row is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Depth {
    /// The same for every row.
    Neighbours(usize),
    /// This share of the rows of its class, at least one.
    ClassFraction(f64),
}

impl Depth {
    /// k_i of a row whose class has `size` rows.
    pub fn k(self, size: usize) -> usize {
        match self {
            Self::Neighbours(k) => k,
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Self::ClassFraction(share) => ((share * size as f64) as usize).max(1),
        }
    }
}

/// Class-histogram overlap of two tables,
///
/// ```text
/// (1/(N·k)) Σ_i Σ_c min(h_c^A(i), h_c^B(i))      h_c(i) = neighbours of class c among the first k
/// ```
///
/// 1 where both neighbourhoods have the same composition, whichever rows they hold. Neighbours
/// without a label match nothing. Source: code of arXiv 2007.03506.
///
/// # Panics
/// If a table has fewer than `k` columns, or there is not one code for each row.
pub fn class_histogram_overlap(
    a: ArrayView2<u32>,
    b: ArrayView2<u32>,
    codes: &[Option<u32>],
    k: usize,
) -> f64 {
    assert!(k <= a.ncols() && k <= b.ncols(), "tables hold k neighbours");
    assert_eq!(a.nrows(), codes.len(), "one label a row");
    let classes = codes
        .iter()
        .flatten()
        .max()
        .map_or(0, |&most| most as usize + 1);
    let matches: usize = (0..a.nrows())
        .into_par_iter()
        .map_init(
            || [vec![0usize; classes], vec![0usize; classes]],
            |histograms, row| {
                for (histogram, table) in histograms.iter_mut().zip([a, b]) {
                    histogram.fill(0);
                    for &j in table.row(row).iter().take(k) {
                        if let Some(code) = codes[j as usize] {
                            histogram[code as usize] += 1;
                        }
                    }
                }
                let [first, second] = &*histograms;
                first
                    .iter()
                    .zip(second)
                    .map(|(x, y)| x.min(y))
                    .sum::<usize>()
            },
        )
        .sum();
    matches as f64 / (a.nrows() * k) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| class.to_string()).collect()
    }

    #[test]
    fn balanced_classes_have_one_average_and_rows_as_labels_have_none() {
        let table = array![[1u32, 2], [0, 3], [3, 0], [2, 1]];
        let codes = [Some(0), Some(0), Some(1), Some(1)];
        let found = label_overlap(table.view(), &codes, &names(2), Depth::Neighbours(1)).unwrap();
        assert_eq!((found.micro, found.macro_), (1.0, 1.0));
        assert_eq!(found.chance_micro, 1.0 / 3.0);
        let two = label_overlap(table.view(), &codes, &names(2), Depth::Neighbours(2)).unwrap();
        assert_eq!((two.micro, two.macro_), (0.5, 0.5));
        let alone: Vec<Option<u32>> = (0..4).map(Some).collect();
        let found = label_overlap(table.view(), &alone, &names(4), Depth::Neighbours(2)).unwrap();
        assert_eq!((found.micro, found.singletons), (0.0, 4));
    }

    #[test]
    fn a_row_without_a_label_is_a_neighbour_but_asks_nothing() {
        let table = array![[1u32], [2], [1], [0]];
        let codes = [Some(0), None, Some(1), Some(0)];
        let found = label_overlap(table.view(), &codes, &names(2), Depth::Neighbours(1)).unwrap();
        assert_eq!((found.n, found.n_missing), (3, 1));
        assert_eq!(found.rows, [Some(0.0), None, Some(0.0), Some(1.0)]);
        assert_eq!(found.micro, 1.0 / 3.0);
        assert_eq!(found.macro_, 0.25);
    }

    #[test]
    fn what_cannot_be_asked_has_a_reason() {
        let table = array![[1u32], [0]];
        let same = [Some(0), Some(0)];
        let found = label_overlap(table.view(), &same, &names(1), Depth::Neighbours(1));
        assert_eq!(found, Err(Reason::SingleClass));
        let two = [Some(0), Some(1)];
        let found = label_overlap(table.view(), &two, &names(2), Depth::Neighbours(2));
        assert_eq!(found, Err(Reason::TooFewNeighbours));
        assert_eq!(Depth::ClassFraction(0.3).k(2), 1);
        assert_eq!(Depth::ClassFraction(0.3).k(10), 3);
    }

    #[test]
    fn histograms_compare_composition_not_identity() {
        let a = array![[1u32, 2], [2, 3], [3, 0], [0, 1]];
        let b = array![[3u32, 2], [2, 0], [1, 0], [0, 2]];
        let codes = [Some(0), Some(1), Some(0), Some(1)];
        // Rows 0 and 2 see the same classes through other rows; 1 and 3 share one neighbour's.
        assert_eq!(
            class_histogram_overlap(a.view(), b.view(), &codes, 2),
            6.0 / 8.0
        );
    }
}
