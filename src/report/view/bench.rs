//! Shows the report of `repgeo bench`.

use crate::neighbours::{BenchReport, BenchedKernel, BenchedParts};
use crate::report::page::{Column, Grid, Note, Page, decimal, known, name, number, phrase};
use crate::report::{Printable, Record};

impl Printable for BenchReport {
    fn records(&self) -> Vec<Record<'_>> {
        let of = |found: &BenchedKernel| {
            let record = |quantity, value| Record {
                variant: found.kernel.into(),
                scale: Some(self.parameters.k),
                n: Some(self.parameters.rows),
                ..Record::new("", quantity, Some(value))
            };
            let parts = found.parts.map(|parts| {
                [
                    record("packing_seconds", parts.packing),
                    record("products_seconds", parts.products),
                    record("lists_seconds", parts.lists),
                    record("verdicts_seconds", parts.verdicts),
                ]
            });
            let whole = [
                record("ceiling_gflops", found.ceiling_gflops),
                record("seconds", found.seconds),
                record("share", found.share),
            ];
            whole.into_iter().chain(parts.into_iter().flatten())
        };
        let on_device = self.device_seconds.map(|seconds| Record {
            variant: "cuda:0".into(),
            scale: Some(self.parameters.k),
            n: Some(self.parameters.rows),
            ..Record::new("", "seconds", Some(seconds))
        });
        self.kernels.iter().flat_map(of).chain(on_device).collect()
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(vec![
            Column::words("kernel"),
            Column::number("ceiling GFLOP/s"),
            Column::number("table s"),
            Column::number("share"),
            Column::number("packing s"),
            Column::number("products s"),
            Column::number("lists s"),
            Column::number("verdicts s"),
            Column::words(""),
        ]);
        for found in &self.kernels {
            let is_chosen = found.kernel == self.chosen;
            let part = |of: fn(&BenchedParts) -> f64| known(found.parts.as_ref().map(of), 3).into();
            grid.push(vec![
                name(found.kernel).into(),
                number(found.ceiling_gflops, 3).into(),
                number(found.seconds, 3).into(),
                phrase![decimal(100.0 * found.share, 0), " %"].into(),
                part(|parts| parts.packing),
                part(|parts| parts.products),
                part(|parts| parts.lists),
                part(|parts| parts.verdicts),
                is_chosen.then_some("chosen").into(),
            ]);
        }
        let size = format!(
            "{} rows, {} columns, k {}, {} threads",
            self.parameters.rows, self.parameters.columns, self.parameters.k, self.threads
        );
        let none = self.no_device.iter();
        let none = none.map(|reason| match self.devices.is_empty() {
            true => format!("no GPU: {reason}"),
            false => format!("cuda:0 was not timed: {reason}"),
        });
        let timed = self.device_seconds;
        let timed = timed.map(|seconds| format!("the same table on cuda:0: {seconds:.3} s"));
        let lines = std::iter::once(size).chain(self.devices.iter().cloned());
        let closing: Vec<Note> = lines
            .chain(timed)
            .chain(none)
            .map(|line| Note::Line(line.into()))
            .collect();
        Page::new("Neighbour search", vec![grid.into()], closing.into())
    }
}
