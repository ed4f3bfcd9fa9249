//! Key tables for Wireshark and tshark: with them a capture is decrypted.
//!
//! Lines for a table go to the file of that name in Wireshark's configuration directory. Whoever has the keys has the
//! traffic: nothing here is written unless the configuration asks for it.

use std::fmt;
use std::net::IpAddr;

use ipsec_crypto::suite::Dialect;
use ipsec_ike::KeyLog;
use ipsec_sad::{Direction, Encap, Protocol, SaParams};

/// Which table a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyTable {
    /// Keys of ISAKMP SAs.
    Ikev1,
    /// Keys of ESP SAs.
    Esp,
}

impl KeyTable {
    /// The file in Wireshark's configuration directory, which is the name of the preference too.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Ikev1 => "ikev1_decryption_table",
            Self::Esp => "esp_sa",
        }
    }
}

/// A line of a key table: a secret, and printed as one.
pub struct KeyLine {
    table: KeyTable,
    line: String,
}

impl KeyLine {
    /// The table it belongs to.
    #[must_use]
    pub const fn table(&self) -> KeyTable {
        self.table
    }

    /// The line, without a line end.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.line
    }

    /// The line for the keys of an IKE SA; `None` for kinds that no table is known for.
    pub(crate) fn of_ike(log: &KeyLog) -> Option<Self> {
        match log {
            KeyLog::Ike { cookies, encryption, .. } => {
                let line = format!("{},{}", cookies.initiator, hex(encryption.as_slice()));
                Some(Self { table: KeyTable::Ikev1, line })
            }
            _ => None,
        }
    }

    /// The line for an ESP SA; `None` for AH, which hides nothing, and for algorithms that Wireshark 4.0 has no name for.
    pub(crate) fn of_sa(params: &SaParams, direction: Direction) -> Option<Self> {
        let (from, to) = match direction {
            Direction::Outbound => (params.path.local.ip(), params.path.remote.ip()),
            Direction::Inbound => (params.path.remote.ip(), params.path.local.ip()),
        };
        let Protocol::Esp { suite, keys } = &params.protocol else { return None };
        let encryption = suite.cipher.encryption.name_in(Dialect::Wireshark)?;
        let integrity = match suite.integrity {
            Some(integrity) => integrity.name_in(Dialect::Wireshark)?,
            None => "NULL",
        };
        // Behind a NAT each end sees other addresses than the capture; the SPI says enough there.
        let (from, to) = match params.encap {
            Encap::Raw => (from.to_string(), to.to_string()),
            Encap::Udp => ("*".to_owned(), "*".to_owned()),
        };
        let family = if matches!(params.path.remote.ip(), IpAddr::V4(_)) { "IPv4" } else { "IPv6" };
        let line = format!(
            r#""{family}","{from}","{to}","{spi}","{encryption}","0x{key}","{integrity}","{auth}""#,
            spi = params.spi,
            key = hex(keys.encryption.as_slice()),
            auth = match hex(keys.integrity.as_slice()) {
                key if key.is_empty() => key,
                key => format!("0x{key}"),
            },
        );
        Some(Self { table: KeyTable::Esp, line })
    }
}

impl fmt::Debug for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLine({}, ..)", self.table.file_name())
    }
}

impl Drop for KeyLine {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.line);
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
