//! Dense typed ids and the tables they index: `u32` inside, names only at the rim.

use crate::keep::Keep;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut, Range};

/// A dense id: the row of a [`Table`].
pub trait Id: Copy + Ord {
    /// The id of row `index`.
    ///
    /// # Panics
    /// When `index` does not fit 32 bits; importers refuse such a world long before.
    fn of(index: usize) -> Self;
    /// The row this id names.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $letter:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl Id for $name {
            fn of(index: usize) -> Self {
                Self(u32::try_from(index).expect("a table has fewer than 2^32 rows"))
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl Keep for $name {
            fn save(&self, out: &mut Vec<u8>) {
                self.0.save(out);
            }

            fn load(from: &mut &[u8]) -> Option<Self> {
                u32::load(from).map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, f)
            }
        }
    )*};
}

ids! {
    /// A vertex of the road graph.
    NodeId = "N";
    /// A directed road between two nodes.
    LinkId = "L";
    /// One lane of a link; ids of a link's lanes are consecutive, kerb side first.
    LaneId = "l";
    /// A lane-to-lane path through a node.
    ConnectionId = "C";
    /// Approach × exit through a node.
    MovementId = "M";
    /// A pedestrian crossing.
    CrossingId = "X";
    /// A signalised node (or several, joined under one controller).
    JunctionId = "J";
    /// A signal group, counted within its junction.
    GroupId = "G";
    /// A stage, counted within its junction.
    StageId = "S";
    /// A part of the city.
    ZoneId = "Z";
    /// A loop or a camera.
    SensorId = "D";
}

/// A `Vec` that only ids of one kind can index: all of them, or the consecutive ones of a partition.
#[derive(Clone, PartialEq, Eq)]
pub struct Table<I, T> {
    first: usize,
    rows: Vec<T>,
    id: PhantomData<fn(I) -> I>,
}

impl<I: Id, T> Table<I, T> {
    /// An empty table.
    pub fn new() -> Self {
        Self::from(Vec::new())
    }

    /// A table of `len` equal rows.
    pub fn filled(value: T, len: usize) -> Self
    where
        T: Clone,
    {
        Self::from(vec![value; len])
    }

    /// A table of equal rows for the ids of `range` alone.
    pub fn over(range: &Range<I>, value: T) -> Self
    where
        T: Clone,
    {
        let first = range.start.index();
        Self { first, rows: vec![value; range.end.index() - first], id: PhantomData }
    }

    /// A table of `rows` for the ids from `first` on.
    pub fn starting(first: I, rows: Vec<T>) -> Self {
        Self { first: first.index(), rows, id: PhantomData }
    }

    /// The ids it has rows for.
    pub fn range(&self) -> Range<I> {
        I::of(self.first)..I::of(self.first + self.rows.len())
    }

    /// Adds a row and names it.
    pub fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::of(self.first + self.rows.len() - 1)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of `id`, or `None` where there is none.
    pub fn get(&self, id: I) -> Option<&T> {
        self.rows.get(id.index().wrapping_sub(self.first))
    }

    /// The row of `id` to change, or `None` where there is none.
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.rows.get_mut(id.index().wrapping_sub(self.first))
    }

    /// Every id, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        span(&self.range())
    }

    /// Every row with its id, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        let first = self.first;
        self.rows.iter().enumerate().map(move |(i, row)| (I::of(first + i), row))
    }

    /// Every row with its id, in order, to change.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (I, &mut T)> + ExactSizeIterator {
        let first = self.first;
        self.rows.iter_mut().enumerate().map(move |(i, row)| (I::of(first + i), row))
    }

    /// Every row, in order.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// The rows of consecutive ids; none where the range is empty, wherever it lies.
    pub fn slice(&self, range: &Range<I>) -> &[T] {
        if range.is_empty() { &[] } else { &self.rows[self.rows_of(range)] }
    }

    /// The same, to change.
    pub fn slice_mut(&mut self, range: &Range<I>) -> &mut [T] {
        let rows = self.rows_of(range);
        if range.is_empty() { &mut [] } else { &mut self.rows[rows] }
    }

    fn rows_of(&self, range: &Range<I>) -> Range<usize> {
        range.start.index().wrapping_sub(self.first)..range.end.index().wrapping_sub(self.first)
    }
}

