//! State as bytes: what a thing has become beside what it was built as, so that it can be taken up again elsewhere.
//!
//! A struct is kept by taking it apart, so the compiler names a field that is forgotten. What follows from the network
//! is not kept: it is there again once the thing is built, and only then is the rest taken up. Numbers are
//! little-endian, floats keep every bit; the bytes mean something to the version that wrote them alone.

use std::collections::{BTreeMap, BTreeSet};

/// What is state and nothing else.
pub trait Keep: Sized {
    /// Appends its bytes.
    fn save(&self, out: &mut Vec<u8>);
    /// Takes it from the front; none where the bytes are not of its kind.
    fn load(from: &mut &[u8]) -> Option<Self>;
}

/// What has a part that follows from the network: that is built, and the rest taken up.
pub trait Resume {
    /// Appends the bytes of its state.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the state up; none where the bytes are not of its kind, and then it is of no more use.
    fn resume(&mut self, from: &mut &[u8]) -> Option<()>;
}

impl<T: Keep> Resume for T {
    fn write(&self, out: &mut Vec<u8>) {
        self.save(out);
    }

    fn resume(&mut self, from: &mut &[u8]) -> Option<()> {
        *self = T::load(from)?;
        Some(())
    }
}

/// Keeps a struct, or an `enum`, by all that it has: `keep!(Pair { x, y })`.
macro_rules! keep {
    (enum $name:ident { $($variant:ident $(($($part:ident),*))? $({$($field:ident),*})?),* $(,)? }) => {
        impl $crate::keep::Keep for $name {
            fn save(&self, out: &mut Vec<u8>) {
                let which = |name: &str| [$(stringify!($variant)),*].iter().position(|&n| n == name).unwrap_or(0) as u8;
                match self {
                    $(Self::$variant $(($($part),*))? $({$($field),*})? => {
                        out.push(which(stringify!($variant)));
                        $($($crate::keep::Keep::save($part, out);)*)?
                        $($($crate::keep::Keep::save($field, out);)*)?
                    })*
                }
            }

            fn load(from: &mut &[u8]) -> Option<Self> {
                let names = [$(stringify!($variant)),*];
                let name = *names.get(usize::from(<u8 as $crate::keep::Keep>::load(from)?))?;
                $(if name == stringify!($variant) {
                    $($(let $part = $crate::keep::Keep::load(from)?;)*)?
                    $($(let $field = $crate::keep::Keep::load(from)?;)*)?
                    return Some(Self::$variant $(($($part),*))? $({$($field),*})?);
                })*
                None
            }
        }
    };
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::keep::Keep for $name {
            fn save(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::keep::Keep::save($field, out);)*
            }

            fn load(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::keep::Keep::load(from)?),* })
            }
        }
    };
}

/// Keeps a struct whose `built` fields follow from the network: `kept` ones are taken up whole, and those of `each`, whose
/// rows are built, row by row.
macro_rules! resume {
    ($name:ident { kept: $($kept:ident),*; $(each: $($each:ident),*;)? built: $($built:ident),* $(,)? }) => {
        impl $crate::keep::Resume for $name {
            fn write(&self, out: &mut Vec<u8>) {
                let Self { $($kept,)* $($($each,)*)? $($built: _),* } = self;
                $($crate::keep::Resume::write($kept, out);)*
                $($(AsRef::<[_]>::as_ref($each).iter().for_each(|row| $crate::keep::Resume::write(row, out));)*)?
            }

            fn resume(&mut self, from: &mut &[u8]) -> Option<()> {
                let Self { $($kept,)* $($($each,)*)? $($built: _),* } = self;
                $($crate::keep::Resume::resume($kept, from)?;)*
                $($(AsMut::<[_]>::as_mut($each).iter_mut().try_for_each(|row| $crate::keep::Resume::resume(row, from))?;)*)?
                Some(())
            }
        }
    };
}

pub(crate) use {keep, resume};

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Keep for $number {
            fn save(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn load(from: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(Self::from_le_bytes(*bytes))
            }
        })*
    };
}

numbers!(u8, u16, u32, u64, u128, i32, i64, f32, f64);

