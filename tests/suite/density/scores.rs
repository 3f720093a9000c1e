//! Scores of golden clusters against the truth, as scikit-learn computes them.

use repgeo::geometry::partition::{Contingency, Scores};

use super::fixture::json;

/// One class a letter, a dot being a class like any other.
fn groups(letters: &str) -> Vec<Option<usize>> {
    letters
        .bytes()
        .map(|letter| Some(usize::from(letter)))
        .collect()
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let golden = json("golden", "peaks");
    let truth = golden["gt_F1"].as_str().unwrap();
    // ARI, AMI, NMI, homogeneity, completeness, mutual information.
    for (set, z, expected) in [
        (
            "fig1_2000",
            "0.0",
            [
                0.5852156765392972,
                0.741318074287893,
                0.7433931154901801,
                0.7733479507143374,
                0.7156722875893217,
                1.5119097106410775,
            ],
        ),
        (
            "fig1_2000",
            "1.65",
            [
                0.7220654230404167,
                0.7709838609154042,
                0.7724636561260846,
                0.7459063710330897,
                0.8009818511730804,
                1.4582609090155143,
            ],
        ),
        (
            "fig1_2000",
            "3.0",
            [
                0.21630918934583762,
                0.38687460928200873,
                0.38782058719669094,
                0.2583699904639903,
                0.7772391609644118,
                0.5051181646759711,
            ],
        ),
        (
            "mobius_2000",
            "1.65",
            [
                0.5486310996260071,
                0.6878537789899354,
                0.6896548400521348,
                0.6219336429770417,
                0.773926226742042,
                1.2158919065122151,
            ],
        ),
        (
            "fig1_5000",
            "1.65",
            [
                0.7597898726883668,
                0.7804545535182972,
                0.7811911729003048,
                0.7769379094612957,
                0.7854912607455572,
                1.518649414689695,
            ],
        ),
    ] {
        let labels = golden[set]["adp"][z]["labels"].as_str().unwrap();
        let counts = Contingency::new(&groups(labels), &groups(&truth[..labels.len()])).unwrap();
        let found = Scores::of(&counts);
        let found = [
            found.ari,
            found.ami,
            found.nmi,
            found.homogeneity,
            found.completeness,
            found.mi,
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{set} {z}: {found} {expected}"
            );
        }
    }
    let blobs = golden["2gauss"]["adp"]["1.65"]["labels"].as_str().unwrap();
    let classes: Vec<Option<usize>> = (0..100).map(|row| Some(row / 50)).collect();
    let found = Scores::of(&Contingency::new(&groups(blobs), &classes).unwrap());
    assert_eq!((found.ari, found.ami, found.nmi), (1.0, 1.0, 1.0));
    assert!((found.mi - 2f64.ln()).abs() < 1e-15);
}
