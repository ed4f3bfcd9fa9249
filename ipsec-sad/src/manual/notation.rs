//! Words that the texts share: hex keys, numbers, prefixes with ports, protocols, lines cut into words.

use core::fmt::{self, Write};

use ipsec_crypto::Secret;
use ipsec_proto::Spi;
use ipsec_proto::registry::IpProtocol;

use super::error::{Field, ManualError, ManualFault};
use super::tunnel::{AutoRules, ManualTraffic, ManualTunnel};
use crate::selector::AddressRange;

/// A text that holds keys. Its memory is taken at once, so that no copy is left behind when it grows.
pub(super) struct SecretText(String);

/// More than the longest tunnel takes in any form: 8 keys of at most 64 octets in hex, and some hundred words.
const ROOM: usize = 8192;

impl SecretText {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(ROOM))
    }

    pub(super) fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = self.0.write_fmt(line);
        self.0.push('\n');
    }

    pub(super) fn finish(self) -> Secret {
        Secret::new(self.0.into_bytes())
    }
}

/// Octets in hex, for display in a [`SecretText`] only.
pub(super) struct Hex<'a>(pub(super) &'a Secret);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.as_slice().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// An SPI as the tools write it.
pub(super) struct SpiText(pub(super) Spi);

impl fmt::Display for SpiText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0.0)
    }
}

/// A line's words, with its number for errors.
pub(super) struct Words<'a> {
    pub(super) number: usize,
    words: std::vec::IntoIter<&'a str>,
}

impl<'a> Words<'a> {
    /// Cuts a line at blanks; quotes hold blanks together and go.
    pub(super) fn cut(number: usize, line: &'a str) -> Result<Self, ManualError> {
        let mut words = Vec::new();
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let (word, behind) = match first {
                '\'' | '"' => rest
                    .get(1..)
                    .and_then(|quoted| quoted.split_once(first))
                    .ok_or_else(|| ManualError::line(number, "", "a quote is not closed"))?,
                _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
            words.push(word);
            rest = behind.trim_start();
        }
        Ok(Self { number, words: words.into_iter() })
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        self.words.next()
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.as_slice().first().copied()
    }

    /// The next word.
    pub(super) fn want(&mut self, says: &'static str) -> Result<&'a str, ManualError> {
        self.words.next().ok_or_else(|| ManualError::line(self.number, "", says))
    }

    /// The next word, read.
    pub(super) fn parse<T: std::str::FromStr>(&mut self, says: &'static str) -> Result<T, ManualError> {
        let word = self.want(says)?;
        word.parse().map_err(|_| self.wrong(word, says))
    }

    /// The next word as a number, with `0x` in hex.
    pub(super) fn number(&mut self, says: &'static str) -> Result<u32, ManualError> {
        let word = self.want(says)?;
        let number = match word.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => word.parse(),
        };
        number.map_err(|_| self.wrong(word, says))
    }

    /// The next word as octets in hex. Errors don't show it.
    pub(super) fn key(&mut self) -> Result<Secret, ManualError> {
        let says = "a key in hex, as 0x0123…";
        let word = self.want(says)?;
        if word.is_empty() {
            // iproute2 writes the key of the NULL cipher so.
            return Ok(Secret::from_slice(&[]));
        }
        let digits = word.strip_prefix("0x").map(str::as_bytes);
        let octet = |pair: &[u8]| {
            let digit = |octet: &u8| char::from(*octet).to_digit(16);
            match pair {
                [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
                _ => None,
            }
        };
        let key = digits.and_then(|digits| {
            let mut key = Vec::with_capacity(digits.len() / 2);
            for pair in digits.chunks(2) {
                key.push(octet(pair)?);
            }
            Some(Secret::new(key))
        });
        key.ok_or_else(|| self.wrong("(a key)", says))
    }

    pub(super) fn wrong(&self, word: &str, says: &'static str) -> ManualError {
        ManualError::line(self.number, word, says)
    }

    /// Nothing is left.
    pub(super) fn end(&mut self) -> Result<(), ManualError> {
        match self.next() {
            None => Ok(()),
            // Perhaps a key: not shown.
            Some(_) => Err(self.wrong("", "there is more in this line than there should be")),
        }
    }
}

/// `10.1.0.0/16[80]`.
pub(super) struct Side(pub(super) AddressRange, pub(super) Option<u16>);

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_prefix() {
            Some((network, length)) => write!(f, "{network}/{length}")?,
            None => write!(f, "{}", self.0)?,
        }
        match self.1 {
            Some(port) => write!(f, "[{port}]"),
            None => Ok(()),
        }
    }
}

