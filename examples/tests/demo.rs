//! The demonstration: it agrees, also on a bad wire, and the same seed gives the same octets.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use ipsec_examples::demo::{Audience, JsonAudience, Moment, Options, TextAudience, play};

/// A recording in memory.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Write for Tape {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Silent(Vec<Moment>);

impl Audience for Silent {
    fn show(&mut self, moment: &Moment) -> io::Result<()> {
        self.0.push(moment.clone());
        Ok(())
    }
}

fn recorded(seed: u64, loss: f64) -> Vec<u8> {
    let tape = Tape::default();
    let verdict =
        play(Options { seed, loss }, Some(Box::new(tape.clone())), &mut Silent::default()).expect("a tunnel");
    assert!(verdict.holds, "{:#?}", verdict.agreements);
    let octets = tape.0.lock().expect("no panic in another thread").clone();
    assert!(!octets.is_empty());
    octets
}

#[test]
fn the_same_seed_gives_the_same_octets() {
    assert_eq!(recorded(5, 0.2), recorded(5, 0.2));
    assert_ne!(recorded(5, 0.2), recorded(6, 0.2));
}

#[test]
fn both_ends_agree_on_a_bad_wire() {
    for seed in 1..=4 {
        let mut audience = Silent::default();
        let verdict = play(Options { seed, loss: 0.4 }, None, &mut audience).expect("a tunnel");
        assert!(verdict.holds, "seed {seed}: {:#?}", verdict.agreements);
        assert!(verdict.lost > 0);
        let stages: Vec<u8> = audience
            .0
            .iter()
            .filter_map(|moment| match moment {
                Moment::Stage(stage) => Some(stage.number),
                _ => None,
            })
            .collect();
        assert_eq!(stages, [1, 2, 3, 4, 5], "seed {seed}");
    }
}

#[test]
fn the_ladder_names_every_message() {
    let mut audience = Silent::default();
    play(Options { seed: 1, loss: 0.0 }, None, &mut audience).expect("a tunnel");
    let names: Vec<&str> = audience
        .0
        .iter()
        .filter_map(|moment| match moment {
            Moment::Message(message) => Some(message.name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "QM1", "QM2", "QM3", "ESP", "ESP"]);
}

#[test]
fn json_is_one_object_a_line() {
    let mut audience = JsonAudience::new(Vec::new());
    play(Options { seed: 1, loss: 0.0 }, None, &mut audience).expect("a tunnel");
    let text = String::from_utf8(audience.into_inner()).expect("UTF-8");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.first().expect("a scene")["moment"], "scene");
    let verdict = lines.last().expect("a verdict");
    assert_eq!((&verdict["moment"], &verdict["holds"]), (&"verdict".into(), &true.into()));
}

#[test]
fn no_line_of_text_is_wider_than_eighty_columns() {
    let mut audience = TextAudience::new(Vec::new());
    play(Options { seed: 1, loss: 0.3 }, None, &mut audience).expect("a tunnel");
    let text = String::from_utf8(audience.into_inner()).expect("UTF-8");
    for line in anstream::adapter::strip_str(&text).to_string().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}
