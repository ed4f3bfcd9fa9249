//! Which algorithms, headers and modes go together with manual keys: a table, and rules with their sources.

use ipsec_crypto::{Encryption, Integrity};

use super::error::{Field, ManualError, ManualFault};
use super::tunnel::{HeaderFormat, ManualMode, ManualSas, ManualTunnel};
use crate::sad::{AntiReplay, Unauthenticated};

use HeaderFormat::{New, Old};

/// A rule that a definition may break.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name in reports: lower case, words joined by hyphens.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Who says it.
    pub source: &'static str,
    /// How to keep it.
    pub fix: &'static str,
}

/// The integrity algorithms, with the formats of AH that have them. ESP has an ICV in the new format only.
pub static INTEGRITY: &[(Integrity, &[HeaderFormat])] = &[
    (Integrity::KpdkMd5, &[Old]),
    (Integrity::HmacMd5_96, &[New]),
    (Integrity::HmacSha1_96, &[New]),
    (Integrity::HmacSha256_96, &[New]),
    (Integrity::HmacSha256_128, &[New]),
    (Integrity::HmacSha384_192, &[New]),
    (Integrity::HmacSha512_256, &[New]),
    (Integrity::AesXcbc96, &[New]),
    (Integrity::AesCmac96, &[New]),
];

/// The ciphers, with the formats of ESP that have them. Counter and combined modes are not for manual keys (RFC 8221 §3).
pub static ENCRYPTION: &[(Encryption, &[HeaderFormat])] = &[
    (Encryption::DesIv32, &[Old]),
    (Encryption::DesIv64, &[Old]),
    (Encryption::CdmfCbc, &[Old, New]),
    (Encryption::DesCbc, &[New]),
    (Encryption::TripleDesCbc, &[Old, New]),
    (Encryption::AesCbc, &[New]),
    (Encryption::Null, &[New]),
];

macro_rules! rules {
    ($($NAME:ident, $name:literal, $says:literal, $source:literal, $fix:literal;)*) => {
        $(
            #[doc = concat!($says, ".")]
            pub(super) static $NAME: Rule = Rule { name: $name, says: $says, source: $source, fix: $fix };
        )*

        /// Every rule.
        pub static RULES: &[&Rule] = &[$(&$NAME,)*];
    };
}

rules! {
    NOTHING, "no-protection", "A tunnel has ESP, AH or both in each direction", "RFC 4301 section 4.1",
        "give an SPI, an algorithm and a key for one of them";
    ONE_SHAPE, "one-shape", "Both directions have the same of ESP and AH", "RFC 4301 section 4.5",
        "give both directions the same protocols";
    NULL_ALONE, "null-alone", "NULL encryption needs integrity, of ESP or of AH", "RFC 4303 section 3.2",
        "add an integrity algorithm";
    CONFIDENTIALITY_ALONE, "confidentiality-alone", "Encryption without integrity can be broken by altered packets",
        "RFC 4303 section 2.7", "add ESP integrity (new format) or AH, or allow it for this tunnel";
    COUNTER_MODE, "counter-mode", "Counter and combined modes must not have manual keys: after a restart they would repeat",
        "RFC 8221 section 3", "take AES-CBC with HMAC, or a key exchange";
    NEW_HEADER, "new-header-needed", "The algorithm needs the new header format", "RFC 2403, RFC 2404, RFC 2405",
        "set the header format to new, or take keyed MD5 or DES with an explicit IV length";
    OLD_HEADER, "old-header-needed", "The algorithm can't be used with the new header format",
        "RFC 1828, RFC 1829", "set the header format to old, or take HMAC and a cipher of RFC 2405 or later";
    ESP_ICV, "esp-integrity-needs-new-header", "ESP of the old format has no ICV", "RFC 1827 section 3",
        "set the header format to new, or authenticate with AH";
    UNKNOWN_ALGORITHM, "algorithm", "The algorithm is not one that manual tunnels have", "table of manual tunnels",
        "take one of the table's";
    OLD_REPLAY, "replay-needs-new-header", "The old format has no sequence numbers to find replayed packets by",
        "RFC 1826 section 3, RFC 1827 section 3", "turn anti-replay off, or set the header format to new";
    TRANSPORT_HOSTS, "transport-is-between-hosts", "Transport mode protects traffic between the tunnel's own ends only",
        "RFC 4301 section 4.1", "make the networks the two addresses, or take tunnel mode";
}

