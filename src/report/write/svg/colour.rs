//! Colours that people with any colour vision tell apart, on white and on black.
//!
//! Categories: Okabe and Ito's eight (<https://jfly.uni-koeln.de/color/>). Shades: ColorBrewer's
//! YlGnBu and RdBu (<https://colorbrewer2.org>), interpolated in sRGB.

use crate::report::page::{Scale, Shade};

/// How many categories have a colour of their own.
pub(super) const CATEGORIES: usize = 7;

/// From the least to the most.
const SEQUENTIAL: [[u8; 3]; 9] = [
    [255, 255, 217],
    [237, 248, 177],
    [199, 233, 180],
    [127, 205, 187],
    [65, 182, 196],
    [29, 145, 192],
    [34, 94, 168],
    [37, 52, 148],
    [8, 29, 88],
];

/// From far below 0 to far above.
const DIVERGING: [[u8; 3]; 9] = [
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [209, 229, 240],
    [247, 247, 247],
    [253, 219, 199],
    [244, 165, 130],
    [214, 96, 77],
    [178, 24, 43],
];

/// The style of every picture: one set of rules for light, one that replaces it in the dark.
///
/// Plain classes rather than variables, which drawing programs do not know.
pub(super) const STYLE: &str = "\
text{font:10px 'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif;fill:#222}\
.h{font-weight:600;font-size:11px}.s{font-size:9px}.v{font-size:8px}.w{fill:#fff}.k{fill:#111}\
.q{fill:#666}.paper{fill:#fff}\
.axis{stroke:#444;stroke-width:.8;fill:none}.grid{stroke:#e4e4e4;stroke-width:.6}\
.mark{stroke:#888;stroke-width:.8;stroke-dasharray:3 2;fill:none}.span{fill:#888;fill-opacity:.16}\
.seg{stroke:#999;stroke-width:.8;fill:none}.absent{fill:#ddd;stroke:#bbb;stroke-width:.4}\
.l{fill:none;stroke-width:1.5;stroke-linejoin:round}.e{stroke-width:.9;fill:none}\
.b{fill-opacity:.18;stroke:none}.thin{stroke-width:1}.d1{stroke-dasharray:5 2}\
.d2{stroke-dasharray:7 2 1.5 2}.d3{stroke-dasharray:1.5 2}\
.cell{shape-rendering:crispEdges}.dot{fill-opacity:.8}\
.f0{fill:#0072b2}.f1{fill:#d55e00}.f2{fill:#009e73}.f3{fill:#cc79a7}.f4{fill:#e69f00}\
.f5{fill:#56b4e9}.f6{fill:#555}.fx{fill:#bbb}\
.t0{stroke:#0072b2}.t1{stroke:#d55e00}.t2{stroke:#009e73}.t3{stroke:#cc79a7}.t4{stroke:#e69f00}\
.t5{stroke:#56b4e9}.t6{stroke:#555}.tx{stroke:#bbb}\
@media screen and (prefers-color-scheme:dark){text{fill:#ddd}.q{fill:#aaa}.paper{fill:#16181c}\
.w{fill:#fff}.k{fill:#111}.axis{stroke:#aaa}.grid{stroke:#30343a}.absent{fill:#333;stroke:#555}\
.f0{fill:#4aa3df}.t0{stroke:#4aa3df}.f6{fill:#ccc}.t6{stroke:#ccc}}";

/// The class of a category, counted from 0; all beyond the last share one.
pub(super) fn category(at: usize) -> String {
    match at {
        0..CATEGORIES => at.to_string(),
        _ => "x".to_owned(),
    }
}

/// The shade of a value, as a colour, and whether white text is read on it.
pub(super) fn shade(value: f64, scale: &Scale) -> (String, bool) {
    let share = share(value, scale);
    let colour = match scale.shade {
        Shade::Diverging => between(&DIVERGING, share),
        Shade::Linear | Shade::Logarithmic => between(&SEQUENTIAL, share),
    };
    (hex(colour), is_dark(colour))
}

/// The colour of an ordered curve, from the first (0) to the last (1): never as pale as paper.
pub(super) fn ordered(share: f64) -> String {
    hex(between(&SEQUENTIAL, 0.35 + 0.65 * share))
}

/// Where a value lies between the ends of a scale, from 0 to 1.
pub(super) fn share(value: f64, scale: &Scale) -> f64 {
    let Scale { low, high, shade } = *scale;
    let share = match shade {
        Shade::Logarithmic if low > 0.0 && value > 0.0 => {
            libm::log(value / low) / libm::log(high / low)
        }
        Shade::Logarithmic => 0.0,
        Shade::Linear | Shade::Diverging => (value - low) / (high - low),
    };
    if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// The value at a share of a scale: what [`share`] turns back.
pub(super) fn value(share: f64, scale: &Scale) -> f64 {
    let Scale { low, high, shade } = *scale;
    match shade {
        Shade::Logarithmic if low > 0.0 && high > 0.0 => low * libm::pow(high / low, share),
        _ => low + share * (high - low),
    }
}

fn between(anchors: &[[u8; 3]; 9], share: f64) -> [u8; 3] {
    let place = share.clamp(0.0, 1.0) * (anchors.len() - 1) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = (place as usize).min(anchors.len() - 2);
    let part = place - at as f64;
    let (below, above) = (anchors[at], anchors[at + 1]);
    std::array::from_fn(|channel| {
        let [low, high] = [below[channel], above[channel]].map(f64::from);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mixed = (low + part * (high - low)).round() as u8;
        mixed
    })
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// By the luma that television uses: good enough to choose between black and white.
fn is_dark([red, green, blue]: [u8; 3]) -> bool {
    0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue) < 140.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_scale_have_the_ends_of_the_ramp() {
        let scale = Scale::linear(0.0, 2.0);
        assert_eq!(shade(0.0, &scale), ("#ffffd9".into(), false));
        assert_eq!(shade(2.0, &scale), ("#081d58".into(), true));
        assert_eq!(shade(9.0, &scale).0, "#081d58");
        let ratio = Scale::logarithmic(0.01, 1.0);
        assert!((share(0.1, &ratio) - 0.5).abs() < 1e-12);
        assert!((value(0.5, &ratio) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn nothing_has_no_colour_where_values_go_both_ways() {
        let scale = Scale {
            low: -3.0,
            high: 3.0,
            shade: Shade::Diverging,
        };
        assert_eq!(shade(0.0, &scale).0, "#f7f7f7");
        assert_eq!(shade(-3.0, &scale).0, "#2166ac");
    }

    #[test]
    fn a_scale_without_length_still_has_a_shade() {
        let (colour, _) = shade(1.0, &Scale::linear(1.0, 1.0));
        assert!(colour.starts_with('#') && colour.len() == 7);
    }
}
