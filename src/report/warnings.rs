//! Warnings as lines: code, message, and the layers they concern.

use super::style::Style;
use super::text;
use crate::profile::compare::ComparedLayer;
use crate::warning::{Warning, WarningCode};

/// At most this many layers are named in one line.
const NAMED_LAYERS: usize = 3;

/// One line for each warning about the run, then one for each about layers; layers that share a
/// warning share its line.
pub(super) fn lines<'a>(
    run: &'a [Warning],
    layers: impl Iterator<Item = (&'a str, &'a [Warning])>,
    style: Style,
) -> String {
    let mut groups: Vec<(&Warning, Vec<&str>)> = run.iter().map(|w| (w, Vec::new())).collect();
    for (layer, warnings) in layers {
        for warning in warnings {
            let same = |group: &&mut (&Warning, Vec<&str>)| {
                group.0.code == warning.code
                    && group.0.message == warning.message
                    && !group.1.is_empty()
            };
            match groups.iter_mut().find(same) {
                Some((_, names)) => names.push(layer),
                None => groups.push((warning, vec![layer])),
            }
        }
    }
    groups
        .iter()
        .flat_map(|(warning, names)| text::wrap(&line(warning, names, style), style.width))
        .map(|line| line + "\n")
        .collect()
}

fn line(warning: &Warning, layers: &[&str], style: Style) -> String {
    let code = code(warning.code);
    let about = match layers {
        [] => String::new(),
        // Some messages name their layer already.
        [layer] if warning.message.contains(layer) => String::new(),
        _ if layers.len() <= NAMED_LAYERS => format!(" ({})", layers.join(", ")),
        _ => format!(
            " ({} and {} more)",
            layers[..NAMED_LAYERS].join(", "),
            layers.len() - NAMED_LAYERS
        ),
    };
    text::safe(&format!("{code}: {}{about}", warning.message), style)
}

/// The code as it stands in JSON.
fn code(code: WarningCode) -> String {
    let value = serde_json::to_value(code).expect("a unit variant serialises to its name");
    value.as_str().unwrap_or_default().to_owned()
}

/// The warnings of a run over one dump or two, and of their layers.
pub(super) fn of_comparison(
    run: &[Warning],
    layers: &[ComparedLayer],
    against: Option<&[ComparedLayer]>,
    style: Style,
) -> String {
    let all = layers.iter().chain(against.into_iter().flatten());
    let named = all.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
    lines(run, named, style)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(
            lines(&run, layers.into_iter(), Style::default()),
            "skipped_arrays: left out: y\n\
             few_rows: only 64 rows (a, b, c and 1 more)\n\
             duplicates: 9 duplicate rows removed from e\n"
        );
    }
}
