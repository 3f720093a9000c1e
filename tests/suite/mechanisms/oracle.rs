//! The forward pass once more, in f64 and plain loops, straight from the definitions.

use std::path::Path;

use repgeo::input::Tensors;
use repgeo::mechanisms::model::{Activation, Checkpoint, Config, Family};

use super::fixture::{NEOX, distance, gpt2, neox, path, run, sequences, values};

type Rows = Vec<Vec<f64>>;

fn norm(weights: &Tensors, name: &str, x: &[f64], eps: f64) -> Vec<f64> {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let gain = values(weights, &format!("{name}.weight"));
    let bias = values(weights, &format!("{name}.bias"));
    (0..x.len())
        .map(|i| (x[i] - mean) / (variance + eps).sqrt() * gain[i] + bias[i])
        .collect()
}

fn linear(weights: &Tensors, name: &str, x: &[f64], transposed: bool) -> Vec<f64> {
    let w = values(weights, &format!("{name}.weight"));
    let bias = values(weights, &format!("{name}.bias"));
    let outputs = bias.len();
    (0..outputs)
        .map(|o| {
            let weight = |i: usize| {
                if transposed {
                    w[o * x.len() + i]
                } else {
                    w[i * outputs + o]
                }
            };
            bias[o] + (0..x.len()).map(|i| x[i] * weight(i)).sum::<f64>()
        })
        .collect()
}

fn rotate(config: &Config, position: usize, x: &[f64]) -> Vec<f64> {
    let Some(rotary) = config.rotary else {
        return x.to_vec();
    };
    let r = rotary.dimensions;
    (0..x.len())
        .map(|i| {
            if i >= r {
                return x[i];
            }
            let angle = position as f64 * rotary.base.powf(-2.0 * (i % (r / 2)) as f64 / r as f64);
            let other = if i < r / 2 {
                -x[i + r / 2]
            } else {
                x[i - r / 2]
            };
            x[i] * angle.cos() + other * angle.sin()
        })
        .collect()
}

fn activate(config: &Config, x: f64) -> f64 {
    match config.activation {
        Activation::GeluTanh => {
            let root = (2.0 / std::f64::consts::PI).sqrt();
            0.5 * x * (1.0 + (root * (x + 0.044715 * x.powi(3))).tanh())
        }
        Activation::GeluErf => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
        Activation::Relu => x.max(0.0),
    }
}

/// The error function by a series of positive terms: 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..300 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
}

/// Is shown, and may change, what a block makes at a token: the block, `z`, `attention` or `mlp`,
/// whether the token is the last, and the row.
pub type AtToken<'a> = dyn FnMut(usize, &'static str, bool, &mut [f64]) + 'a;

