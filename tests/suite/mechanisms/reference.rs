//! What the reference implementation (Hugging Face transformers) computes.

use repgeo::input::Tensors;
use repgeo::mechanisms::model::{Checkpoint, Edit, EditMode, Head, Real, Sequences, ValueBias};

use super::fixture::{NEOX, distance, gpt2, logits, neox, path, run, sequences, values};

fn compare<T: Real>(checkpoint: &Checkpoint, expected: &Tensors, tolerance: f64) {
    let found = run::<T>(checkpoint, &sequences(expected), None);
    let close = |name: String, values_found: &[T]| {
        if expected.get(&name).is_some() {
            let error = distance(values_found, &values(expected, &name));
            assert!(error < tolerance, "{name}: {error}");
        }
    };
    for (layer, block) in found.blocks.iter().enumerate() {
        let post = found.blocks.get(layer + 1);
        let post = post.map_or(&found.resid, |next| &next.resid_pre);
        close(format!("blocks.{layer}.hook_resid_post"), post);
        close(format!("blocks.{layer}.hook_attn_out"), &block.attn_out);
        close(format!("blocks.{layer}.hook_mlp_out"), &block.mlp_out);
        close(format!("blocks.{layer}.attn.hook_z"), &block.z);
        close(format!("blocks.{layer}.attn.hook_pattern"), &block.pattern);
    }
    let error = distance(
        &logits(checkpoint, &found.resid),
        &values(expected, "logits"),
    );
    assert!(error < tolerance, "logits: {error}");
}

#[test]
fn gpt2_from_shards_equals_the_reference() {
    let expected = Tensors::open(&path("gpt2/expected.safetensors")).unwrap();
    compare::<f64>(&gpt2(), &expected, 1e-12);
    compare::<f32>(&gpt2(), &expected, 1e-5);
}

#[test]
fn neox_equals_the_reference_with_both_residuals_rotary_shares_and_spellings() {
    for name in NEOX {
        let file = path(&format!("neox/{name}.safetensors"));
        let expected = Tensors::open(&file).unwrap();
        for old_keys in [false, true] {
            let (_folder, checkpoint) = neox(name, old_keys);
            // Stored in f32, and the reference turns by f32 angles.
            compare::<f64>(&checkpoint, &expected, 2e-6);
            compare::<f32>(&checkpoint, &expected, 1e-5);
        }
    }
}

/// The trained model, its first four prompts, and what its own forward pass in f32 gave.
fn tiny() -> (Checkpoint, Tensors, Sequences) {
    let checkpoint = Checkpoint::open(&path("gpt2_tiny")).unwrap();
    let expected = Tensors::open(&path("gpt2_tiny/expected.safetensors")).unwrap();
    let prompts = Tensors::open(&path("gpt2_tiny/prompts.safetensors")).unwrap();
    let all = sequences(&prompts);
    let few = Sequences::new((0..4).map(|example| all.tokens(example)));
    (checkpoint, expected, few)
}

#[test]
fn a_trained_checkpoint_gives_its_dumped_streams() {
    let (checkpoint, expected, few) = tiny();
    let found = run::<f32>(&checkpoint, &few, None);
    for (layer, block) in found.blocks.iter().enumerate() {
        for (name, stream) in [
            ("hook_resid_pre", &block.resid_pre),
            ("hook_attn_out", &block.attn_out),
            ("hook_mlp_out", &block.mlp_out),
            ("attn.hook_z", &block.z),
            ("attn.hook_pattern", &block.pattern),
        ] {
            let name = format!("blocks.{layer}.{name}");
            let error = distance(stream, &values(&expected, &name));
            assert!(error < 1e-5, "{name}: {error}");
        }
    }
    let error = distance(&found.resid, &values(&expected, "blocks.3.hook_resid_post"));
    assert!(error < 1e-5, "{error}");
}

#[test]
fn edits_give_the_edited_logits_of_the_reference() {
    let (checkpoint, expected, few) = tiny();
    let (width, vocabulary) = (checkpoint.config.width, checkpoint.config.n_vocab);
    for (name, alpha, mode) in [
        ("alpha_1", 1.0, EditMode::Post),
        ("alpha_2", 2.0, EditMode::Post),
        ("alpha_5", 5.0, EditMode::Post),
        ("alpha_5_renorm", 5.0, EditMode::Renorm),
    ] {
        let edit = Edit {
            heads: [3, 2].map(|head| Head { layer: 1, head }).to_vec(),
            own: Vec::new(),
            keys: vec![3..4; 4],
            alpha,
            mode,
            value_bias: ValueBias::Keep,
        };
        let found = run::<f32>(&checkpoint, &few, Some(&edit));
        let last: Vec<f32> = found
            .resid
            .chunks_exact(7 * width)
            .flat_map(|example| example[6 * width..].to_vec())
            .collect();
        let wanted = values(&expected, &format!("logits_last.{name}"));
        assert_eq!(wanted.len(), 4 * vocabulary);
        let error = distance(&logits(&checkpoint, &last), &wanted);
        assert!(error < 1e-5, "{name}: {error}");
    }
}
