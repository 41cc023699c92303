//! Where a SUMO network lies on Earth.

use super::read::Location;
use crate::network::spec::LatLon;

/// Coordinates farther from (0, 0) than this are moved, so that the earth's curve stays out of them. Metres.
const FAR: f64 = 50_000.0;

/// How far to move coordinates (x, y), and where (0, 0) then lies.
pub(super) fn origin(location: Option<&Location>) -> ([f64; 2], Option<LatLon>) {
    let Some(location) = location else { return ([0.0; 2], None) };
    let far = location.low.iter().any(|v| v.abs() > FAR);
    let shift = if far { location.low.map(|v| -(v / 1000.0).floor() * 1000.0) } else { [0.0; 2] };
    let utm = utm_zone(&location.projection);
    let origin = utm.and_then(|(zone, south)| {
        inverse_utm(-location.offset[0] - shift[0], -location.offset[1] - shift[1], zone, south)
    });
    (shift, origin)
}

/// The zone of a `+proj=utm` projection, and whether it is a southern one.
fn utm_zone(projection: &str) -> Option<(u8, bool)> {
    let mut words = projection.split_ascii_whitespace();
    if !words.any(|w| w == "+proj=utm") {
        return None;
    }
    let zone = projection.split_ascii_whitespace().find_map(|w| w.strip_prefix("+zone="))?.parse().ok()?;
    (1..=60).contains(&zone).then(|| (zone, projection.contains("+south")))
}

/// Latitude and longitude of a UTM coordinate, WGS 84. Source: Snyder, Map Projections, USGS 1395, 8-17 to 8-25.
fn inverse_utm(easting: f64, northing: f64, zone: u8, south: bool) -> Option<LatLon> {
    const A: f64 = 6_378_137.0;
    const E2: f64 = 0.006_694_379_990_14;
    const K0: f64 = 0.9996;
    let x = easting - 500_000.0;
    let y = if south { northing - 10_000_000.0 } else { northing };
    let mu = y / K0 / (A * (1.0 - E2 / 4.0 - 3.0 * E2 * E2 / 64.0 - 5.0 * E2.powi(3) / 256.0));
    let e1 = (1.0 - (1.0 - E2).sqrt()) / (1.0 + (1.0 - E2).sqrt());
    let phi = mu
        + (1.5 * e1 - 27.0 * e1.powi(3) / 32.0) * (2.0 * mu).sin()
        + (21.0 * e1 * e1 / 16.0 - 55.0 * e1.powi(4) / 32.0) * (4.0 * mu).sin()
        + 151.0 * e1.powi(3) / 96.0 * (6.0 * mu).sin();
    let ep2 = E2 / (1.0 - E2);
    let (sin, cos) = phi.sin_cos();
    let (c, t) = (ep2 * cos * cos, (sin / cos).powi(2));
    let n = A / (1.0 - E2 * sin * sin).sqrt();
    let r = A * (1.0 - E2) / (1.0 - E2 * sin * sin).powf(1.5);
    let d = x / (n * K0);
    let lat = phi
        - n * (sin / cos) / r
            * (d * d / 2.0 - (5.0 + 3.0 * t + 10.0 * c - 4.0 * c * c - 9.0 * ep2) * d.powi(4) / 24.0
                + (61.0 + 90.0 * t + 298.0 * c + 45.0 * t * t - 252.0 * ep2 - 3.0 * c * c) * d.powi(6) / 720.0);
    let lon = (d - (1.0 + 2.0 * t + c) * d.powi(3) / 6.0
        + (5.0 - 2.0 * c + 28.0 * t - 3.0 * c * c + 8.0 * ep2 + 24.0 * t * t) * d.powi(5) / 120.0)
        / cos;
    let found = LatLon { lat: lat.to_degrees(), lon: lon.to_degrees() + f64::from(zone) * 6.0 - 183.0 };
    (found.lat.abs() <= 90.0 && found.lon.abs() <= 180.0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_utm_coordinate_is_a_place_on_earth() {
        // (easting, northing, zone, south, lat, lon)
        let rows = [
            (500_000.0, 0.0, 31, false, 0.0, 3.0), // the middle of zone 31 on the equator
            (448_251.795, 5_411_932.678, 31, false, 48.8582, 2.2945), // the Eiffel tower
            (334_873.0, 6_252_266.0, 56, true, -33.857, 151.215), // the Sydney opera house
        ];
        for (easting, northing, zone, south, lat, lon) in rows {
            let found = inverse_utm(easting, northing, zone, south).unwrap();
            assert!((found.lat - lat).abs() < 1e-3 && (found.lon - lon).abs() < 1e-3, "{found:?}");
        }
    }

    #[test]
    fn far_coordinates_are_moved_and_the_origin_with_them() {
        let location = Location {
            offset: [-448_251.795, -5_011_932.678],
            low: [300.0, 400_000.0],
            projection: "+proj=utm +zone=31 +ellps=WGS84 +units=m".into(),
        };
        let (shift, origin) = origin(Some(&location));
        assert!(shift[0].abs() < 1e-9 && (shift[1] + 400_000.0).abs() < 1e-9);
        assert!((origin.unwrap().lat - 48.8582).abs() < 1e-3);
    }
}