/// The residual stream after every block, from the embedding on.
pub fn oracle(
    config: &Config,
    weights: &Tensors,
    tokens: &[u32],
    at_token: &mut AtToken<'_>,
) -> Vec<Rows> {
    let neox = config.family == Family::GptNeox;
    let (prefix, blocks) = if neox {
        ("gpt_neox.", "layers")
    } else {
        ("transformer.", "h")
    };
    let [ln1, qkv_name, out_name, ln2, up, down] = if neox {
        [
            "input_layernorm",
            "attention.query_key_value",
            "attention.dense",
            "post_attention_layernorm",
            "mlp.dense_h_to_4h",
            "mlp.dense_4h_to_h",
        ]
    } else {
        [
            "ln_1",
            "attn.c_attn",
            "attn.c_proj",
            "ln_2",
            "mlp.c_fc",
            "mlp.c_proj",
        ]
    };
    let (d, e) = (config.width, config.head_width);
    let table = values(
        weights,
        &format!(
            "{prefix}{}",
            if neox {
                "embed_in.weight"
            } else {
                "wte.weight"
            }
        ),
    );
    let mut x: Rows = tokens
        .iter()
        .map(|&id| table[id as usize * d..(id as usize + 1) * d].to_vec())
        .collect();
    if !neox {
        let positions = values(weights, &format!("{prefix}wpe.weight"));
        for (p, row) in x.iter_mut().enumerate() {
            for (i, value) in row.iter_mut().enumerate() {
                *value += positions[p * d + i];
            }
        }
    }
    let mut streams = vec![x.clone()];
    for layer in 0..config.n_layers {
        let name = |part: &str| format!("{prefix}{blocks}.{layer}.{part}");
        let joint: Rows = x
            .iter()
            .map(|row| {
                linear(
                    weights,
                    &name(qkv_name),
                    &norm(weights, &name(ln1), row, config.eps),
                    neox,
                )
            })
            .collect();
        let part = |p: usize, head: usize, which: usize| {
            let start = if neox {
                (3 * head + which) * e
            } else {
                which * d + head * e
            };
            joint[p][start..start + e].to_vec()
        };
        let mut next = Vec::new();
        for p in 0..x.len() {
            let mut z = Vec::new();
            for head in 0..config.n_heads {
                let q = rotate(config, p, &part(p, head, 0));
                let mut scale = (e as f64).sqrt();
                if config.scale_by_layer {
                    scale *= (layer + 1) as f64;
                }
                let scores: Vec<f64> = (0..=p)
                    .map(|j| {
                        let k = rotate(config, j, &part(j, head, 1));
                        q.iter().zip(&k).map(|(q, k)| q * k).sum::<f64>() / scale
                    })
                    .collect();
                let total: f64 = scores.iter().map(|s| s.exp()).sum();
                for i in 0..e {
                    z.push(
                        (0..=p)
                            .map(|j| scores[j].exp() / total * part(j, head, 2)[i])
                            .sum::<f64>(),
                    );
                }
            }
            let is_last = p + 1 == x.len();
            at_token(layer, "z", is_last, &mut z);
            let mut attn = linear(weights, &name(out_name), &z, neox);
            at_token(layer, "attention", is_last, &mut attn);
            let mid: Vec<f64> = x[p].iter().zip(&attn).map(|(x, a)| x + a).collect();
            let input = if config.parallel { &x[p] } else { &mid };
            let hidden: Vec<f64> = linear(
                weights,
                &name(up),
                &norm(weights, &name(ln2), input, config.eps),
                neox,
            )
            .into_iter()
            .map(|x| activate(config, x))
            .collect();
            let mut mlp = linear(weights, &name(down), &hidden, neox);
            at_token(layer, "mlp", is_last, &mut mlp);
            next.push(mid.iter().zip(&mlp).map(|(x, m)| x + m).collect());
        }
        x = next;
        streams.push(x.clone());
    }
    streams
}

fn compare(checkpoint: &Checkpoint, weights: &Path, expected: &Path) {
    let weights = Tensors::open(weights).unwrap();
    let sequences = sequences(&Tensors::open(expected).unwrap());
    let found = run::<f64>(checkpoint, &sequences, None);
    let wanted: Vec<Vec<Rows>> = (0..sequences.len())
        .map(|example| {
            let tokens = sequences.tokens(example);
            oracle(&checkpoint.config, &weights, tokens, &mut |_, _, _, _| ())
        })
        .collect();
    for layer in 0..=checkpoint.config.n_layers {
        let stream = found
            .blocks
            .get(layer)
            .map_or(&found.resid, |block| &block.resid_pre);
        let wanted: Vec<f64> = wanted
            .iter()
            .flat_map(|streams| streams[layer].concat())
            .collect();
        let error = distance(stream, &wanted);
        assert!(error < 1e-12, "layer {layer}: {error}");
    }
}

#[test]
fn gpt2_in_f64_equals_plain_loops() {
    compare(
        &gpt2(),
        &path("gpt2/model.safetensors.index.json"),
        &path("gpt2/expected.safetensors"),
    );
}

#[test]
fn neox_in_f64_equals_plain_loops() {
    for name in NEOX {
        let (folder, checkpoint) = neox(name, false);
        let expected = path(&format!("neox/{name}.safetensors"));
        compare(
            &checkpoint,
            &folder.path().join("model.safetensors"),
            &expected,
        );
    }
}
