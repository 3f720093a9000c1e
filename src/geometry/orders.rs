//! Lists all orders of values, whole or within groups.

/// How many orders there are: the product of the factorials of the sizes, or none if it is more than
/// `most`.
pub(super) fn count(groups: &[Vec<usize>], most: usize) -> Option<usize> {
    let mut all = 1usize;
    for group in groups {
        for factor in 2..=group.len() {
            all = all.checked_mul(factor).filter(|&all| all <= most)?;
        }
    }
    Some(all)
}

/// Calls `take` with every order of `values` that leaves each value in its group; `groups` are lists
/// of places.
pub(super) fn for_each<T>(values: &mut [T], groups: &[Vec<usize>], take: &mut impl FnMut(&[T])) {
    match groups.split_first() {
        None => take(values),
        Some((group, rest)) => heap(values, group, group.len(), rest, take),
    }
}

/// Heap's algorithm on the first `n` places of `group`, then the other groups.
fn heap<T>(
    values: &mut [T],
    group: &[usize],
    n: usize,
    rest: &[Vec<usize>],
    take: &mut impl FnMut(&[T]),
) {
    if n <= 1 {
        for_each(values, rest, take);
        return;
    }
    for at in 0..n {
        heap(values, group, n - 1, rest, take);
        if at + 1 < n {
            let other = if n.is_multiple_of(2) { at } else { 0 };
            values.swap(group[other], group[n - 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(n: usize, groups: &[Vec<usize>]) -> Vec<Vec<u64>> {
        let mut values: Vec<f64> = (0..n).map(|value| value as f64).collect();
        let mut seen = Vec::new();
        for_each(&mut values, groups, &mut |order| {
            seen.push(order.iter().map(|value| *value as u64).collect());
        });
        seen
    }

    #[test]
    fn every_order_comes_once() {
        for n in 1..=6 {
            let groups = [(0..n).collect()];
            let mut seen = all(n, &groups);
            assert_eq!(Some(seen.len()), count(&groups, 1000));
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), (1..=n).product::<usize>());
        }
    }

    #[test]
    fn groups_keep_their_values() {
        let groups = [vec![0, 3], vec![1, 2, 4]];
        let mut seen = all(5, &groups);
        assert_eq!(seen.len(), 12);
        for order in &seen {
            assert_eq!(order[0] + order[3], 3);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 12);
        assert_eq!(count(&[(0..9).collect()], 40_320), None);
    }
}
