//! Small files written by hand as SUMO and CityFlow write theirs.

/// A junction of three roads under one signal, with a pavement, a bus lane, a right turn on red, a permissive left, a
/// pedestrian crossing, and a side road that gives way a little upstream.
///
/// ```text
///        n
///        |
///  w -s- u === c === e        u > c: pavement, bus lane, car lane
///              |
///              s              people cross the south road
/// ```
pub(crate) const NET: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<net version="1.20" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <location netOffset="-448251.795,-5411932.678" convBoundary="-200.00,-200.00,200.00,200.00" origBoundary="2.29,48.85,2.30,48.86" projParameter="+proj=utm +zone=31 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"/>
  <edge id=":c_0" function="internal"><lane id=":c_0_0" index="0" speed="13.89" length="12.50" shape="9,3 -9,3"/></edge>
  <edge id=":c_1" function="internal"><lane id=":c_1_0" index="0" speed="8" length="4.00" shape="9,3 5,1"/></edge>
  <edge id=":c_7" function="internal"><lane id=":c_7_0" index="0" speed="8" length="6.00" shape="5,1 2,-9"/></edge>
  <edge id=":c_c0" function="crossing" crossingEdges="c2s s2c"><lane id=":c_c0_0" index="0" allow="pedestrian" speed="2.78" length="9.00" shape="-5,-12 5,-12"/></edge>
  <edge id=":c_w0" function="walkingarea"><lane id=":c_w0_0" index="0" allow="pedestrian" speed="2.78" length="2.00" shape="-6,-12 -5,-11"/></edge>
  <edge id="w2u" from="w" to="u" priority="1"><lane id="w2u_0" index="0" speed="13.89" length="0.05" shape="-200,-2 -110,-2"/></edge>
  <edge id="n2u" from="n" to="u" priority="1"><lane id="n2u_0" index="0" speed="8.33" length="90.00" shape="-102,90 -102,5"/></edge>
  <edge id="u2c" from="u" to="c" priority="2" name="West Road" shape="-100.00,0.00 -50.00,4.00 0.00,0.00">
    <lane id="u2c_0" index="0" allow="pedestrian" speed="2.78" length="90.00" shape="-98,-8 -9,-8"/>
    <lane id="u2c_1" index="1" allow="bus" speed="13.89" length="90.00" shape="-98,-5 -9,-5"/>
    <lane id="u2c_2" index="2" disallow="pedestrian tram" speed="13.89" length="90.00" shape="-98,-2 -9,-2"/>
  </edge>
  <edge id="e2c" from="e" to="c" priority="2"><lane id="e2c_0" index="0" speed="13.89" length="190.00" shape="200,3 9,3"/></edge>
  <edge id="s2c" from="s" to="c" priority="1"><lane id="s2c_0" index="0" speed="8.33" length="190.00" shape="2,-200 2,-9"/></edge>
  <edge id="c2e" from="c" to="e" priority="2">
    <lane id="c2e_0" index="0" speed="13.89" length="190.00" shape="9,-5 200,-5"/>
    <lane id="c2e_1" index="1" speed="13.89" length="190.00" shape="9,-2 200,-2"/>
  </edge>
  <edge id="c2s" from="c" to="s" priority="1"><lane id="c2s_0" index="0" speed="8.33" length="190.00" shape="-2,-9 -2,-200"/></edge>
  <edge id="c2w" from="c" to="w" priority="2"><lane id="c2w_0" index="0" speed="13.89" length="190.00" shape="-9,3 -200,3"/></edge>
  <edge id="path" from="s" to="e"><lane id="path_0" index="0" allow="pedestrian" speed="2.78" length="100.00" shape="0,0 1,1"/></edge>
  <tlLogic id="T" type="static" programID="0" offset="10">
    <phase duration="30" state="GgsrGGr"/>
    <phase duration="3" state="yysryyr"/>
    <phase duration="2" state="rrsrrrr"/>
    <phase duration="20" state="rrGGrrr"/>
    <phase duration="4" state="rryyrrr"/>
    <phase duration="1" state="rrrrrrr"/>
    <phase duration="15" state="rrrrrrG"/>
    <phase duration="10" state="rrrrrrr"/>
  </tlLogic>
  <junction id="c" type="traffic_light" x="0.00" y="0.00" incLanes="e2c_0 s2c_0 u2c_0 u2c_1 u2c_2 :c_w0_0" intLanes=":c_0_0 :c_7_0 :c_2_0 :c_3_0 :c_4_0 :c_5_0 :c_c0_0" shape="-9,-9 9,-9 9,9">
    <request index="0" response="0000000" foes="0001000" cont="0"/>
    <request index="1" response="1110000" foes="1111000" cont="1"/>
    <request index="2" response="1010000" foes="1010000" cont="0"/>
    <request index="3" response="1110001" foes="1110011" cont="0"/>
    <request index="4" response="0000000" foes="0001110" cont="0"/>
    <request index="5" response="0000000" foes="0001010" cont="0"/>
    <request index="6" response="0000000" foes="0001110" cont="0"/>
  </junction>
  <junction id="u" type="priority" x="-100.00" y="0.00" incLanes="w2u_0 n2u_0" intLanes=":u_0_0 :u_1_0" shape="0,0 1,1">
    <request index="0" response="00" foes="10" cont="0"/>
    <request index="1" response="01" foes="01" cont="0"/>
  </junction>
  <junction id="w" type="dead_end" x="-200.00" y="0.00" incLanes="c2w_0" intLanes=""/>
  <junction id="e" type="dead_end" x="200.00" y="0.00" incLanes="c2e_0 c2e_1" intLanes=""/>
  <junction id="s" type="dead_end" x="0.00" y="-200.00" incLanes="c2s_0" intLanes=""/>
  <junction id="n" type="dead_end" x="-100.00" y="100.00" incLanes="" intLanes=""/>
  <junction id=":c_7_0" type="internal" x="5.00" y="1.00" incLanes=":c_1_0" intLanes=":c_4_0"/>
  <connection from="e2c" to="c2w" fromLane="0" toLane="0" via=":c_0_0" tl="T" linkIndex="0" dir="s" state="O"/>
  <connection from="e2c" to="c2s" fromLane="0" toLane="0" via=":c_1_0" tl="T" linkIndex="1" dir="l" state="o"/>
  <connection from="s2c" to="c2e" fromLane="0" toLane="0" tl="T" linkIndex="2" dir="r" state="o"/>
  <connection from="s2c" to="c2w" fromLane="0" toLane="0" tl="T" linkIndex="3" dir="l" state="o"/>
  <connection from="u2c" to=":c_w0" fromLane="0" toLane="0" dir="s" state="M"/>
  <connection from="u2c" to="c2e" fromLane="1" toLane="0" tl="T" linkIndex="4" dir="s" state="O"/>
  <connection from="u2c" to="c2e" fromLane="2" toLane="1" tl="T" linkIndex="5" dir="s" state="O"/>
  <connection from="w2u" to="u2c" fromLane="0" toLane="2" dir="s" state="M"/>
  <connection from="n2u" to="u2c" fromLane="0" toLane="2" dir="l" state="m"/>
  <connection from=":c_0" to="c2w" fromLane="0" toLane="0" dir="s" state="M"/>
  <connection from=":c_1" to="c2s" fromLane="0" toLane="0" via=":c_7_0" dir="l" state="m"/>
  <connection from=":c_w0" to=":c_c0" fromLane="0" toLane="0" tl="T" linkIndex="6" dir="s" state="M"/>
