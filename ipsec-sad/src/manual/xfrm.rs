//! Tunnels as commands of `ip xfrm`, for a Linux kernel, and back.

use std::net::IpAddr;

use ipsec_crypto::suite::Dialect;
use ipsec_crypto::{Cipher, Encryption, Integrity, ProtectionSuite, Secret};
use ipsec_proto::Spi;
use ipsec_proto::registry::IpProtocol;

use super::error::{Field, ManualError, ManualFault};
use super::foreign::{ForeignKeys, ForeignPolicy, ForeignSa, assemble};
use super::notation::{self, Hex, Note, Noted, ProtocolText, SecretText, Side, SpiText, Words};
use super::rules::{self, Layer, TunnelNumber};
use super::tunnel::{AutoRules, HeaderFormat, ManualMode, ManualTraffic, ManualTunnel};
use crate::sad::{AntiReplay, ProtocolKind};
use crate::selector::AddressRange;

const TARGET: &str = "ip xfrm";

/// Writes a tunnel as shell commands, one a line, keys included. The SAs' `reqid` is the tunnel's number.
///
/// # Errors
/// [`ManualFault::NotExpressible`] for the old header format and algorithms that the kernel has not.
pub fn export(tunnel: &ManualTunnel, number: TunnelNumber) -> Result<Secret, ManualError> {
    if tunnel.format == HeaderFormat::Old {
        return Err(cannot(Field::Format, "old", "Linux has no old headers, set the header format to new"));
    }
    let mut text = SecretText::new();
    text.line(format_args!("{}", Note(tunnel)));
    let ways = [
        (&tunnel.outbound, tunnel.local, tunnel.remote, tunnel.traffic),
        (&tunnel.inbound, tunnel.remote, tunnel.local, tunnel.traffic.mirror()),
    ];
    let layers = rules::layers(tunnel);
    for (half, source, destination, traffic) in ways {
        for &(kind, layer) in &layers {
            let head = format!("ip xfrm state add src {source} dst {destination}");
            let tail = Tail { tunnel, number, layer, traffic };
            match (kind, &half.esp, &half.ah) {
                (ProtocolKind::Esp, Some(esp), _) => {
                    let (spi, cipher) = (SpiText(esp.spi), cipher_name(esp.suite)?);
                    let encryption = Key(&esp.encryption);
                    match esp.suite.integrity {
                        Some(integrity) => {
                            let (auth, bits) = integrity_name(Field::Esp, integrity)?;
                            let key = Key(&esp.integrity);
                            text.line(format_args!(
                                "{head} proto esp spi {spi}{tail} auth-trunc '{auth}' {key} {bits} enc '{cipher}' {encryption}"
                            ));
                        }
                        None => {
                            text.line(format_args!(
                                "{head} proto esp spi {spi}{tail} enc '{cipher}' {encryption}"
                            ));
                        }
                    }
                }
                (ProtocolKind::Ah, _, Some(ah)) => {
                    let (spi, key) = (SpiText(ah.spi), Key(&ah.key));
                    let (auth, bits) = integrity_name(Field::Ah, ah.integrity)?;
                    text.line(format_args!(
                        "{head} proto ah spi {spi}{tail} auth-trunc '{auth}' {key} {bits}"
                    ));
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

/// A key; an empty one is an empty word.
struct Key<'a>(&'a Secret);

impl core::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.0.is_empty() { f.write_str("''") } else { write!(f, "{}", Hex(self.0)) }
    }
}

/// What follows the SPI of a state, up to the algorithms.
struct Tail<'a> {
    tunnel: &'a ManualTunnel,
    number: TunnelNumber,
    layer: Layer,
    traffic: ManualTraffic,
}

impl core::fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { tunnel, number, layer, traffic } = self;
        write!(f, " reqid {number} mode {}", layer.mode_name(tunnel.mode))?;
        let window = match tunnel.anti_replay {
            AntiReplay::Window(size) => size,
            AntiReplay::Off => 0,
        };
        write!(f, " replay-window {window}")?;
        if traffic.local.is_ipv4() != tunnel.local.is_ipv4() {
            write!(f, " flag af-unspec")?;
        }
        match layer {
            Layer::Inner => write!(f, " sel {}", Selection(*traffic)),
            Layer::Outer => Ok(()),
        }
    }
}

/// `src 10.1.0.0/16 dst 10.2.0.0/16 proto 6 sport 80`.
struct Selection(ManualTraffic);

impl core::fmt::Display for Selection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let ManualTraffic { local, remote, protocol, local_port, remote_port } = self.0;
        write!(f, "src {} dst {}", Side(local, None), Side(remote, None))?;
        if protocol.is_some() {
            write!(f, " proto {}", ProtocolText(protocol))?;
        }
        if let Some(port) = local_port {
            write!(f, " sport {port}")?;
        }
        match remote_port {
            Some(port) => write!(f, " dport {port}"),
            None => Ok(()),
        }
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
        ("fwd", tunnel.remote, tunnel.local, tunnel.traffic.mirror()),
    ];
    for (way, source, destination, traffic) in ways {
        if way == "fwd" && tunnel.mode == ManualMode::Transport {
            continue;
        }
        let templates: String = layers
            .iter()
            .map(|&(kind, layer)| {
                let protocol = kind.name().to_ascii_lowercase();
                let mode = layer.mode_name(tunnel.mode);
                format!(" tmpl src {source} dst {destination} proto {protocol} reqid {number} mode {mode}")
            })
            .collect();
        text.line(format_args!("ip xfrm policy add {} dir {way}{templates}", Selection(traffic)));
    }
}

