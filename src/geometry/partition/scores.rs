//! Scores of clusters against classes.

use serde::Serialize;

use super::Contingency;
use super::chance::expected_mutual_information;

/// What is below this in an adjusted mutual information is rounding.
const ZERO: f64 = 1e-14;

/// How well clusters match classes.
///
/// With n_ab rows in cluster a and class b, margins a_i and b_j, N rows in all:
///
/// | score | formula |
/// |---|---|
/// | `ari` | (Σ C(n_ab,2) − E) / (½ [Σ C(a,2) + Σ C(b,2)] − E), E = Σ C(a,2) Σ C(b,2) / C(N,2) |
/// | `mi` | Σ (n_ab/N) ln(N n_ab / (a b)) |
/// | `nmi` | MI / mean(H_a, H_b) |
/// | `homogeneity`, `completeness` | MI / H_classes, MI / H_clusters; 1 where that entropy is 0 |
/// | `v_measure` | 2 h c / (h + c), which is `nmi` |
/// | `ami` | (MI − E(MI)) / (mean(H_a, H_b) − E(MI)) |
/// | `majority_fraction` | Σ_a max_b n_ab / N |
/// | `label_entropy` | Σ_a (a/N) H(class given a) |
///
/// Where a denominator is 0, two groupings that coincide score 1 and others 0.
/// Hubert and Arabie (1985); Rosenberg and Hirschberg (2007); Vinh, Epps and Bailey (2010).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scores {
    /// Adjusted Rand index.
    pub ari: f64,
    /// Adjusted mutual information.
    pub ami: f64,
    /// Normalised mutual information, arithmetic mean.
    pub nmi: f64,
    /// Mutual information, in nats.
    pub mi: f64,
    /// Whether a cluster holds one class.
    pub homogeneity: f64,
    /// Whether a class lies in one cluster.
    pub completeness: f64,
    /// Harmonic mean of the last two.
    pub v_measure: f64,
    /// Share of rows in the most frequent class of their cluster.
    pub majority_fraction: f64,
    /// Mean entropy of the classes within a cluster, in nats.
    pub label_entropy: f64,
}

impl Scores {
    /// The scores of these counts.
    pub fn of(counts: &Contingency) -> Self {
        let n = counts.n as f64;
        let coincide = counts.cells.len() == counts.clusters.len()
            && counts.cells.len() == counts.classes.len();
        let entropy = |margin: &dyn Fn() -> Vec<u64>| -> f64 {
            let shares = margin().into_iter().map(|count| count as f64 / n);
            (-shares.map(|p| p * libm::log(p)).sum::<f64>()).max(0.0)
        };
        let clusters = entropy(&|| counts.clusters.values().copied().collect());
        let classes = entropy(&|| counts.classes.values().copied().collect());
        let mi = mutual_information(counts);
        // The information is at most each entropy, whatever rounding makes of the sums.
        let share = |of: f64| if of > 0.0 { (mi / of).min(1.0) } else { 1.0 };
        let (homogeneity, completeness) = (share(classes), share(clusters));
        let mean = (clusters + classes) / 2.0;
        // Margins of one group share nothing with anything; two such margins coincide.
        let nmi = share(mean);
        let both = homogeneity + completeness;
        let mixes = counts.mixes();
        let majority: u64 = mixes.iter().map(|mix| mix.classes[0].1).sum();
        let inside = mixes.iter().map(|mix| mix.n as f64 / n * mix.entropy);
        Self {
            ari: adjusted_rand(counts, coincide),
            ami: if coincide {
                1.0
            } else {
                adjusted_mutual_information(counts, mi, mean)
            },
            nmi,
            mi,
            homogeneity,
            completeness,
            v_measure: if both > 0.0 {
                2.0 * homogeneity * completeness / both
            } else {
                0.0
            },
            majority_fraction: majority as f64 / n,
            label_entropy: inside.sum(),
        }
    }
}

fn mutual_information(counts: &Contingency) -> f64 {
    let n = counts.n as f64;
    let terms = counts.cells.iter().map(|&((cluster, class), count)| {
        let (a, b) = (
            counts.clusters[&cluster] as f64,
            counts.classes[&class] as f64,
        );
        let shared = count as f64;
        shared / n * libm::log(n * shared / (a * b))
    });
    terms.sum::<f64>().max(0.0)
}

fn adjusted_mutual_information(counts: &Contingency, mi: f64, mean_entropy: f64) -> f64 {
    let expected = expected_mutual_information(counts);
    let possible = mean_entropy - expected;
    if possible.abs() < ZERO {
        return 0.0;
    }
    let adjusted = (mi - expected) / possible;
    if adjusted.abs() < ZERO { 0.0 } else { adjusted }
}

