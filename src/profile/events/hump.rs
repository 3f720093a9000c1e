//! One hump or two: the shapes that papers call hunchback and double hunchback.

use serde::Serialize;

use super::extrema::local_maxima;
use super::noise::FLANK;
use super::points::{Place, Points};
use super::{Event, EventOptions};
use crate::geometry::Reason;

/// The peak as a hump.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hunchback {
    /// Whether both `rise` and `fall` reach the prominence.
    pub present: bool,
    /// The peak.
    pub peak: Place,
    /// (y_peak − lowest before)/y_peak.
    pub rise: f64,
    /// (y_peak − lowest after)/y_peak.
    pub fall: f64,
}

/// Two maxima m1, m2 and the valley v between them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DoubleHunchback {
    /// Whether p reaches the prominence, and the second hump ends before the profile does.
    pub present: bool,
    /// m1, the first hump.
    pub first: Place,
    /// v, the lowest layer between the humps.
    pub valley: Place,
    /// m2, the second hump.
    pub second: Place,
    /// (y_m2 − y_v)/y_m1; `None` where y_m1 is not positive.
    pub p: Option<f64>,
}

pub(super) fn hunchback(
    points: Result<&Points, Reason>,
    options: &EventOptions,
) -> Event<Hunchback> {
    Event::new(
        "peak inside the profile, (y_peak - lowest before)/y_peak and (y_peak - lowest after)/y_peak \
         >= prominence",
        [("prominence", options.prominence)],
        points.and_then(|points| find_hunchback(points, options.prominence)),
    )
}

fn find_hunchback(points: &Points, prominence: f64) -> Result<Hunchback, Reason> {
    let peak = points.top().ok_or(Reason::TooFewLayers)?;
    let before = points.argmin(0..peak).ok_or(Reason::NotReached)?;
    let after = points
        .argmin(peak + 1..points.len())
        .ok_or(Reason::NotReached)?;
    let height = points.y(peak);
    if height <= 0.0 {
        return Err(Reason::NotReached);
    }
    let above = |low: usize| (height - points.y(low)) / height;
    let (rise, fall) = (above(before), above(after));
    Ok(Hunchback {
        present: rise >= prominence && fall >= prominence,
        peak: points.place(peak),
        rise,
        fall,
    })
}

pub(super) fn double_hunchback(
    points: Result<&Points, Reason>,
    options: &EventOptions,
) -> Event<DoubleHunchback> {
    let (rule, candidate): (_, fn(&Points, usize) -> _) = match options.bottleneck {
        Some(_) => (
            "m1 = highest before the bottleneck, m2 = highest after it, v = lowest between; \
             p = (y_m2 - y_v)/y_m1 >= prominence, y_m1 > y_v and y_m2 > y_last",
            around,
        ),
        None => (
            "m1, m2 = the two local maxima with the largest min(y_m1, y_m2) - y_v, v = lowest \
             between; p = (y_m2 - y_v)/y_m1 >= prominence and y_m2 > y_last",
            |points, _| deepest_pair(points),
        ),
    };
    let find = |points: &Points| {
        candidate(points, options.bottleneck.unwrap_or(0))
            .map(|humps| describe(points, humps, options.prominence))
            .ok_or(Reason::NotReached)
    };
    let mut event = Event::new(
        rule,
        [("prominence", options.prominence)],
        points.and_then(find),
    );
    if let Some(bottleneck) = options.bottleneck {
        event.parameters.insert("bottleneck", bottleneck as f64);
    }
    event
}

/// m1, v, m2.
type Humps = (usize, usize, usize);

/// The highest points before and after the layer `bottleneck`.
fn around(points: &Points, bottleneck: usize) -> Option<Humps> {
    let before = (0..points.len()).take_while(|&p| points.index(p) < bottleneck);
    let after = (0..points.len()).find(|&point| points.index(point) > bottleneck)?;
    let m1 = points.argmax(0..before.count())?;
    let m2 = points.argmax(after..points.len())?;
    Some((m1, points.argmin(m1 + 1..m2)?, m2))
}

/// The two local maxima with the deepest valley between them, the first pair on ties.
///
/// Below the highest maximum on either side, no pair has a deeper valley at a point than these two:
/// so the depth is found point by point, and the pair by its depth, without trying all pairs.
fn deepest_pair(points: &Points) -> Option<Humps> {
    let maxima = local_maxima(points);
    let (&first, &last) = (maxima.first()?, maxima.last()?);
    let mut is_maximum = vec![false; points.len()];
    maxima.iter().for_each(|&point| is_maximum[point] = true);
    // The highest maximum behind each point.
    let mut behind = vec![f64::NEG_INFINITY; points.len()];
    for point in (first..last).rev() {
        let next = match is_maximum[point + 1] {
            true => points.y(point + 1),
            false => f64::NEG_INFINITY,
        };
        behind[point] = behind[point + 1].max(next);
    }
    let depth = |before: f64, point: usize| before.min(behind[point]) - points.y(point);
    let (mut deepest, mut highest) = (f64::NEG_INFINITY, points.y(first));
    for (point, is_maximum) in is_maximum.iter().enumerate().take(last).skip(first + 1) {
        deepest = deepest.max(depth(highest, point));
        if *is_maximum {
            highest = highest.max(points.y(point));
        }
    }
    let reaches = |found: f64| found >= deepest;
    // The lowest point behind each that a high enough maximum in front makes as deep.
    let mut low = vec![f64::INFINITY; points.len()];
    for point in (first + 1..last).rev() {
        let y = points.y(point);
        let enough = reaches(behind[point] - y);
        low[point - 1] = low[point].min(if enough { y } else { f64::INFINITY });
    }
    let mut tried = maxima.iter().copied();
    let m1 = tried.find(|&m1| reaches(points.y(m1) - low[m1]))?;
    let mut v = m1 + 1;
    let m2 = (m1 + 2..=last).find(|&m2| {
        let pair = is_maximum[m2] && reaches(points.y(m1).min(points.y(m2)) - points.y(v));
        if !pair && points.y(m2) < points.y(v) {
            v = m2;
        }
        pair
    })?;
    Some((m1, v, m2))
}

