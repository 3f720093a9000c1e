//! Foretells how long work will take from what was done of it.
//!
//! Times are seconds since the work began, handed in by the caller.

use repgeo::progress::Phase;

/// How far planned work is, and how long its steps took.
#[derive(Default)]
pub struct Forecast {
    phases: Vec<Measured>,
    current: Option<Step>,
}

/// A phase, and what was measured of it.
struct Measured {
    phase: Phase,
    begun: usize,
    done: usize,
    seconds: f64,
}

/// The step in work.
struct Step {
    phase: usize,
    began: f64,
    /// Steps of its piece of work that are done, of how many.
    piece: Option<(u64, u64)>,
}

impl Step {
    /// How much of it is done, where that says something of its pace.
    fn share(&self) -> Option<f64> {
        let (done, total) = self.piece?;
        let share = done as f64 / total.max(1) as f64;
        (share >= TOO_EARLY).then(|| share.min(1.0))
    }
}

/// Below this share of a step its pace says nothing.
const TOO_EARLY: f64 = 0.02;

impl Forecast {
    /// The work consists of these phases; what was known before is forgotten.
    pub fn plan(&mut self, phases: &[Phase]) {
        let measured = |&phase: &Phase| Measured {
            phase,
            begun: 0,
            done: 0,
            seconds: 0.0,
        };
        self.phases = phases.iter().map(measured).collect();
        self.current = None;
    }

    /// Whether there is a plan.
    pub fn is_planned(&self) -> bool {
        !self.phases.is_empty()
    }

    /// The next step of a phase begins; a phase that was not planned is one more.
    pub fn step(&mut self, now: f64, name: &'static str) {
        self.end_step(now);
        let known = self.phases.iter().position(|one| one.phase.name == name);
        let at = known.unwrap_or_else(|| {
            self.phases.push(Measured {
                phase: Phase::new(name, 1),
                begun: 0,
                done: 0,
                seconds: 0.0,
            });
            self.phases.len() - 1
        });
        let one = &mut self.phases[at];
        one.begun += 1;
        one.phase.steps = one.phase.steps.max(one.begun);
        self.current = Some(Step {
            phase: at,
            began: now,
            piece: None,
        });
    }

    /// The step in work is over; how many seconds it took.
    pub fn end_step(&mut self, now: f64) -> Option<f64> {
        let step = self.current.take()?;
        let one = &mut self.phases[step.phase];
        one.done += 1;
        one.seconds += now - step.began;
        Some(now - step.began)
    }

    /// A piece of work of the step begins, with its own number of steps.
    pub fn begin(&mut self, total: u64) {
        if let Some(step) = &mut self.current {
            step.piece = Some((0, total));
        }
    }

    /// Some of them are done.
    pub fn advance(&mut self, steps: u64) {
        if let Some(Step {
            piece: Some((done, _)),
            ..
        }) = &mut self.current
        {
            *done += steps;
        }
    }

    /// The phase in work, which step of it this is, and how many there are.
    pub fn place(&self) -> Option<(&'static str, usize, usize)> {
        let one = &self.phases[self.current.as_ref()?.phase];
        Some((one.phase.name, one.begun, one.phase.steps))
    }

    /// Seconds until all is done; nothing before anything is known.
    pub fn left(&self, now: f64) -> Option<f64> {
        let mut left = 0.0;
        for (at, one) in self.phases.iter().enumerate() {
            let waiting = one.phase.steps - one.begun;
            let current = self.current.as_ref().filter(|step| step.phase == at);
            if waiting == 0 && current.is_none() {
                continue;
            }
            let each = self.seconds_a_step(at, now)?;
            left += each * waiting as f64;
            if let Some(step) = current {
                left += match (self.pace(step, now), one.done) {
                    // Its own pace says more than what steps before it took, where it is slower.
                    (Some(whole), _) if whole > each => whole - (now - step.began),
                    _ => (each - (now - step.began)).max(0.0),
                };
            }
        }
        Some(left)
    }

    /// The share of the work that is done by time.
    pub fn share(&self, now: f64) -> Option<f64> {
        let left = self.left(now)?;
        Some(if left > 0.0 { now / (now + left) } else { 1.0 })
    }

    /// What a step of a phase takes: by those that are done, by the one in work, or by those of other
    /// phases.
    fn seconds_a_step(&self, at: usize, now: f64) -> Option<f64> {
        let one = &self.phases[at];
        if let Some(mean) = mean(one) {
            return Some(mean);
        }
        let current = self.current.as_ref();
        let own = current.filter(|step| step.phase == at);
        if let Some(pace) = own.and_then(|step| self.pace(step, now)) {
            return Some(pace);
        }
        // What a unit of cost took so far, in all phases.
        let (mut seconds, mut cost) = (0.0, 0.0);
        for other in &self.phases {
            seconds += other.seconds;
            cost += other.done as f64 * other.phase.cost;
        }
        if let Some((step, share)) = current.and_then(|step| Some((step, step.share()?))) {
            seconds += now - step.began;
            cost += share * self.phases[step.phase].phase.cost;
        }
        (cost > 0.0).then(|| seconds / cost * one.phase.cost)
    }

    /// What the step in work will have taken at its present pace.
    fn pace(&self, step: &Step, now: f64) -> Option<f64> {
        Some((now - step.began) / step.share()?)
    }
}

