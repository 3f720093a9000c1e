//! A report is read back as it was written, from JSON and from CSV.

use repgeo::input::SeriesChoice;
use repgeo::report::{Format, Printable, read_series};

use super::hand_made;
use super::report_text::{PLAIN, render};

#[test]
fn a_series_reads_back_the_same_from_json_and_from_csv() {
    let folder = tempfile::tempdir().unwrap();
    let bodies = [hand_made::profile(), hand_made::resampled()];
    for (body, variant) in bodies.iter().zip(["two_nn_base", "two_nn_bayes"]) {
        let (series, parts) = body.series(variant);
        for (format, name) in [(Format::Json, "a.json"), (Format::Csv, "a.csv")] {
            let path = folder.path().join(name);
            std::fs::write(&path, render(body, format, PLAIN)).unwrap();
            // The headline needs no choice.
            let read = read_series(&path, &SeriesChoice::default()).unwrap();
            assert_eq!((&read.series, read.variant.as_str()), (&series, variant));
            assert_eq!(read.scale, Some(1));
            if format == Format::Json {
                assert_eq!(read.parts, parts);
            }
        }
    }
}

#[test]
fn orders_that_a_rule_chose_layer_by_layer_are_one_series() {
    let mut body = hand_made::resampled();
    let mut second = body.layers[0].clone();
    second.layer = "second".into();
    second.estimates[1].order = Some(8);
    body.layers.push(second);
    let folder = tempfile::tempdir().unwrap();
    for (format, name) in [(Format::Json, "a.json"), (Format::Csv, "a.csv")] {
        let path = folder.path().join(name);
        std::fs::write(&path, render(&body, format, PLAIN)).unwrap();
        let choice = SeriesChoice {
            variant: Some("gride_plateau".into()),
            ..SeriesChoice::default()
        };
        let read = read_series(&path, &choice).unwrap();
        assert_eq!(read.series, body.series("gride_plateau").0);
        assert_eq!(read.scale, None);
    }
}

#[test]
fn every_dimension_of_the_csv_can_be_read_from_the_json() {
    let folder = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for body in [
        hand_made::profile(),
        hand_made::resampled(),
        hand_made::many_estimators(),
    ] {
        for (format, name) in [(Format::Json, "a.json"), (Format::Csv, "a.csv")] {
            std::fs::write(folder.path().join(name), render(&body, format, PLAIN)).unwrap();
        }
        let estimates = body.layers.iter().flat_map(|layer| &layer.estimates);
        let mut variants: Vec<String> = estimates.map(|estimate| estimate.variant()).collect();
        variants.push("gride".into());
        for record in body.records() {
            let of_a_layer =
                record.quantity == "id" && variants.contains(&record.variant.to_string());
            if !of_a_layer {
                continue;
            }
            let choice = SeriesChoice {
                quantity: Some("id".into()),
                variant: Some(record.variant.to_string()),
                scale: record.scale,
                ..SeriesChoice::default()
            };
            let [json, csv] =
                ["a.json", "a.csv"].map(|name| read_series(&folder.path().join(name), &choice));
            let at = |read: repgeo::Result<repgeo::input::SeriesFile>| {
                let series = read.unwrap().series;
                series.values()[series.find(record.layer, "layer").unwrap()]
            };
            assert_eq!(at(json), record.value, "{record:?}");
            assert_eq!(at(csv), record.value, "{record:?}");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}
