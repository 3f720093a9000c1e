//! What a user sees: reports made by hand, rendered in every format.

use repgeo::profile::id::OrderKind;
use repgeo::profile::inspect::InspectReport;
use repgeo::report::{Format, Printable, Report, ScalingView, Style};
use unicode_width::UnicodeWidthStr;

use super::hand_made;

pub(super) const PLAIN: Style = Style {
    ascii: false,
    colour: false,
    width: None,
};

const ASCII: Style = Style {
    ascii: true,
    ..PLAIN
};

pub(super) fn render<T: Printable>(body: &T, format: Format, style: Style) -> String {
    let report = Report::new("id-profile", vec!["acts".into()], body);
    report.render(format, &style).unwrap()
}

fn assert_same(shown: &str, expected: &str) {
    assert_eq!(shown, expected, "\nshown:\n{shown}\nexpected:\n{expected}");
}

fn tables(style: Style) -> Vec<String> {
    let (profile, resampled) = (hand_made::profile(), hand_made::resampled());
    vec![
        render(&profile, Format::Table, style),
        render(&ScalingView(&profile), Format::Table, style),
        render(&resampled, Format::Table, style),
        render(&ScalingView(&resampled), Format::Table, style),
        render(&hand_made::many_estimators(), Format::Table, style),
        render(&hand_made::inspected(), Format::Table, style),
        render(&hand_made::scanned(), Format::Table, style),
        render(&hand_made::two_humps(), Format::Table, style),
        render(&hand_made::gaps_only(), Format::Table, style),
    ]
}

#[test]
fn a_profile_ends_with_its_sparkline_its_extremes_and_its_warnings() {
    assert_same(
        &render(&hand_made::profile(), Format::Table, PLAIN),
        "\
layer      n      id     ±       gride n=1..32
embed         1    —             all_rows_identical
layers.0   9871   24.6   0.25    █▄▁▁▁
layers.1   9871    8.14  0.083   █▆▃▁
id   █▁   max 24.6 at layers.0 (depth 0.50)   min 8.14 at layers.1 (depth 1.00)
two_nn_base (r2/r1, line through the origin), largest 10 % of ratios left out, ± model
skipped_arrays: 1 array is no layer and was left out: labels
duplicates: 9999 rows repeat an earlier row and were removed (embed)
not_estimated: no intrinsic dimension (embed)
",
    );
}

#[test]
fn a_scaling_view_marks_the_plateau_and_states_its_rule() {
    let mut profile = hand_made::profile();
    profile.layers.remove(0);
    profile.warnings.clear();
    assert_same(
        &render(&ScalingView(&profile), Format::Table, PLAIN),
        "\
layer      n      id     ±       gride n=1..32
layers.0   9871   24.6   0.25    █▄▁▁▁
layers.1   9871    8.14  0.083   █▆▃▁

layers.0 (depth 0.50)
order   n      distance   id    ±
 1      9871   1.00       23.5  0.37
 2      9871   1.25       17.2  0.27
 4      9871   1.50       12.0  0.19  │
 8      9871   1.75       11.9  0.19  ●
16      9871   2.00       11.8  0.18  │
32      9871   —           —             too_few_neighbours
plateau 4..16: id 11.9 at order 8, spread 2.1 % (rule: longest window with spread below 0.1)

layers.1 (depth 1.00)
order   n      distance   id    ±
 1      9871   1.00       8.00  0.12
 2      9871   1.25       7.50  0.12
 4      9871   1.50       7.00  0.11
 8      9871   1.75       6.50  0.10
16      9871   —          —             too_few_neighbours
no plateau (rule: longest window with spread below 0.1)

id  █▁   max 24.6 at layers.0 (depth 0.50)   min 8.14 at layers.1 (depth 1.00)
two_nn_base (r2/r1, line through the origin), largest 10 % of ratios left out, ± model
",
    );
}

#[test]
fn a_scanned_dump_shows_sizes_then_values() {
    assert_same(
        &render(&hand_made::scanned(), Format::Table, PLAIN),
        "\
layer      index   depth   shape             dtype   size
embed      0       0.00    1000 × 384        f16     750    KiB
layers.0   1       1.00    1000 × 12 × 384   f16       8.79 MiB

layer      rows   distinct   non-finite   constant columns   max |mean|/std   top variance share
embed      1000   990        0            2                  12.2             0.0625
layers.0   1000     1        0            2                   —               —
2 layers, 9.52 MiB
duplicates: 10 of 1000 rows of embed repeat an earlier row
",
    );
}

