//! Shows the report of `repgeo ablate`.

use super::mechanism_parts::{
    about_spread, by_block, by_head, group, outcome_cells, outcome_columns, outcome_records,
    stat_cells, stat_columns, stat_point,
};
use super::warned::of_run;
use crate::mechanisms::ablate::{Ablated, Ablation, AblationRow, Place, Replacement};
use crate::mechanisms::model::Part as BlockPart;
use crate::report::page::{Cell, Column, Curve, Grid, Note, Page, Part, name, phrase};
use crate::report::{Printable, Record};

impl Ablation {
    /// Rows of all examples in which one component gave way.
    fn single(&self) -> impl Iterator<Item = (usize, BlockPart, &AblationRow)> {
        let rows = self.rows.iter().filter(|row| row.group.is_none());
        rows.filter_map(|row| match row.component {
            Ablated::One(one) => Some((one.layer, one.part, row)),
            Ablated::Nothing | Ablated::Together => None,
        })
    }
}

impl Printable for Ablation {
    fn records(&self) -> Vec<Record<'_>> {
        let mut records = Vec::new();
        for row in &self.rows {
            let what = row.component.to_string();
            let with = match row.component {
                Ablated::Nothing => "unchanged",
                Ablated::One(_) | Ablated::Together => self.parameters.options.with.name(),
            };
            let variant = match &row.group {
                None => format!("{with}:{what}"),
                Some(group) => format!("{with}:{what}:{group}"),
            };
            records.extend(outcome_records("", &variant, &row.outcomes));
            if row.component != Ablated::Nothing {
                records.push(Record {
                    variant: variant.into(),
                    std_error: row.effect.std_error(row.outcomes.n),
                    n: Some(row.outcomes.n),
                    ..Record::new("", "effect", row.effect.mean)
                });
            }
        }
        records
    }

    fn page(&self) -> Page {
        let grouped = self.parameters.options.groups.is_some();
        let mut columns = vec![Column::words("replaced")];
        if grouped {
            columns.push(Column::words("group"));
        }
        columns.extend(outcome_columns());
        columns.extend(stat_columns("effect"));
        let mut grid = Grid::new(columns);
        for row in &self.rows {
            let mut cells: Vec<Cell> = vec![name(row.component.to_string()).into()];
            if grouped {
                cells.push(group(row.group.as_deref()).into());
            }
            cells.extend(outcome_cells(&row.outcomes));
            if row.component != Ablated::Nothing {
                cells.extend(stat_cells(&row.effect));
            }
            grid.push(cells);
        }
        let options = &self.parameters.options;
        let with = match (options.with, options.at) {
            (Replacement::Mean, Place::Last) => "its mean over all examples at their last token",
            (Replacement::Mean, Place::All) => "its mean over all tokens of all examples",
            (Replacement::Zero, _) => "zero",
        };
        let (at, after) = match options.at {
            Place::Last => (
                "at the last token",
                "what comes after it there is computed anew, earlier tokens stay",
            ),
            Place::All => ("at every token", "what comes after it is computed anew"),
        };
        let mut closing = vec![
            Note::Line(phrase![format!("{at} each gives way to {with}; "), after,]),
            Note::Line(phrase![
                "effect = change of delta = counterfactual - factual, example by example",
            ]),
        ];
        if options.together {
            let parts = options.components.iter();
            let parts: Vec<String> = parts.map(ToString::to_string).collect();
            closing.push(Note::Line(phrase![
                "replaced together: ",
                name(parts.join(", ")),
            ]));
        }
        closing.push(about_spread());
        closing.extend(of_run(&self.warnings));
        Page::new("Outcomes of ablation", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        const MEANING: &str = "change of counterfactual − factual logit";
        let heads = self.single().filter_map(|(layer, part, row)| match part {
            BlockPart::Head(head) => Some((layer, head, row.effect.mean)),
            BlockPart::Attention | BlockPart::Mlp => None,
        });
        let by_head = by_head("Heads", MEANING, heads);
        let of = |wanted: BlockPart, name: &'static str| Curve {
            name: name.into(),
            points: self
                .single()
                .filter(|(_, part, _)| *part == wanted)
                .map(|(layer, _, row)| stat_point(layer as f64, &row.effect, row.outcomes.n))
                .collect(),
            ..Curve::default()
        };
        let curves = [
            of(BlockPart::Attention, "attention"),
            of(BlockPart::Mlp, "MLP"),
        ];
        let blocks = by_block("Blocks", MEANING, curves);
        let heads = by_head.map(Part::Matrix).into_iter();
        heads.chain(blocks.map(Part::Curves)).collect()
    }
}