impl Keep for bool {
    fn save(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        match u8::load(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Keep for usize {
    fn save(&self, out: &mut Vec<u8>) {
        (*self as u64).save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        Self::try_from(u64::load(from)?).ok()
    }
}

/// How many follow; nothing takes less than a byte.
fn count(from: &mut &[u8]) -> Option<usize> {
    usize::load(from).filter(|&count| count <= from.len())
}

impl<T: Keep> Keep for Vec<T> {
    fn save(&self, out: &mut Vec<u8>) {
        self.len().save(out);
        self.iter().for_each(|row| row.save(out));
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        (0..count(from)?).map(|_| T::load(from)).collect()
    }
}

impl<T: Keep> Keep for Box<[T]> {
    fn save(&self, out: &mut Vec<u8>) {
        self.len().save(out);
        self.iter().for_each(|row| row.save(out));
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        Vec::load(from).map(Vec::into)
    }
}

impl<T: Keep, const N: usize> Keep for [T; N] {
    fn save(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|row| row.save(out));
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        let rows: Option<Vec<T>> = (0..N).map(|_| T::load(from)).collect();
        rows?.try_into().ok()
    }
}

impl Keep for Box<str> {
    fn save(&self, out: &mut Vec<u8>) {
        self.len().save(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        let count = count(from)?;
        let (text, rest) = from.split_at_checked(count)?;
        *from = rest;
        std::str::from_utf8(text).ok().map(Into::into)
    }
}

impl<T: Keep> Keep for Option<T> {
    fn save(&self, out: &mut Vec<u8>) {
        self.is_some().save(out);
        self.iter().for_each(|some| some.save(out));
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        if bool::load(from)? { T::load(from).map(Some) } else { Some(None) }
    }
}

impl<A: Keep, B: Keep> Keep for (A, B) {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
        self.1.save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        Some((A::load(from)?, B::load(from)?))
    }
}

impl<T: Keep + Ord> Keep for BTreeSet<T> {
    fn save(&self, out: &mut Vec<u8>) {
        self.len().save(out);
        self.iter().for_each(|row| row.save(out));
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        (0..count(from)?).map(|_| T::load(from)).collect()
    }
}

impl<K: Keep + Ord, V: Keep> Keep for BTreeMap<K, V> {
    fn save(&self, out: &mut Vec<u8>) {
        self.len().save(out);
        for (key, value) in self {
            key.save(out);
            value.save(out);
        }
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        (0..count(from)?).map(|_| Some((K::load(from)?, V::load(from)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Default)]
    struct Built {
        length: f32,
        rows: Vec<u8>,
        found: Option<Found>,
    }

    #[derive(Debug, PartialEq)]
    enum Found {
        Nothing,
        At(u32, bool),
        Named { name: Box<str>, when: [i64; 2] },
    }

    keep!(enum Found { Nothing, At(row, sure), Named { name, when } });
    resume!(Built { kept: found; each: rows; built: length });

    #[test]
    fn what_is_kept_comes_back_and_what_is_built_stays() {
        for found in [
            None,
            Some(Found::Nothing),
            Some(Found::At(7, true)),
            Some(Found::Named { name: "Gudang".into(), when: [-1, i64::MAX] }),
        ] {
            let was = Built { length: 1.0, rows: vec![1, 2], found };
            let mut bytes = Vec::new();
            was.write(&mut bytes);
            let mut is = Built { length: 5.0, rows: vec![0; 2], found: None };
            let mut rest = bytes.as_slice();
            assert_eq!((is.resume(&mut rest), rest.len()), (Some(()), 0));
            assert_eq!(is, Built { length: 5.0, ..was });
            // Cut anywhere, it is refused.
            for end in 0..bytes.len() {
                let mut again = Built { rows: vec![0; 2], ..Built::default() };
                assert_eq!(again.resume(&mut &bytes[..end]), None, "{end}");
            }
        }
    }

    #[test]
    fn maps_sets_and_floats_come_back_to_the_bit() {
        let map = BTreeMap::from([(3_u32, f64::NAN.to_bits()), (9, (-0.0_f64).to_bits())]);
        let (mut bytes, set) = (Vec::new(), BTreeSet::from([1_u16, 5]));
        map.save(&mut bytes);
        set.save(&mut bytes);
        (-0.0_f32).save(&mut bytes);
        let mut from = bytes.as_slice();
        assert_eq!(BTreeMap::load(&mut from), Some(map));
        assert_eq!(BTreeSet::load(&mut from), Some(set));
        assert_eq!(f32::load(&mut from).map(f32::to_bits), Some((-0.0_f32).to_bits()));
    }
}
