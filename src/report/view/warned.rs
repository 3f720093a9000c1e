//! Warnings as notes: layers that share a warning share its line.

use crate::profile::compare::ComparedLayer;
use crate::report::page::Note;
use crate::warning::Warning;

/// One note for each warning about the run, then one for each about `layers`.
pub(super) fn warnings<'a>(
    run: &[Warning],
    layers: impl IntoIterator<Item = (&'a str, &'a [Warning])>,
) -> Vec<Note> {
    let mut groups: Vec<(&Warning, Vec<String>)> = run.iter().map(|w| (w, Vec::new())).collect();
    for (layer, warnings) in layers {
        for warning in warnings {
            let same = |group: &&mut (&Warning, Vec<String>)| {
                group.0.code == warning.code
                    && group.0.message == warning.message
                    && !group.1.is_empty()
            };
            match groups.iter_mut().find(same) {
                Some((_, names)) => names.push(layer.to_owned()),
                None => groups.push((warning, vec![layer.to_owned()])),
            }
        }
    }
    groups
        .into_iter()
        .map(|(warning, layers)| Note::Warning {
            code: warning.code,
            message: warning.message.clone(),
            layers,
        })
        .collect()
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
        let run = [Warning::new(WarningCode::SkippedArrays, 1, "left out: y")];
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
             few_rows: only 64 rows (a, b, c and 1 more)\n\
             duplicates: 9 duplicate rows removed from e\n"
        );
    }
}
