//! Direct logit attribution: the last lens as a sum over blocks, MLPs, heads, embeddings, biases.

use rayon::prelude::*;
use serde::Serialize;

use super::dump::{Stream, StreamDump};
use super::head_table::HeadTable;
use super::model::ValueBias;
use super::readout::{Directions, Readout, dot};
use super::scale::{Scales, n_layers, refuse_mixed};
use super::spots::{Positions, Spot, spots};
use super::stat::{Group, Stat, groups};
use crate::choice::choice;
use crate::geometry::Reason;
use crate::input::Labels;
use crate::progress::Progress;
use crate::warning::Warning;
use crate::{Error, Result};

choice! {
    /// Into which parts the logit is taken apart.
    pub enum Parts {
        /// Attention and MLP of every block.
        Block = "block",
        /// Every head instead of the attention as a whole.
        Head = "head",
        /// Both.
        Both = "both",
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttributionOptions {
    /// Into which parts.
    #[serde(rename = "by")]
    pub parts: Parts,
    /// Where the constant part of the values is counted.
    pub value_bias: ValueBias,
    /// The places.
    pub positions: Positions,
    /// A class for each example.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
    /// Compares the sums with the last lens, and the logits if the dump has them.
    #[serde(skip)]
    pub check: bool,
}

/// What adds to the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// Token embedding, or the whole input of block 0 where only that was dumped.
    Embed,
    /// Position embedding.
    PosEmbed,
    /// Attention of a block, b_O included.
    AttnOut,
    /// MLP of a block.
    MlpOut,
    /// One head, without b_O.
    Head,
    /// b_O of all blocks; with folded value biases the values' constants too.
    Bias,
}

/// One component at one place, over all examples or one group.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComponentRow {
    /// Its name: `embed`, `blocks.3.attn_out`, `blocks.3.head.2`, `bias`, …
    pub component: String,
    /// What it is.
    pub kind: ComponentKind,
    /// Its block.
    pub layer: Option<usize>,
    /// Its head.
    pub head: Option<usize>,
    /// Name of the place.
    pub position: String,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// Examples that have the place.
    pub n: usize,
    /// Contribution to the logit of the factual token.
    pub fact: Stat,
    /// Contribution to that of the counterfactual token.
    pub counterfactual: Stat,
    /// Counterfactual − factual.
    pub delta: Stat,
    /// Share among the heads whose mean delta has the same sign; heads only.
    pub share: Option<f64>,
    /// Why there are no numbers.
    pub reason: Option<Reason>,
}

/// How well sums reproduce what they must.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "AttributionCheck"))]
pub struct Check {
    /// Largest |Σ contributions − last lens| over examples, places and both tokens, by block.
    pub blocks: Option<f64>,
    /// The same with heads.
    pub heads: Option<f64>,
    /// Largest |last lens| among them, for scale.
    pub largest: f64,
    /// Largest |lens + c_t − centred logit| against `logits_last`, if the dump has them.
    pub logits: Option<f64>,
}

/// All contributions.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attribution {
    /// What was asked for, defaults included.
    pub parameters: AttributionParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by place, group and component.
    pub components: Vec<ComponentRow>,
    /// How well the sums reproduce the last lens; `None` unless asked for.
    pub check: Option<Check>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttributionParameters {
    /// The options.
    #[serde(flatten)]
    pub options: AttributionOptions,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
}

/// One component and how it is read.
struct Component {
    kind: ComponentKind,
    layer: Option<usize>,
    head: Option<usize>,
}

impl Component {
    fn name(&self) -> String {
        let layer = self.layer.unwrap_or(0);
        match self.kind {
            ComponentKind::Embed => "embed".into(),
            ComponentKind::PosEmbed => "pos_embed".into(),
            ComponentKind::AttnOut => format!("blocks.{layer}.attn_out"),
            ComponentKind::MlpOut => format!("blocks.{layer}.mlp_out"),
            ComponentKind::Head => format!("blocks.{layer}.head.{}", self.head.unwrap_or(0)),
            ComponentKind::Bias => "bias".into(),
        }
    }
}

/// What is read for each token: streams of the width of the model, then z of every block.
struct Sources {
    components: Vec<Component>,
    streams: Vec<Stream>,
    heads: Option<HeadTable>,
    last: Stream,
}

