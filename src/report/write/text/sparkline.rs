//! A series in one line of text.

use super::style::Style;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The ramp ` .:-=+*#` without its space, which is a gap: the lowest value must be visible.
const ASCII: [char; 7] = ['.', ':', '-', '=', '+', '*', '#'];

/// A change smaller than this share of the largest value is below what three digits show.
const FLAT: f64 = 0.005;

/// One character a value, from the lowest (`▁`, or `.` under ASCII) to the highest (`█`, `#`).
///
/// The scale runs from the smallest to the largest value. A gap stands for `None`; a flat or
/// single-valued series is drawn at middle height.
pub fn sparkline(values: &[Option<f64>], style: &Style) -> String {
    let ramp: &[char] = if style.ascii { &ASCII } else { &BLOCKS };
    let known = || values.iter().flatten().copied();
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    let flat = high - low <= FLAT * high.abs().max(low.abs());
    values
        .iter()
        .map(|value| match value {
            None => ' ',
            Some(_) if flat => ramp[(ramp.len() - 1) / 2],
            Some(value) => ramp[level((value - low) / (high - low), ramp.len())],
        })
        .collect()
}

/// The step of `0..steps` nearest to `position` of 0..1.
fn level(position: f64, steps: usize) -> usize {
    let highest = (steps - 1) as f64;
    (1..steps)
        .filter(|&step| position * highest >= step as f64 - 0.5)
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNICODE: Style = Style {
        ascii: false,
        colour: false,
        width: None,
    };
    const PLAIN: Style = Style {
        ascii: true,
        ..UNICODE
    };

    fn known(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn a_ramp_uses_every_character_once() {
        let ramp = known(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(sparkline(&ramp, &UNICODE), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&ramp[..7], &PLAIN), ".:-=+*#");
    }

    #[test]
    fn a_missing_value_is_a_gap() {
        let values = [Some(1.0), None, Some(9.0)];
        assert_eq!(sparkline(&values, &UNICODE), "▁ █");
        assert_eq!(sparkline(&values, &PLAIN), ". #");
        assert_eq!(sparkline(&[None, None], &UNICODE), "  ");
        assert_eq!(sparkline(&[], &UNICODE), "");
    }

    #[test]
    fn a_flat_series_is_drawn_at_middle_height() {
        assert_eq!(sparkline(&known(&[5.0]), &UNICODE), "▄");
        assert_eq!(sparkline(&known(&[5.0, 5.0, 5.0]), &UNICODE), "▄▄▄");
        assert_eq!(sparkline(&known(&[5.0, 5.01]), &UNICODE), "▄▄");
        assert_eq!(sparkline(&known(&[0.0, 0.0]), &PLAIN), "==");
    }

    proptest! {
        #[test]
        fn every_character_is_of_the_alphabet_and_order_is_kept(
            values in prop::collection::vec(prop::option::of(0.0f64..1e6), 0..40)
        ) {
            let line: Vec<char> = sparkline(&values, &UNICODE).chars().collect();
            prop_assert_eq!(line.len(), values.len());
            let drawn: Vec<(f64, usize)> = values.iter().zip(&line).filter_map(|(value, shown)| {
                Some(((*value)?, BLOCKS.iter().position(|block| block == shown).unwrap()))
            }).collect();
            for (value, height) in &drawn {
                for (other, other_height) in &drawn {
                    prop_assert!(value > other || height <= other_height);
                }
            }
            let plain = sparkline(&values, &PLAIN);
            prop_assert!(plain.chars().all(|c| " .:-=+*#".contains(c)));
        }
    }
}
