//! What the engine says at the end of a tick beside plans: sensors' health, silent controllers, links' congestion.

use crate::engine::Engine;
use crate::ids::span;
use crate::output::{Alarm, AlarmKind, HealthChange, IndexReport, Output, Subject};
use crate::plan::ladder::SILENCE_MAX;
use crate::time::{Span, Time};
use crate::traffic::index::Window;
use crate::traffic::measures::Measure;

impl Engine {
    pub(super) fn report(&mut self) {
        for &(sensor, health) in self.traffic.health_changes() {
            self.out.push(Output::Health(HealthChange { at: self.now, sensor, health }));
        }
        self.report_silence();
        let every = Span::from_s(self.settings.index_every_s.max(60));
        if self.now.within(every, Span::ZERO) == Span::ZERO {
            self.report_links(every);
        }
    }

    fn report_silence(&mut self) {
        for (junction, post) in self.posts.iter_mut() {
            let silence = post.ledger.heard_at().map(|heard| self.now - heard);
            if let Some(silence) = silence.filter(|&s| s > SILENCE_MAX && !post.alarmed) {
                post.alarmed = true;
                self.out.push(Output::Alarm(Alarm { at: self.now, junction, kind: AlarmKind::Silent(silence) }));
            }
        }
    }

    /// Every link on which anybody was.
    fn report_links(&mut self, every: Span) {
        let window = window(every);
        for link in span(&self.partition.links) {
            let measure = self.traffic.index_link(link, window);
            if measure.vehicles > 0.0 || measure.spent_veh_s > 0.0 {
                self.out.push(report(Subject::Link(link), self.now, window, &measure));
            }
        }
    }
}

/// The window that is as long as the reports are apart.
pub(super) fn window(every: Span) -> Window {
    match every.ms() {
        ..300_000 => Window::Minute,
        300_000..3_600_000 => Window::FiveMinutes,
        _ => Window::Hour,
    }
}

/// A measure as it is reported.
pub(super) fn report(subject: Subject, end: Time, window: Window, measure: &Measure) -> Output {
    Output::Index(IndexReport {
        subject,
        end,
        interval: window.span(),
        spent_veh_s: measure.spent_veh_s,
        free_flow_veh_s: measure.free_flow_veh_s,
        delay_index: measure.delay_index(),
        tpi: measure.tpi(),
        quality: measure.quality,
    })
}
