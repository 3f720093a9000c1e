//! The answer in one sentence.

use super::shape::{ChunkWidth, CriticalReport, TrainingCondition};
use crate::geometry::Reason;
use crate::geometry::clones::{
    CriticalWidth, R2_THRESHOLD, WidthEvidence, ZERO_TRAINING_ERROR, critical_width,
};

/// The critical width of `widths`, with its rule.
pub(super) fn critical(widths: &[ChunkWidth]) -> (CriticalReport, Option<CriticalWidth>) {
    let evidence: Vec<WidthEvidence> = widths
        .iter()
        .map(|one| WidthEvidence {
            width: one.width,
            r2: one.paper().map(|paper| paper.r2.mean),
            training_error: one.train.as_ref().map(|train| 1.0 - train.accuracy.mean),
        })
        .collect();
    let checked = evidence.iter().any(|one| one.training_error.is_some());
    let found = critical_width(&evidence);
    let mut rule =
        format!("smallest width below the whole layer with mean R2 (paper) >= {R2_THRESHOLD}");
    if checked {
        rule += &format!(
            " and training error <= max(2 x that of the whole layer, {ZERO_TRAINING_ERROR})"
        );
    }
    let report = CriticalReport {
        outcome: found.ok_or(Reason::NotReached).into(),
        rule,
        training_condition: match checked {
            true => TrainingCondition::Checked,
            false => TrainingCondition::NotChecked,
        },
    };
    (report, found)
}

/// What the curve means, in words.
pub(super) fn verdict(widths: &[ChunkWidth], found: Option<CriticalWidth>) -> String {
    let Some((whole, chunks)) = widths.split_last() else {
        return "There is no chunk to look at.".into();
    };
    let r2 = |one: &ChunkWidth| one.paper().map(|paper| paper.r2.mean);
    let percent = |share: f64| {
        // 99.97 % must not read as 100 %.
        let floor = (share * 1000.0).floor() / 10.0;
        format!("{floor} %")
    };
    let Some(found) = found else {
        let largest = chunks.iter().rev().find_map(|one| Some((one, r2(one)?)));
        return match largest {
            None => {
                "No chunk below the whole layer could be fitted: nothing is known of clones.".into()
            }
            Some((one, value)) if value >= R2_THRESHOLD => format!(
                "Chunks of {} of {} neurons explain {} of the layer's variance but do not classify \
                 the training set as the whole layer does: no clones.",
                one.width,
                whole.width,
                percent(value)
            ),
            Some((one, value)) => format!(
                "No chunk explains {} of the layer's variance; the largest, {} of {} neurons, \
                 explains {}: no clones.",
                percent(R2_THRESHOLD),
                one.width,
                whole.width,
                percent(value)
            ),
        };
    };
    let at = chunks.iter().find(|one| one.width == found.width);
    let share = at.and_then(r2).unwrap_or(R2_THRESHOLD);
    let mut text = format!(
        "From {} of {} neurons on, a random chunk explains {} of the layer's variance: {} clones.",
        found.width,
        whole.width,
        percent(share),
        round(found.n_clones)
    );
    let baseline = at.and_then(|one| one.baseline);
    if let Some(baseline) = baseline.filter(|baseline| baseline.r2_paper > 0.9) {
        text += &format!(
            " Independent neurons would explain {} with so few rows, so this says little.",
            percent(baseline.r2_paper)
        );
    }
    if whole.train.is_none() {
        text += " Whether they classify the training set as well was not checked.";
    }
    text
}

/// A count that may not be whole.
fn round(count: f64) -> String {
    let tenths = (count * 10.0).round() / 10.0;
    format!("{tenths}")
}