/// The ids of a range, in order.
pub fn span<I: Id>(range: &Range<I>) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I> {
    (range.start.index()..range.end.index()).map(I::of)
}

impl<I, T> AsRef<[T]> for Table<I, T> {
    fn as_ref(&self) -> &[T] {
        &self.rows
    }
}

impl<I, T> AsMut<[T]> for Table<I, T> {
    fn as_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }
}

impl<I, T: Keep> Keep for Table<I, T> {
    fn save(&self, out: &mut Vec<u8>) {
        self.first.save(out);
        self.rows.save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        Some(Self { first: usize::load(from)?, rows: Vec::load(from)?, id: PhantomData })
    }
}

impl<I: Id, T> Default for Table<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, T> From<Vec<T>> for Table<I, T> {
    fn from(rows: Vec<T>) -> Self {
        Self { first: 0, rows, id: PhantomData }
    }
}

impl<I: Id, T> FromIterator<T> for Table<I, T> {
    fn from_iter<A: IntoIterator<Item = T>>(rows: A) -> Self {
        Self::from(rows.into_iter().collect::<Vec<_>>())
    }
}

impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.rows[id.index() - self.first]
    }
}

impl<I: Id, T> IndexMut<I> for Table<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.index() - self.first]
    }
}

impl<I: Id, T: fmt::Debug> fmt::Debug for Table<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}

/// A set of a junction's signal groups. At most [`GroupSet::MAX`] of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GroupSet(u128);

impl Keep for GroupSet {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        u128::load(from).map(Self)
    }
}

impl GroupSet {
    /// How many groups one junction may have. The largest joined junctions of city networks have about 60.
    pub const MAX: usize = 128;
    /// No group at all.
    pub const EMPTY: Self = Self(0);

    /// This set and `group`.
    #[must_use]
    pub fn with(self, group: GroupId) -> Self {
        Self(self.0 | 1 << group.index())
    }

    /// This set without `group`.
    #[must_use]
    pub fn without(self, group: GroupId) -> Self {
        Self(self.0 & !(1 << group.index()))
    }

    /// Whether `group` is in the set.
    pub fn contains(self, group: GroupId) -> bool {
        self.0 >> group.index() & 1 == 1
    }

    /// Groups in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Groups in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Groups here and not in `other`.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every group here is also in `other`.
    pub fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Number of groups in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The groups in order.
    pub fn iter(self) -> impl Iterator<Item = GroupId> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            (bits != 0).then(|| {
                let lowest = bits.trailing_zeros();
                bits &= bits - 1;
                GroupId::of(lowest as usize)
            })
        })
    }
}

impl FromIterator<GroupId> for GroupSet {
    fn from_iter<A: IntoIterator<Item = GroupId>>(groups: A) -> Self {
        groups.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for GroupSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_indexed_by_its_own_ids() {
        let mut names: Table<LinkId, &str> = Table::new();
        let first = names.push("Wensan Road");
        let second = names.push("Gudang Road");
        assert_eq!((names[first], names[second]), ("Wensan Road", "Gudang Road"));
        assert_eq!(format!("{second:?}"), "L1");
        assert_eq!(names.ids().collect::<Vec<_>>(), [first, second]);
    }

    #[test]
    fn a_partition_s_table_has_rows_for_its_ids_alone() {
        let mut queues = Table::over(&(LinkId::of(5)..LinkId::of(8)), 0);
        queues[LinkId::of(7)] = 3;
        assert_eq!(queues.iter().map(|(id, &q)| (id.index(), q)).collect::<Vec<_>>(), [(5, 0), (6, 0), (7, 3)]);
        assert_eq!(queues.get(LinkId::of(4)), None);
        assert_eq!(queues.get(LinkId::of(8)), None);
        assert_eq!(queues.slice(&(LinkId::of(6)..LinkId::of(8))), [0, 3]);
    }

    #[test]
    fn group_sets_behave_as_sets() {
        let set: GroupSet = [0, 3, 127].map(GroupId::of).into_iter().collect();
        assert_eq!(set.len(), 3);
        assert_eq!(set.iter().map(Id::index).collect::<Vec<_>>(), [0, 3, 127]);
        assert!(!set.without(GroupId::of(3)).contains(GroupId::of(3)));
        assert!(set.difference(set).is_empty());
        assert!(GroupSet::EMPTY.with(GroupId::of(3)).is_subset(set));
    }
}