#[test]
fn events_stand_beside_their_layers_and_in_words_below() {
    let mut report = hand_made::two_humps();
    let spread = &mut report.events.spread;
    spread.retain(|spread| ["peak", "relative_minimum"].contains(&spread.event.name()));
    assert_same(
        &render(&report, Format::Table, PLAIN),
        "\
layer      depth   id      events
layers.0   0.00     2.00   minimum
layers.1   0.12    10.0    half maximum
layers.2   0.25    20.0    peak, onset, first hump
layers.3   0.38     8.00   end, relative minimum, valley
layers.4   0.50     8.25
layers.5   0.62     8.00
layers.6   0.75     —
layers.7   0.88    16.0    second hump
layers.8   1.00     3.00
id two_nn_base scale 1   ▁▄█▃▃▃ ▆▁
peak 20.0 at layers.2 (depth 0.25, prominence 0.94)
maximum 16.0 at layers.7 (depth 0.88, prominence 0.44)
minimum 2.00 at layers.0 (depth 0.00)
onset at layers.2 (depth 0.25; reaches 11.0 at position 1.10; largest step +10.0 to layers.2)
end at layers.3 (depth 0.38; falls below 11.5 at position 2.71)
high phase layers.2 to layers.2 (1 layer)
relative minimum 8.00 at layers.3 (depth 0.38, plateau layers.3 to layers.5)
plateau layers.3 to layers.5 (3 layers, mean 8.08)
hunchback yes (rise 0.90, fall 0.85)
double hunchback yes (humps layers.2 and layers.7, valley layers.3; p 0.40)
transition -13.0 from layers.7 to layers.8 (depth 0.94, -104 per unit of depth)
half maximum at layers.1 (depth 0.12; reaches 10.0)
threshold 9.5 exceeded at layers.1 (depth 0.12)
slope -0.250 per position from layers.4 to layers.8
positions over 2 parts: peak 1.50 (1.00 to 2.00), relative minimum 3.00 (3.00 to 3.00 in 1 of 2)
",
    );
}

#[test]
fn a_series_of_gaps_says_that_nothing_can_be_found() {
    assert_same(
        &render(&hand_made::gaps_only(), Format::Table, PLAIN),
        "\
layer   depth   ari   events
a       0.00    —
b       1.00    —
ari with labels
none (too_few_layers): peak, maxima, minimum, onset, end, high phase, relative minimum, plateau, hunchback, double hunchback, transition, half maximum
",
    );
}

