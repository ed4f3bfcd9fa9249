//! The picture of a negotiation: two columns, an arrow a datagram, time running down.

use super::moment::{Cover, Fact, Fate, Message, Scene, Side};
use super::paint::{self, paint};

/// Columns between the two gateways' lines.
const LANE: usize = 60;
/// Columns of the time in front of the western line.
const MARGIN: usize = 12;

/// The head: who stands left and who right.
pub(super) fn head(scene: &Scene) -> String {
    let blank = " ".repeat(MARGIN);
    let west = format!("west {}", scene.west);
    let east = format!("{} east", scene.east);
    let gap = " ".repeat((LANE + 2).saturating_sub(west.chars().count() + east.chars().count()));
    let line = "─".repeat(LANE);
    format!(
        "{blank}{}{gap}{}\n{}\n",
        paint(paint::TITLE, west),
        paint(paint::TITLE, east),
        paint(paint::FAINT, format_args!("{:>width$}  ┬{line}┬", "time", width = MARGIN - 2)),
    )
}

/// The foot closes both lines.
pub(super) fn foot() -> String {
    let line = "─".repeat(LANE);
    format!("{}{}\n", " ".repeat(MARGIN), paint(paint::FAINT, format_args!("┴{line}┴")))
}

/// A datagram as an arrow from its sender towards the other side.
pub(super) fn arrow(message: &Message) -> String {
    let style = paint::message(message.cover, message.fate);
    let stroke = match message.cover {
        Cover::Clear => '─',
        Cover::Ike => '═',
        Cover::Esp => '━',
    };
    let name = if message.repeat == 0 { message.name.clone() } else { format!("{} again", message.name) };
    let payloads = summary(message, LANE.saturating_sub(name.chars().count() + 24));
    let size = format!("{} B", message.octets);
    let lost = matches!(message.fate, Fate::Lost);
    // What the arrow needs besides its shaft: " name payloads " + " size " + head.
    let words = name.chars().count() + payloads.chars().count() + size.chars().count();
    let shaft = |columns: usize| stroke.to_string().repeat(columns);
    let line = match message.from {
        Side::West => {
            let fixed = 2 + 1 + 1 + 1 + 1 + 1 + 2;
            let rest = LANE.saturating_sub(words + fixed);
            let tip = if lost { format!("{} ", '✗') } else { format!("{stroke}▶") };
            let rest = if lost { rest / 2 } else { rest };
            let text = format!("{} {name} {payloads} {} {size} {tip}", shaft(2), shaft(rest));
            pad_right(text, LANE)
        }
        Side::East => {
            let fixed = 2 + 1 + 1 + 1 + 1 + 1 + 2;
            let rest = LANE.saturating_sub(words + fixed);
            let tip = if lost { format!(" {}", '✗') } else { format!("◀{stroke}") };
            let rest = if lost { rest / 2 } else { rest };
            let text = format!("{tip} {size} {} {payloads} {name} {}", shaft(rest), shaft(2));
            pad_left(text, LANE)
        }
    };
    let (left, right) = match (message.from, message.fate) {
        (Side::West, Fate::Delivered) => ("├", "│"),
        (Side::West, Fate::Lost) => ("├", "│"),
        (Side::East, _) => ("│", "┤"),
    };
    format!(
        "{}{}{}{}\n",
        paint(paint::FAINT, format_args!("{:>width$}  ", clock(message.at_us), width = MARGIN - 2)),
        paint(paint::FAINT, left),
        paint(style, line),
        paint(paint::FAINT, right),
    )
}

/// A fact, written beside the line of the gateway whose fact it is.
pub(super) fn fact(fact: &Fact) -> String {
    let words = shorten(&fact.text, LANE - 2);
    let line = match fact.side {
        Side::West => pad_right(format!(" {words}"), LANE),
        Side::East => pad_left(format!("{words} "), LANE),
    };
    format!(
        "{}{}{}{}\n",
        " ".repeat(MARGIN),
        paint(paint::FAINT, "│"),
        paint(paint::tone(fact.tone), line),
        paint(paint::FAINT, "│"),
    )
}

/// Payload names in at most `room` columns; equal neighbours are counted.
fn summary(message: &Message, room: usize) -> String {
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for payload in &message.payloads {
        match groups.last_mut() {
            Some((name, count)) if *name == payload => *count += 1,
            _ => groups.push((payload, 1)),
        }
    }
    let names: Vec<String> = groups
        .iter()
        .map(|(name, count)| if *count == 1 { (*name).to_owned() } else { format!("{name}×{count}") })
        .collect();
    let text = names.join(", ");
    let (open, close) = match message.cover {
        Cover::Clear => ("", ""),
        Cover::Ike | Cover::Esp => ("{", "}"),
    };
    format!("{open}{}{close}", shorten(&text, room))
}

/// Simulated time: to a tenth of a millisecond below a second, else to a millisecond.
pub(super) fn clock(at_us: u64) -> String {
    if at_us < 1_000_000 {
        format!("{}.{} ms", at_us / 1000, at_us % 1000 / 100)
    } else {
        format!("{}.{:03} s", at_us / 1_000_000, at_us % 1_000_000 / 1000)
    }
}

/// `text` in at most `room` columns.
fn shorten(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

fn pad_right(mut text: String, columns: usize) -> String {
    text.push_str(&" ".repeat(columns.saturating_sub(text.chars().count())));
    text
}

fn pad_left(text: String, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.chars().count())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(from: Side, fate: Fate, payloads: &[&str]) -> Message {
        Message {
            at_us: 12_345,
            from,
            name: "MM1".into(),
            repeat: 0,
            payloads: payloads.iter().map(|&name| name.to_owned()).collect(),
            cover: Cover::Clear,
            octets: 188,
            fate,
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn every_line_of_the_picture_is_equally_wide() {
        for from in [Side::West, Side::East] {
            for fate in [Fate::Delivered, Fate::Lost] {
                for payloads in [
                    &["SA", "VID", "VID"][..],
                    &["a name longer than any lane could ever hold on one line"; 3],
                ] {
                    let line = plain(&arrow(&message(from, fate, payloads)));
                    assert_eq!(line.trim_end_matches('\n').chars().count(), MARGIN + LANE + 2, "{line}");
                }
            }
        }
    }

    #[test]
    fn equal_payloads_are_counted() {
        assert_eq!(summary(&message(Side::West, Fate::Delivered, &["SA", "VID", "VID"]), 40), "SA, VID×2");
    }

    #[test]
    fn an_arrow_points_at_the_receiver() {
        let west = plain(&arrow(&message(Side::West, Fate::Delivered, &["SA"])));
        assert!(west.contains("├── MM1 SA ─") && west.contains("188 B ─▶│"), "{west}");
        let east = plain(&arrow(&message(Side::East, Fate::Delivered, &["SA"])));
        assert!(east.contains("│◀─ 188 B ─") && east.contains("SA MM1 ──┤"), "{east}");
    }
}
