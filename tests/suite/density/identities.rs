//! What must not change, and what must change in a known way.

use ndarray::{Array2, Axis};
use repgeo::geometry::Reason;
use repgeo::geometry::density::peaks::{Linkage, Peaks, dendrogram, map};
use repgeo::random::SplitMix64;

use super::fixture::golden_set;
use super::layers::logs;
use super::{Layer, Rule};

const RULES: [Rule; 3] = [Rule::Knn(10), Rule::Kstar, Rule::Pak];

fn found(data: &Array2<f64>, rule: Rule, z: f64) -> (Vec<f64>, Peaks) {
    let layer = Layer::new(data, 100.min(data.nrows() - 1));
    let densities = layer.densities(layer.two_nn(), rule);
    (logs(&densities), layer.peaks(&densities, z))
}

/// What the unit of length must not change.
fn shape(peaks: &Peaks) -> impl PartialEq + std::fmt::Debug {
    let saddles: Vec<_> = peaks.saddles.iter().map(|s| (s.peaks, s.row)).collect();
    let centres: Vec<_> = peaks
        .peaks
        .iter()
        .map(|p| (p.centre, p.size, p.n_core))
        .collect();
    (peaks.labels.clone(), peaks.halo.clone(), centres, saddles)
}

fn normal(random: &mut SplitMix64) -> f64 {
    (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0
}

/// Blobs of normal rows, their centres far apart.
fn blobs(n_blobs: usize, n: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut random = SplitMix64::new(seed);
    Array2::from_shape_fn((n_blobs * n, columns), |(row, column)| {
        let centre = if column == row / n { 100.0 } else { 0.0 };
        centre + normal(&mut random)
    })
}

#[test]
fn a_unit_of_length_shifts_log_densities_and_changes_nothing_else() {
    let mut random = SplitMix64::new(3);
    let sixty = Array2::from_shape_fn((400, 60), |_| normal(&mut random));
    for data in [golden_set("fig1_2000"), golden_set("highdim"), sixty] {
        let layer = Layer::new(&data, 100);
        let id = layer.two_nn();
        for rule in RULES {
            let (plain, peaks) = found(&data, rule, 1.65);
            let (large, same) = found(&data.mapv(|x| 1024.0 * x), rule, 1.65);
            assert_eq!(shape(&same), shape(&peaks));
            let shift = id * 1024f64.ln();
            for (a, b) in plain.iter().zip(large) {
                assert!((a - shift - b).abs() < 1e-9, "{a} {b} {shift}");
            }
            // Not a power of two: rows round, densities nearly do not.
            let (large, _) = found(&data.mapv(|x| 1000.0 * x), rule, 1.65);
            let shift = id * 1000f64.ln();
            for (a, b) in plain.iter().zip(large) {
                assert!((a - shift - b).abs() < 1e-6, "{a} {b} {shift}");
            }
        }
    }
}

#[test]
fn permuted_rows_have_permuted_peaks() {
    let data = golden_set("mobius_2000");
    let mut random = SplitMix64::new(9);
    let mut order: Vec<usize> = (0..data.nrows()).collect();
    order.sort_by_cached_key(|_| random.next_u64());
    for rule in RULES {
        let (_, peaks) = found(&data, rule, 1.65);
        let (_, moved) = found(&data.select(Axis(0), &order), rule, 1.65);
        let mut centres: Vec<usize> = moved.peaks.iter().map(|peak| order[peak.centre]).collect();
        // Peaks are numbered by their centre's row, so the numbers move as well.
        let renamed: Vec<usize> = {
            let sorted = peaks
                .peaks
                .iter()
                .map(|peak| peak.centre)
                .collect::<Vec<_>>();
            centres
                .iter()
                .map(|c| sorted.binary_search(c).unwrap())
                .collect()
        };
        for (at, label) in moved.labels.iter().enumerate() {
            assert_eq!(label.map(|peak| renamed[peak]), peaks.labels[order[at]]);
            assert_eq!(moved.halo[at], peaks.halo[order[at]]);
        }
        centres.sort_unstable();
        assert!(
            centres
                .into_iter()
                .eq(peaks.peaks.iter().map(|peak| peak.centre))
        );
    }
}

#[test]
fn separate_blobs_are_peaks_without_saddles() {
    let data = blobs(3, 300, 5, 1);
    for rule in RULES {
        let (_, peaks) = found(&data, rule, 1.65);
        let sizes: Vec<usize> = peaks.peaks.iter().map(|peak| peak.size).collect();
        assert_eq!(sizes, [300; 3]);
        assert!(peaks.saddles.is_empty());
        assert_eq!(peaks.core_fraction(), 1.0);
    }
}

#[test]
fn a_high_bar_leaves_one_peak_a_component_and_none_merges_only_what_is_below_its_saddle() {
    let data = golden_set("fig1_2000");
    let (_, all) = found(&data, Rule::Pak, 0.0);
    let (_, few) = found(&data, Rule::Pak, 1e9);
    assert_eq!(few.peaks.len(), 1);
    assert!(all.n_putative >= all.peaks.len() && all.peaks.len() > 3);
    for peaks in [&all, &few] {
        for saddle in &peaks.saddles {
            for peak in saddle.peaks {
                assert!(saddle.log_density <= peaks.peaks[peak].log_density);
            }
            let label = peaks.labels[saddle.row].unwrap();
            assert!(saddle.peaks.contains(&label));
        }
    }
}

#[test]
fn equal_densities_are_settled_by_the_index_of_rows() {
    // A regular polygon: every row has the same distances to its neighbours, bit for bit or not.
    let data = Array2::from_shape_fn((12, 12), |(i, j)| if i == j { 1.0 } else { 0.0 });
    let layer = Layer::new(&data, 11);
    for rule in RULES.map(|rule| match rule {
        Rule::Knn(_) => Rule::Knn(5),
        other => other,
    }) {
        let densities = layer.densities(2.0, rule);
        let found = layer.peaks(&densities, 1.65);
        assert_eq!(found.peaks.len(), 1);
        assert_eq!(found.peaks[0].centre, 0);
        assert_eq!(found.labels, vec![Some(0); 12]);
        assert_eq!(found.core_fraction(), 1.0);
    }
}

#[test]
fn noise_with_ten_thousand_putative_peaks_does_not_blow_up() {
    let mut random = SplitMix64::new(5);
    let data = Array2::from_shape_fn((100_000, 2), |_| random.uniform());
    let layer = Layer::new(&data, 12);
    let densities = layer.densities(2.0, Rule::Knn(4));
    let all = layer.peaks(&densities, 0.0);
    let few = layer.peaks(&densities, 1.65);
    assert!(all.n_putative > 10_000 && few.n_putative == all.n_putative);
    assert!(all.peaks.len() > 9_000 && few.peaks.len() < 2_000);
    for peaks in [&all, &few] {
        let sizes: usize = peaks.peaks.iter().map(|peak| peak.size).sum();
        assert_eq!(sizes, 100_000);
        let n = peaks.peaks.len();
        // Every row is on one border at most, and a plane has few neighbours for each peak.
        assert!(peaks.saddles.len() < 4 * n);
        let tree = dendrogram(&peaks.peaks, &peaks.saddles, Linkage::Single, None).unwrap();
        assert_eq!(tree.nodes.len(), 2 * n - 1);
        assert_eq!(tree.nodes.last().unwrap().size, 100_000);
    }
    let places = map(&all.peaks, &all.saddles, 0.0, -1.0);
    assert_eq!(places, Err(Reason::TooManyPeaks));
}