/// Takes the last lens of the two targets apart.
///
/// # Errors
/// Missing or unfit tensors, targets outside the vocabulary, values that are no numbers.
pub fn attribution(
    dump: &StreamDump,
    readout: &Readout,
    options: &AttributionOptions,
    progress: &dyn Progress,
) -> Result<Attribution> {
    refuse_mixed(dump, readout)?;
    let targets = dump.prompts.need_targets()?;
    let directions = readout.directions(targets.iter().flatten().copied())?;
    let scales = Scales::of_dump(dump, readout)?;
    let sources = Sources::open(dump, readout, &directions, options)?;
    let spots = spots(options.positions, &dump.prompts, &dump.lengths)?;
    let groups = groups(dump.n, options.groups.as_ref());
    let mut rows = Vec::new();
    let mut check = Check {
        blocks: None,
        heads: None,
        largest: 0.0,
        logits: None,
    };
    progress.begin("attribution", spots.len() as u64);
    for spot in &spots {
        let found: Vec<Option<Vec<[f64; 2]>>> = (0..dump.n)
            .into_par_iter()
            .map(|example| sources.read(dump, readout, &scales, &directions, spot, example))
            .collect::<Result<_>>()?;
        sources.compare(&found, &mut check);
        for group in &groups {
            rows.extend(sources.rows(spot, group, &found));
        }
        progress.advance(1);
    }
    progress.end();
    let check = if options.check {
        check.logits = logit_error(dump, readout, &scales, &directions, &sources.last)?;
        Some(check)
    } else {
        None
    };
    Ok(Attribution {
        parameters: AttributionParameters {
            options: options.clone(),
            centred: readout.centred,
        },
        n: dump.n,
        components: rows,
        check,
        warnings: [dump.prompts.warnings(dump.n), readout.warnings()].concat(),
    })
}

impl Sources {
    fn open(
        dump: &StreamDump,
        readout: &Readout,
        directions: &Directions,
        options: &AttributionOptions,
    ) -> Result<Self> {
        let d = readout.width;
        let n_layers = n_layers(dump, readout);
        let (mut components, mut streams) = (Vec::new(), Vec::new());
        let mut add = |kind, layer, stream| {
            components.push(Component {
                kind,
                layer,
                head: None,
            });
            streams.push(stream);
        };
        match dump.find("hook_embed", d)? {
            Some(stream) => {
                add(ComponentKind::Embed, None, stream);
                if let Some(stream) = dump.find("hook_pos_embed", d)? {
                    add(ComponentKind::PosEmbed, None, stream);
                }
            }
            None => add(
                ComponentKind::Embed,
                None,
                dump.stream("blocks.0.hook_resid_pre", d)?,
            ),
        }
        for layer in 0..n_layers {
            // With heads alone the attention as a whole is their sum and is not needed.
            if options.parts != Parts::Head {
                let name = format!("blocks.{layer}.hook_attn_out");
                add(ComponentKind::AttnOut, Some(layer), dump.stream(&name, d)?);
            }
            let name = format!("blocks.{layer}.hook_mlp_out");
            add(ComponentKind::MlpOut, Some(layer), dump.stream(&name, d)?);
        }
        let heads = match options.parts {
            Parts::Block => None,
            _ => Some(HeadTable::new(
                dump,
                readout,
                directions,
                options.value_bias,
            )?),
        };
        if let Some(table) = &heads {
            for layer in 0..n_layers {
                components.extend((0..table.n_heads).map(|head| Component {
                    kind: ComponentKind::Head,
                    layer: Some(layer),
                    head: Some(head),
                }));
            }
            components.push(Component {
                kind: ComponentKind::Bias,
                layer: None,
                head: None,
            });
        }
        let last = format!("blocks.{}.hook_resid_post", n_layers.saturating_sub(1));
        Ok(Self {
            components,
            streams,
            heads,
            last: dump.stream(&last, d)?,
        })
    }

    /// The contributions of every component to both tokens, then the last lens.
    fn read(
        &self,
        dump: &StreamDump,
        readout: &Readout,
        scales: &Scales,
        directions: &Directions,
        spot: &Spot,
        example: usize,
    ) -> Result<Option<Vec<[f64; 2]>>> {
        let targets = dump.prompts.need_targets()?[example];
        let stored = dump.stored(example, &spot.ranges[example]);
        if stored.is_empty() {
            return Ok(None);
        }
        let weight = 1.0 / stored.len() as f64;
        let vectors = targets.map(|token| directions.vector(token));
        let mut found = vec![[0.0; 2]; self.components.len() + 1];
        let mut row = vec![0.0; readout.width];
        for &at in &stored {
            self.last.read(example, at, &mut row)?;
            let scale = scales.at(example, at, &row, readout)?;
            let per = weight / scale;
            let mut add = |place: usize, row: &[f64]| {
                for (sum, vector) in found[place].iter_mut().zip(vectors) {
                    *sum += dot(vector, row) * per;
                }
            };
            add(self.components.len(), &row);
            for (place, stream) in self.streams.iter().enumerate() {
                stream.read(example, at, &mut row)?;
                add(place, &row);
            }
            if let Some(heads) = &self.heads {
                heads.add(
                    example,
                    at,
                    targets,
                    per,
                    &mut row,
                    &mut found[self.streams.len()..],
                )?;
            }
        }
        Ok(Some(found))
    }

