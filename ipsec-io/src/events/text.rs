//! Records as lines for people.

use super::Record;
use super::record::Description;

impl Record {
    /// One line: `12:00:00.250 info ike.up to-office 192.0.2.2:500: the IKE SA stands; …`, the time of day in UTC.
    #[must_use]
    pub fn text(&self) -> String {
        let Description { code, level, connection, path, message, .. } = self.describe();
        let since = self.at.utc.since_epoch();
        let day = since.as_secs() % 86_400;
        let (hours, minutes, seconds) = (day / 3600, day / 60 % 60, day % 60);
        let millis = since.subsec_millis();
        let mut line = format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03} {level:<5} {code}");
        for part in [connection, path.map(|path| path.remote.to_string())].into_iter().flatten() {
            line.push(' ');
            line.push_str(&part);
        }
        line.push_str(": ");
        // A peer's words may be part of the message; a line stays a line.
        line.extend(message.chars().map(|c| if c.is_control() { ' ' } else { c }));
        line
    }
}
