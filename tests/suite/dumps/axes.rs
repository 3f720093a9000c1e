//! Any order of axes gives the same layers.

use super::{Folder, dimensions, dumped, near, npy, refusal, scattered};

#[test]
fn stacked_layers_are_told_by_their_axes() {
    let stack = dumped("stacked/stack.npy");
    let wanted = [2.68, 3.53, 5.88, 5.16, 5.31, 3.76, 3.13];
    let found = dimensions(&[&stack, "--axes", "LND"]);
    assert_eq!(found.len(), 7);
    for (found, wanted) in found.into_iter().zip(wanted) {
        near(found, wanted, 0.005);
    }
    let error = refusal(&["id-profile", &stack, "--pool", "last"]);
    assert!(
        error.contains("--axes LND") && error.contains("--axes NTD"),
        "{error}"
    );
    let error = refusal(&["id-profile", &stack]);
    assert!(error.contains("--axes"), "{error}");
}

#[test]
fn any_order_of_axes_gives_the_same_layers() {
    let folder = Folder::new();
    let (layers, rows, tokens, columns) = (3, 60, 4, 5);
    let value = |l: usize, n: usize, t: usize, d: usize| {
        scattered(((l * rows + n) * tokens + t) * columns + d)
    };
    let lntd = npy(&[layers, rows, tokens, columns], |at| {
        let (rest, d) = (at / columns, at % columns);
        let (rest, t) = (rest / tokens, rest % tokens);
        value(rest / rows, rest % rows, t, d)
    });
    let nltd = npy(&[rows, layers, tokens, columns], |at| {
        let (rest, d) = (at / columns, at % columns);
        let (rest, t) = (rest / tokens, rest % tokens);
        value(rest % layers, rest / layers, t, d)
    });
    let ndtl = npy(&[rows, columns, tokens, layers], |at| {
        let (rest, l) = (at / layers, at % layers);
        let (rest, t) = (rest / tokens, rest % tokens);
        value(l, rest / columns, t, rest % columns)
    });
    let of = |name: &str, content: Vec<u8>, axes: &str, pool: &str| {
        let path = folder.file(name, content);
        dimensions(&[&path, "--axes", axes, "--pool", pool])
    };
    for pool in ["mean", "last", "max", "last:2"] {
        let wanted = of("a.npy", lntd.clone(), "LNTD", pool);
        assert_eq!(wanted.len(), layers);
        assert_eq!(of("b.npy", nltd.clone(), "NLTD", pool), wanted);
        assert_eq!(of("c.npy", ndtl.clone(), "NDTL", pool), wanted);
    }
}
