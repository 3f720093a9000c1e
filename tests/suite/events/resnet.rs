//! ResNet152 on 300 classes of ImageNet (arXiv 2007.03506).

use repgeo::geometry::Reason;
use repgeo::input::Series;
use repgeo::profile::events::lead;

use super::{assert_close, plain, published};

fn series(column: &str) -> Series {
    published("resnet152.csv", column)
}

/// The same values, placed at their layer numbers.
fn placed(column: &str) -> Series {
    let series = series(column);
    let positions = series.names().iter().map(|name| name.parse().unwrap());
    let positions = positions.collect();
    series.with_positions(positions).unwrap()
}

#[test]
fn the_dimension_has_one_hump_with_a_dent() {
    let found = plain(&series("id"));
    assert_eq!(found.peak.into_found().unwrap().at.layer, "25");
    let onset = found.onset.into_found().unwrap().crossing;
    assert_eq!(onset.at.layer, "10");
    assert_close(onset.crossing_position, 1.4412, 5e-5);
    assert_close(onset.threshold, 94.0, 0.0);
    let end = found.end.into_found().unwrap();
    assert_eq!(end.at.layer, "145");
    assert_close(end.threshold, 81.0, 0.0);
    let dip = found.relative_minimum.into_found().unwrap();
    assert_eq!(
        (dip.at.layer.as_str(), dip.before.layer.as_str()),
        ("43", "88")
    );
    assert_eq!(
        (
            dip.plateau.first.layer.as_str(),
            dip.plateau.last.layer.as_str()
        ),
        ("43", "61")
    );
    assert!(found.hunchback.into_found().unwrap().present);
    let double = found.double_hunchback.into_found().unwrap();
    let humps = [&double.first, &double.valley, &double.second];
    assert_eq!(humps.map(|place| place.layer.as_str()), ["25", "43", "88"]);
    assert_close(double.p.unwrap(), 0.0629, 5e-5);
    assert!(!double.present);
}

#[test]
fn events_are_placed_by_layer_number_where_layer_numbers_are_given() {
    let found = plain(&placed("id"));
    let onset = found.onset.into_found().unwrap().crossing;
    // Between layer 1 (79) and layer 10 (113), which are 9 apart.
    assert_close(onset.crossing_position, 1.0 + 9.0 * 15.0 / 34.0, 1e-12);
    assert_close(
        found.peak.into_found().unwrap().at.relative_depth,
        25.0 / 153.0,
        1e-12,
    );
}

#[test]
fn classes_nucleate_at_the_last_layer_but_one() {
    let found = plain(&series("ari_class"));
    assert_eq!(found.peak.into_found().unwrap().at.layer, "152");
    let nucleation = found.half_maximum.into_found().unwrap();
    assert_eq!(nucleation.at.layer, "152");
    assert_close(nucleation.sharpness, 7.92, 1e-9);
    let transition = found.transition.into_found().unwrap();
    assert_eq!(
        (transition.from.layer.as_str(), transition.to.layer.as_str()),
        ("151", "152")
    );
    assert_close(transition.step, 0.36, 1e-12);
    assert_eq!(found.end.reason(), Some(Reason::NotReached));

    let by_number = plain(&placed("ari_class")).transition.into_found().unwrap();
    assert_close(by_number.rate, 55.08, 1e-9);
}

#[test]
fn macro_classes_appear_long_before_classes() {
    let found = plain(&series("ari_macro"));
    assert_eq!(found.peak.found().unwrap().at.layer, "142");
    assert_eq!(found.half_maximum.found().unwrap().at.layer, "97");
    let transition = found.transition.found().unwrap();
    assert_eq!(
        (transition.from.layer.as_str(), transition.to.layer.as_str()),
        ("88", "97")
    );
    assert_close(transition.step, 0.135, 1e-12);

    let order = lead(&plain(&placed("ari_macro")), &plain(&placed("ari_class")));
    assert_close(order.into_found().unwrap().difference, 10.0, 1e-12);
}

#[test]
fn the_steepest_step_depends_on_how_depth_is_counted() {
    // By layer number 142 → 145 falls by 0.032 a layer, 88 → 97 rises by 0.015 a layer.
    let found = plain(&placed("ari_macro")).transition.into_found().unwrap();
    assert_eq!(
        (found.from.layer.as_str(), found.to.layer.as_str()),
        ("142", "145")
    );
}

#[test]
fn peaks_multiply_at_the_last_layer_but_one() {
    let series = series("n_peaks");
    assert_eq!(series.values().iter().flatten().count(), 11);
    let found = plain(&series);
    assert_eq!(found.half_maximum.into_found().unwrap().at.layer, "152");
    let transition = found.transition.into_found().unwrap();
    assert_eq!(
        (transition.from.layer.as_str(), transition.to.layer.as_str()),
        ("151", "152")
    );
    assert_close(transition.step, 118.0, 0.0);
}