fn cannot(field: Field, value: impl Into<String>, fix: &'static str) -> ManualError {
    ManualError::new(field, value, ManualFault::NotExpressible { target: TARGET, fix })
}

fn cipher_name(suite: ProtectionSuite) -> Result<&'static str, ManualError> {
    let name = suite.cipher.row().names.xfrm_algorithm();
    name.ok_or_else(|| cannot(Field::Esp, suite.to_string(), "take AES-CBC"))
}

fn integrity_name(field: Field, integrity: Integrity) -> Result<(&'static str, usize), ManualError> {
    let name = integrity.row().names.xfrm_algorithm();
    let name = name.ok_or_else(|| cannot(field, integrity.to_string(), "take HMAC-SHA-256"))?;
    Ok((name, integrity.icv_len() * 8))
}

/// Reads the tunnels of `ip xfrm state add` and `ip xfrm policy add` commands, also of `ip -batch` files. `locals` are
/// this machine's addresses: they say which SAs are outbound. Comments that [`export`] writes give tunnels their names.
///
/// What can't be read is refused with its line; whether a tunnel may be is for [`ManualTunnel::check`] to say.
///
/// # Errors
/// [`ManualFault::Syntax`] and [`ManualFault::Missing`].
pub fn import(text: &str, locals: &[IpAddr]) -> Result<Vec<ManualTunnel>, ManualError> {
    let (mut sas, mut policies) = (Vec::new(), Vec::new());
    let mut note = None;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            note = notation::note(number, line).or(note);
            continue;
        }
        let mut words = Words::cut(number, line)?;
        let says = "ip xfrm state add or ip xfrm policy add";
        let mut word = words.want(says)?;
        if word == "ip" {
            word = words.want(says)?;
        }
        if word != "xfrm" {
            return Err(words.wrong(word, says));
        }
        let object = words.want(says)?;
        let verb = words.want(says)?;
        if !matches!(verb, "add" | "update" | "new") {
            return Err(words.wrong(verb, says));
        }
        match object {
            "state" => sas.push(state(&mut words, note.clone())?),
            "policy" => policies.extend(policy(&mut words)?),
            other => return Err(words.wrong(other, says)),
        }
    }
    assemble(sas, &policies, locals)
}

/// The words of a selector, up to one that is none.
#[derive(Default)]
struct Selected {
    source: Option<AddressRange>,
    destination: Option<AddressRange>,
    protocol: Option<IpProtocol>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
}

impl Selected {
    fn read(words: &mut Words<'_>) -> Result<Self, ManualError> {
        let mut selected = Self::default();
        while let Some(word @ ("src" | "dst" | "proto" | "sport" | "dport")) = words.peek() {
            words.next();
            match word {
                "src" => selected.source = Some(words.parse("a network")?),
                "dst" => selected.destination = Some(words.parse("a network")?),
                "proto" => selected.protocol = notation::protocol(words)?,
                "sport" => selected.source_port = Some(words.parse("a port")?),
                _ => selected.destination_port = Some(words.parse("a port")?),
            }
        }
        Ok(selected)
    }

    fn traffic(self, words: &Words<'_>) -> Result<ManualTraffic, ManualError> {
        let (Some(local), Some(remote)) = (self.source, self.destination) else {
            return Err(words.wrong("", "a selector with src and dst"));
        };
        let Self { protocol, source_port: local_port, destination_port: remote_port, .. } = self;
        Ok(ManualTraffic { local, remote, protocol, local_port, remote_port })
    }
}

fn kind(words: &mut Words<'_>) -> Result<ProtocolKind, ManualError> {
    match words.want("esp or ah")? {
        "esp" | "50" => Ok(ProtocolKind::Esp),
        "ah" | "51" => Ok(ProtocolKind::Ah),
        other => Err(words.wrong(other, "esp or ah")),
    }
}

