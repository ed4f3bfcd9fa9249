//! Tunnels as a file of `setkey`, for the PF_KEY sockets of KAME's descendants and of Linux, and back.

use std::net::IpAddr;

use ipsec_crypto::{Cipher, Encryption, Integrity, ProtectionSuite, Secret};
use ipsec_proto::Spi;

use super::error::{Field, ManualError, ManualFault};
use super::foreign::{ForeignKeys, ForeignPolicy, ForeignSa, assemble};
use super::notation::{self, Hex, Note, Noted, ProtocolText, SecretText, Side, SpiText, Words};
use super::rules::{self, Layer, TunnelNumber};
use super::tunnel::{AutoRules, HeaderFormat, ManualMode, ManualTraffic, ManualTunnel};
use crate::sad::{AntiReplay, ProtocolKind};

const TARGET: &str = "setkey";

/// Whose `setkey` it is: they differ in what `hmac-sha256` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// FreeBSD and NetBSD: truncated to 128 bits (RFC 4868).
    #[default]
    Bsd,
    /// Linux: truncated to 96 bits, as an early draft had it.
    Linux,
}

/// The integrity algorithms that mean the same everywhere.
const INTEGRITY: [(Integrity, &str); 6] = [
    (Integrity::HmacMd5_96, "hmac-md5"),
    (Integrity::HmacSha1_96, "hmac-sha1"),
    (Integrity::KpdkMd5, "keyed-md5"),
    (Integrity::HmacSha384_192, "hmac-sha384"),
    (Integrity::HmacSha512_256, "hmac-sha512"),
    (Integrity::AesXcbc96, "aes-xcbc-mac"),
];

const SHA256: &str = "hmac-sha256";

/// The ciphers of the new format.
const ENCRYPTION: [(Encryption, &str); 5] = [
    (Encryption::DesCbc, "des-cbc"),
    (Encryption::TripleDesCbc, "3des-cbc"),
    (Encryption::AesCbc, "aes-cbc"),
    (Encryption::AesCbc, "rijndael-cbc"),
    (Encryption::Null, "null"),
];

/// The ciphers of the old format: its DES has an IV of 64 bits.
const OLD_ENCRYPTION: [(Encryption, &str); 2] =
    [(Encryption::DesIv64, "des-cbc"), (Encryption::TripleDesCbc, "3des-cbc")];

const fn ciphers(format: HeaderFormat) -> &'static [(Encryption, &'static str)] {
    match format {
        HeaderFormat::New => &ENCRYPTION,
        HeaderFormat::Old => &OLD_ENCRYPTION,
    }
}

impl Dialect {
    const fn sha256(self) -> Integrity {
        match self {
            Self::Bsd => Integrity::HmacSha256_128,
            Self::Linux => Integrity::HmacSha256_96,
        }
    }
}

/// Writes a tunnel as a file for `setkey -f`, keys included. The SAs' request id is the tunnel's number.
///
/// # Errors
/// [`ManualFault::NotExpressible`] for algorithms that this `setkey` has not, and for replay windows that are no
/// multiple of 8 packets.
pub fn export(tunnel: &ManualTunnel, number: TunnelNumber, dialect: Dialect) -> Result<Secret, ManualError> {
    let window = match tunnel.anti_replay {
        AntiReplay::Off => 0,
        // In octets of a bitmap.
        AntiReplay::Window(size) if size.is_multiple_of(8) => size / 8,
        AntiReplay::Window(size) => {
            let fix = "make the window a multiple of 8 packets";
            return Err(cannot(Field::AntiReplay, size.to_string(), fix));
        }
    };
    let old = match tunnel.format {
        HeaderFormat::New => "",
        HeaderFormat::Old => "-old",
    };
    let mut text = SecretText::new();
    text.line(format_args!("{}", Note(tunnel)));
    let ways =
        [(&tunnel.outbound, tunnel.local, tunnel.remote), (&tunnel.inbound, tunnel.remote, tunnel.local)];
    let layers = rules::layers(tunnel);
    for (half, source, destination) in ways {
        for &(kind, layer) in &layers {
            let mode = layer.mode_name(tunnel.mode);
            let options = format!("-m {mode} -u {number} -r {window}");
            match (kind, &half.esp, &half.ah) {
                (ProtocolKind::Esp, Some(esp), _) => {
                    let head = format!("add {source} {destination} esp{old} {} {options}", SpiText(esp.spi));
                    let cipher = cipher_name(esp.suite, tunnel.format)?;
                    let encryption = Optional(&esp.encryption);
                    match esp.suite.integrity {
                        Some(integrity) => {
                            let auth = integrity_name(Field::Esp, integrity, dialect)?;
                            let key = Hex(&esp.integrity);
                            text.line(format_args!("{head} -E {cipher}{encryption} -A {auth} {key};"));
                        }
                        None => text.line(format_args!("{head} -E {cipher}{encryption};")),
                    }
                }
                (ProtocolKind::Ah, _, Some(ah)) => {
                    let head = format!("add {source} {destination} ah{old} {} {options}", SpiText(ah.spi));
                    let auth = integrity_name(Field::Ah, ah.integrity, dialect)?;
                    text.line(format_args!("{head} -A {auth} {};", Hex(&ah.key)));
                }
                _ => {}
            }
        }
    }
    if tunnel.rules == AutoRules::Generate {
        policies(&mut text, tunnel, number, &layers);
    }
    Ok(text.finish())
}