#[test]
fn an_event_in_csv_is_its_layer_its_place_and_its_value() {
    let mut report = hand_made::two_humps();
    report.events.spread.truncate(1);
    assert_same(
        &render(&report, Format::Csv, PLAIN),
        "\
layer,index,depth,other,quantity,variant,scale,value,std_error,n
layers.2,2,0.25,,event_peak,position,,2,,8
layers.2,2,0.25,,event_peak,relative_depth,,0.25,,8
layers.2,2,0.25,,event_peak,value,,20,,8
layers.2,2,0.25,,event_peak,prominence,,0.9444444444444444,,8
layers.0,0,0,,event_minimum,position,,0,,8
layers.0,0,0,,event_minimum,relative_depth,,0,,8
layers.0,0,0,,event_minimum,value,,2,,8
layers.2,2,0.25,,event_maximum,position,,2,,8
layers.2,2,0.25,,event_maximum,relative_depth,,0.25,,8
layers.2,2,0.25,,event_maximum,value,,20,,8
layers.2,2,0.25,,event_maximum,prominence,,0.9444444444444444,,8
layers.7,7,0.875,,event_maximum,position,,7,,8
layers.7,7,0.875,,event_maximum,relative_depth,,0.875,,8
layers.7,7,0.875,,event_maximum,value,,16,,8
layers.7,7,0.875,,event_maximum,prominence,,0.4444444444444444,,8
layers.2,2,0.25,,event_onset,position,,2,,8
layers.2,2,0.25,,event_onset,relative_depth,,0.25,,8
layers.2,2,0.25,,event_onset,value,,20,,8
layers.2,2,0.25,,event_onset,crossing_position,,1.1,,8
layers.2,2,0.25,,event_onset,threshold,,11,,8
layers.2,2,0.25,,event_onset,largest_step,,10,,8
layers.3,3,0.375,,event_end,position,,3,,8
layers.3,3,0.375,,event_end,relative_depth,,0.375,,8
layers.3,3,0.375,,event_end,value,,8,,8
layers.3,3,0.375,,event_end,crossing_position,,2.7083333333333335,,8
layers.3,3,0.375,,event_end,threshold,,11.5,,8
layers.2,2,0.25,,event_high_phase,first_position,,2,,8
layers.2,2,0.25,,event_high_phase,last_position,,2,,8
layers.2,2,0.25,,event_high_phase,n_layers,,1,,8
layers.3,3,0.375,,event_relative_minimum,position,,3,,8
layers.3,3,0.375,,event_relative_minimum,relative_depth,,0.375,,8
layers.3,3,0.375,,event_relative_minimum,value,,8,,8
layers.3,3,0.375,,event_relative_minimum,plateau_first_position,,3,,8
layers.5,5,0.625,,event_relative_minimum,plateau_last_position,,5,,8
layers.3,3,0.375,,event_plateau,first_position,,3,,8
layers.5,5,0.625,,event_plateau,last_position,,5,,8
layers.3,3,0.375,,event_plateau,centre_position,,4,,8
layers.3,3,0.375,,event_plateau,mean,,8.083333333333334,,8
layers.3,3,0.375,,event_plateau,range,,0.25,,8
layers.2,2,0.25,,event_hunchback,present,,1,,8
layers.2,2,0.25,,event_hunchback,rise,,0.9,,8
layers.2,2,0.25,,event_hunchback,fall,,0.85,,8
layers.2,2,0.25,,event_double_hunchback,first_position,,2,,8
layers.3,3,0.375,,event_double_hunchback,valley_position,,3,,8
layers.7,7,0.875,,event_double_hunchback,second_position,,7,,8
layers.3,3,0.375,,event_double_hunchback,present,,1,,8
layers.3,3,0.375,,event_double_hunchback,p,,0.4,,8
layers.7,7,0.875,layers.8,event_transition,position,,7.5,,8
layers.7,7,0.875,layers.8,event_transition,relative_depth,,0.9375,,8
layers.7,7,0.875,layers.8,event_transition,step,,-13,,8
layers.7,7,0.875,layers.8,event_transition,rate,,-104,,8
layers.1,1,0.125,,event_half_maximum,position,,1,,8
layers.1,1,0.125,,event_half_maximum,relative_depth,,0.125,,8
layers.1,1,0.125,,event_half_maximum,value,,10,,8
layers.1,1,0.125,,event_half_maximum,threshold,,10,,8
layers.1,1,0.125,,event_half_maximum,sharpness,,-104,,8
layers.1,1,0.125,,event_threshold,position,,1,,8
layers.1,1,0.125,,event_threshold,relative_depth,,0.125,,8
layers.1,1,0.125,,event_threshold,value,,10,,8
layers.1,1,0.125,,event_threshold,threshold,,9.5,,8
layers.4,4,0.5,layers.8,event_slope,slope,,-0.25,,8
,,,,event_spread,peak_mean,,1.5,,2
,,,,event_spread,peak_min,,1,,2
,,,,event_spread,peak_max,,2,,2
",
    );
}

#[test]
fn csv_has_one_number_a_row() {
    let mut profile = hand_made::resampled();
    profile.layers[0].scaling.truncate(1);
    assert_same(
        &render(&profile, Format::Csv, PLAIN),
        "\
layer,index,depth,other,quantity,variant,scale,value,std_error,n
probe,0,0,,id,two_nn_bayes,1,4.5,0.125,9871
probe,0,0,,distance,two_nn_bayes,1,1.5,,9871
probe,0,0,,id,two_nn_bayes_mode,1,4.4375,,9871
probe,0,0,,id,two_nn_bayes_partitions_mean,1,4.5,0.0625,500
probe,0,0,,id,two_nn_bayes_partitions_std,1,0.25,,500
probe,0,0,,distance,two_nn_bayes_partitions_mean,1,2,,500
probe,0,0,,id,gride_plateau,16,4.25,0.0625,9871
probe,0,0,,distance,gride_plateau,16,1.5,,9871
probe,0,0,,id,gride_plateau_decimation_mean,16,4.5,,250
probe,0,0,,id,gride_plateau_decimation_std,16,0.25,,250
probe,0,0,,distance,gride_plateau_decimation_mean,16,2,,250
probe,0,0,,id,gride,1,4.5,0.0703125,9871
probe,0,0,,distance,gride,1,1,,9871
probe,0,0,,id,two_nn_bayes_decimation_scaling_mean,1,4.5,,1000
probe,0,0,,id,two_nn_bayes_decimation_scaling_std,1,0.25,,1000
probe,0,0,,distance,two_nn_bayes_decimation_scaling_mean,1,2,,1000
probe,0,0,,id,two_nn_bayes_decimation_scaling_mean,1,,,2
probe,0,0,,id,two_nn_bayes_decimation_scaling_std,1,,,2
probe,0,0,,plateau,first_order,8,4,,
probe,0,0,,plateau,last_order,8,16,,
probe,0,0,,plateau,order,8,8,,
probe,0,0,,plateau,spread,8,0.021,,
probe,0,0,,plateau,id,8,11.875,,
",
    );
}