</net>
"#;

/// Another program for the same signal.
pub(crate) const PROGRAMS: &str = r#"<additional>
  <tlLogic id="T" type="static" programID="night" offset="0">
    <phase duration="40" state="GgsrGGr"/><phase duration="3" state="yysryyr"/>
    <phase duration="10" state="rrGGrrr"/><phase duration="3" state="rryyrrr"/>
  </tlLogic>
</additional>
"#;

/// Who travels there.
pub(crate) const ROUTES: &str = r#"<routes>
  <vTypeDistribution id="mix"><vType id="car1" vClass="passenger" probability="0.7"/><vType id="car2"/></vTypeDistribution>
  <vType id="bus" vClass="bus" length="12"/>
  <vType id="rogue" vClass="ignoring"/>
  <route id="across" edges="e2c c2w"/>
  <vehicle id="v0" type="mix" depart="1.50"><route edges="w2u u2c c2e"/><stop lane="u2c_2" duration="5"/></vehicle>
  <vehicle id="v1" type="bus" depart="0:01:00" route="across"/>
  <trip id="t0" type="bus" depart="0" from="s2c" to="c2e"/>
  <trip id="lost" depart="2" from="w2u" to="c2s"/>
  <trip id="unknown" depart="2" from="w2u" to="moon"/>
  <flow id="f" begin="100" end="200" number="4" from="e2c" to="c2s"/>
  <flow id="hourly" begin="0" end="60" vehsPerHour="120" route="across"/>
  <flow id="chance" begin="0" end="1000" probability="0.5" route="across"/>
  <person id="p" depart="0"><walk edges="path"/></person>
</routes>
"#;

