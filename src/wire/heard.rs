//! Whom the last messages of a stream were from: who writes in batches tells of the same sensors again and again.

use std::collections::BTreeMap;

use super::{Names, READINGS_MAX};
use crate::ids::{Id, SensorId};

/// No more bytes of columns are remembered; what is more begins anew.
const REMEMBERED_BYTES: usize = 16 << 20;
/// Field 1 of `LoopColumns`: one sensor's id.
const SENSOR_ID: u8 = 0x0a;

/// What the messages of a stream let one expect of the next one. It saves looking up names, and changes no outcome.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The sensor that the next reading is likely from.
    pub(super) next: Option<SensorId>,
    /// Columns of ids, by the sensor that comes first.
    columns: BTreeMap<SensorId, Column>,
    bytes: usize,
}

/// A column of ids as it was written, and the sensors that they name.
#[derive(Debug, Clone)]
struct Column {
    bytes: Box<[u8]>,
    sensors: Box<[SensorId]>,
}

impl Heard {
    /// The sensors that the column of ids at the beginning of `bytes` names, and how long it is; none where it names
    /// somebody else or is cut short.
    pub(super) fn column(&mut self, names: &Names, bytes: &[u8]) -> Option<(&[SensorId], usize)> {
        let Some(first) = id(&mut &*bytes) else { return (bytes.first() != Some(&SENSOR_ID)).then_some((&[], 0)) };
        let (first, _) = names.sensor_of(first, self.next)?;
        let known = |column: &Column| {
            let behind = bytes.strip_prefix(&*column.bytes);
            behind.is_some_and(|behind| behind.first() != Some(&SENSOR_ID))
        };
        if !self.columns.get(&first).is_some_and(known) {
            let column = Column::read(names, bytes, first)?;
            self.remember(first, column);
        }
        let Column { bytes, sensors } = self.columns.get(&first)?;
        self.next = sensors.last().copied().and_then(after);
        Some((sensors, bytes.len()))
    }

    fn remember(&mut self, first: SensorId, column: Column) {
        let weight = |column: &Column| column.bytes.len() + size_of_val(&*column.sensors);
        self.bytes += weight(&column);
        if self.bytes > REMEMBERED_BYTES {
            (self.columns, self.bytes) = (BTreeMap::new(), weight(&column));
        }
        self.bytes -= self.columns.insert(first, column).as_ref().map_or(0, weight);
    }
}

impl Column {
    /// The column at the beginning of `bytes`, whose first id is likely that of `guess`.
    fn read(names: &Names, bytes: &[u8], guess: SensorId) -> Option<Self> {
        let (mut rest, mut guess, mut sensors) = (bytes, Some(guess), Vec::new());
        while rest.first() == Some(&SENSOR_ID) {
            let (sensor, _) = names.sensor_of(id(&mut rest)?, guess)?;
            sensors.push(sensor);
            guess = after(sensor);
        }
        let bytes = &bytes[..bytes.len() - rest.len()];
        (sensors.len() <= READINGS_MAX).then(|| Self { bytes: bytes.into(), sensors: sensors.into() })
    }
}

/// The id at the beginning of `rest`, which is moved behind it.
fn id<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    *rest = rest.strip_prefix(&[SENSOR_ID])?;
    super::stream::block(rest)
}

/// The sensor that is likely to be next.
pub(super) fn after(sensor: SensorId) -> Option<SensorId> {
    Some(SensorId::of(sensor.index() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::names;

    /// A column that names these sensors by their rows, and what follows it.
    fn written(names: &Names, rows: &[usize], behind: &[u8]) -> Vec<u8> {
        let name = |row: &usize| names.sensor_name(SensorId::of(*row)).into_bytes();
        let one = |name: Vec<u8>| [&[SENSOR_ID, name.len() as u8][..], &name].concat();
        [&rows.iter().map(name).map(one).collect::<Vec<_>>().concat(), behind].concat()
    }

    #[test]
    fn a_column_is_the_one_that_is_written_whatever_was_before() {
        let (names, mut heard) = (names(), Heard::default());
        // The first; it again; longer by one; shorter; another order behind the same first sensor; one alone; nobody.
        for rows in [&[3, 4, 5][..], &[3, 4, 5], &[3, 4, 5, 6], &[3, 4], &[3, 5, 4], &[9], &[]] {
            let bytes = written(&names, rows, b"\x12\x01\x00");
            let (sensors, length) = heard.column(&names, &bytes).expect("all are known");
            let found: Vec<usize> = sensors.iter().map(|sensor| sensor.index()).collect();
            assert_eq!((&found[..], length), (rows, bytes.len() - 3));
        }
        assert_eq!(heard.next, Some(SensorId::of(10)));
    }

    #[test]
    fn a_column_that_names_somebody_else_or_is_cut_short_is_none() {
        let (names, mut heard) = (names(), Heard::default());
        let bytes = written(&names, &[3, 4], b"");
        assert!(heard.column(&names, &bytes).is_some());
        for wrong in [&bytes[..bytes.len() - 1], &[&bytes[..], b"\x0a"].concat(), &[&bytes[..], b"\x0a\x01?"].concat()]
        {
            assert_eq!(heard.column(&names, wrong), None, "{wrong:?}");
        }
        assert_eq!(heard.column(&names, b"\x0a"), None);
    }

    #[test]
    fn no_more_than_some_is_remembered() {
        let (names, mut heard) = (names(), Heard::default());
        let long = |first: usize| {
            let rows: Vec<usize> = std::iter::once(first).chain(std::iter::repeat_n(first, READINGS_MAX - 1)).collect();
            written(&names, &rows, b"")
        };
        let mut most = 0;
        for first in (0..30).chain(0..30) {
            let bytes = long(first);
            assert_eq!(heard.column(&names, &bytes).map(|(sensors, _)| sensors.len()), Some(READINGS_MAX));
            let kept: usize = heard.columns.values().map(|c| c.bytes.len() + 4 * c.sensors.len()).sum();
            assert_eq!(kept, heard.bytes);
            assert!(heard.bytes <= REMEMBERED_BYTES, "{first}");
            most = most.max(heard.columns.len());
        }
        assert!((2..30).contains(&most), "{most}");
    }
}
