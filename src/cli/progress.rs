//! Shows how far the work is: a bar on a terminal, a line a layer for logs, or nothing.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use repgeo::progress::{Phase, Progress};
use repgeo::report::safe_text;

use super::forecast::Forecast;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// One bar over all work, redrawn in place
    Bar,
    /// A line on stderr for every layer that is done, for logs
    Lines,
    /// Nothing
    None,
}

static ASKED: OnceLock<Shown> = OnceLock::new();

/// Sets how progress is shown; what is never said is a bar on a terminal and nothing elsewhere.
pub fn show(shown: Option<Shown>) {
    if let Some(shown) = shown {
        let _ = ASKED.set(shown);
    }
}

/// Where the bar is redrawn: a thousand places are finer than any terminal.
const PLACES: u64 = 1000;

/// How far the run is, for whoever watches it or stops it.
struct State {
    forecast: Forecast,
    began: Option<Instant>,
    /// Steps, and pieces of work outside of any plan, that are over.
    finished: usize,
    /// What is in work: the layer, or the piece of work, its steps, and how many are done.
    current: Option<(String, u64, u64)>,
    /// When the piece of work outside of any plan began.
    piece_began: Option<Instant>,
    bar: Option<ProgressBar>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn locked() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_state<T>(act: impl FnOnce(&mut State) -> T) -> T {
    act(locked().get_or_insert_with(|| State {
        forecast: Forecast::default(),
        began: None,
        finished: 0,
        current: None,
        piece_began: None,
        bar: None,
    }))
}

impl State {
    fn now(&mut self) -> f64 {
        let began = self.began.get_or_insert_with(Instant::now);
        began.elapsed().as_secs_f64()
    }

    /// Share and seconds left: of all work where there is a plan, else of the piece in work.
    fn outlook(&mut self) -> (f64, Option<f64>) {
        let now = self.now();
        if self.forecast.is_planned() {
            let share = self.forecast.share(now).unwrap_or(0.0);
            return (share, self.forecast.left(now));
        }
        let Some((_, total, done)) = self.current else {
            return (0.0, None);
        };
        let share = done as f64 / total.max(1) as f64;
        let seconds = self.piece_began.map(|began| began.elapsed().as_secs_f64());
        let left = seconds.filter(|_| done > 0);
        (share, left.map(|seconds| seconds * (1.0 - share) / share))
    }

    /// `ranks 3/8 layer_2`.
    fn words(&self) -> String {
        let layer = self.current.as_ref().map_or("", |(label, _, _)| label);
        match self.forecast.place() {
            Some((phase, step, steps)) => format!("{phase} {step}/{steps} {layer}"),
            None => layer.to_owned(),
        }
    }

    fn draw(&mut self) {
        let (share, left) = self.outlook();
        let words = self.words();
        let Some(bar) = &self.bar else { return };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        bar.set_position((share * PLACES as f64) as u64);
        bar.set_message(safe_text(words.trim_end()));
        let left = left.filter(|_| share < 1.0).map(|seconds| {
            let seconds = Duration::from_secs_f64(seconds.min(1e9));
            format!(" · {:#} left", HumanDuration(seconds))
        });
        bar.set_prefix(format!(
            "{:.0} %{}",
            100.0 * share,
            left.unwrap_or_default()
        ));
    }
}

/// Shows the work of one command.
pub struct Bar {
    shown: Shown,
    quiet: bool,
}

impl Bar {
    /// As it was asked for; else a bar on a terminal, unless the run is to be quiet.
    pub fn new(quiet: bool) -> Self {
        let by_default = match !quiet && io::stderr().is_terminal() {
            true => Shown::Bar,
            false => Shown::None,
        };
        Self {
            shown: ASKED.get().copied().unwrap_or(by_default),
            quiet,
        }
    }

