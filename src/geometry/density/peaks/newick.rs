//! A tree of peaks as text that tree viewers read.

use super::Dendrogram;

impl Dendrogram {
    /// The tree in Newick's notation, `names` being those of the peaks, in order.
    ///
    /// The length of a branch is the difference in log-density between its two ends; a branch to a
    /// fork without a height has none.
    ///
    /// # Panics
    /// If there are fewer names than peaks.
    pub fn newick(&self, names: &[String]) -> String {
        let mut text = String::new();
        // A stack instead of recursion: a tree of thousands of peaks may be as deep.
        enum Step {
            Visit(usize, Option<f64>),
            Write(String),
        }
        let mut stack: Vec<Step> = Vec::new();
        stack.push(Step::Write(";".into()));
        stack.extend(self.nodes.last().map(|root| Step::Visit(root.id, None)));
        while let Some(step) = stack.pop() {
            let (id, below) = match step {
                Step::Write(words) => {
                    text += &words;
                    continue;
                }
                Step::Visit(id, below) => (id, below),
            };
            let node = &self.nodes[id];
            let length = node.height.zip(below).map(|(top, foot)| top - foot);
            let length = length.map_or_else(String::new, |length| format!(":{length}"));
            match node.children {
                None => text += &format!("{}{length}", quoted(&names[id])),
                Some([first, second]) => {
                    text.push('(');
                    stack.push(Step::Write(format!("){length}")));
                    stack.push(Step::Visit(second, node.height));
                    stack.push(Step::Write(",".into()));
                    stack.push(Step::Visit(first, node.height));
                }
            }
        }
        text
    }
}

/// A label in Newick's quotes, where a quote is written twice.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}