/// The adjusted Rand index, from whole numbers until the last division.
fn adjusted_rand(counts: &Contingency, coincide: bool) -> f64 {
    let pairs = |count: u64| i128::from(count) * (i128::from(count) - 1) / 2;
    let together: i128 = counts.cells.iter().map(|&(_, count)| pairs(count)).sum();
    let clusters: i128 = counts.clusters.values().map(|&count| pairs(count)).sum();
    let classes: i128 = counts.classes.values().map(|&count| pairs(count)).sum();
    let all = pairs(counts.n);
    // Both sides of the fraction times 2 C(N,2); rows are counted in 32 bits, so nothing overflows.
    let above = 2 * (together * all - clusters * classes);
    let below = (clusters + classes) * all - 2 * clusters * classes;
    match (below, coincide) {
        (0, true) => 1.0,
        (0, false) => 0.0,
        _ => above as f64 / below as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(clusters: &[usize], classes: &[usize]) -> Scores {
        let some =
            |groups: &[usize]| -> Vec<Option<usize>> { groups.iter().copied().map(Some).collect() };
        Scores::of(&Contingency::new(&some(clusters), &some(classes)).unwrap())
    }

    fn five(found: Scores) -> [f64; 5] {
        assert!((found.nmi - found.v_measure).abs() < 1e-15);
        [
            found.ari,
            found.ami,
            found.nmi,
            found.homogeneity,
            found.completeness,
        ]
    }

    #[track_caller]
    fn assert_near(found: [f64; 5], expected: [f64; 5]) {
        let near = |(x, y): (f64, f64)| (x - y).abs() < 1e-14;
        assert!(found.into_iter().zip(expected).all(near), "{found:?}");
    }

    #[test]
    fn trivial_groupings_have_the_scores_one_expects() {
        let classes = [0, 0, 1, 1];
        assert_near(five(scores(&[7; 4], &classes)), [0.0, 0.0, 0.0, 0.0, 1.0]);
        let alone = scores(&[0, 1, 2, 3], &classes);
        assert_near(five(alone), [0.0, 0.0, 2.0 / 3.0, 1.0, 0.5]);
        assert_near(five(scores(&[5, 5, 2, 2], &classes)), [1.0; 5]);
        assert_near(five(scores(&[1; 4], &[0; 4])), [1.0; 5]);
        assert_near(five(scores(&[3, 1, 0, 2], &[0, 1, 2, 3])), [1.0; 5]);
        assert_near(five(scores(&[0], &[0])), [1.0; 5]);
    }

    #[test]
    fn what_a_cluster_holds_is_counted() {
        let found = scores(&[0, 0, 0, 1, 1], &[4, 4, 2, 2, 2]);
        assert!((found.majority_fraction - 0.8).abs() < 1e-15);
        let inside = -(2.0 / 3.0f64 * (2.0 / 3.0f64).ln() + 1.0 / 3.0f64 * (1.0 / 3.0f64).ln());
        assert!((found.label_entropy - 0.6 * inside).abs() < 1e-15);
        // H(class) = H(class given cluster) + I(class, cluster).
        let classes = -(0.4 * 0.4f64.ln() + 0.6 * 0.6f64.ln());
        assert!((found.mi + found.label_entropy - classes).abs() < 1e-15);
    }

    #[test]
    fn the_expected_information_is_the_mean_over_all_shuffles() {
        let clusters = [0, 0, 0, 1, 1, 2].map(Some);
        let mut classes = [0, 0, 1, 1, 1, 1].map(Some);
        let counts = Contingency::new(&clusters, &classes).unwrap();
        let expected = expected_mutual_information(&counts);
        let (mut sum, mut n) = (0.0, 0.0);
        // Heap's algorithm over all 720 orders.
        let mut state = [0; 6];
        let mut add = |classes: &[Option<usize>; 6]| {
            sum += mutual_information(&Contingency::new(&clusters, classes).unwrap());
            n += 1.0;
        };
        add(&classes);
        let mut i = 1;
        while i < 6 {
            if state[i] < i {
                classes.swap(if i % 2 == 0 { 0 } else { state[i] }, i);
                add(&classes);
                state[i] += 1;
                i = 1;
            } else {
                state[i] = 0;
                i += 1;
            }
        }
        assert_eq!(n, 720.0);
        assert!((expected - sum / n).abs() < 1e-14, "{expected} {}", sum / n);
    }

    #[test]
    fn rows_without_a_cluster_or_class_are_left_out() {
        let counts = Contingency::new(&[Some(0), None, Some(1)], &[Some(0), Some(1), None]);
        assert_eq!(counts.unwrap().n, 1);
        assert_eq!(Contingency::new(&[None], &[Some(0)]), None);
    }
}
