//! Reads what [`export`](super::export()) has written, and what people write the same way.

use std::net::{IpAddr, Ipv4Addr};

use ipsec_crypto::{Cipher, Integrity, ProtectionSuite};
use ipsec_proto::Spi;

use super::error::ManualError;
use super::export::{FORMATS, HEAD, MODES, NESTINGS, RULES, UNAUTHENTICATED};
use super::notation::{Words, missing, traffic};
use super::tunnel::{ManualAh, ManualEsp, ManualSas, ManualTraffic, ManualTunnel};
use crate::sad::AntiReplay;

/// Reads one tunnel. Lines may come in any order behind the first; `#` begins a comment line.
///
/// What can't be read is refused with its line; what can't be is found by [`ManualTunnel::check`].
///
/// # Errors
/// [`ManualFault::Syntax`](super::ManualFault::Syntax) and [`ManualFault::Missing`](super::ManualFault::Missing).
pub fn import(text: &str) -> Result<ManualTunnel, ManualError> {
    let mut lines = (1..).zip(text.lines().map(str::trim));
    let mut lines = lines.by_ref().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    match lines.next() {
        Some((_, HEAD)) => {}
        Some((number, _)) => {
            return Err(ManualError::line(number, "", "the first line is \"manual-tunnel 1\""));
        }
        None => return Err(ManualError::line(1, "", "the text is empty")),
    }
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let nothing = ManualTraffic::between(nowhere.into(), nowhere.into());
    // Its fields are all overwritten: those without a default must be given.
    let mut tunnel = ManualTunnel::new("", nowhere, nowhere, nothing);
    let mut given = Vec::new();
    for (number, line) in lines {
        let mut words = Words::cut(number, line)?;
        let field = words.want("a field")?;
        if !matches!(field, "outbound" | "inbound") {
            if given.contains(&field) {
                return Err(words.wrong(field, "this field was given before"));
            }
            given.push(field);
        }
        match field {
            "name" => tunnel.name = words.want("a name")?.to_owned(),
            "local" => tunnel.local = words.parse("our IP address")?,
            "remote" => tunnel.remote = words.parse("the peer's IP address")?,
            "traffic" => tunnel.traffic = traffic(&mut words)?,
            "mode" => tunnel.mode = value(&mut words, &MODES, "tunnel or transport")?,
            "format" => tunnel.format = value(&mut words, &FORMATS, "new or old")?,
            "nesting" => tunnel.nesting = value(&mut words, &NESTINGS, "ah-outside or esp-outside")?,
            "rules" => tunnel.rules = value(&mut words, &RULES, "generate or suppress")?,
            "unauthenticated" => {
                tunnel.unauthenticated = value(&mut words, &UNAUTHENTICATED, "refuse or allow")?;
            }
            "anti-replay" => {
                tunnel.anti_replay = if words.peek() == Some("off") {
                    words.next();
                    AntiReplay::Off
                } else {
                    AntiReplay::Window(words.number("a window in packets, or off")?)
                };
            }
            "outbound" => sa(&mut words, &mut tunnel.outbound)?,
            "inbound" => sa(&mut words, &mut tunnel.inbound)?,
            other => return Err(words.wrong(other, "no such field")),
        }
        words.end()?;
    }
    match ["name", "local", "remote", "traffic"].into_iter().find(|field| !given.contains(field)) {
        Some(field) => Err(missing(&tunnel.name, field)),
        None => Ok(tunnel),
    }
}

/// The value of the next word.
fn value<T: Copy>(
    words: &mut Words<'_>,
    table: &[(T, &'static str)],
    says: &'static str,
) -> Result<T, ManualError> {
    let given = words.want(says)?;
    let found = table.iter().find(|(_, word)| *word == given).map(|(value, _)| *value);
    found.ok_or_else(|| words.wrong(given, says))
}

/// `esp SPI cipher key [integrity key]` or `ah SPI integrity key`.
fn sa(words: &mut Words<'_>, half: &mut ManualSas) -> Result<(), ManualError> {
    let protocol = words.want("esp or ah")?;
    let spi = Spi(words.number("an SPI, as 0x1000")?);
    let before = match protocol {
        "esp" => {
            let says = "a cipher, as aes128";
            let word = words.want(says)?;
            let cipher = Cipher::from_name(word).ok_or_else(|| words.wrong(word, says))?;
            let encryption = words.key()?;
            let (integrity, key) = match words.peek() {
                None => (None, ipsec_crypto::Secret::from_slice(&[])),
                Some(_) => (Some(integrity(words)?), words.key()?),
            };
            let suite = ProtectionSuite { cipher, integrity };
            half.esp.replace(ManualEsp { spi, suite, encryption, integrity: key }).is_some()
        }
        "ah" => {
            let integrity = integrity(words)?;
            half.ah.replace(ManualAh { spi, integrity, key: words.key()? }).is_some()
        }
        other => return Err(words.wrong(other, "esp or ah")),
    };
    if before { Err(words.wrong(protocol, "this direction has one already")) } else { Ok(()) }
}

fn integrity(words: &mut Words<'_>) -> Result<Integrity, ManualError> {
    let says = "an integrity algorithm, as sha256";
    let word = words.want(says)?;
    Integrity::from_name(word).ok_or_else(|| words.wrong(word, says))
}
