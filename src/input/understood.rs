//! Says in one line what a dump was understood to be.

use std::path::Path;

use super::dump::Dump;
use super::join::Join;
use super::layer_info::LayerInfo;
use super::pooling::Pooling;
use super::runs::what_differs;

impl Dump {
    /// What the dump was understood to be, in one line.
    pub fn understood(&self) -> String {
        self.understood_in(self.options.name.as_deref())
    }

    /// The same of several dumps, each with the name that it was given, or what tells its path from
    /// those of the others.
    pub(crate) fn understood_together(dumps: &[&Self]) -> Vec<String> {
        if let [alone] = dumps {
            return vec![alone.understood()];
        }
        let paths: Vec<&Path> = dumps.iter().map(|dump| dump.path()).collect();
        let names = what_differs(&paths).into_iter().zip(dumps);
        names
            .map(|(own, dump)| {
                dump.understood_in(Some(dump.options.name.as_deref().unwrap_or(&own)))
            })
            .collect()
    }

    fn understood_in(&self, name: Option<&str>) -> String {
        let n = self.layers().len();
        let layers = format!("{n} layer{}", if n == 1 { "" } else { "s" });
        let Some(first) = self.layers().first() else {
            return layers;
        };
        let mut parts = vec![self.rows_in_words(&layers, first)];
        if let Some(name) = name {
            parts[0].push_str(&format!(" in {name}"));
        }
        if let Some(selection) = &self.selection {
            parts.push(format!("chosen by --layers {selection}"));
        }
        if let Some(axes) = &self.options.axes {
            parts.push(format!("axes {axes}"));
        } else if first.shape.len() > 2 {
            let words = match first.shape.len() {
                3 => "rows x tokens x columns",
                4 => "rows x channels x height x width",
                _ => "rows first",
            };
            parts.push(format!("shape {:?} read as {words}", first.shape));
        }
        if self.options.bf16_bits {
            parts.push("16-bit integers read as bfloat16".to_owned());
        }
        if self.options.join != Join::default() {
            parts.push(format!("with --join {}", self.options.join.flag()));
        }
        let order = self.order().words();
        if !order.is_empty() {
            parts.push(order.to_owned());
        }
        parts.extend(self.pooled(first));
        if self.options.ignore_padding {
            parts.push("with --mask none".to_owned());
        }
        if !self.options.rows.is_empty() {
            parts.push(format!("rows chosen by {}", self.options.rows.join(" ")));
        }
        parts.join("; ")
    }

    /// How many rows layers have, and in how many files.
    fn rows_in_words(&self, layers: &str, first: &LayerInfo) -> String {
        let of = |n: usize| format!("of {n} row{}", if n == 1 { "" } else { "s" });
        let all = self.layers().iter().map(LayerInfo::n_rows);
        let [fewest, most] = [all.clone().min(), all.max()].map(Option::unwrap_or_default);
        let differing = format!("of {fewest} to {most} rows");
        let rows = first.rows();
        if self.n_files < 2 || rows.len() < 2 {
            let rows = if fewest == most { of(most) } else { differing };
            return format!("{layers} {rows}");
        }
        let each = match rows.iter().all(|n| n == &rows[0]) {
            _ if fewest != most => format!("{differing} together"),
            true => of(rows[0]),
            false => format!("{} together", of(first.n_rows())),
        };
        let several = first.parts.iter().any(|part| part.path != first.path);
        let what = if several { "files" } else { "pieces" };
        format!("{layers} joined from {} {what} {each}", rows.len())
    }

    /// How layers of the axes of the first become rows, in words.
    fn pooled(&self, first: &LayerInfo) -> Option<String> {
        let axes = first.shape.len();
        let flat = self.padding.words_over_rows(first.n_rows());
        // Rows of two axes are tokens where a mask says so.
        let is_token = axes == 3 || axes == 2 && (flat.is_some() || self.options.mask.is_some());
        let by_token = self.options.pooling == Some(Pooling::Tokens) && is_token;
        let own = match axes {
            _ if self.options.ignore_padding => None,
            3 => self.padding.words(),
            2 if by_token => flat,
            _ => None,
        };
        let given = self.options.mask.as_ref();
        let given = given.map(|mask| format!("tokens masked by {mask}"));
        let with = |first: String, mask: Option<String>| match mask {
            Some(mask) => format!("{first}, {mask}"),
            None => first,
        };
        if by_token {
            return Some(with("every token a row".into(), given.or(own)));
        }
        let Some(pooling) = self.options.pooling.filter(|_| axes > 2) else {
            return own;
        };
        let mask = given.or(own.filter(|_| pooling.heeds_mask()));
        Some(with(format!("pooled by {pooling}"), mask))
    }
}