fn describe(points: &Points, (m1, v, m2): Humps, prominence: f64) -> DoubleHunchback {
    let (first, valley, second) = (points.y(m1), points.y(v), points.y(m2));
    let last = points.y(points.len() - 1);
    let p = (first > 0.0).then(|| (second - valley) / first);
    // Every flank of both humps, but for an edge of the profile, which has none.
    let before = points.argmin(0..m1);
    let beyond_errors = [
        before.map(|low| (m1, low)),
        Some((m1, v)),
        Some((m2, v)),
        Some((m2, points.len() - 1)),
    ]
    .into_iter()
    .flatten()
    .all(|(high, low)| points.stands_above(high, low, 0.0, FLANK));
    DoubleHunchback {
        // On a rising profile the layer before the bottleneck is no hump: v lies above it.
        present: p.is_some_and(|p| p >= prominence)
            && first > valley
            && second > last
            && beyond_errors,
        first: points.place(m1),
        valley: points.place(v),
        second: points.place(m2),
        p,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Series;
    use crate::profile::events::{Events, events};

    fn found(values: &[f64], bottleneck: Option<usize>) -> Events {
        let series = Series::new(values.iter().map(|&value| ("", Some(value))));
        let options = EventOptions {
            bottleneck,
            ..EventOptions::default()
        };
        events(&series, &options)
    }

    #[test]
    fn the_deepest_pair_is_that_of_trying_all_pairs() {
        let all_pairs = |points: &Points| -> Option<Humps> {
            let maxima = local_maxima(points);
            let mut deepest: Option<(Humps, f64)> = None;
            for (nth, &m1) in maxima.iter().enumerate() {
                for &m2 in &maxima[nth + 1..] {
                    let v = points.argmin(m1 + 1..m2)?;
                    let depth = points.y(m1).min(points.y(m2)) - points.y(v);
                    if deepest.is_none_or(|(_, deepest)| depth > deepest) {
                        deepest = Some(((m1, v, m2), depth));
                    }
                }
            }
            deepest.map(|(humps, _)| humps)
        };
        let mut random = crate::random::SplitMix64::new(3);
        let mut pairs = 0;
        for turn in 0..2000 {
            // Few distinct values make ties and level tops.
            let levels = [3.0, 8.0, 1e9][turn % 3];
            let values: Vec<f64> = (0..3 + turn % 40)
                .map(|_| (random.uniform() * levels).floor() - levels / 3.0)
                .collect();
            let series = Series::new(values.iter().map(|&value| ("", Some(value))));
            let points = Points::new(&series, &EventOptions::default());
            let found = deepest_pair(&points);
            assert_eq!(found, all_pairs(&points), "{values:?}");
            pairs += usize::from(found.is_some());
        }
        assert!(pairs > 1000, "{pairs}");
    }

    #[test]
    fn two_humps_are_two_humps_with_and_without_a_bottleneck() {
        let values = [1.0, 10.0, 4.0, 8.0, 2.0];
        for bottleneck in [None, Some(2)] {
            let double = found(&values, bottleneck)
                .double_hunchback
                .into_found()
                .unwrap();
            assert!(double.present);
            let places = [&double.first, &double.valley, &double.second];
            assert_eq!(places.map(|place| place.index), [1, 2, 3]);
            assert!((double.p.unwrap() - 0.4).abs() < 1e-12);
        }
    }

    #[test]
    fn a_bottleneck_on_the_way_up_does_not_make_a_second_hump() {
        let rising = [1.0, 2.0, 3.0, 4.0, 9.0, 8.0];
        let double = found(&rising, Some(3))
            .double_hunchback
            .into_found()
            .unwrap();
        assert!(!double.present);
        let up_to_the_end = [1.0, 9.0, 3.0, 4.0, 8.0];
        assert!(
            !found(&up_to_the_end, Some(2))
                .double_hunchback
                .into_found()
                .unwrap()
                .present
        );
    }

    #[test]
    fn a_bottleneck_at_the_edge_has_one_side_only() {
        let values = [1.0, 10.0, 4.0, 8.0, 2.0];
        for edge in [0, 4] {
            let double = found(&values, Some(edge)).double_hunchback;
            assert_eq!(double.reason(), Some(Reason::NotReached));
        }
    }

    #[test]
    fn a_peak_at_the_edge_or_below_zero_is_no_hunchback() {
        for values in [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [-9.0, -1.0, -5.0]] {
            assert_eq!(
                found(&values, None).hunchback.reason(),
                Some(Reason::NotReached)
            );
        }
        assert!(
            found(&[1.0, 3.0, 2.0], None)
                .hunchback
                .into_found()
                .unwrap()
                .present
        );
        let late_fall = found(&[1.0, 3.0, 2.9], None)
            .hunchback
            .into_found()
            .unwrap();
        assert!(!late_fall.present);
    }
}