/// A junction of three roads as CityFlow has it, two lanes each way.
pub(crate) const ROADNET: &str = r#"{
"intersections": [
 {"id": "w", "point": {"x": -200, "y": 0}, "width": 0, "roads": [], "roadLinks": [], "virtual": true},
 {"id": "e", "point": {"x": 200, "y": 0}, "width": 0, "roads": [], "roadLinks": [], "virtual": true},
 {"id": "n", "point": {"x": 0, "y": 200}, "width": 0, "roads": [], "roadLinks": [], "virtual": true},
 {"id": "c", "point": {"x": 0, "y": 0}, "width": 10, "roads": [], "virtual": false,
  "roadLinks": [
   {"type": "go_straight", "startRoad": "wc", "endRoad": "ce", "laneLinks": [
     {"startLaneIndex": 1, "endLaneIndex": 0, "points": [{"x": -10, "y": -3}, {"x": 10, "y": -1}]},
     {"startLaneIndex": 1, "endLaneIndex": 1, "points": [{"x": -10, "y": -3}, {"x": 10, "y": -3}]}]},
   {"type": "turn_left", "startRoad": "wc", "endRoad": "cn", "laneLinks": [
     {"startLaneIndex": 0, "endLaneIndex": 0, "points": [{"x": -10, "y": -1}, {"x": 3, "y": 10}]}]},
   {"type": "go_straight", "startRoad": "ec", "endRoad": "cw", "laneLinks": [
     {"startLaneIndex": 0, "endLaneIndex": 0, "points": [{"x": 10, "y": 1}, {"x": -10, "y": 1}]},
     {"startLaneIndex": 1, "endLaneIndex": 1, "points": [{"x": 10, "y": 3}, {"x": -10, "y": 3}]}]},
   {"type": "turn_right", "startRoad": "ec", "endRoad": "cn", "laneLinks": [
     {"startLaneIndex": 1, "endLaneIndex": 1, "points": [{"x": 10, "y": 3}, {"x": 5, "y": 10}]}]},
   {"type": "turn_left", "startRoad": "nc", "endRoad": "ce", "laneLinks": [
     {"startLaneIndex": 0, "endLaneIndex": 0, "points": [{"x": -1, "y": 10}, {"x": 10, "y": -1}]}]},
   {"type": "turn_right", "startRoad": "nc", "endRoad": "cw", "laneLinks": [
     {"startLaneIndex": 1, "endLaneIndex": 1, "points": [{"x": -5, "y": 10}, {"x": -10, "y": 3}]}]}],
  "trafficLight": {"roadLinkIndices": [0, 1, 2, 3, 4, 5], "lightphases": [
   {"time": 5, "availableRoadLinks": [3, 5]},
   {"time": 30, "availableRoadLinks": [0, 2, 3, 5]},
   {"time": 20, "availableRoadLinks": [0, 1, 3, 5]},
   {"time": 0, "availableRoadLinks": [3, 4, 5]}]}}],
"roads": [
 {"id": "wc", "points": [{"x": -200, "y": 0}, {"x": -100, "y": 0}, {"x": 0, "y": 0}], "lanes": [{"width": 4, "maxSpeed": 11.1}, {"width": 4, "maxSpeed": 11.1}], "startIntersection": "w", "endIntersection": "c"},
 {"id": "ec", "points": [{"x": 200, "y": 0}, {"x": 0, "y": 0}], "lanes": [{"width": 4, "maxSpeed": 11.1}, {"width": 4, "maxSpeed": 11.1}], "startIntersection": "e", "endIntersection": "c"},
 {"id": "nc", "points": [{"x": 0, "y": 200}, {"x": 0, "y": 0}], "lanes": [{"width": 4, "maxSpeed": 11.1}, {"width": 4, "maxSpeed": 11.1}], "startIntersection": "n", "endIntersection": "c"},
 {"id": "cw", "points": [{"x": 0, "y": 0}, {"x": -200, "y": 0}], "lanes": [{"width": 4, "maxSpeed": 11.1}, {"width": 4, "maxSpeed": 11.1}], "startIntersection": "c", "endIntersection": "w"},
 {"id": "ce", "points": [{"x": 0, "y": 0}, {"x": 200, "y": 0}], "lanes": [{"width": 4, "maxSpeed": 11.1}, {"width": 4, "maxSpeed": 11.1}], "startIntersection": "c", "endIntersection": "e"},
 {"id": "cn", "points": [{"x": 0, "y": 0}, {"x": 0, "y": 200}], "lanes": [{"width": 4, "maxSpeed": 11.1}, {"width": 4, "maxSpeed": 11.1}], "startIntersection": "c", "endIntersection": "n"}]
}
"#;

/// Who travels there.
pub(crate) const FLOW: &str = r#"[
{"vehicle": {"length": 5.0, "maxSpeed": 11.111}, "route": ["wc", "ce"], "interval": 10.0, "startTime": 0, "endTime": 25},
{"vehicle": {"length": 12.0, "maxSpeed": 11.111}, "route": ["nc", "cw"], "interval": 1.0, "startTime": 7, "endTime": 7},
{"vehicle": {"length": 5.0, "maxSpeed": 11.111}, "route": ["nc", "nowhere"], "interval": 1.0, "startTime": 3, "endTime": 3}
]
"#;
