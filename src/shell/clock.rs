//! The one place that reads the clock. Nothing below the shell ever does.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Span, Time};

/// The wall clock, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "this is the one file that reads the clock")]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Measures how long something takes; never an input of the core.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the one file that reads the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Span {
        Span::from_ms(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// Waits; zero and negative spans return at once.
pub fn sleep(span: Span) {
    std::thread::sleep(std::time::Duration::from_millis(span.ms().max(0).unsigned_abs()));
}