/// Reads a [`Side`]; `[any]` is no port.
pub(super) fn side(words: &Words<'_>, word: &str) -> Result<(AddressRange, Option<u16>), ManualError> {
    let wrong = || words.wrong(word, "a network as 10.1.0.0/16, with a port as 10.1.0.0/16[80]");
    let (network, port) = match word.split_once('[') {
        None => (word, None),
        Some((network, port)) => match port.strip_suffix(']').ok_or_else(wrong)? {
            "any" => (network, None),
            port => (network, Some(port.parse().map_err(|_| wrong())?)),
        },
    };
    Ok((network.parse().map_err(|_| wrong())?, port))
}

/// A protocol's number, `any` for none.
pub(super) struct ProtocolText(pub(super) Option<IpProtocol>);

impl fmt::Display for ProtocolText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(protocol) => write!(f, "{}", protocol.0),
            None => f.write_str("any"),
        }
    }
}

/// Names of protocols that the tools write.
const PROTOCOLS: [(&str, u8); 10] = [
    ("icmp", 1),
    ("ipip", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("gre", 47),
    ("icmp6", 58),
    ("ipv6-icmp", 58),
    ("sctp", 132),
    ("udplite", 136),
];

/// Reads a protocol's number or name; `any` is none.
pub(super) fn protocol(words: &mut Words<'_>) -> Result<Option<IpProtocol>, ManualError> {
    let says = "a protocol: its number, tcp, udp, …, or any";
    let word = words.want(says)?;
    if word == "any" {
        return Ok(None);
    }
    let named = PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    match named.or_else(|| word.parse().ok()) {
        Some(number) => Ok(Some(IpProtocol(number))),
        None => Err(words.wrong(word, says)),
    }
}

/// `10.1.0.0/16[80] 10.2.0.0/16 6`.
pub(super) struct TrafficText(pub(super) ManualTraffic);

impl fmt::Display for TrafficText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ManualTraffic { local, remote, protocol, local_port, remote_port } = self.0;
        write!(f, "{} {} {}", Side(local, local_port), Side(remote, remote_port), ProtocolText(protocol))
    }
}

/// Reads a [`TrafficText`].
pub(super) fn traffic(words: &mut Words<'_>) -> Result<ManualTraffic, ManualError> {
    let word = words.want("the network on our side")?;
    let (local, local_port) = side(words, word)?;
    let word = words.want("the network on the other side")?;
    let (remote, remote_port) = side(words, word)?;
    let protocol = protocol(words)?;
    Ok(ManualTraffic { local, remote, protocol, local_port, remote_port })
}

/// What a foreign format has no word for is kept in a comment, so that it can be read back: the name, and of a tunnel
/// without policies its traffic.
pub(super) struct Note<'a>(pub(super) &'a ManualTunnel);

const NOTE: &str = "# tunnel ";

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NOTE}{}", self.0.name)?;
        match self.0.rules {
            AutoRules::Generate => Ok(()),
            AutoRules::Suppress => write!(f, " {}", TrafficText(self.0.traffic)),
        }
    }
}

/// A [`Note`], read.
#[derive(Clone)]
pub(super) struct Noted {
    pub(super) name: String,
    pub(super) traffic: Option<ManualTraffic>,
}

/// Reads a [`Note`]; other comments are nothing.
pub(super) fn note(number: usize, line: &str) -> Option<Noted> {
    let mut words = Words::cut(number, line.strip_prefix(NOTE)?).ok()?;
    let name = words.next()?.to_owned();
    let traffic = traffic(&mut words).ok();
    Some(Noted { name, traffic })
}

pub(super) fn missing(name: &str, what: &'static str) -> ManualError {
    ManualError::new(Field::Name, name, ManualFault::Missing(what))
}
