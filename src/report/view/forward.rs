//! Shows the report of `repgeo forward`.

use super::warned::of_run;
use crate::mechanisms::dumped::ForwardReport;
use crate::report::page::{Column, Grid, Note, Page, Phrase, Piece, index, name};
use crate::report::{Printable, Record};

impl Printable for ForwardReport {
    fn records(&self) -> Vec<Record<'_>> {
        self.tensors
            .iter()
            .map(|tensor| Record {
                n: tensor.shape.first().copied(),
                ..Record::new(&tensor.name, "bytes", Some(tensor.bytes as f64))
            })
            .collect()
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(vec![
            Column::words("tensor"),
            Column::words("shape"),
            Column::words("dtype"),
            Column::bytes("size"),
        ]);
        for tensor in &self.tensors {
            let axes = tensor.shape.iter().map(|&axis| index(axis).into());
            grid.push(vec![
                name(&tensor.name).into(),
                Phrase::join(axes, " × ").into(),
                name(&tensor.dtype).into(),
                Piece::Bytes(tensor.bytes).into(),
            ]);
        }
        let model = &self.model;
        let words = format!(
            "{}: {} blocks of {} heads, width {}; {} examples, {} tokens",
            model.family.as_str(),
            model.n_layers,
            model.n_heads,
            model.width,
            self.n,
            self.n_tokens
        );
        let mut closing = vec![Note::Line(words.into())];
        closing.extend(of_run(&self.warnings));
        Page::new("Forward pass", vec![grid.into()], closing.into())
    }
}
