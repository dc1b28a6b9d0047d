//! A job's progress: a bar for a person at a terminal, plain lines otherwise.

use std::time::Duration;

use atg_models::api::ProgressFrame;
use indicatif::{ProgressBar, ProgressStyle};

use crate::out;

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Shows how far a job is.
pub(crate) struct Bar {
    shown: Option<ProgressBar>,
    quiet: bool,
    said: String,
}

impl Bar {
    /// For a job; with `quiet`, nothing is shown.
    pub(crate) fn new(quiet: bool) -> Self {
        let shown = (out::is_terminal() && !quiet).then(|| {
            let style = ProgressStyle::with_template("{spinner:.cyan} [{bar:32.cyan/blue}] {pos:>3}% {wide_msg}");
            let bar = ProgressBar::new(100);
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            shown,
            quiet,
            said: String::new(),
        }
    }

    /// Shows a progress frame. Plain lines are printed when the text changes only.
    pub(crate) fn progress(&mut self, frame: &ProgressFrame) {
        match &self.shown {
            Some(bar) => {
                bar.set_position(whole(frame.progress));
                bar.set_message(frame.message.clone());
            }
            None if self.quiet || self.said == frame.message => {}
            None => {
                self.said.clone_from(&frame.message);
                out::remark(&format!("{:>5.1} %  {}", frame.progress, frame.message));
            }
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn line(&self, text: &str) {
        match &self.shown {
            Some(bar) => bar.println(text),
            None if self.quiet => {}
            None => out::remark(text),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value lies between 0 and 100, and there is no conversion from a float that is not `as`"
)]
fn whole(percent: f64) -> u64 {
    percent.clamp(0.0, 100.0).round() as u64
}
