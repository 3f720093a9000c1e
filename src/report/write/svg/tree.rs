//! Groups that join at heights: a tree on its side, what its leaves hold beside them.

use super::axes::{self, Ruler};
use super::drawing::{Drawing, WIDTH, heading};
use super::groups::Groups;
use super::ink::{Hold, Ink, px};
use super::legend::legend;
use super::words;
use crate::report::page::{Axis, Branch, Tree};
use crate::report::write::text::significant;

/// The room for the shares of a leaf.
const BAR: f64 = 56.0;

/// The tree, or `None` where there is none.
pub(super) fn draw(tree: &Tree) -> Option<Drawing> {
    let root = tree.branches.len().checked_sub(1)?;
    let order = leaves(tree, root);
    let mut ink = Ink::default();
    let title = format!("{}: {}", words::line(&tree.title), words::line(&tree.kind));
    let top = heading(&mut ink, &title) + 2.0;

    let step = if order.len() <= 100 {
        13.0
    } else {
        (1300.0 / order.len() as f64).max(3.0)
    };
    let labelled = step >= 9.0;
    let has_shares = tree.branches.iter().any(|branch| !branch.shares.is_empty());
    let bar = if has_shares { BAR + 6.0 } else { 0.0 };
    let label_of =
        |leaf: usize| words::shortened(&words::line(&tree.branches[leaf].label), 9.0, 150.0);
    let widths = order.iter().map(|&leaf| words::width(&label_of(leaf), 9.0));
    let words_room = if labelled {
        widths.fold(0.0, f64::max) + 6.0
    } else {
        0.0
    };
    let [left, right] = [14.0, WIDTH - 8.0 - bar - words_room];
    let bottom = top + step * order.len() as f64;

    let heights = || tree.branches.iter().filter_map(|branch| branch.height);
    let axis = Axis {
        range: None,
        ..tree.height.clone()
    };
    let x = ruler(tree, &axis, heights(), [left, right]);
    let edge = axes::lower_edge(&mut ink, &axis, &x, [left, right], [top, bottom]);

    let shares = tree.branches.iter().flat_map(|branch| &branch.shares);
    let groups = Groups::new(
        &tree.groups,
        shares.map(|share| (&*share.name, share.share)),
    );
    let mut places: Vec<Option<[f64; 2]>> = vec![None; tree.branches.len()];
    for (row, &leaf) in order.iter().enumerate() {
        let y = top + step * (row as f64 + 0.5);
        let branch = &tree.branches[leaf];
        let place = branch
            .height
            .and_then(|height| x.at(height))
            .unwrap_or(right);
        places[leaf] = Some([place, y]);
        if labelled {
            ink.text([right + 5.0, y + 3.0], Hold::Start, "s", &label_of(leaf));
        }
        shares_of(&mut ink, branch, &groups, &label_of(leaf), [y, step]);
    }
    forks(&mut ink, tree, &x, left, &mut places);
    let below = legend(
        &mut ink,
        &groups.legend(),
        [left, WIDTH - 8.0],
        bottom + edge,
    );
    Some(Drawing {
        kind: "tree",
        description: format!(
            "{}: {} {}.",
            words::line(&tree.reading),
            order.len(),
            tree.leaves
        ),
        title,
        height: bottom + edge + below + 4.0,
        ink,
    })
}

/// The shares of a leaf, side by side at the right edge.
fn shares_of(ink: &mut Ink, leaf: &Branch, groups: &Groups, label: &str, [y, step]: [f64; 2]) {
    let mut from = WIDTH - 8.0 - BAR;
    for share in &leaf.shares {
        let width = BAR * share.share.clamp(0.0, 1.0);
        let c = groups.class(&share.name);
        let name = words::line(&crate::report::page::name(share.name.clone()).into());
        let percent = significant(100.0 * share.share, 3);
        let tip = format!("{label}\n{name}: {percent} %");
        let data = format!(r#"class="f{c}" data-value="{}""#, share.share);
        ink.rect(
            [from, y - 0.38 * step],
            [width, 0.76 * step],
            &data,
            Some(&tip),
        );
        from += width;
    }
}

/// Leaves stand to the right, whichever way their heights run.
fn ruler(
    tree: &Tree,
    axis: &Axis,
    heights: impl Iterator<Item = f64>,
    [left, right]: [f64; 2],
) -> Ruler {
    let mean = |of: bool| {
        let known = tree
            .branches
            .iter()
            .filter(|branch| branch.children.is_none() == of);
        let known: Vec<f64> = known.filter_map(|branch| branch.height).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let leaves_are_higher = match (mean(true), mean(false)) {
        (Some(leaf), Some(fork)) => leaf >= fork,
        _ => true,
    };
    let heights: Vec<f64> = heights.collect();
    match leaves_are_higher {
        true => Ruler::over(axis, heights, left, right),
        false => Ruler::over(axis, heights, right, left),
    }
}

/// The leaves from top to bottom, so that no two branches cross.
fn leaves(tree: &Tree, root: usize) -> Vec<usize> {
    let mut order = Vec::new();
    let mut open = vec![root];
    while let Some(at) = open.pop() {
        match tree.branches.get(at).map(|branch| branch.children) {
            Some(Some([first, second])) => open.extend([second, first]),
            Some(None) => order.push(at),
            None => {}
        }
    }
    order
}

/// Every fork, its children before it; groups that do not meet join in dashes at the edge.
fn forks(ink: &mut Ink, tree: &Tree, x: &Ruler, left: f64, places: &mut [Option<[f64; 2]>]) {
    for (at, branch) in tree.branches.iter().enumerate() {
        let Some([a, b]) = branch.children else {
            continue;
        };
        let (Some([ax, ay]), Some([bx, by])) = (places[a], places[b]) else {
            continue;
        };
        let (place, class) = match branch.height.and_then(|height| x.at(height)) {
            Some(place) => (place, "axis"),
            None => (left, "mark"),
        };
        let d = format!("M{} {}H{}V{}H{}", px(ax), px(ay), px(place), px(by), px(bx));
        ink.path(&d, &format!(r#"class="{class}""#));
        places[at] = Some([place, f64::midpoint(ay, by)]);
    }
}
