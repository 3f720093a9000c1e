//! Density peaks straight from the definition, every pair of everything, and whether the crate
//! finds the same on rows drawn at random.

use ndarray::Array2;
use proptest::prelude::*;
use repgeo::geometry::density::{Densities, RowDensity};

use super::Layer;

/// Labels, centres, halo and saddles, by the definition.
#[derive(Debug, PartialEq)]
struct Found {
    labels: Vec<usize>,
    centres: Vec<usize>,
    halo: Vec<bool>,
    /// (a, b, row).
    saddles: Vec<(usize, usize, usize)>,
}

/// What happened on the way, which the crate does not tell.
#[derive(Debug, Default)]
struct Path {
    /// Rows that no neighbour could take along.
    n_alone: usize,
    n_merged: usize,
}

fn by_definition(rows: &[RowDensity], indices: &Array2<u32>, z: f64) -> (Found, Path) {
    let mut path = Path::default();
    let n = rows.len();
    let lowest = rows
        .iter()
        .map(|r| r.log_density - z * r.error)
        .fold(f64::INFINITY, f64::min);
    let c: Vec<f64> = rows.iter().map(|r| r.log_density - lowest + 1.0).collect();
    let e: Vec<f64> = rows.iter().map(|r| r.error).collect();
    let g: Vec<f64> = (0..n).map(|i| c[i] - e[i]).collect();
    let above = |j: usize, i: usize| g[j] > g[i] || (g[j] == g[i] && j < i);
    let all = |i: usize| -> Vec<usize> { indices.row(i).iter().map(|&j| j as usize).collect() };
    let near = |i: usize| -> Vec<usize> { all(i)[..rows[i].kstar].to_vec() };

    let putative: Vec<usize> = (0..n)
        .filter(|&i| !near(i).into_iter().any(|j| above(j, i)))
        .collect();
    let parent = |x: usize| -> Option<usize> {
        let claims = (0..n).filter(|&i| above(i, x) && near(i).contains(&x));
        claims.reduce(|best, i| if above(i, best) { i } else { best })
    };
    let centres: Vec<usize> = putative
        .iter()
        .copied()
        .filter(|&x| parent(x).is_none())
        .collect();
    let removed: Vec<usize> = putative
        .iter()
        .copied()
        .filter(|&x| parent(x).is_some())
        .collect();

    let mut label: Vec<Option<usize>> = vec![None; n];
    for (at, &centre) in centres.iter().enumerate() {
        label[centre] = Some(at);
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| g[b].total_cmp(&g[a]).then(a.cmp(&b)));
    for i in order {
        if label[i].is_some() {
            continue;
        }
        label[i] = all(i).into_iter().find_map(|j| label[j]).or_else(|| {
            path.n_alone += 1;
            let mut around = all(i);
            around.push(i);
            let parents = around
                .into_iter()
                .filter(|j| removed.contains(j))
                .filter_map(parent);
            let best = parents.reduce(|best, i| if above(i, best) { i } else { best });
            label[best.unwrap()]
        });
    }
    let mut label: Vec<usize> = label.into_iter().map(Option::unwrap).collect();

    let m = centres.len();
    let mut saddle: Vec<Vec<Option<usize>>> = vec![vec![None; m]; m];
    for a in 0..m {
        for p in (0..n).filter(|&p| label[p] == a && p != centres[a]) {
            let Some(q) = near(p).into_iter().find(|&q| label[q] != a) else {
                continue;
            };
            let met = all(q).into_iter().find(|&j| label[j] == a);
            if met.is_some_and(|j| j != p) {
                continue;
            }
            let b = label[q];
            if saddle[a][b].is_none_or(|best| g[p] > g[best]) {
                saddle[a][b] = Some(p);
                saddle[b][a] = Some(p);
            }
        }
    }

    let mut alive = vec![true; m];
    loop {
        let weak = |a: usize, b: usize, p: usize| {
            let fails = |x: usize| c[centres[x]] - c[p] < z * (e[centres[x]] + e[p]);
            fails(a) || fails(b)
        };
        let mut worst: Option<(usize, usize, usize)> = None;
        for a in 0..m {
            for b in a + 1..m {
                if let Some(p) = saddle[a][b]
                    && alive[a]
                    && alive[b]
                    && weak(a, b, p)
                    && worst.is_none_or(|(_, _, best)| c[p] > c[best])
                {
                    worst = Some((a, b, p));
                }
            }
        }
        let Some((a, b, p)) = worst else { break };
        let margin = |x: usize| (c[centres[x]] - c[p]) / (e[centres[x]] + e[p]);
        let (keep, dead) = if margin(a) >= margin(b) {
            (a, b)
        } else {
            (b, a)
        };
        alive[dead] = false;
        path.n_merged += 1;
        label
            .iter_mut()
            .filter(|l| **l == dead)
            .for_each(|l| *l = keep);
        for t in (0..m).filter(|&t| t != keep && t != dead) {
            let (own, other) = (saddle[keep][t], saddle[dead][t]);
            if let Some(other) = other
                && own.is_none_or(|own| c[own] < c[other])
            {
                saddle[keep][t] = Some(other);
                saddle[t][keep] = Some(other);
            }
        }
        saddle[dead].fill(None);
        saddle.iter_mut().for_each(|row| row[dead] = None);
    }

    let kept: Vec<usize> = (0..m).filter(|&a| alive[a]).collect();
    let place = |a: usize| kept.iter().position(|&x| x == a).unwrap();
    let top = |a: usize| {
        let heights = saddle[a].iter().flatten().map(|&p| c[p]);
        heights.fold(f64::NEG_INFINITY, f64::max)
    };
    let mut saddles = Vec::new();
    for &a in &kept {
        for &b in kept.iter().filter(|&&b| b > a) {
            saddles.extend(saddle[a][b].map(|p| (place(a), place(b), p)));
        }
    }
    let found = Found {
        halo: (0..n).map(|i| c[i] < top(label[i])).collect(),
        labels: label.into_iter().map(place).collect(),
        centres: kept.iter().map(|&a| centres[a]).collect(),
        saddles,
    };
    (found, path)
}