/// A key in front of which there is a blank; nothing for none.
struct Optional<'a>(&'a Secret);

impl core::fmt::Display for Optional<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " {}", Hex(self.0)) }
    }
}

fn policies(
    text: &mut SecretText,
    tunnel: &ManualTunnel,
    number: TunnelNumber,
    layers: &[(ProtocolKind, Layer)],
) {
    let ways = [
        ("out", tunnel.local, tunnel.remote, tunnel.traffic),
        ("in", tunnel.remote, tunnel.local, tunnel.traffic.mirror()),
    ];
    for (way, source, destination, traffic) in ways {
        let requests: String = layers
            .iter()
            .map(|&(kind, layer)| {
                let protocol = kind.name().to_ascii_lowercase();
                let mode = layer.mode_name(tunnel.mode);
                let ends = if mode == "tunnel" { format!("{source}-{destination}") } else { String::new() };
                format!(" {protocol}/{mode}/{ends}/unique:{number}")
            })
            .collect();
        let ManualTraffic { local, remote, protocol, local_port, remote_port } = traffic;
        let (from, to) = (Side(local, local_port), Side(remote, remote_port));
        text.line(format_args!("spdadd {from} {to} {} -P {way} ipsec{requests};", ProtocolText(protocol)));
    }
}

fn cannot(field: Field, value: impl Into<String>, fix: &'static str) -> ManualError {
    ManualError::new(field, value, ManualFault::NotExpressible { target: TARGET, fix })
}

fn cipher_name(suite: ProtectionSuite, format: HeaderFormat) -> Result<&'static str, ManualError> {
    let row = ciphers(format).iter().find(|(id, _)| *id == suite.cipher.encryption);
    let fix = "take AES-CBC, or with the old format DES with an IV of 64 bits";
    row.map(|(_, name)| *name).ok_or_else(|| cannot(Field::Esp, suite.to_string(), fix))
}

fn integrity_name(field: Field, integrity: Integrity, dialect: Dialect) -> Result<&'static str, ManualError> {
    if integrity == dialect.sha256() {
        return Ok(SHA256);
    }
    let row = INTEGRITY.iter().find(|(id, _)| *id == integrity);
    let fix = "take HMAC-SHA-1 or HMAC-SHA-512, or for a Linux kernel export to ip xfrm";
    row.map(|(_, name)| *name).ok_or_else(|| cannot(field, integrity.to_string(), fix))
}

/// Reads the tunnels of a `setkey` file: its `add` and `spdadd` commands. `flush` and `spdflush` are passed over.
/// `locals` are this machine's addresses: they say which SAs are outbound.
///
/// What can't be read is refused with its line; whether a tunnel may be is for [`ManualTunnel::check`] to say.
///
/// # Errors
/// [`ManualFault::Syntax`] and [`ManualFault::Missing`].
pub fn import(text: &str, locals: &[IpAddr], dialect: Dialect) -> Result<Vec<ManualTunnel>, ManualError> {
    let (mut sas, mut policies) = (Vec::new(), Vec::new());
    let mut note = None;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            note = notation::note(number, line).or(note);
            continue;
        }
        let Some(command) = line.strip_suffix(';') else {
            return Err(ManualError::line(number, "", "a command ends with ; in its own line"));
        };
        let mut words = Words::cut(number, command)?;
        match words.want("a command")? {
            "add" => sas.push(sa(&mut words, note.clone(), dialect)?),
            "spdadd" => policies.extend(policy(&mut words)?),
            "flush" | "spdflush" => words.end()?,
            other => return Err(words.wrong(other, "add, spdadd, flush or spdflush")),
        }
    }
    assemble(sas, &policies, locals)
}