    /// Puts the bar on the terminal, if it is not there.
    fn put(&self, state: &mut State) {
        if self.shown != Shown::Bar || state.bar.is_some() {
            return;
        }
        let style = ProgressStyle::with_template("{msg}  {wide_bar} {prefix}")
            .expect("the template is constant and valid");
        // A few redraws a second: the work matters, not the bar.
        let target = ProgressDrawTarget::stderr_with_hz(8);
        let bar = ProgressBar::with_draw_target(Some(PLACES), target).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(500));
        state.bar = Some(bar);
    }

    /// Ends the step in work, if there is one, and says so where lines are wanted.
    fn end_step(&self, state: &mut State) {
        let (now, words) = (state.now(), state.words());
        if let Some(seconds) = state.forecast.end_step(now) {
            state.finished += 1;
            self.line(&words, seconds);
        }
    }

    fn line(&self, words: &str, seconds: f64) {
        if self.shown == Shown::Lines {
            let words = safe_text(words.trim_end());
            // Nobody may be left to read it.
            let _ = writeln!(io::stderr(), "repgeo: {words} {seconds:.2} s");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        with_state(|state| {
            self.end_step(state);
            if let Some(bar) = state.bar.take() {
                bar.finish_and_clear();
            }
        });
    }
}

/// How far the run is, in words that go after "stopped"; `None` before any work.
pub fn words() -> Option<String> {
    let state = locked();
    let state = state.as_ref()?;
    let (label, total, done) = state.current.as_ref()?;
    if let Some((phase, step, steps)) = state.forecast.place() {
        let words = format!("in {phase} {step}/{steps} {label}");
        return Some(words.trim_end().to_owned());
    }
    let percent = 100 * done / (*total).max(1);
    Some(match state.finished {
        0 => format!("at {percent} % of its first piece of work, {label}"),
        1 => format!("after 1 piece of work, at {percent} % of {label}"),
        count => format!("after {count} pieces of work, at {percent} % of {label}"),
    })
}

/// Whether a bar stands on the terminal.
pub fn is_drawn() -> bool {
    locked().as_ref().is_some_and(|state| state.bar.is_some())
}

impl Progress for Bar {
    fn plan(&self, phases: &[Phase]) {
        with_state(|state| {
            self.end_step(state);
            state.began = Some(Instant::now());
            state.forecast.plan(phases);
        });
    }

    fn step(&self, phase: &'static str, name: &str) {
        with_state(|state| {
            self.end_step(state);
            let now = state.now();
            state.forecast.step(now, phase);
            state.current = Some((name.to_owned(), 1, 0));
            self.put(state);
            state.draw();
        });
    }

    fn begin(&self, label: &str, total: u64) {
        with_state(|state| {
            state.forecast.begin(total);
            match &mut state.current {
                // Within a step the layer has been named.
                Some((_, steps, done)) if state.forecast.is_planned() => {
                    (*steps, *done) = (total, 0);
                }
                current => *current = Some((label.to_owned(), total, 0)),
            }
            state.piece_began = Some(Instant::now());
            self.put(state);
            state.draw();
        });
    }

    fn advance(&self, steps: u64) {
        with_state(|state| {
            state.forecast.advance(steps);
            if let Some((_, _, done)) = &mut state.current {
                *done += steps;
            }
            if state.bar.is_some() {
                state.draw();
            }
        });
    }

    fn end(&self) {
        with_state(|state| {
            if let Some((_, total, done)) = &mut state.current {
                *done = *total;
            }
            if state.forecast.is_planned() {
                return;
            }
            state.finished += 1;
            let seconds = state.piece_began.map(|began| began.elapsed().as_secs_f64());
            self.line(&state.words(), seconds.unwrap_or(0.0));
            if let Some(bar) = state.bar.take() {
                bar.finish_and_clear();
            }
        });
    }

    fn note(&self, text: &str) {
        if self.quiet {
            return;
        }
        let say = || eprintln!("repgeo: {text}");
        let bar = with_state(|state| state.bar.clone());
        match bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}
