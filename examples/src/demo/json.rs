//! The demonstration as a program reads it: one JSON object a line.

use std::io::{self, Write};

use super::Audience;
use super::moment::Moment;

/// Shows the demonstration as JSON lines.
#[derive(Debug)]
pub struct JsonAudience<W> {
    out: W,
}

impl<W: Write> JsonAudience<W> {
    /// An audience that reads from `out`.
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// The stream, with everything shown so far written to it.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Audience for JsonAudience<W> {
    fn show(&mut self, moment: &Moment) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, moment)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}
