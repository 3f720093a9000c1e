//! Trees in lines: a fork or a leaf a line, deeper ones farther to the right.

use super::fit;
use super::spell::plain;
use super::style::Style;
use crate::report::page::Tree;

/// A tree with more leaves than this is not drawn.
const DRAWN_LEAVES: usize = 200;

/// The tree under a line that says how to read it, or why there is none.
pub(in crate::report::write) fn tree(tree: &Tree, style: Style) -> String {
    let title = plain(&tree.title, style);
    let kind = plain(&tree.kind, style);
    if let Some(reason) = tree.reason {
        return format!("{title} ({kind}): none, {}\n", reason.code());
    }
    let leaves = tree.branches.iter().filter(|one| one.children.is_none());
    let n = leaves.count();
    if n > DRAWN_LEAVES {
        return format!(
            "{title} ({kind}): {n} {} are too many to draw; see {} in the JSON\n",
            tree.leaves, tree.field
        );
    }
    let [branch, last, along] = match style.ascii {
        true => ["|- ", "`- ", "|  "],
        false => ["├─ ", "└─ ", "│  "],
    };
    let heading = format!("{title} ({kind}; {})", plain(&tree.reading, style));
    let mut lines = fit::wrap(&heading, style.width);
    // (branch, what stands before it, what stands before its children)
    let mut stack: Vec<(usize, String, String)> = Vec::new();
    stack.extend(
        tree.branches
            .len()
            .checked_sub(1)
            .map(|root| (root, String::new(), String::new())),
    );
    while let Some((at, before, below)) = stack.pop() {
        let one = &tree.branches[at];
        // Deep forks would leave no room for words: their depth stands in place of the lines.
        let before = match style.width {
            Some(limit) if fit::width(&before) * 2 > limit => {
                format!("({}) ", fit::width(&before) / fit::width(last))
            }
            _ => before,
        };
        lines.extend(fit::wrap(
            &format!("{before}{}", plain(&one.label, style)),
            style.width,
        ));
        if let Some([first, second]) = one.children {
            stack.push((second, format!("{below}{last}"), format!("{below}   ")));
            stack.push((first, format!("{below}{branch}"), format!("{below}{along}")));
        }
    }
    lines.join("\n") + "\n"
}
