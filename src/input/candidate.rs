//! Makes candidates for layers of arrays: their names, and the layers along an axis.

use std::collections::HashSet;
use std::path::Path;

use super::axes::Axes;
use super::companions;
use super::entry::Entry;
use super::padding::Padding;
use super::square::Square;
use super::stack::Stack;
use super::{file, name};
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// An array that may be a layer, whether or not its values can be read.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The name that tells it from all others.
    pub name: String,
    /// Where its rows are.
    pub stack: Stack,
}

/// The layers of one array: itself, or what its axes say, one by one.
pub(super) fn split(name: &str, stack: &Stack, axes: Option<&Axes>) -> Result<Vec<Candidate>> {
    let Some(axes) = axes else {
        return Ok(vec![Candidate {
            name: name.to_owned(),
            stack: stack.clone(),
        }]);
    };
    let parts: Vec<Vec<Entry>> = stack
        .parts
        .iter()
        .map(|part| axes.split(part))
        .collect::<Result<_>>()?;
    let n = parts[0].len();
    if let Some(other) = parts.iter().position(|layers| layers.len() != n) {
        let fact = format!("{} layers", parts[other].len());
        let first = stack.parts[0].label();
        return Err(stack.parts[other].unsupported(fact, format!("{first} has {n}")));
    }
    let layer = |at: usize| {
        let name = match axes.has_layers() {
            true => format!("{name}.{at}"),
            false => name.to_owned(),
        };
        let parts = parts.iter().map(|layers| layers[at].clone()).collect();
        let stack = Stack {
            name: name.clone(),
            parts,
        };
        Candidate { name, stack }
    };
    Ok((0..n).map(layer).collect())
}

/// Puts candidates into the order of `list`, which must name each of them once.
pub(super) fn by_list(
    path: &Path,
    candidates: Vec<Candidate>,
    list: &[String],
) -> Result<Vec<Candidate>> {
    let mut left: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut ordered = Vec::new();
    let refused = |fact: String| Error::NoLayers {
        path: path.to_owned(),
        fact,
        remedy: "--order-file needs one line with the name of each layer".into(),
    };
    for name in list {
        let found = left.iter_mut().find(|slot| {
            let candidate = slot.as_ref();
            candidate.is_some_and(|candidate| candidate.name == *name)
        });
        let found = found.and_then(Option::take);
        ordered.push(
            found.ok_or_else(|| {
                refused(format!("there is no layer {name:?}, or it stands twice"))
            })?,
        );
    }
    match left.into_iter().flatten().next() {
        None => Ok(ordered),
        Some(lost) => Err(refused(format!(
            "the layer {:?} is not in the list",
            lost.name
        ))),
    }
}

/// A few names with the reasons why they are no layers.
pub(super) fn with_reasons(left_out: &[(String, String)]) -> String {
    let shown: Vec<String> = left_out
        .iter()
        .map(|(name, reason)| format!("{} ({reason})", name.escape_debug()))
        .collect();
    file::list_as_it_is(shown.iter().map(String::as_str))
}

/// The error for a dump without layers.
pub(super) fn no_layers(
    path: &Path,
    total: usize,
    left_out: &[(String, String)],
    n_tables: usize,
) -> Error {
    let shown = with_reasons(left_out);
    let (fact, remedy) = match (total, n_tables) {
        (0, _) => (
            "there are no arrays inside".to_owned(),
            "a layer is an array of numbers with rows and columns; name any other as FILE#NAME",
        ),
        (_, 0)
            if left_out
                .iter()
                .any(|(_, reason)| reason == Square::Similarities.words()) =>
        {
            (
                format!("no array inside holds rows and columns: {shown}"),
                "dump activations; if it is activations all the same, --axes ND; of G = X X\u{1d40} \
                 with diagonal g the distances are sqrt(g_i + g_j - 2 G_ij), which --neighbours reads",
            )
        }
        (2.., 0)
            if left_out
                .iter()
                .all(|(_, reason)| reason == companions::ONE_AXIS) =>
        {
            (
                format!("all of the {total} arrays inside have one axis: {shown}"),
                "if each is a row, --join rows; a layer is an array of numbers with rows and columns",
            )
        }
        (_, 0) => (
            format!("none of the {total} arrays inside is a layer: {shown}"),
            "a layer is an array of numbers with rows and columns; name any other as FILE#NAME",
        ),
        _ if left_out
            .iter()
            .all(|(_, reason)| reason == Square::Half.words()) =>
        {
            (
                format!("no array inside holds rows and columns: {shown}"),
                "give distances to --neighbours",
            )
        }
        _ => (
            format!("there are neighbour tables inside ({n_tables}) and no layers"),
            "give them to --neighbours, or dump activations; --axes ND reads any square matrix as \
             rows and columns",
        ),
    };
    Error::NoLayers {
        path: path.to_owned(),
        fact,
        remedy: remedy.into(),
    }
}

/// The shortest names that tell all arrays apart: own name, with file stem, with file name.
pub(super) fn unique_names(stacks: &[Stack]) -> Vec<String> {
    let with = |prefix: fn(&Path) -> Option<&std::ffi::OsStr>| {
        let name = |stack: &Stack| match prefix(&stack.parts[0].path) {
            Some(file) => format!("{}#{}", name::text_of(file), stack.name),
            None => stack.name.clone(),
        };
        stacks.iter().map(name).collect()
    };
    let plain: Vec<String> = stacks.iter().map(|stack| stack.name.clone()).collect();
    [plain, with(Path::file_stem)]
        .into_iter()
        .find(|names| {
            let mut sorted: Vec<&String> = names.iter().collect();
            sorted.sort_unstable();
            sorted.windows(2).all(|pair| pair[0] != pair[1])
        })
        .unwrap_or_else(|| with(Path::file_name))
}

/// Fails where two arrays have one name in one file, so that no name would tell them apart.
pub(super) fn no_name_twice(names: &[String], stacks: &[Stack]) -> Result<()> {
    let mut seen = HashSet::new();
    match (0..names.len()).find(|&at| !seen.insert(&names[at])) {
        None => Ok(()),
        Some(at) => Err(Error::Malformed {
            path: stacks[at].parts[0].path.clone(),
            fact: format!("two arrays inside are called {:?}", stacks[at].name),
            remedy: "dump each layer under a name of its own".into(),
        }),
    }
}

/// A first axis that is short beside the second may be that of layers.
pub(super) fn short_first_axis(
    candidates: &[Candidate],
    axes_said: bool,
    padding: &Padding,
) -> Option<Warning> {
    /// Networks have fewer layers than this.
    const FEWEST_ROWS: usize = 200;
    let said = axes_said || padding.name().is_some() || !padding.tokens.is_empty();
    let is_short = |one: &&Candidate| {
        let shape = one.stack.shape();
        shape.len() > 2 && shape[0] < shape[1] && shape[0] < FEWEST_ROWS
    };
    let found = candidates.iter().filter(|_| !said).find(is_short)?;
    let shape = found.stack.shape();
    let message = format!(
        "{}: axis 0 of {shape:?} is shorter than axis 1; if it holds layers give --axes {}",
        found.name.escape_debug(),
        if shape.len() == 3 { "LND" } else { "LNTD" }
    );
    Some(Warning::new(WarningCode::UnsureAxes, shape[0], message))
}