fn state(words: &mut Words<'_>, note: Option<Noted>) -> Result<ForeignSa, ManualError> {
    let (mut source, mut destination, mut protocol, mut spi) = (None, None, None, None);
    let (mut group, mut window, mut traffic) = (0, 0, None);
    // The kernel's default.
    let mut mode = ManualMode::Transport;
    let (mut auth, mut cipher) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "src" => source = Some(words.parse("an IP address")?),
            "dst" => destination = Some(words.parse("an IP address")?),
            "proto" => protocol = Some(kind(words)?),
            "spi" => spi = Some(Spi(words.number("an SPI")?)),
            "reqid" => group = words.number("a reqid")?,
            "replay-window" => window = words.number("a window in packets")?,
            "flag" => {
                let flag = words.want("a flag")?;
                if flag != "af-unspec" {
                    return Err(words.wrong(flag, "flags other than af-unspec are not known"));
                }
            }
            "mode" => mode = read_mode(words)?,
            "sel" => {
                let selected = Selected::read(words)?;
                traffic = Some(selected.traffic(words)?);
            }
            "auth" => {
                let name = words.want("an algorithm")?;
                auth = Some((integrity(words, name, None)?, words.key()?));
            }
            "auth-trunc" => {
                let name = words.want("an algorithm")?;
                let key = words.key()?;
                let bits = words.number("bits of ICV")?;
                auth = Some((integrity(words, name, Some(bits))?, key));
            }
            "enc" => {
                let name = words.want("an algorithm")?;
                let key = words.key()?;
                cipher = Some((encryption(words, name, &key)?, key));
            }
            "aead" => {
                let name = words.want("an algorithm")?;
                let key = words.key()?;
                words.number("bits of ICV")?;
                cipher = Some((encryption(words, name, &key)?, key));
            }
            // The rest may be a key.
            _ => return Err(words.wrong("", "an option of ip xfrm state that is not known")),
        }
    }
    let (Some(source), Some(destination), Some(kind), Some(spi)) = (source, destination, protocol, spi)
    else {
        return Err(words.wrong("", "a state needs src, dst, proto and spi"));
    };
    let keys = match (kind, cipher, auth) {
        (ProtocolKind::Ah, None, Some((integrity, key))) => ForeignKeys::Ah { integrity, key },
        (ProtocolKind::Esp, Some((cipher, encryption)), auth) => {
            let (integrity, key) = match auth {
                Some((integrity, key)) => (Some(integrity), key),
                None => (None, Secret::from_slice(&[])),
            };
            ForeignKeys::Esp { suite: ProtectionSuite { cipher, integrity }, encryption, integrity: key }
        }
        _ => return Err(words.wrong("", "ESP needs enc or aead, AH needs auth and no more")),
    };
    let format = HeaderFormat::New;
    Ok(ForeignSa { group, note, source, destination, spi, keys, mode, format, window, traffic })
}

fn read_mode(words: &mut Words<'_>) -> Result<ManualMode, ManualError> {
    match words.want("tunnel or transport")? {
        "tunnel" => Ok(ManualMode::Tunnel),
        "transport" => Ok(ManualMode::Transport),
        other => Err(words.wrong(other, "tunnel or transport")),
    }
}

/// Without bits, what the kernel truncates to by itself.
fn integrity(words: &Words<'_>, name: &str, bits: Option<u32>) -> Result<Integrity, ManualError> {
    let known = match bits {
        Some(bits) => Integrity::from_name_in(Dialect::Xfrm, &format!("{name} {bits}")),
        None => Integrity::from_name_in(Dialect::Xfrm, name),
    };
    known.ok_or_else(|| words.wrong(name, "an integrity algorithm and length that are known"))
}

fn encryption(words: &Words<'_>, name: &str, key: &Secret) -> Result<Cipher, ManualError> {
    let encryption = Encryption::from_name_in(Dialect::Xfrm, name).or_else(|| Encryption::from_name(name));
    let cipher = encryption.and_then(|encryption| {
        // The key says how long it is; a wrong length is for the check to find, with the algorithm's own.
        let of =
            |bits: &&u16| Cipher::new(encryption, **bits).is_ok_and(|cipher| cipher.key_len() == key.len());
        let lengths = encryption.row().key_bits;
        let bits = lengths.iter().find(of).or(lengths.first())?;
        Cipher::new(encryption, *bits).ok()
    });
    cipher.ok_or_else(|| words.wrong(name, "a cipher that is known"))
}

/// An outbound policy; others say the same.
fn policy(words: &mut Words<'_>) -> Result<Option<ForeignPolicy>, ManualError> {
    let selected = Selected::read(words)?;
    let traffic = selected.traffic(words)?;
    let mut outbound = false;
    let (mut ends, mut group, mut order) = (None, 0, Vec::new());
    while let Some(word) = words.next() {
        match word {
            "dir" => match words.want("out, in or fwd")? {
                "out" => outbound = true,
                "in" | "fwd" => {}
                other => return Err(words.wrong(other, "out, in or fwd")),
            },
            "priority" | "ptype" | "index" | "action" => {
                words.want("a value")?;
            }
            "tmpl" => {
                let (mut source, mut destination) = (None, None);
                while let Some(word @ ("src" | "dst" | "proto" | "reqid" | "mode" | "level" | "spi")) =
                    words.peek()
                {
                    words.next();
                    match word {
                        "src" => source = Some(words.parse("an IP address")?),
                        "dst" => destination = Some(words.parse("an IP address")?),
                        "proto" => order.push(kind(words)?),
                        "reqid" => group = words.number("a reqid")?,
                        "mode" => {
                            read_mode(words)?;
                        }
                        _ => {
                            words.want("a value")?;
                        }
                    }
                }
                ends = source.zip(destination).or(ends);
            }
            other => return Err(words.wrong(other, "an option of ip xfrm policy that is not known")),
        }
    }
    Ok(outbound.then_some(ForeignPolicy { group, ends, traffic, order }))
}
