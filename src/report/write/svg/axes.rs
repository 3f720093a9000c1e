//! Axes: from numbers to places on paper, ticks at round numbers, names where there is room.

use super::drawing::WIDTH;
use super::ink::{Hold, Ink};
use super::words;
use crate::report::page::Axis;
use crate::report::write::text::significant;

/// The size of the words at ticks.
pub(super) const SMALL: f64 = 9.0;

/// Numbers along one direction of the paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ruler {
    low: f64,
    high: f64,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Ruler {
    /// Of numbers from `low` to `high` along the paper from `from` to `to`.
    fn new(low: f64, high: f64, logarithmic: bool, from: f64, to: f64) -> Self {
        Self {
            low,
            high,
            logarithmic,
            from,
            to,
        }
    }

    /// A ruler over `values` and what the axis must show, with a little room at both ends.
    pub fn over(axis: &Axis, values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let shown = |value: &f64| value.is_finite() && (!axis.logarithmic || *value > 0.0);
        let range = axis.range.into_iter().flatten();
        let known = values.into_iter().chain(range).filter(shown);
        let (mut low, mut high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
        if low > high {
            (low, high) = if axis.logarithmic {
                (1.0, 10.0)
            } else {
                (0.0, 1.0)
            };
        }
        if axis.logarithmic {
            let ratio = if high > low {
                libm::pow(high / low, 0.04)
            } else {
                2.0
            };
            return Self::new(low / ratio, high * ratio, true, from, to);
        }
        // An axis that nearly reaches 0 does so: a ratio of heights is then a ratio of numbers.
        let reaches_zero = axis.range.is_none() && axis.names.is_empty();
        if reaches_zero && low > 0.0 && low < 0.4 * high {
            low = 0.0;
        }
        let room = match high > low {
            true => 0.04 * (high - low),
            false => 0.5_f64.max(0.1 * high.abs()),
        };
        let below = if low == 0.0 && reaches_zero {
            0.0
        } else {
            room
        };
        Self::new(low - below, high + room, false, from, to)
    }

    /// The same numbers in both directions have the same length: the longer range rules.
    pub fn alike(x: &mut Self, y: &mut Self) {
        let unit = |ruler: &Self| (ruler.high - ruler.low) / (ruler.to - ruler.from).abs();
        let widest = unit(x).max(unit(y));
        for ruler in [x, y] {
            let (middle, half) = (
                f64::midpoint(ruler.low, ruler.high),
                0.5 * widest * (ruler.to - ruler.from).abs(),
            );
            (ruler.low, ruler.high) = (middle - half, middle + half);
        }
    }

    /// The place of a number; `None` where the axis has none.
    pub fn at(&self, value: f64) -> Option<f64> {
        let share = match self.logarithmic {
            true if value > 0.0 => libm::log(value / self.low) / libm::log(self.high / self.low),
            true => return None,
            false => (value - self.low) / (self.high - self.low),
        };
        let place = self.from + share * (self.to - self.from);
        place.is_finite().then_some(place)
    }

    /// Round numbers within the range, with their words.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let decades = if self.logarithmic {
            libm::log10(self.high / self.low)
        } else {
            0.0
        };
        if self.logarithmic && decades >= 1.0 {
            return self.ratios(decades);
        }
        let step = round_step((self.high - self.low) / 5.0);
        let first = (self.low / step - 1e-9).ceil();
        let last = (self.high / step + 1e-9).floor();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = (last - first).clamp(0.0, 40.0) as usize + 1;
        let numbers = (0..count).map(|at| (first + at as f64) * step);
        numbers
            .filter(|&value| !self.logarithmic || value > 0.0)
            .map(|value| (value, label(value, step)))
            .collect()
    }

    /// Powers of ten; 2 and 5 times them where there are few.
    fn ratios(&self, decades: f64) -> Vec<(f64, String)> {
        let within: &[f64] = if decades < 3.0 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        #[allow(clippy::cast_possible_truncation)]
        let (first, last) = (
            libm::floor(libm::log10(self.low)) as i32,
            libm::ceil(libm::log10(self.high)) as i32,
        );
        let every = ((last - first) / 7).max(1);
        let mut ticks = Vec::new();
        for power in (first..=last).filter(|power| power % every == 0) {
            for factor in within {
                let value = factor * libm::pow(10.0, f64::from(power));
                if value >= self.low && value <= self.high {
                    ticks.push((value, significant(value, 1)));
                }
            }
        }
        ticks
    }
}

