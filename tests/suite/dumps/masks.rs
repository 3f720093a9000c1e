//! Masks and lengths that lie in a dump are used or refused.

use super::{Folder, dimensions, dumped, json, near, npy, npz, refusal, scattered};

#[test]
fn a_mask_in_the_dump_is_used_unless_it_is_declined() {
    let acts = dumped("mask/acts.safetensors");
    near(dimensions(&[&acts, "--pool", "mean"])[0], 4.465, 0.006);
    let named = format!("{acts}#attention_mask");
    assert_eq!(
        dimensions(&[&acts, "--pool", "mean"]),
        dimensions(&[&acts, "--pool", "mean", "--mask", &named])
    );
    near(
        dimensions(&[&acts, "--pool", "mean", "--mask", "none"])[0],
        4.81,
        0.005,
    );
    let report = json(&["id-profile", &acts, "--pool", "token:-1"]);
    assert!(report.to_string().contains("padding_unused"));
}

#[test]
fn a_mask_that_contradicts_lengths_is_refused() {
    let folder = Folder::new();
    let acts = |lengths: f32| {
        npz(&[
            ("layer_0.npy", npy(&[60, 3, 4], scattered)),
            (
                "attention_mask.npy",
                npy(&[60, 3], |at| f32::from(u8::from(at % 3 < 2))),
            ),
            ("lengths.npy", npy(&[60], move |_| lengths)),
        ])
    };
    let good = folder.file("good.npz", acts(2.0));
    assert_eq!(dimensions(&[&good, "--pool", "last"]).len(), 1);
    for (lengths, fact) in [
        (3.0, "other tokens in row 0"),
        (4.0, "the length 4"),
        (0.0, "the length 0"),
    ] {
        let bad = folder.file("bad.npz", acts(lengths));
        let error = refusal(&["id-profile", &bad, "--pool", "last"]);
        assert!(
            error.contains(fact) && error.contains("--mask none"),
            "{error}"
        );
        assert_eq!(
            dimensions(&[&bad, "--pool", "last", "--mask", "none"]).len(),
            1
        );
    }
}

#[test]
fn a_mask_without_tokens_tells_the_lengths_of_prompts() {
    let unembed = dumped("mask-without-tokens/unembed.safetensors");
    let delta = |name: &str| {
        let acts = dumped(&format!("mask-without-tokens/{name}"));
        let report = json(&["logit-lens", &acts, "--unembed", &unembed]);
        report["layers"].clone()
    };
    assert_eq!(delta("acts.safetensors"), delta("acts_lengths.safetensors"));
}