#[test]
fn json_is_indented_by_two_spaces_and_ends_in_a_newline() {
    let mut report = hand_made::inspected();
    report.layers.truncate(1);
    let version = env!("CARGO_PKG_VERSION");
    assert_same(
        &render(&report, Format::Json, PLAIN),
        &format!(
            r#"{{
  "schema": "repgeo/2",
  "version": "{version}",
  "command": "id-profile",
  "input": [
    "acts"
  ],
  "parameters": {{
    "scan": false,
    "metric": null,
    "rows": []
  }},
  "layers": [
    {{
      "layer": "embed",
      "index": 0,
      "relative_depth": 0.0,
      "shape": [
        1000,
        384
      ],
      "dtype": "f16",
      "bytes": 768000,
      "diagnostics": null
    }}
  ],
  "total_bytes": 9984000,
  "warnings": []
}}
"#
        ),
    );
}

#[test]
fn an_order_among_the_estimates_is_not_repeated_in_the_scaling() {
    let mut profile = hand_made::resampled();
    profile.layers[0].estimates[1].order_rule = Some(OrderKind::Fixed);
    let records = profile.records();
    let at_16 = records.iter().filter(|record| {
        record.quantity == "id" && record.variant == "gride" && record.scale == Some(16)
    });
    assert_eq!(at_16.count(), 1);
}

#[test]
fn no_two_records_claim_the_same_place() {
    for records in [
        hand_made::profile().records(),
        hand_made::resampled().records(),
        hand_made::scanned().records(),
        hand_made::two_humps().records(),
        hand_made::gaps_only().records(),
    ] {
        let mut places: Vec<String> = records
            .iter()
            .map(|r| format!("{:?}", (r.layer, r.quantity, &r.variant, r.scale, r.n)))
            .collect();
        let n = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), n);
    }
}

#[test]
fn no_number_of_any_format_may_be_infinite() {
    let mut profile = hand_made::profile();
    let estimate = &mut profile.layers[1].estimates[0];
    estimate.outcome.0.as_mut().unwrap().std_error = Some(f64::INFINITY);
    let report = Report::new("id-profile", Vec::new(), &profile);
    for format in [Format::Table, Format::Json, Format::Csv] {
        let message = report.render(format, &PLAIN).unwrap_err().to_string();
        assert!(
            message.starts_with("layers[1].estimates[0].std_error is inf"),
            "{message}"
        );
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for ascii in [false, true] {
        for width in 10..120 {
            let style = Style {
                ascii,
                colour: false,
                width: Some(width),
            };
            for line in tables(style).iter().flat_map(|table| table.lines()) {
                assert!(line.width() <= width, "{width}: {line:?}");
            }
        }
    }
}

#[test]
fn ascii_output_is_pure_ascii_whatever_the_names() {
    let mut profile = hand_made::profile();
    profile.layers[0].layer = "couche_é→層".into();
    profile.layers[1].warnings = profile.warnings.clone();
    profile.layers[1].warnings[0].message += " “ü”";
    let named = render(&ScalingView(&profile), Format::Table, ASCII);
    for text in tables(ASCII).iter().chain([&named]) {
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn colour_adds_escapes_and_changes_nothing_else() {
    let colour = Style {
        colour: true,
        ..PLAIN
    };
    for (plain, coloured) in tables(PLAIN).iter().zip(&tables(colour)) {
        let mut stripped = coloured.clone();
        for escape in ["\x1b[0m", "\x1b[1m", "\x1b[2m"] {
            stripped = stripped.replace(escape, "");
        }
        assert_eq!(&stripped, plain);
    }
    let table = render(&hand_made::profile(), Format::Table, colour);
    assert_eq!(table.matches("\x1b[1m").count(), 1);
    assert!(table.contains("\x1b[1m24.6\x1b[0m"), "{table}");
}

#[test]
fn an_empty_report_prints_without_panic() {
    let mut profile = hand_made::profile();
    profile.layers.clear();
    profile.summary = None;
    for format in [Format::Table, Format::Json, Format::Csv] {
        assert!(render(&profile, format, PLAIN).ends_with('\n'));
        assert!(render(&InspectReport::default(), format, PLAIN).ends_with('\n'));
    }
}
