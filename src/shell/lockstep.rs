//! Lock-step: an outside world drives one engine, a JSON object a line; `proto/README.md` is its documentation.

mod hello;

use std::io::{self, BufRead, Read, Write};

use super::cli::Failure;
use super::record::Recorder;
use super::threads::Threads;
use super::world::World;
use crate::engine::city::City;
use crate::event::Event;
use crate::time::Time;
use crate::wire::{self, Names, Wrong, json, v1};
use v1::lockstep_request::Request;
use v1::lockstep_response::Response;

/// No line is longer, bytes. A second of 100 000 junctions takes about 50 MB.
pub const LINE_BYTES_MAX: u64 = 64 << 20;
/// No tick is later, milliseconds since the epoch: the whole numbers that any JSON reader keeps exact.
const T_MS_MAX: i64 = 1 << 53;

/// What came of a lock-step run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Ticks done.
    pub ticks: u64,
    /// Lines that could not be understood.
    pub errors: u64,
}

/// Talks until `input` ends; its steps are done by so many `threads`.
///
/// # Errors
/// When a stream breaks or the log cannot be written; never because of what `input` says.
pub fn run(
    world: &World,
    input: impl BufRead,
    output: impl Write,
    recorder: Option<Recorder>,
    threads: Threads,
) -> Result<Summary, Failure> {
    let mut talk = Talk { world, output, recorder, threads, city: None, summary: Summary::default() };
    talk.say(Response::Hello(hello::hello(world)))?;
    talk.output.flush()?;
    let mut lines = Lines { input, number: 0 };
    while let Some(line) = lines.next_line()? {
        match line.and_then(|text| talk.understand(&text)) {
            Ok(Some(tick)) => talk.step(tick)?,
            Ok(None) => {}
            Err(wrong) => talk.refuse(lines.number, wrong)?,
        }
        talk.output.flush()?;
    }
    if let Some(recorder) = talk.recorder {
        recorder.finish()?;
    }
    Ok(talk.summary)
}

struct Talk<'a, W> {
    world: &'a World,
    output: W,
    recorder: Option<Recorder>,
    threads: Threads,
    city: Option<City>,
    summary: Summary,
}

impl<W: Write> Talk<'_, W> {
    fn say(&mut self, response: Response) -> io::Result<()> {
        writeln!(self.output, "{}", json::write(&v1::LockstepResponse { response: Some(response) }))
    }

    /// The tick that a line asks for; `None` for an empty line.
    fn understand(&self, line: &str) -> Result<Option<v1::Tick>, Wrong> {
        if line.trim().is_empty() {
            return Ok(None);
        }
        let request: v1::LockstepRequest = json::parse(line)?;
        let Request::Tick(tick) = request.request.ok_or_else(|| Wrong::missing("tick"))?;
        let (t, step) = (tick.t_ms, self.world.config.settings.tick_ms);
        let wrong = |reason: String| Err(Wrong::new("tick.t_ms", t, reason));
        match &self.city {
            Some(city) if t != city.now().ms() + step => {
                wrong(format!("is not the next tick, {}", city.now().ms() + step))
            }
            _ if t.rem_euclid(step) != 0 => wrong(format!("is no multiple of tick_ms, {step}")),
            _ if !(0..=T_MS_MAX).contains(&t) => wrong(format!("is not within 0 to {T_MS_MAX}")),
            _ => Ok(Some(tick)),
        }
    }

    fn refuse(&mut self, line: u64, wrong: Wrong) -> io::Result<()> {
        self.summary.errors += 1;
        let Wrong { field, value, reason, .. } = wrong;
        self.say(Response::Error(v1::LineError { line, field, value, reason: reason.into() }))
    }

    fn step(&mut self, tick: v1::Tick) -> Result<(), Failure> {
        let now = Time::from_ms(tick.t_ms);
        let names = &self.world.names;
        let events = events(names, tick, now);
        let city = self.city.get_or_insert_with(|| self.world.city(now));
        let outputs = self.threads.step(city, now, &events);
        let outputs: Vec<v1::Output> = outputs.iter().map(|output| wire::output(names, output)).collect();
        if let Some(recorder) = &mut self.recorder {
            recorder.messages(now, &events, &outputs)?;
        }
        let count = u32::try_from(outputs.len()).unwrap_or(u32::MAX);
        for output in outputs {
            self.say(Response::Output(output))?;
        }
        let next_ms = (now + self.world.config.settings.tick()).ms();
        self.say(Response::TickDone(v1::TickDone { t_ms: now.ms(), outputs: count, next_ms }))?;
        self.summary.ticks += 1;
        Ok(())
    }
}

/// All that a tick tells; what of it cannot be read is an event as well.
fn events(names: &Names, tick: v1::Tick, now: Time) -> Vec<Event> {
    let mut events = Vec::new();
    wire::readings(
        names,
        tick.readings.unwrap_or_default(),
        &|wrong, source| wrong.unreadable(source, now),
        &mut events,
    );
    let mut add = |field: &str, row: usize, source: &str, read: Result<Event, Wrong>| {
        let unreadable =
            |wrong: Wrong| Event::from(wrong.within(format_args!("{field}[{row}]")).unreadable(source, now));
        events.push(read.unwrap_or_else(unreadable));
    };
    for (row, m) in tick.status.into_iter().enumerate() {
        let source = m.junction_id.clone();
        add("status", row, &source, wire::status(names, m).map(Event::from));
    }
    for (row, m) in tick.calls.into_iter().enumerate() {
        let source = m.junction_id.clone();
        add("calls", row, &source, wire::call(names, m).map(Event::PedestrianCall));
    }
    for (row, m) in tick.positions.into_iter().enumerate() {
        let source = m.vehicle_id.clone();
        add("positions", row, &source, wire::position(m).map(Event::Position));
    }
    for (row, m) in tick.requests.into_iter().enumerate() {
        let source = m.request_id.clone();
        add("requests", row, &source, wire::request(names, m).map(Event::from));
    }
    for (row, m) in tick.commands.into_iter().enumerate() {
        let source = m.command_id.clone();
        add("commands", row, &source, wire::command(names, m).map(Event::from));
    }
    events
}

/// Lines of bounded length.
struct Lines<R> {
    input: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line, or what is wrong with it; `None` at the end.
    fn next_line(&mut self) -> io::Result<Option<Result<String, Wrong>>> {
        let mut bytes = Vec::new();
        self.input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        if bytes.len() as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
            self.skip_line()?;
            return Ok(Some(Err(Wrong::new("", "", format!("the line is longer than {LINE_BYTES_MAX} bytes")))));
        }
        let text = String::from_utf8(bytes);
        Ok(Some(text.map_err(|e| Wrong::new("", "", format!("the line is no UTF-8: {}", e.utf8_error())))))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let (length, end) = match buffer.iter().position(|&b| b == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.input.consume(length);
            if end {
                return Ok(());
            }
        }
    }
}
