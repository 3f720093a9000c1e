//! Lists what adds to the residual stream, and its contribution to the two logits at one place.

use super::shape::{AttributionOptions, ComponentKind, Parts};
use crate::Result;
use crate::mechanisms::dump::{Stream, StreamDump};
use crate::mechanisms::head_table::HeadTable;
use crate::mechanisms::model::{BlockPart, Part};
use crate::mechanisms::readout::{Directions, Readout, dot};
use crate::mechanisms::scale::{Scales, n_layers};
use crate::mechanisms::spots::Spot;

/// One component and how it is read.
pub(super) struct Component {
    pub(super) kind: ComponentKind,
    pub(super) layer: Option<usize>,
    pub(super) head: Option<usize>,
}

impl Component {
    pub(super) fn name(&self) -> String {
        let of_block = |part| {
            let layer = self.layer.unwrap_or(0);
            BlockPart { layer, part }.to_string()
        };
        match self.kind {
            ComponentKind::Embed => "embed".into(),
            ComponentKind::PosEmbed => "pos_embed".into(),
            ComponentKind::AttnOut => of_block(Part::Attention),
            ComponentKind::MlpOut => of_block(Part::Mlp),
            ComponentKind::Head => of_block(Part::Head(self.head.unwrap_or(0))),
            ComponentKind::Bias => "bias".into(),
        }
    }
}

/// What is read for each token: streams of the width of the model, then z of every block.
pub(super) struct Sources {
    pub(super) components: Vec<Component>,
    pub(super) streams: Vec<Stream>,
    pub(super) heads: Option<HeadTable>,
    pub(super) last: Stream,
}

impl Sources {
    pub(super) fn open(
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
    pub(super) fn read(
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
}
