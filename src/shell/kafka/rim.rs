//! Privacy at the rim: what may be somebody's plate is replaced by a keyed hash before anything keeps it.
//!
//! Vehicles' ids become pseudonyms; of a message that cannot be read, nothing that it says itself is kept. The key is
//! a new one each day, made of a secret and of the day: nobody follows a vehicle from one day to the next, and who
//! throws the secret away can tell nothing any more.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::settings::{Privacy, Settings};
use crate::event::{Action, Command, Event, Position, PriorityRequest, Unreadable};
use crate::shell::cli::Failure;
use crate::shell::secret;
use crate::time::{Span, Time};
use crate::wire::log::hex;
use crate::wire::{Names, Wrong};

/// A day, as far as keys go: UTC.
const DAY: Span = Span::from_s(86_400);
/// A vehicle that was under way when the day began goes by its pseudonym of the day before as well, for so long.
const UNDER_WAY: Span = Span::from_s(7_200);
/// No shorter secret is taken, bytes.
const SECRET_BYTES_MIN: usize = 16;

/// What texts become.
#[derive(Clone)]
pub(super) struct Rim {
    secret: Vec<u8>,
}

impl Rim {
    /// With the secret that the settings name; where they name none, with one of this configuration's own, which is made
    /// when it is not there yet.
    ///
    /// # Errors
    /// When there is none, or it is too short.
    pub(super) fn open(settings: &Settings) -> Result<Self, Failure> {
        let Privacy { key_env, key_file, own_key_file } = &settings.privacy;
        let secret = match own_key_file {
            Some(path) if key_env.is_none() && key_file.is_none() => own(path)?,
            _ => secret::read("kafka.privacy.key", key_env.as_deref(), key_file.as_deref())?.into_bytes(),
        };
        if secret.len() < SECRET_BYTES_MIN {
            let text = format!("kafka.privacy: the key is shorter than {SECRET_BYTES_MIN} bytes");
            return Err(Failure::Usage(text));
        }
        Ok(Self { secret })
    }

    /// What a text is called on the day of `at`.
    fn pseudonym(&self, text: &str, at: Time) -> String {
        let day = at.ms().div_euclid(DAY.ms());
        let key = hash(&self.secret, &day.to_le_bytes());
        let hashed = hash(&key, text.as_bytes());
        format!("#{}", hex(&hashed[..8]))
    }

    /// What cannot be read, without a word of its own. Names of the network's and its sensors' own may stand.
    pub(super) fn unreadable(&self, names: &Names, wrong: Wrong, source: &str, at: Time) -> Unreadable {
        let network = names.network();
        let known = names.sensor(source, None).is_some() || network.junction_named(source).is_some();
        let source = if known || source.is_empty() { source.to_owned() } else { self.pseudonym(source, at) };
        let value = match wrong.foreign {
            true => format!("{} characters, {}", wrong.value.chars().count(), self.pseudonym(&wrong.value, at)),
            false => wrong.value,
        };
        Wrong { value, foreign: false, ..wrong }.unreadable(&source, Time::EPOCH)
    }

    /// Where a vehicle is that was under way when the day began is said under yesterday's pseudonym as well.
    pub(super) fn position(&self, position: Position, events: &mut Vec<Event>) {
        let called = |at| Position { vehicle: self.pseudonym(&position.vehicle, at).into(), ..position.clone() };
        if position.at - position.at.floor(DAY) < UNDER_WAY {
            events.push(Event::Position(called(position.at - DAY)));
        }
        events.push(Event::Position(called(position.at)));
    }

    /// A request without its vehicle's id.
    pub(super) fn request(&self, request: PriorityRequest) -> PriorityRequest {
        PriorityRequest {
            id: self.without(&request.id, &request),
            authority: self.without(&request.authority, &request),
            vehicle: self.pseudonym(&request.vehicle, request.at).into(),
            ..request
        }
    }

    /// A command without the id of the vehicle that it is about.
    pub(super) fn command(&self, command: Command) -> Command {
        let Action::PreviewPriority(request) = command.action else { return command };
        let (id, action) =
            (self.without(&command.id, &request), Action::PreviewPriority(self.request(*request).into()));
        Command { id, action, ..command }
    }

    /// A text that may have been made with a vehicle's id.
    fn without(&self, text: &str, request: &PriorityRequest) -> Box<str> {
        text.replace(&*request.vehicle, &self.pseudonym(&request.vehicle, request.at)).into()
    }
}

fn hash(key: &[u8], text: &[u8]) -> [u8; 32] {
    // A key of any length is one for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// The secret of this configuration's own.
fn own(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |source| Failure::Write { path: path.into(), source };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|e| failed(io::Error::other(e)))?;
            let text = hex(&secret);
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            tracing::warn!(path = %path.display(), "a key for pseudonyms was made; every worker of a group needs the same");
            Ok(text.into_bytes())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::read(path).map_err(|source| Failure::Read { path: path.into(), source })
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PriorityClass;
    use crate::ids::{Id, LinkId};
    use crate::network::Point;

    const NOON: Time = Time::from_ms(1_772_409_600_000);

    fn rim() -> Rim {
        Rim { secret: b"sixteen bytes or more".to_vec() }
    }

    #[test]
    fn a_pseudonym_is_the_same_all_day_and_another_one_tomorrow() {
        let called = |text, at| rim().pseudonym(text, at);
        assert_eq!(called("ZH 1", NOON), called("ZH 1", NOON + Span::from_s(3600)));
        assert_ne!(called("ZH 1", NOON), called("ZH 1", NOON + DAY));
        assert_ne!(called("ZH 1", NOON), called("ZH 2", NOON));
        assert_ne!(called("ZH 1", NOON), Rim { secret: b"another of sixteen bytes".to_vec() }.pseudonym("ZH 1", NOON));
    }

    #[test]
    fn a_vehicle_under_way_at_midnight_is_not_lost() {
        let midnight = NOON.floor(DAY) + DAY;
        let position = |at| {
            let point = Point { x: 0.0, y: 0.0 };
            let mut events = Vec::new();
            rim().position(Position { vehicle: "ZH 1".into(), at, point, speed: 0.0, heading: None }, &mut events);
            events
                .into_iter()
                .map(|e| if let Event::Position(p) = e { p.vehicle } else { "".into() })
                .collect::<Vec<_>>()
        };
        let before: Box<str> = rim().pseudonym("ZH 1", midnight - Span::SECOND).into();
        assert_eq!(position(midnight - Span::SECOND).len(), 1);
        assert_eq!(position(midnight - Span::SECOND)[0], before);
        assert_eq!(position(midnight + Span::SECOND)[0], before);
        assert_eq!(position(midnight + UNDER_WAY).len(), 1);
    }

    #[test]
    fn texts_made_with_a_vehicle_s_id_lose_it() {
        let request = rim().request(PriorityRequest {
            id: "ZH 1/17".into(),
            at: NOON,
            authority: "garage of ZH 1".into(),
            vehicle: "ZH 1".into(),
            class: PriorityClass::Ambulance,
            from: LinkId::of(0),
            to: LinkId::of(0),
            route: [].into(),
            deadline: None,
        });
        assert!(!format!("{request:?}").contains("ZH 1"), "{request:?}");
        assert_eq!(&*request.id, &*format!("{}/17", request.vehicle));
    }
}
