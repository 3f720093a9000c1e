//! Gives groups their colours: the same in every picture that lists the same groups.

use super::colour;
use super::legend::{Entry, Swatch};
use super::words;

/// Groups in the order of their colours.
pub(super) struct Groups<'a> {
    /// The name, and whether the picture shows it.
    names: Vec<(&'a str, bool)>,
}

impl<'a> Groups<'a> {
    /// Groups that a part lists, in its order, then the others of `present`, the heaviest first.
    pub(super) fn new(
        listed: &'a [String],
        present: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Self {
        let mut names: Vec<(&str, bool)> = listed.iter().map(|name| (&**name, false)).collect();
        let mut others: Vec<(&str, f64)> = Vec::new();
        for (name, weight) in present.into_iter().filter(|(name, _)| !name.is_empty()) {
            if let Some(known) = names.iter_mut().find(|known| known.0 == name) {
                known.1 = true;
            } else if let Some(known) = others.iter_mut().find(|known| known.0 == name) {
                known.1 += weight;
            } else {
                others.push((name, weight));
            }
        }
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        names.extend(others.into_iter().map(|(name, _)| (name, true)));
        Self { names }
    }

    /// The colour class of a group; what belongs to none is grey where others do.
    pub(super) fn class(&self, group: &str) -> String {
        match self.names.iter().position(|(name, _)| *name == group) {
            Some(at) => colour::category(at),
            None if self.names.is_empty() => colour::category(0),
            None => "x".to_owned(),
        }
    }

    /// What the legend says of the groups that are there.
    pub(super) fn legend(&self) -> Vec<Entry> {
        let present = self.names.iter().enumerate().filter(|(_, name)| name.1);
        let entries = present.map(|(at, (name, _))| Entry {
            swatch: Swatch::Dot(format!(r#"class="dot f{}""#, colour::category(at))),
            label: words::line(&crate::report::page::name(*name).into()),
        });
        entries.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_group_keeps_its_colour_whatever_else_is_shown() {
        let listed = ["a", "b", "c"].map(str::to_owned);
        let all = Groups::new(&listed, [("a", 1.0), ("b", 1.0), ("c", 1.0)]);
        let some = Groups::new(&listed, [("d", 5.0), ("c", 1.0)]);
        assert_eq!(all.class("c"), some.class("c"));
        assert_eq!(some.class("d"), colour::category(3));
        let shown = some.legend();
        let labels: Vec<&str> = shown.iter().map(|entry| &*entry.label).collect();
        assert_eq!(labels, ["c", "d"]);
    }
}
