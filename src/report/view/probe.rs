//! Shows the report of `repgeo probe`: its records, its page and its curve.

use super::axes::{axis, depth, point, share};
use super::warned::of_run;
use crate::profile::probe::{
    ProbeLayer, ProbeProfile, ProposalRule, Readout, ScoreKind, SplitRule,
};
use crate::report::page::{
    Cell, Column, Curve, Curves, Grid, Mark, Note, Page, Part, Phrase, Piece, code, count, known,
    name, number, phrase,
};
use crate::report::{Printable, Record};

impl Printable for ProbeProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let readout = self.parameters.options.readout.name();
        let mut records = Vec::new();
        for layer in &self.layers {
            let record = |variant: String, value| Record {
                other: &self.target.name,
                variant: variant.into(),
                n: Some(self.target.n),
                reason: layer.outcome.reason(),
                ..Record::new(&layer.layer, self.quantity(), value)
            };
            records.push(record(readout.to_owned(), layer.score()));
            records.push(record(format!("{readout}_std_dev"), layer.std_dev()));
            records.push(record(format!("{readout}_train"), layer.train_score()));
            for (fold, score) in layer.folds.iter().enumerate() {
                records.push(record(format!("{readout}_fold_{fold}"), Some(*score)));
            }
        }
        records
    }

    fn page(&self) -> Page {
        let mut closing: Vec<Note> = Vec::new();
        if let Some(best) = &self.best {
            closing.push(Note::Line(phrase![
                "best ",
                self.score(),
                " ",
                number(best.score, 3),
                " at ",
                name(&best.at.layer),
            ]));
        }
        for proposed in &self.proposed {
            let rule = match proposed.rule {
                ProposalRule::RelativeMinimum => "relative minimum of the dimension",
                ProposalRule::Peak => "peak of the dimension",
            };
            closing.push(Note::Line(match &proposed.outcome.0 {
                Ok(found) => match found.score {
                    Some(score) => phrase![
                        rule,
                        " at ",
                        name(&found.layer),
                        ": ",
                        number(score, 3),
                        found
                            .below_best
                            .map(|by| phrase![", ", number(by, 2), " below the best"]),
                    ],
                    None => phrase![rule, " at ", name(&found.layer), ", without a score"],
                },
                Err(reason) => phrase![rule, ": none, ", Piece::Code(*reason)],
            }));
        }
        closing.push(Note::Context(self.context()));
        closing.extend(of_run(&self.warnings));
        let title = phrase!["Linear probe of ", name(&self.target.name)];
        Page::new(title, vec![self.grid().into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let layers = || self.layers.iter();
        let mut marks = Vec::new();
        if let Some(chance) = self.target.chance {
            marks.push(Mark::Level {
                y: chance,
                label: "chance".into(),
            });
        }
        for proposed in &self.proposed {
            let found = proposed.outcome.ok();
            let at = found.and_then(|found| layers().find(|layer| layer.layer == found.layer));
            marks.extend(at.map(|layer| Mark::At {
                x: layer.relative_depth,
                label: match proposed.rule {
                    ProposalRule::RelativeMinimum => "minimum of the dimension".into(),
                    ProposalRule::Peak => "peak of the dimension".into(),
                },
            }));
        }
        let curve =
            |title: &'static str, value: &dyn Fn(&ProbeLayer) -> Option<f64>, spread: bool| Curve {
                name: title.into(),
                points: layers()
                    .map(|layer| {
                        let error = layer.std_dev().filter(|_| spread);
                        point(layer.relative_depth, value(layer), error)
                    })
                    .collect(),
                ..Curve::default()
            };
        let accuracy = self.target.n_classes.is_some();
        vec![Part::Curves(Curves {
            title: phrase!["Linear probe of ", name(&self.target.name)],
            x: depth(layers().map(|layer| (layer.relative_depth, layer.layer.as_str()))),
            y: if accuracy {
                share(self.score())
            } else {
                axis(self.score())
            },
            curves: vec![
                curve("rows not learned from", &|layer| layer.score(), true),
                curve("rows learned from", &|layer| layer.train_score(), false),
            ],
            marks,
        })]
    }
}

impl ProbeProfile {
    fn quantity(&self) -> &'static str {
        match self.target.n_classes {
            Some(_) => "probe_accuracy",
            None => "probe_r2",
        }
    }

    fn score(&self) -> &'static str {
        match self.target.score {
            ScoreKind::Accuracy => "accuracy",
            ScoreKind::R2 => "R²",
        }
    }

    fn grid(&self) -> Grid {
        let mut grid = Grid::new(vec![
            Column::words("layer"),
            Column::number("D"),
            Column::number(self.score()),
            Column::spread(),
            Column::number("learned"),
            Column::words(""),
        ]);
        let best = self.best.as_ref().map(|best| best.at.index);
        for layer in &self.layers {
            let mut score = Cell::from(known(layer.score(), 3));
            score.marked = best == Some(layer.index);
            grid.push(vec![
                name(&layer.layer).into(),
                count(layer.n_columns).into(),
                score,
                known(layer.std_dev(), 2).into(),
                known(layer.train_score(), 3).into(),
                code(layer.outcome.reason()).into(),
            ]);
        }
        grid
    }

    /// How it was learned and asked, in one sentence.
    fn context(&self) -> Phrase {
        let parameters = &self.parameters;
        let readout = match parameters.options.readout {
            Readout::Logistic => "multinomial logistic regression",
            Readout::Ridge => "ridge regression",
        };
        let split = match parameters.options.split {
            SplitRule::Folds(folds) => phrase![count(folds), " folds, sd over the folds"],
            SplitRule::Holdout(share) => {
                phrase!["one split with ", number(share, 3), " of the rows held out"]
            }
        };
        let classes = self.target.n_classes;
        let classes = classes.map(|classes| phrase![" of ", count(classes), " classes"]);
        let missing = (self.target.n_missing > 0).then(|| {
            phrase![
                "; ",
                count(self.target.n_missing),
                " rows without a target left out"
            ]
        });
        phrase![
            readout,
            ", penalty ",
            number(parameters.options.penalty, 3),
            "; ",
            count(self.target.n),
            " rows",
            classes,
            ", ",
            split,
            "; chance ",
            known(self.target.chance, 3),
            "; ",
            parameters.standardised,
            missing,
        ]
    }
}