fn by_the_crate(rows: &[RowDensity], layer: &Layer, z: f64) -> Found {
    let densities = Densities {
        rows: rows.iter().copied().map(Some).collect(),
        n_fallback: 0,
    };
    let found = layer.peaks(&densities, z);
    Found {
        labels: found.labels.into_iter().map(Option::unwrap).collect(),
        centres: found.peaks.iter().map(|peak| peak.centre).collect(),
        halo: found.halo,
        saddles: found
            .saddles
            .iter()
            .map(|saddle| (saddle.peaks[0], saddle.peaks[1], saddle.row))
            .collect(),
    }
}

/// Rows on a coarse grid, so that distances tie, with densities of few values, so that they tie.
fn cases() -> impl Strategy<Value = (Array2<f64>, usize, Vec<RowDensity>, f64)> {
    (7usize..60)
        .prop_flat_map(|n| (Just(n), 5..n))
        .prop_flat_map(|(n, k)| {
            (
                prop::collection::vec((0i8..40, 0i8..40), n),
                Just(k),
                prop::collection::vec((0u8..12, 1u8..5, 1..=k), n),
                prop::sample::select(vec![0.0, 0.5, 1.65, 3.0]),
            )
        })
        .prop_map(|(points, k, rows, z)| {
            let data = Array2::from_shape_fn((points.len(), 2), |(i, j)| {
                f64::from(if j == 0 { points[i].0 } else { points[i].1 })
            });
            let rows = rows.into_iter().map(|(height, error, kstar)| RowDensity {
                log_density: f64::from(height) / 4.0 - 9.0,
                error: f64::from(error) / 8.0,
                kstar,
            });
            (data, k, rows.collect(), z)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_crate_finds_what_the_definition_says((data, k, rows, z) in cases()) {
        let layer = Layer::new(&data, k);
        prop_assert_eq!(
            by_the_crate(&rows, &layer, z),
            by_definition(&rows, &layer.table.indices, z).0
        );
    }

    #[test]
    fn two_columns_of_noise_with_few_neighbours_agree_too(
        seed in any::<u64>(), n in 30usize..200, k in 5usize..12, z in 0.0f64..2.0,
    ) {
        let mut random = repgeo::random::SplitMix64::new(seed);
        let data = Array2::from_shape_fn((n, 2), |_| random.uniform());
        let layer = Layer::new(&data, k);
        let densities = layer.densities(2.0, super::Rule::Kstar);
        let rows: Vec<RowDensity> = densities.rows.into_iter().map(Option::unwrap).collect();
        prop_assert_eq!(
            by_the_crate(&rows, &layer, z),
            by_definition(&rows, &layer.table.indices, z).0
        );
    }
}

#[test]
fn rows_that_no_neighbour_takes_along_and_merged_peaks_do_occur() {
    let (mut n_alone, mut n_merged) = (0, 0);
    for seed in 0..60 {
        let mut random = repgeo::random::SplitMix64::new(seed);
        let data = Array2::from_shape_fn((150, 2), |_| random.uniform());
        let layer = Layer::new(&data, 6);
        let rows: Vec<RowDensity> = (0..150)
            .map(|_| RowDensity {
                log_density: random.uniform(),
                error: 0.3 * random.uniform() + 0.01,
                kstar: 3 + random.choose(4, 1)[0],
            })
            .collect();
        let (found, path) = by_definition(&rows, &layer.table.indices, 0.5);
        assert_eq!(by_the_crate(&rows, &layer, 0.5), found, "seed {seed}");
        n_alone += path.n_alone;
        n_merged += path.n_merged;
    }
    assert!(n_alone > 0 && n_merged > 100, "{n_alone} {n_merged}");
}
