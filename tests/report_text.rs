//! What a user sees: reports made by hand, rendered in every format.

mod hand_made;

use repgeo::report::{Format, Printable, Report, ScalingView, Style};
use unicode_width::UnicodeWidthStr;

const PLAIN: Style = Style {
    ascii: false,
    colour: false,
    width: None,
};
const ASCII: Style = Style {
    ascii: true,
    ..PLAIN
};

fn render<T: Printable>(body: &T, format: Format, style: Style) -> String {
    let report = Report::new("id-profile", vec!["acts".into()], body);
    report.render(format, &style).unwrap()
}

fn assert_same(shown: &str, expected: &str) {
    // A thin space cannot be seen in a test, so the expected text writes it as `'`.
    let expected = expected.replace('\'', "\u{2009}");
    assert_eq!(shown, expected, "\nshown:\n{shown}\nexpected:\n{expected}");
}

fn tables(style: Style) -> Vec<String> {
    let (profile, resampled) = (hand_made::profile(), hand_made::resampled());
    vec![
        render(&profile, Format::Table, style),
        render(&ScalingView(&profile), Format::Table, style),
        render(&resampled, Format::Table, style),
        render(&ScalingView(&resampled), Format::Table, style),
        render(&hand_made::inspected(), Format::Table, style),
        render(&hand_made::scanned(), Format::Table, style),
    ]
}

#[test]
fn show() {
    for t in tables(PLAIN) { println!("{t}=====\n"); }
    for t in tables(Style{ width: Some(44), ..ASCII}) { println!("{t}=====\n"); }
    println!("{}", render(&hand_made::profile(), Format::Csv, PLAIN));
    println!("{}", render(&hand_made::resampled(), Format::Csv, PLAIN));
    println!("{}", render(&hand_made::scanned(), Format::Csv, PLAIN));
    println!("{}", render(&hand_made::inspected(), Format::Json, PLAIN));
}