fn sa(words: &mut Words<'_>, note: Option<Noted>, dialect: Dialect) -> Result<ForeignSa, ManualError> {
    let source = words.parse("an IP address")?;
    let destination = words.parse("an IP address")?;
    let says = "esp, ah, esp-old or ah-old";
    let protocol = words.want(says)?;
    let (kind, format) = match protocol {
        "esp" => (ProtocolKind::Esp, HeaderFormat::New),
        "ah" => (ProtocolKind::Ah, HeaderFormat::New),
        "esp-old" => (ProtocolKind::Esp, HeaderFormat::Old),
        "ah-old" => (ProtocolKind::Ah, HeaderFormat::Old),
        other => return Err(words.wrong(other, says)),
    };
    let spi = Spi(words.number("an SPI")?);
    let (mut group, mut window) = (0, 0_u32);
    // KAME's default is any mode, which does for transport mode.
    let mut mode = ManualMode::Transport;
    let (mut cipher, mut auth) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "-m" => {
                mode = match words.want("tunnel or transport")? {
                    "tunnel" => ManualMode::Tunnel,
                    "transport" | "any" => ManualMode::Transport,
                    other => return Err(words.wrong(other, "tunnel or transport")),
                }
            }
            "-u" => group = words.number("a request id")?,
            "-r" => window = words.number("a window in octets")?.saturating_mul(8),
            "-E" => {
                let name = words.want("a cipher")?;
                let key = match words.peek() {
                    Some(word) if !word.starts_with('-') => words.key()?,
                    _ => Secret::from_slice(&[]),
                };
                cipher = Some((encryption(words, name, format, &key)?, key));
            }
            "-A" => {
                let name = words.want("an integrity algorithm")?;
                let known = INTEGRITY.iter().find(|(_, other)| *other == name).map(|(id, _)| *id);
                let known = if name == SHA256 { Some(dialect.sha256()) } else { known };
                let id = known.ok_or_else(|| words.wrong(name, "an integrity algorithm that is known"))?;
                auth = Some((id, words.key()?));
            }
            _ => return Err(words.wrong("", "an option of add that is not known")),
        }
    }
    let keys = match (kind, cipher, auth) {
        (ProtocolKind::Ah, None, Some((integrity, key))) => ForeignKeys::Ah { integrity, key },
        (ProtocolKind::Esp, Some((cipher, encryption)), auth) => {
            let (integrity, key) = match auth {
                Some((integrity, key)) => (Some(integrity), key),
                None => (None, Secret::from_slice(&[])),
            };
            ForeignKeys::Esp { suite: ProtectionSuite { cipher, integrity }, encryption, integrity: key }
        }
        _ => return Err(words.wrong("", "ESP needs -E, AH needs -A and no more")),
    };
    Ok(ForeignSa { group, note, source, destination, spi, keys, mode, format, window, traffic: None })
}

fn encryption(
    words: &Words<'_>,
    name: &str,
    format: HeaderFormat,
    key: &Secret,
) -> Result<Cipher, ManualError> {
    let known = ciphers(format).iter().find(|(_, other)| *other == name).map(|(id, _)| *id);
    let cipher = known.and_then(|encryption| {
        let of =
            |bits: &&u16| Cipher::new(encryption, **bits).is_ok_and(|cipher| cipher.key_len() == key.len());
        let lengths = encryption.row().key_bits;
        let bits = lengths.iter().find(of).or(lengths.first())?;
        Cipher::new(encryption, *bits).ok()
    });
    cipher.ok_or_else(|| words.wrong(name, "a cipher that is known, of this header format"))
}

/// An outbound policy; inbound ones say the same.
fn policy(words: &mut Words<'_>) -> Result<Option<ForeignPolicy>, ManualError> {
    let traffic = notation::traffic(words)?;
    let says = "-P out ipsec protocol/mode/ends/level";
    if words.want(says)? != "-P" {
        return Err(words.wrong("", says));
    }
    let outbound = match words.want(says)? {
        "out" => true,
        "in" | "fwd" => false,
        other => return Err(words.wrong(other, says)),
    };
    if words.want(says)? != "ipsec" {
        return Err(words.wrong("", says));
    }
    let (mut group, mut ends, mut order) = (0, None, Vec::new());
    while let Some(request) = words.next() {
        let mut parts = request.split('/');
        let wrong = || words.wrong(request, says);
        order.push(match parts.next() {
            Some("esp") => ProtocolKind::Esp,
            Some("ah") => ProtocolKind::Ah,
            _ => return Err(wrong()),
        });
        parts.next();
        if let Some((from, to)) = parts.next().and_then(|ends| ends.split_once('-')) {
            ends = Some((from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?));
        }
        if let Some((_, id)) = parts.next().and_then(|level| level.split_once(':')) {
            group = id.parse().map_err(|_| wrong())?;
        }
    }
    Ok(outbound.then_some(ForeignPolicy { group, ends, traffic, order }))
}
