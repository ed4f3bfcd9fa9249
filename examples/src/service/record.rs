//! The recording that `capture` and `capture_keys` ask for.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ipsec_io::pcap::Recorder;
use ipsec_io::pcap::keys::{KeyLine, KeyTable};

/// A new file that only we may read: clear packets and keys are in it.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Starts the recording.
pub(super) fn recorder(path: &Path) -> io::Result<Recorder> {
    Recorder::new(Box::new(BufWriter::new(create(path)?)))
}

/// Wireshark's key tables, beside the recording.
pub(super) struct KeyTables {
    ikev1: File,
    esp: File,
}

impl KeyTables {
    pub(super) fn create(recording: &Path) -> io::Result<Self> {
        let beside = |table: KeyTable| create(&recording.with_file_name(table.file_name()));
        Ok(Self { ikev1: beside(KeyTable::Ikev1)?, esp: beside(KeyTable::Esp)? })
    }

    /// Appends a line, unbuffered: a reader may come at any time.
    pub(super) fn write(&mut self, line: &KeyLine) -> io::Result<()> {
        let file = match line.table() {
            KeyTable::Ikev1 => &mut self.ikev1,
            KeyTable::Esp => &mut self.esp,
            _ => return Ok(()),
        };
        writeln!(file, "{}", line.reveal())
    }
}
