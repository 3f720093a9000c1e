//! A progress bar on stderr, when somebody watches.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use repgeo::progress::Progress;

/// The time that the steps left will take; nothing before the first is done.
fn time_left(state: &ProgressState, out: &mut dyn fmt::Write) {
    if state.pos() > 0 {
        // The bar's own buffer takes any text.
        let _ = write!(out, "{:#} left", HumanDuration(state.eta()));
    }
}

/// One line for the layer in work: tiles done of tiles due, and the time they will take.
pub struct Bar {
    visible: bool,
    quiet: bool,
    bar: Mutex<ProgressBar>,
}

impl Bar {
    /// A bar that shows itself only on a terminal, and not when asked to be quiet.
    pub fn new(quiet: bool) -> Self {
        let visible = !quiet && io::stderr().is_terminal();
        Self {
            visible,
            quiet,
            bar: Mutex::new(ProgressBar::hidden()),
        }
    }

    fn bar(&self) -> ProgressBar {
        self.bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// How far the run is, for whoever stops it.
struct State {
    /// Pieces of work that are over.
    finished: usize,
    /// The one in work, its steps, and how many are done.
    current: Option<(String, u64, u64)>,
    drawn: bool,
}

static STATE: Mutex<State> = Mutex::new(State {
    finished: 0,
    current: None,
    drawn: false,
});

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far the run is, in words that go after "stopped"; `None` before any work.
pub fn words() -> Option<String> {
    let state = state();
    let (label, total, done) = state.current.as_ref()?;
    let percent = 100 * done / (*total).max(1);
    Some(match state.finished {
        0 => format!("at {percent} % of its first piece of work, {label}"),
        1 => format!("after 1 piece of work, at {percent} % of {label}"),
        count => format!("after {count} pieces of work, at {percent} % of {label}"),
    })
}

/// Whether a bar stands on the terminal.
pub fn is_drawn() -> bool {
    state().drawn
}

impl Progress for Bar {
    fn begin(&self, label: &str, total: u64) {
        {
            let mut state = state();
            state.current = Some((label.to_owned(), total, 0));
            state.drawn = self.visible;
        }
        if !self.visible {
            return;
        }
        let style = ProgressStyle::with_template("{msg}  {wide_bar} {percent:>3} %  {left}")
            .expect("the template is constant and valid")
            .with_key("left", time_left);
        // A few redraws a second: the work matters, not the bar.
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8))
            .with_style(style)
            .with_message(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(500));
        let mut current = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        current.finish_and_clear();
        *current = bar;
    }

    fn advance(&self, steps: u64) {
        if let Some((_, _, done)) = &mut state().current {
            *done += steps;
        }
        if self.visible {
            self.bar().inc(steps);
        }
    }

    fn end(&self) {
        {
            let mut state = state();
            state.finished += 1;
            if let Some((_, total, done)) = &mut state.current {
                *done = *total;
            }
            state.drawn = false;
        }
        if self.visible {
            self.bar().finish_and_clear();
        }
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            self.bar().suspend(|| eprintln!("repgeo: {text}"));
        }
    }
}
