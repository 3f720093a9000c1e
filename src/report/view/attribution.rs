//! Shows the report of `repgeo attribution`.

use super::mechanism_parts::{
    about_spread, by_block, by_head, group, place, stat_cells, stat_columns, stat_point,
    stat_records,
};
use super::warned::of_run;
use crate::mechanisms::attribution::{
    Attribution, AttributionParameters, AttributionRuns, Check, ComponentKind, ComponentRow,
};
use crate::report::page::{
    Cell, Column, Curve, Grid, Note, Page, Part, Phrase, name, number, phrase,
};
use crate::report::{Leading, Printable, Record};

/// Heads named at the end of the table, of each sign.
const NAMED_HEADS: usize = 4;

impl Printable for Attribution {
    fn records(&self) -> Vec<Record<'_>> {
        records(&self.components, &self.parameters)
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(columns(None, &self.components, &self.parameters));
        push_rows(&mut grid, None, &self.components, &self.parameters);
        let extreme = extreme_heads(&self.components);
        let mut closing: Vec<Note> = extreme.into_iter().map(Note::Line).collect();
        closing.extend(
            self.check
                .as_ref()
                .map(|check| Note::Line(check_line(check))),
        );
        closing.push(about_spread());
        closing.extend(of_run(&self.warnings));
        Page::new(
            "Attribution of the two logits",
            vec![grid.into()],
            closing.into(),
        )
    }

    fn figures(&self) -> Vec<Part> {
        figures(&self.components, None)
    }
}

impl Printable for AttributionRuns {
    fn records(&self) -> Vec<Record<'_>> {
        let runs = self.runs.iter();
        runs.flat_map(|run| records(&run.components, &self.parameters))
            .collect()
    }

    fn leading(&self) -> Leading {
        let cells = self.runs.iter().flat_map(|run| {
            let count = records(&run.components, &self.parameters).len();
            std::iter::repeat_n(vec![run.run.clone()], count)
        });
        Leading {
            header: vec!["run".to_owned()],
            cells: cells.collect(),
        }
    }

    fn page(&self) -> Page {
        let all = self.runs.iter().flat_map(|run| &run.components);
        let mut grid = Grid::new(columns(Some("run"), all, &self.parameters));
        for run in &self.runs {
            push_rows(&mut grid, Some(&run.run), &run.components, &self.parameters);
        }
        let mut closing: Vec<Note> = Vec::new();
        for run in &self.runs {
            let lines = extreme_heads(&run.components).into_iter();
            let lines = lines.chain(run.check.as_ref().map(check_line));
            closing.extend(lines.map(|line| Note::Line(phrase![name(&run.run), ": ", line])));
        }
        closing.push(about_spread());
        for run in &self.runs {
            closing.extend(of_run(&run.warnings));
        }
        Page::new(
            "Attribution of the two logits over runs",
            vec![grid.into()],
            closing.into(),
        )
    }

    fn figures(&self) -> Vec<Part> {
        let runs = self.runs.iter();
        runs.flat_map(|run| figures(&run.components, Some(&run.run)))
            .collect()
    }
}

fn records<'a>(
    components: &'a [ComponentRow],
    parameters: &AttributionParameters,
) -> Vec<Record<'a>> {
    components
        .iter()
        .flat_map(|row| {
            let how = match row.kind {
                ComponentKind::Head | ComponentKind::Bias => parameters.options.value_bias.name(),
                _ => "final",
            };
            let variant = place(how, &row.position, row.group.as_deref());
            let mut records = stat_records(
                &row.component,
                ["contribution", "delta"],
                &variant,
                [&row.fact, &row.counterfactual, &row.delta],
                row.n,
            );
            if row.share.is_some() {
                records.push(Record {
                    variant: variant.into(),
                    n: Some(row.n),
                    ..Record::new(&row.component, "share", row.share)
                });
            }
            records
        })
        .collect()
}

/// The columns of the table, behind one for the run where there are several.
fn columns<'a>(
    run: Option<&'static str>,
    components: impl IntoIterator<Item = &'a ComponentRow>,
    parameters: &AttributionParameters,
) -> Vec<Column> {
    let mut columns: Vec<Column> = run.map(Column::words).into_iter().collect();
    columns.extend(["component", "position"].map(Column::words));
    if parameters.options.groups.is_some() {
        columns.push(Column::words("group"));
    }
    columns.extend(
        ["fact", "counterfactual", "delta"]
            .into_iter()
            .flat_map(stat_columns),
    );
    let mut kinds = components.into_iter().map(|row| row.kind);
    if kinds.any(|kind| kind == ComponentKind::Head) {
        columns.push(Column::number("share of its sign"));
    }
    columns
}

