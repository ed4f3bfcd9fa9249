//! Records to `tracing`, which starts here: no layer below knows of it.

use super::record::Description;
use super::{Level, Record};

impl Record {
    /// Emits the record as a `tracing` event of its level, with the fields `code`, `peer`, `conn` and `spi`.
    pub fn trace(&self) {
        let Description { code, level, connection, path, spi, message, .. } = self.describe();
        let peer = path.map(|path| tracing::field::display(path.remote));
        let conn = connection.as_deref();
        let spi = spi.as_deref();
        // The level of a `tracing` event is part of its call site.
        match level {
            Level::Error => tracing::error!(code, peer, conn, spi, "{message}"),
            Level::Warn => tracing::warn!(code, peer, conn, spi, "{message}"),
            Level::Info => tracing::info!(code, peer, conn, spi, "{message}"),
            Level::Debug => tracing::debug!(code, peer, conn, spi, "{message}"),
            Level::Trace => tracing::trace!(code, peer, conn, spi, "{message}"),
        }
    }
}
