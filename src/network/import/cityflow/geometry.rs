//! Lines in the plane: how long they are and whether they cross.

use serde::Deserialize;

/// A point, metres.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Xy {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The length of a line, metres.
pub(super) fn length(line: &[Xy]) -> f64 {
    line.windows(2).map(|p| (p[1].x - p[0].x).hypot(p[1].y - p[0].y)).sum()
}

/// Whether two lines have a point in common.
pub(super) fn meet(a: &[Xy], b: &[Xy]) -> bool {
    let bounds = |line: &[Xy]| {
        line.iter().fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |[l, b, r, t], p| {
            [l.min(p.x), b.min(p.y), r.max(p.x), t.max(p.y)]
        })
    };
    let (one, other) = (bounds(a), bounds(b));
    if one[0] > other[2] || other[0] > one[2] || one[1] > other[3] || other[1] > one[3] {
        return false;
    }
    a.windows(2).any(|p| b.windows(2).any(|q| cross(p[0], p[1], q[0], q[1])))
}

/// Whether the segments `a`–`b` and `c`–`d` have a point in common.
fn cross(a: Xy, b: Xy, c: Xy, d: Xy) -> bool {
    let side = |p: Xy, q: Xy, r: Xy| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    let (s1, s2, s3, s4) = (side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b));
    if s1 * s2 < 0.0 && s3 * s4 < 0.0 {
        return true;
    }
    let on = |s: f64, p: Xy, q: Xy, r: Xy| {
        s == 0.0 && (p.x.min(q.x)..=p.x.max(q.x)).contains(&r.x) && (p.y.min(q.y)..=p.y.max(q.y)).contains(&r.y)
    };
    on(s1, a, b, c) || on(s2, a, b, d) || on(s3, c, d, a) || on(s4, c, d, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_meet_where_they_cross_or_touch() {
        let line = |points: &[(f64, f64)]| points.iter().map(|&(x, y)| Xy { x, y }).collect::<Vec<_>>();
        let rows = [
            (vec![(-1.0, 0.0), (1.0, 0.0)], vec![(0.0, -1.0), (0.0, 1.0)], true), // a crossroads
            (vec![(-1.0, 0.0), (1.0, 0.0)], vec![(-1.0, 1.0), (1.0, 1.0)], false), // side by side
            (vec![(-1.0, 0.0), (1.0, 0.0)], vec![(0.0, 2.0), (0.0, 1.0), (1.0, 0.0)], true), // a merge
            (vec![(-1.0, 0.0), (0.0, 0.0)], vec![(1.0, 0.0), (2.0, 0.0)], false), // one behind the other
        ];
        for (a, b, expected) in rows {
            assert_eq!(meet(&line(&a), &line(&b)), expected, "{a:?} {b:?}");
            assert_eq!(meet(&line(&b), &line(&a)), expected, "{b:?} {a:?}");
        }
    }
}
