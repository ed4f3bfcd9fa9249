//! Colours. Written always; the stream of the binary removes them where they do not belong.

use std::fmt::Display;

use anstyle::{AnsiColor, Color, Effects, Style};

use super::moment::{Cover, Fate, Part, Tone};

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// Headings.
pub(super) const TITLE: Style = Style::new().effects(Effects::BOLD);
/// Lines, times, and what may be overlooked.
pub(super) const FAINT: Style = Style::new().effects(Effects::DIMMED);
/// What went well.
pub(super) const GOOD: Style = colour(AnsiColor::Green).effects(Effects::BOLD);
/// What went wrong.
pub(super) const BAD: Style = colour(AnsiColor::Red).effects(Effects::BOLD);
/// The number of a stage.
pub(super) const STAGE: Style = colour(AnsiColor::Black).bg_color(Some(Color::Ansi(AnsiColor::Cyan)));

/// The style of a datagram.
pub(super) const fn message(cover: Cover, fate: Fate) -> Style {
    match (fate, cover) {
        (Fate::Lost, _) => colour(AnsiColor::Red),
        (Fate::Delivered, Cover::Clear) => colour(AnsiColor::Yellow),
        (Fate::Delivered, Cover::Ike) => colour(AnsiColor::Cyan),
        (Fate::Delivered, Cover::Esp) => colour(AnsiColor::Green),
    }
}

/// The style of a fact.
pub(super) const fn tone(tone: Tone) -> Style {
    match tone {
        Tone::Quiet => FAINT,
        Tone::Good => GOOD,
        Tone::Bad => BAD,
    }
}

/// The style of a packet's part.
pub(super) const fn part(part: Part) -> Style {
    match part {
        Part::Outer => colour(AnsiColor::Blue),
        Part::Esp => colour(AnsiColor::Cyan),
        Part::Cipher => colour(AnsiColor::Magenta),
        Part::Icv => colour(AnsiColor::Red),
        Part::Inner => colour(AnsiColor::Yellow),
        Part::Data => colour(AnsiColor::Green),
    }
}

/// `text` in `style`.
pub(super) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
