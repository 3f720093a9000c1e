use super::*;
use crate::report::page::{
    Axis, Band, Branch, Curve, CurveRole, Curves, Mark, Matrix, Plane, PlanePoint, Point, Scale,
    Segment, Share, Tree, name,
};

const HOSTILE: &str = "<script>alert(1)</script>&\u{1b}[31m\"'";

/// One part of every kind that has a shape, with names that mean harm.
fn every_kind() -> Vec<Part> {
    let names = (0..4).map(|at| (f64::from(at) / 3.0, format!("{HOSTILE}.{at}.mlp")));
    let point = |x: f64, y: Option<f64>| Point {
        x,
        y,
        band: y.map(|y| Band::Error(0.1 * y)),
    };
    let curves = Curves {
        title: "Profile".into(),
        x: Axis {
            label: "relative depth".into(),
            names: names.collect(),
            range: Some([0.0, 1.0]),
            ..Axis::default()
        },
        y: Axis {
            label: "intrinsic dimension".into(),
            ..Axis::default()
        },
        curves: vec![
            Curve {
                name: name(HOSTILE).into(),
                points: vec![
                    point(0.0, Some(5.0)),
                    point(1.0 / 3.0, None),
                    point(2.0 / 3.0, Some(8.125)),
                    point(1.0, Some(3.5)),
                ],
                ..Curve::default()
            },
            Curve {
                name: "control".into(),
                role: CurveRole::Control,
                points: vec![point(0.0, Some(9.0)), point(1.0, Some(9.5))],
            },
        ],
        marks: vec![
            Mark::At {
                x: 2.0 / 3.0,
                label: "peak".into(),
            },
            Mark::Span {
                from: 0.0,
                to: 0.5,
                label: "rise".into(),
            },
            Mark::Level {
                y: 4.0,
                label: "chance".into(),
            },
        ],
    };
    let matrix = Matrix {
        title: None,
        meaning: "overlap".into(),
        row_label: "layer".into(),
        column_label: "layer".into(),
        rows: vec!["a.0".into(), format!("a.{HOSTILE}")],
        columns: vec!["a.0".into(), "a.1".into(), "a.2".into()],
        values: vec![
            vec![Some(1.0), Some(0.25), None],
            vec![Some(0.0), Some(0.0625), Some(0.5)],
        ],
        scale: Scale::linear(0.0, 1.0),
    };
    let leaf = |label: &'static str, height| Branch {
        label: label.into(),
        height,
        children: None,
        shares: vec![
            Share {
                name: HOSTILE.into(),
                share: 0.75,
            },
            Share {
                name: "b".into(),
                share: 0.25,
            },
        ],
    };
    let fork = |children, height| Branch {
        label: "".into(),
        height,
        children: Some(children),
        shares: Vec::new(),
    };
    let tree = Tree {
        title: "tree".into(),
        kind: "single linkage".into(),
        reading: "forks at the density where groups meet".into(),
        leaves: "peaks",
        field: "dendrogram",
        height: Axis {
            label: "log density".into(),
            ..Axis::default()
        },
        groups: Vec::new(),
        branches: vec![
            leaf("peak 0", Some(3.0)),
            leaf("peak 1", Some(2.0)),
            leaf("peak 2", Some(2.5)),
            fork([0, 2], Some(1.0)),
            fork([3, 1], None),
        ],
        reason: None,
    };
    let plane = Plane {
        title: "Map".into(),
        isometric: true,
        points: (0..3)
            .map(|at| PlanePoint {
                at: [f64::from(at), f64::from(at * at)],
                errors: [Some(0.1), None],
                label: format!("peak {at}").into(),
                group: if at == 1 { HOSTILE.into() } else { "b".into() },
                size: Some(f64::from(at)),
            })
            .collect(),
        segments: vec![Segment {
            from: [0.0, 0.0],
            to: [2.0, 4.0],
            label: "".into(),
        }],
        ..Plane::default()
    };
    vec![
        Part::Curves(curves),
        Part::Matrix(matrix),
        Part::Tree(tree),
        Part::Plane(plane),
    ]
}

/// Elements open and close in order, and no text holds a bare `<` or `&`.
fn assert_well_formed(svg: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "{}", &svg[..200]);
        } else if !tag.ends_with('/') {
            let element = tag.split_whitespace().next().expect("a tag has a name");
            open.push(element.to_owned());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(!svg.contains(|c: char| c.is_control() && c != '\n'));
    assert!(!svg.contains("<script"));
}

#[test]
fn every_kind_of_part_is_a_whole_picture_whatever_its_names() {
    let pictures = pictures(&every_kind());
    let kinds: Vec<&str> = pictures.iter().map(|picture| picture.kind).collect();
    assert_eq!(kinds, ["curves", "matrix", "tree", "plane"]);
    for picture in &pictures {
        let svg = picture.svg();
        assert_well_formed(&svg);
        assert!(svg.contains("<title>") && svg.contains("<desc>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    let all = document("All", &pictures);
    assert_well_formed(&all);
    assert_eq!(all.matches(r#"class="figure""#).count(), 4);
}

#[test]
fn marks_carry_the_numbers_that_they_stand_for() {
    let svg = document("All", &pictures(&every_kind()));
    for data in [
        r#"data-y="8.125""#,
        r#"data-value="0.0625""#,
        r#"data-value="0.75""#,
        r#"data-x="2" data-y="4""#,
    ] {
        assert!(svg.contains(data), "{data}");
    }
    assert_eq!(svg.matches("no value").count(), 1);
}

#[test]
fn parts_without_a_value_have_no_picture() {
    let empty = [
        Part::Curves(Curves {
            curves: vec![Curve {
                points: vec![Point::default()],
                ..Curve::default()
            }],
            ..Curves::default()
        }),
        Part::Plane(Plane::default()),
    ];
    assert!(pictures(&empty).is_empty());
}

#[test]
fn many_layers_stay_small_and_keep_their_numbers() {
    let n = 200;
    let names: Vec<String> = (0..n).map(|at| format!("layers.{at}")).collect();
    let values = |row: usize| (0..n).map(|at| Some((row + at) as f64 / 400.0)).collect();
    let matrix = Part::Matrix(Matrix {
        title: None,
        meaning: "overlap".into(),
        row_label: "layer".into(),
        column_label: "layer".into(),
        rows: names.clone(),
        columns: names,
        values: (0..n).map(values).collect(),
        scale: Scale::linear(0.0, 1.0),
    });
    let svg = pictures([&matrix])[0].svg();
    assert_well_formed(&svg);
    assert!(svg.len() < 1_500_000, "{}", svg.len());
    assert!(svg.contains("0.9950"), "the last number is there");
}
