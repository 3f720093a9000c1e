//! Brings the layers of several runs into one order.

/// Every layer of any run, once: those of the first run in their order, and every other behind the
/// layer that it follows in its own run.
pub(super) fn merged<'a>(runs: impl IntoIterator<Item = &'a [String]>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for layers in runs {
        let mut next = 0;
        for layer in layers {
            match all.iter().position(|known| known == layer) {
                Some(at) => next = at + 1,
                None => {
                    all.insert(next, layer.clone());
                    next += 1;
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[&[&str]]) -> Vec<String> {
        let owned: Vec<Vec<String>> = runs
            .iter()
            .map(|run| run.iter().map(|name| (*name).to_owned()).collect())
            .collect();
        merged(owned.iter().map(Vec::as_slice))
    }

    #[test]
    fn layers_that_one_run_lacks_stand_where_another_has_them() {
        assert_eq!(
            of(&[&["b", "d"], &["a", "b", "c", "d", "e"]]).concat(),
            "abcde"
        );
        assert_eq!(
            of(&[&["a", "c"], &["a", "b", "c"], &["x", "c"]]).concat(),
            "xabc"
        );
    }

    #[test]
    fn where_orders_differ_that_of_the_first_run_stands() {
        assert_eq!(of(&[&["a", "b"], &["b", "a"]]).concat(), "ab");
        assert_eq!(of(&[]), [""; 0]);
    }
}