/// 1, 2 or 5 times a power of ten, at least `step`.
fn round_step(step: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(step)));
    if !(power > 0.0 && power.is_finite()) {
        return 1.0;
    }
    let factor = step / power;
    let round = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|&one| factor <= one * (1.0 + 1e-9));
    round.unwrap_or(10.0) * power
}

/// A tick with as many decimals as its step has.
fn label(value: f64, step: f64) -> String {
    let value = if value.abs() < 1e-9 * step {
        0.0
    } else {
        value
    };
    if value.abs() >= 1e5 || (step < 1e-3 && value != 0.0) {
        return significant(value, 3);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = (-libm::floor(libm::log10(step) + 1e-9)).max(0.0) as usize;
    format!("{value:.decimals$}")
}

/// What the axis measures, with its unit.
pub(super) fn title(axis: &Axis) -> String {
    let label = words::line(&axis.label);
    match axis.unit {
        Some(unit) => format!("{label} ({unit})"),
        None => label,
    }
}

/// What stands at the places of an axis: its names where it has them, else round numbers.
pub(super) fn labels(axis: &Axis, ruler: &Ruler) -> Vec<(f64, String)> {
    if axis.names.is_empty() {
        return ruler.ticks();
    }
    let names: Vec<String> = axis.names.iter().map(|(_, name)| name.clone()).collect();
    let short = words::distinct(&names);
    let places = axis.names.iter().map(|&(place, _)| place);
    places.zip(short).collect()
}

/// The lower edge of a plot: ticks and as many of their words as do not touch, then the title.
/// Gives the height that it took.
pub(super) fn lower_edge(
    ink: &mut Ink,
    axis: &Axis,
    ruler: &Ruler,
    [left, right]: [f64; 2],
    [top, bottom]: [f64; 2],
) -> f64 {
    ink.line([left, bottom], [right, bottom], "axis");
    let room = (right - left) / 3.0;
    let ticks = labels(axis, ruler)
        .into_iter()
        .filter_map(|(value, label)| {
            let x = ruler.at(value)?;
            let label = words::elided(&label, SMALL, room);
            (x >= left - 1.0 && x <= right + 1.0).then(|| Tick::new(x, label))
        });
    let ticks: Vec<Tick> = ticks.collect();
    // Words at regular distances say where those of many others would be.
    let mut free = f64::NEG_INFINITY;
    for tick in ticks.iter().step_by(stride(&ticks)) {
        let x = tick.x;
        if axis.names.is_empty() {
            ink.line([x, top], [x, bottom], "grid");
        }
        ink.line([x, bottom], [x, bottom + 3.0], "axis");
        if tick.from >= free {
            let middle = f64::midpoint(tick.from, tick.to);
            ink.text([middle, bottom + 12.0], Hold::Middle, "s", &tick.label);
            free = tick.to + APART;
        }
    }
    let middle = f64::midpoint(left, right);
    ink.text([middle, bottom + 26.0], Hold::Middle, "", &title(axis));
    32.0
}

/// Words at a tick of the lower edge.
struct Tick {
    x: f64,
    from: f64,
    to: f64,
    label: String,
}

/// The least space between words of two ticks.
const APART: f64 = 5.0;

impl Tick {
    fn new(x: f64, label: String) -> Self {
        let half = words::width(&label, SMALL) / 2.0;
        // The words of the last tick stay on the paper.
        let middle = x.min(WIDTH - 2.0 - half);
        Self {
            x,
            from: middle - half,
            to: middle + half,
            label,
        }
    }
}

/// The number of ticks from which some are left out.
const MANY: usize = 25;

/// The least round number of steps at which most words of many ticks keep apart. Places may be
/// uneven (layers of other depth), so a few that would touch are left out when they are drawn.
fn stride(ticks: &[Tick]) -> usize {
    if ticks.len() < MANY {
        return 1;
    }
    let crowded = |every: usize| {
        let shown: Vec<&Tick> = ticks.iter().step_by(every).collect();
        let touch = shown
            .windows(2)
            .filter(|two| two[1].from < two[0].to + APART);
        4 * touch.count() > shown.len()
    };
    let strides = (1..=ticks.len()).filter(|&every| round_stride(every) == every);
    let mut free = strides.skip_while(|&every| crowded(every));
    free.next().unwrap_or(ticks.len().max(1))
}

/// The least of 1, 2, 5, 10, 20, 50 … that is at least `every`.
pub(super) fn round_stride(every: usize) -> usize {
    let decades = std::iter::successors(Some(1_usize), |power| power.checked_mul(10));
    let mut round = decades.flat_map(|power| [1, 2, 5].map(|factor| power.saturating_mul(factor)));
    round.find(|&one| one >= every).unwrap_or(every)
}

/// The left edge of a plot: ticks with lines across, and the title from bottom to top.
pub(super) fn left_edge(
    ink: &mut Ink,
    axis: &Axis,
    ruler: &Ruler,
    [left, right]: [f64; 2],
    [top, bottom]: [f64; 2],
) {
    for (value, label) in ruler.ticks() {
        let Some(y) = ruler.at(value) else { continue };
        ink.line([left, y], [right, y], "grid");
        ink.line([left - 3.0, y], [left, y], "axis");
        ink.text([left - 5.0, y + 3.0], Hold::End, "s", &label);
    }
    ink.line([left, top], [left, bottom], "axis");
    ink.upright(
        [10.0, f64::midpoint(top, bottom)],
        Hold::Middle,
        "",
        &title(axis),
    );
}

/// How much room the left edge takes: its widest tick, and the title.
pub(super) fn left_room(ruler: &Ruler) -> f64 {
    let ticks = ruler.ticks();
    let widths = ticks.iter().map(|(_, label)| words::width(label, SMALL));
    widths.fold(0.0, f64::max) + 24.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(ruler: &Ruler) -> Vec<String> {
        ruler.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_within_the_range() {
        let ruler = Ruler::new(0.0, 37.0, false, 0.0, 100.0);
        assert_eq!(words_of(&ruler), ["0", "10", "20", "30"]);
        let small = Ruler::new(-0.2, 0.31, false, 0.0, 100.0);
        assert_eq!(words_of(&small), ["-0.2", "0.0", "0.2"]);
        let ratio = Ruler::new(1.0, 1000.0, true, 0.0, 90.0);
        assert_eq!(words_of(&ratio), ["1", "10", "100", "1000"]);
        assert_eq!(ratio.at(10.0).map(f64::round), Some(30.0));
        assert_eq!(ratio.at(0.0), None);
    }

    #[test]
    fn words_of_many_layers_stand_at_regular_distances() {
        let rounded = [1, 2, 3, 6, 11, 21, 150].map(round_stride);
        assert_eq!(rounded, [1, 2, 5, 10, 20, 50, 200]);
        let ticks = |n: usize| -> Vec<Tick> {
            let each = (0..n).map(|at| Tick::new(300.0 * at as f64 / n as f64, at.to_string()));
            each.collect()
        };
        assert_eq!([7, 200].map(|n| stride(&ticks(n))), [1, 20]);
    }

    #[test]
    fn one_value_or_none_still_makes_an_axis() {
        for values in [vec![], vec![3.0], vec![0.0, 0.0]] {
            let ruler = Ruler::over(&Axis::default(), values.clone(), 0.0, 100.0);
            assert!(!ruler.ticks().is_empty(), "{values:?}");
            assert!(values.iter().all(|&value| ruler.at(value).is_some()));
        }
    }

    #[test]
    fn equal_lengths_mean_equal_numbers_on_a_map() {
        let mut x = Ruler::new(0.0, 10.0, false, 0.0, 100.0);
        let mut y = Ruler::new(0.0, 1.0, false, 50.0, 0.0);
        Ruler::alike(&mut x, &mut y);
        let step = |ruler: &Ruler| ruler.at(1.0).unwrap() - ruler.at(0.0).unwrap();
        assert!((step(&x) + step(&y)).abs() < 1e-9);
    }
}
