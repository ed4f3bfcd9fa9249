//! What happened, in one form: a [`Record`] wraps the events of every layer, and the sinks read nothing else.
//!
//! A record has a stable code (`ike.up`), a level, a time, and whom it concerns: peer, connection, SPI. The sinks are
//! [`text`](Record::text) lines for people, [`json`](Record::json) lines for programs, a [`Ring`] of the latest per
//! peer, and `tracing`, with the fields `peer`, `conn` and `spi`.

mod describe;
mod json;
mod record;
mod ring;
mod text;
mod trace;

pub use record::{Entity, Level, NodeEvent, Record, Value, What};
pub use ring::Ring;