/// Whether the parts of a tunnel go together.
pub(super) fn check(tunnel: &ManualTunnel) -> Result<(), ManualError> {
    let illegal =
        |field, value: String, rule| Err(ManualError::new(field, value, ManualFault::Illegal(rule)));
    for half in [&tunnel.outbound, &tunnel.inbound] {
        check_half(half, tunnel)?;
    }
    let shape = |half: &ManualSas| (half.esp.is_some(), half.ah.is_some());
    if shape(&tunnel.outbound) != shape(&tunnel.inbound) {
        return illegal(Field::Esp, tunnel.name.clone(), &ONE_SHAPE);
    }
    if tunnel.format == Old
        && let AntiReplay::Window(size) = tunnel.anti_replay
    {
        return illegal(Field::AntiReplay, size.to_string(), &OLD_REPLAY);
    }
    let traffic = &tunnel.traffic;
    if tunnel.mode == ManualMode::Transport
        && (traffic.local != tunnel.local.into() || traffic.remote != tunnel.remote.into())
    {
        let value = format!("{} to {}", traffic.local, traffic.remote);
        return illegal(Field::Mode, value, &TRANSPORT_HOSTS);
    }
    Ok(())
}

fn check_half(half: &ManualSas, tunnel: &ManualTunnel) -> Result<(), ManualError> {
    let format = tunnel.format;
    let illegal =
        |field, value: String, rule| Err(ManualError::new(field, value, ManualFault::Illegal(rule)));
    if half.esp.is_none() && half.ah.is_none() {
        return illegal(Field::Esp, "none".to_owned(), &NOTHING);
    }
    if let Some(ah) = &half.ah
        && let Some(rule) = broken(INTEGRITY, ah.integrity, format)
    {
        return illegal(Field::Ah, ah.integrity.to_string(), rule);
    }
    let Some(esp) = &half.esp else { return Ok(()) };
    let encryption = esp.suite.cipher.encryption;
    let says = |rule| illegal(Field::Esp, esp.suite.to_string(), rule);
    if encryption.row().is_combined() || encryption.row().block == 1 && encryption != Encryption::Null {
        return says(&COUNTER_MODE);
    }
    if let Some(rule) = broken(ENCRYPTION, encryption, format) {
        return says(rule);
    }
    match esp.suite.integrity {
        Some(_) if format == Old => says(&ESP_ICV),
        Some(integrity) => match broken(INTEGRITY, integrity, format) {
            Some(rule) => says(rule),
            None => Ok(()),
        },
        None if half.ah.is_some() => Ok(()),
        None if encryption == Encryption::Null => says(&NULL_ALONE),
        None if tunnel.unauthenticated == Unauthenticated::Allow => Ok(()),
        None => says(&CONFIDENTIALITY_ALONE),
    }
}

/// The rule that an algorithm breaks with this format.
fn broken<A: PartialEq>(
    table: &[(A, &[HeaderFormat])],
    algorithm: A,
    format: HeaderFormat,
) -> Option<&'static Rule> {
    match table.iter().find(|(id, _)| *id == algorithm) {
        Some((_, formats)) if formats.contains(&format) => None,
        Some(_) if format == Old => Some(&NEW_HEADER),
        Some(_) => Some(&OLD_HEADER),
        None => Some(&UNKNOWN_ALGORITHM),
    }
}