fn mean(one: &Measured) -> Option<f64> {
    (one.done > 0).then(|| one.seconds / one.done as f64)
}

#[cfg(test)]
mod tests {
    use repgeo::profile::imbalance::cost_of_ranks;
    use repgeo::profile::{clones, probe, similarity};

    use super::*;

    /// A run, its plan, and what its steps took: `phase step/steps layer seconds s`.
    fn runs() -> [(&'static str, Vec<Phase>, &'static str); 6] {
        let measures = similarity::SimilarityOptions {
            measures: similarity::MEASURES.to_vec(),
            ..similarity::SimilarityOptions::default()
        };
        let layers = similarity::Extent {
            layers: 8,
            pairs: 28,
            rows: 1200,
            columns: 200,
        };
        let probed = probe::Extent {
            layers: 8,
            rows: 1200,
            columns: 200,
            classes: 6,
            folds: 5,
            readout: probe::Readout::Logistic,
        };
        let chunks = clones::Extent {
            rows: 1500,
            width: 384,
            sizes: &[1, 3, 6, 12, 24, 48, 96, 192, 384],
            draws: 40,
            disjoint: false,
            chunk_id: false,
            partitions: Some(3),
            scored: Some(clones::Scored {
                outputs: 8,
                draws: 100,
                sets: 1,
            }),
        };
        // 11 sources with two neighbours each, in 48 columns.
        let ranks = Phase::of_cost("ranks", 12, cost_of_ranks(22, 48));
        [
            (
                "id-profile of 13 layers",
                vec![Phase::new("dimension", 13)],
                include_str!("../../fixtures/progress/id_profile.txt"),
            ),
            (
                "imbalance of 12 layers",
                vec![Phase::new("neighbours", 12), ranks],
                include_str!("../../fixtures/progress/imbalance.txt"),
            ),
            (
                "density-peaks of 16 layers",
                vec![Phase::new("peaks", 16)],
                include_str!("../../fixtures/progress/density_peaks.txt"),
            ),
            (
                "similarity of 8 layers",
                similarity::phases(layers, &measures, 1),
                include_str!("../../fixtures/progress/similarity.txt"),
            ),
            (
                "probe of 8 layers",
                probe::phases(&probed).to_vec(),
                include_str!("../../fixtures/progress/probe.txt"),
            ),
            (
                "clones of 384 neurons",
                clones::phases(&chunks),
                include_str!("../../fixtures/progress/clones.txt"),
            ),
        ]
    }

    /// The phase of every step, as planned, and the seconds that it took.
    fn recorded(lines: &str, plan: &[Phase]) -> Vec<(&'static str, f64)> {
        let step = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let phase = plan.iter().find(|phase| phase.name == words[1]).unwrap();
            (phase.name, words[words.len() - 2].parse().unwrap())
        };
        lines.lines().map(step).collect()
    }

    #[test]
    fn the_total_is_right_within_30_percent_after_the_first_tenth_of_recorded_runs() {
        const ADVANCES: u64 = 20;
        for (run, plan, lines) in runs() {
            let steps = recorded(lines, &plan);
            let planned: usize = plan.iter().map(|phase| phase.steps).sum();
            assert_eq!(steps.len(), planned, "{run}");
            let truth: f64 = steps.iter().map(|(_, seconds)| seconds).sum();
            let mut forecast = Forecast::default();
            forecast.plan(&plan);
            let (mut now, mut asked) = (0.0, 0);
            for (name, seconds) in steps {
                forecast.step(now, name);
                forecast.begin(ADVANCES);
                for _ in 0..ADVANCES {
                    forecast.advance(1);
                    now += seconds / ADVANCES as f64;
                    if now < 0.1 * truth {
                        continue;
                    }
                    asked += 1;
                    let total = now + forecast.left(now).unwrap();
                    assert!(
                        (total / truth - 1.0).abs() <= 0.3,
                        "{run}: {total:.2} s foretold at {now:.2} s, it took {truth:.2} s"
                    );
                }
            }
            assert!(asked > 50, "{run}: {asked}");
        }
    }

    #[test]
    fn nothing_is_foretold_before_anything_is_known() {
        let mut forecast = Forecast::default();
        assert_eq!(forecast.left(1.0), Some(0.0));
        forecast.plan(&[Phase::new("neighbours", 4), Phase::new("ranks", 4)]);
        forecast.step(0.0, "neighbours");
        assert_eq!(forecast.left(1.0), None);
        forecast.begin(100);
        forecast.advance(50);
        // Half of the first of eight equal steps took a second.
        assert_eq!(forecast.left(1.0), Some(15.0));
        assert_eq!(forecast.place(), Some(("neighbours", 1, 4)));
        assert_eq!(forecast.share(1.0), Some(1.0 / 16.0));
    }

    #[test]
    fn a_phase_that_nobody_planned_is_counted_as_it_comes() {
        let mut forecast = Forecast::default();
        forecast.plan(&[Phase::new("neighbours", 1)]);
        forecast.step(0.0, "neighbours");
        assert_eq!(forecast.end_step(2.0), Some(2.0));
        forecast.step(2.0, "parts");
        forecast.step(3.0, "parts");
        assert_eq!(forecast.place(), Some(("parts", 2, 2)));
        assert_eq!(forecast.left(3.5), Some(0.5));
    }
}
