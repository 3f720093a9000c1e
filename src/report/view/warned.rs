//! Warnings as notes: layers that share a warning share its line.

use crate::profile::compare::ComparedLayer;
use crate::report::page::Note;
use crate::warning::Warning;

/// One note for each warning about the run, then one for each about `layers`; a warning that begins with
/// a layer's name is about that layer.
pub(super) fn warnings<'a>(
    run: &'a [Warning],
    layers: impl IntoIterator<Item = (&'a str, &'a [Warning])>,
) -> Vec<Note> {
    let of_run = run.iter().map(|warning| (warning.parts(), warning));
    let of_layers = layers.into_iter().flat_map(|(layer, warnings)| {
        let one = move |warning: &'a Warning| ((Some(layer), warning.message.as_str()), warning);
        warnings.iter().map(one)
    });
    let mut groups: Vec<(&Warning, &str, Vec<String>)> = Vec::new();
    for ((layer, words), warning) in of_run.chain(of_layers) {
        let same = |group: &&mut (&Warning, &str, Vec<String>)| {
            group.0.code == warning.code && group.1 == words && !group.2.is_empty()
        };
        match (layer, groups.iter_mut().find(same)) {
            (Some(layer), Some((.., names))) => names.push(layer.to_owned()),
            _ => groups.push((
                warning,
                words,
                layer.map(str::to_owned).into_iter().collect(),
            )),
        }
    }
    let notes = groups.into_iter().map(|(warning, words, layers)| {
        // A warning that names its one layer says so itself.
        let alone = layers.len() == 1 && warning.message != words;
        Note::Warning {
            code: warning.code,
            message: if alone { &warning.message } else { words }.to_owned(),
            layers: if alone { Vec::new() } else { layers },
        }
    });
    notes.collect()
}

/// The warnings of a run without layers.
pub(super) fn of_run(run: &[Warning]) -> Vec<Note> {
    warnings(run, std::iter::empty())
}

/// The warnings of a run over one dump or two, and of their layers.
pub(super) fn of_comparison(
    run: &[Warning],
    layers: &[ComparedLayer],
    against: Option<&[ComparedLayer]>,
) -> Vec<Note> {
    let all = layers.iter().chain(against.into_iter().flatten());
    let named = all.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
    warnings(run, named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Style;
    use crate::report::page::Page;
    use crate::report::write::text;
    use crate::warning::WarningCode;

    #[test]
    fn layers_with_the_same_warning_share_a_line() {
        let void = || Warning::new(WarningCode::VoidAsBf16, 1, "voids were read");
        let run = [
            Warning::new(WarningCode::SkippedArrays, 1, "left out: y"),
            void().of("a"),
            void().of("d"),
            Warning::new(WarningCode::FewRows, 9, "only 9 rows").of("b"),
        ];
        let same = [Warning::new(WarningCode::FewRows, 64, "only 64 rows")];
        let own = [Warning::new(
            WarningCode::Duplicates,
            9,
            "9 duplicate rows removed from e",
        )];
        let layers = [
            ("a", &same[..]),
            ("b", &same[..]),
            ("c", &same[..]),
            ("d", &same[..]),
            ("e", &own[..]),
        ];
        let page = Page::new("", Vec::new(), warnings(&run, layers).into());
        assert_eq!(
            text::closing(&page, &Style::default()),
            "skipped_arrays: left out: y\n\
             void_as_bf16: voids were read (a, d)\n\
             few_rows: b: only 9 rows\n\
             few_rows: only 64 rows (a, b, c and 1 more)\n\
             duplicates: 9 duplicate rows removed from e\n"
        );
    }
}