    fn compare(&self, found: &[Option<Vec<[f64; 2]>>], check: &mut Check) {
        let sum = |parts: &[[f64; 2]], left_out: &[ComponentKind], which: usize| -> f64 {
            let kept = self.components.iter().zip(parts);
            kept.filter(|(component, _)| !left_out.contains(&component.kind))
                .map(|(_, values)| values[which])
                .sum()
        };
        let with_blocks = self
            .components
            .iter()
            .any(|component| component.kind == ComponentKind::AttnOut);
        for parts in found.iter().flatten() {
            for which in 0..2 {
                let lens = parts[self.components.len()][which];
                check.largest = check.largest.max(lens.abs());
                let worse = |error: &mut Option<f64>, left_out: &[ComponentKind]| {
                    let apart = (sum(parts, left_out, which) - lens).abs();
                    *error = Some(error.unwrap_or(0.0).max(apart));
                };
                if with_blocks {
                    worse(
                        &mut check.blocks,
                        &[ComponentKind::Head, ComponentKind::Bias],
                    );
                }
                if self.heads.is_some() {
                    worse(&mut check.heads, &[ComponentKind::AttnOut]);
                }
            }
        }
    }

    fn rows(
        &self,
        spot: &Spot,
        group: &Group,
        found: &[Option<Vec<[f64; 2]>>],
    ) -> Vec<ComponentRow> {
        let present: Vec<&Vec<[f64; 2]>> = group
            .members
            .iter()
            .filter_map(|&i| found[i].as_ref())
            .collect();
        let mut rows: Vec<ComponentRow> = self
            .components
            .iter()
            .enumerate()
            .map(|(place, component)| {
                let column = |value: fn([f64; 2]) -> f64| -> Stat {
                    Stat::of(
                        &present
                            .iter()
                            .map(|parts| value(parts[place]))
                            .collect::<Vec<f64>>(),
                    )
                };
                ComponentRow {
                    component: component.name(),
                    kind: component.kind,
                    layer: component.layer,
                    head: component.head,
                    position: spot.name.clone(),
                    group: group.name.clone(),
                    n: present.len(),
                    fact: column(|pair| pair[0]),
                    counterfactual: column(|pair| pair[1]),
                    delta: column(|pair| pair[1] - pair[0]),
                    share: None,
                    reason: present.is_empty().then_some(Reason::TooFewRows),
                }
            })
            .collect();
        shares(&mut rows);
        rows
    }
}

/// Each head's part of the sum of all mean deltas of its sign.
fn shares(rows: &mut [ComponentRow]) {
    let delta = |row: &ComponentRow| match row.kind {
        ComponentKind::Head => row.delta.mean,
        _ => None,
    };
    let total = |sign: f64| -> f64 {
        let deltas = rows.iter().filter_map(delta);
        deltas.filter(|delta| delta * sign > 0.0).sum()
    };
    let (negative, positive) = (total(-1.0), total(1.0));
    for row in rows {
        row.share = delta(row)
            .filter(|&delta| delta != 0.0)
            .map(|delta| delta / if delta < 0.0 { negative } else { positive });
    }
}

/// How far lens + c_t is from the centred logits that a dump holds.
fn logit_error(
    dump: &StreamDump,
    readout: &Readout,
    scales: &Scales,
    directions: &Directions,
    last: &Stream,
) -> Result<Option<f64>> {
    let Some(logits) = dump.tensors.get("logits_last") else {
        return Ok(None);
    };
    let vocabulary = logits.shape().last().copied().unwrap_or(0);
    logits.expect_shape(&[dump.n, vocabulary])?;
    let matrix = logits.rows_of(vocabulary)?;
    let targets = dump.prompts.need_targets()?;
    let (mut row, mut all) = (vec![0.0; readout.width], vec![0.0; vocabulary]);
    let mut worst = 0.0f64;
    for (example, pair) in targets.iter().enumerate() {
        let end = dump.lengths[example];
        let Some(&at) = dump.stored(example, &(end.saturating_sub(1)..end)).first() else {
            continue;
        };
        last.read(example, at, &mut row)?;
        let scale = scales.at(example, at, &row, readout)?;
        matrix.widen_row(example, &mut all);
        let mean = all.iter().sum::<f64>() / vocabulary as f64;
        for &token in pair {
            let Some(logit) = all.get(token as usize) else {
                return Err(Error::Usage(format!(
                    "--targets: logits_last has no token {token}"
                )));
            };
            let lens = dot(directions.vector(token), &row) / scale + directions.constant(token);
            worst = worst.max((lens - (logit - mean)).abs());
        }
    }
    Ok(Some(worst))
}