fn push_rows(
    grid: &mut Grid,
    run: Option<&str>,
    components: &[ComponentRow],
    parameters: &AttributionParameters,
) {
    for row in components {
        let mut cells: Vec<Cell> = run.map(|run| name(run).into()).into_iter().collect();
        cells.push(name(&row.component).into());
        cells.push(name(&row.position).into());
        if parameters.options.groups.is_some() {
            cells.push(group(row.group.as_deref()).into());
        }
        for stat in [&row.fact, &row.counterfactual, &row.delta] {
            cells.extend(stat_cells(stat));
        }
        cells.extend(row.share.map(|share| Cell::from(number(share, 3))));
        grid.push(cells);
    }
}

const MEANING: &str = "counterfactual − factual logit";

/// Heads as shades and blocks as curves at the last place; titles begin with the run, if there is one.
fn figures(components: &[ComponentRow], run: Option<&str>) -> Vec<Part> {
    let title = |what: &'static str| match run {
        None => phrase![what],
        Some(run) => phrase![name(run), ": ", what],
    };
    let last = components.last().map(|row| row.position.as_str());
    let shown = || {
        let rows = components.iter();
        rows.filter(move |row| row.group.is_none() && Some(row.position.as_str()) == last)
    };
    let heads = shown().filter_map(|row| Some((row.layer?, row.head?, row.delta.mean)));
    let by_head = by_head(title("Heads"), MEANING, heads);
    let of = |kind: ComponentKind, name: &'static str| Curve {
        name: name.into(),
        points: shown()
            .filter(|row| row.kind == kind)
            .filter_map(|row| Some(stat_point(row.layer? as f64, &row.delta, row.n)))
            .collect(),
        ..Curve::default()
    };
    let curves = [
        of(ComponentKind::AttnOut, "attention"),
        of(ComponentKind::MlpOut, "MLP"),
    ];
    let blocks = by_block(title("Blocks"), MEANING, curves);
    let heads = by_head.map(Part::Matrix).into_iter();
    heads.chain(blocks.map(Part::Curves)).collect()
}

fn check_line(check: &Check) -> Phrase {
    let errors = [
        ("blocks ", check.blocks),
        ("heads ", check.heads),
        ("logits ", check.logits),
    ];
    let errors = errors
        .into_iter()
        .filter_map(|(name, value)| Some(phrase![name, number(value?, 2)]));
    phrase![
        "check: largest |sum - last lens| ",
        Phrase::join(errors, ", "),
        " (largest lens ",
        number(check.largest, 3),
        ")",
    ]
}

/// The heads that push most to either side at the last place, over all examples.
fn extreme_heads(components: &[ComponentRow]) -> Vec<Phrase> {
    let last = components.last().map(|row| row.position.as_str());
    let mut heads: Vec<(&ComponentRow, f64)> = components
        .iter()
        .filter(|row| row.kind == ComponentKind::Head && row.group.is_none())
        .filter(|row| Some(row.position.as_str()) == last)
        .filter_map(|row| Some((row, row.delta.mean?)))
        .collect();
    heads.sort_by(|a, b| a.1.total_cmp(&b.1));
    let words = |(row, delta): &(&ComponentRow, f64)| {
        let (layer, head) = (row.layer.unwrap_or(0), row.head.unwrap_or(0));
        phrase![format!("{layer}.{head} "), number(*delta, 3)]
    };
    let factual = heads.iter().take(NAMED_HEADS).filter(|head| head.1 < 0.0);
    let counterfactual = heads
        .iter()
        .rev()
        .take(NAMED_HEADS)
        .filter(|head| head.1 > 0.0);
    let sides: [(&'static str, Vec<Phrase>); 2] = [
        ("heads towards the fact: ", factual.map(words).collect()),
        (
            "heads towards the counterfactual: ",
            counterfactual.map(words).collect(),
        ),
    ];
    sides
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(side, names)| phrase![side, Phrase::join(names, ", ")])
        .collect()
}
