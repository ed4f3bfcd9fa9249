//! Selectors as text, both ways.

use core::fmt;
use core::str::FromStr;

use ipsec_proto::registry::IpProtocol;

use super::{AddressRangeError, Addresses, PortRange, Selector, has_messages};

/// Why a text is not a [`Selector`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectorParseError {
    /// The text does not begin with two address fields.
    #[error("not of the form LOCAL <-> REMOTE [PROTOCOL [PORT [<-> PORT]]]")]
    Form,
    /// An address field is wrong.
    #[error("{text:?}: {error}")]
    Address {
        /// The field.
        text: String,
        /// What is wrong with it.
        error: AddressRangeError,
    },
    /// The protocol has no such name, or its number is above 255.
    #[error("{0:?} is no protocol")]
    Protocol(String),
    /// A port field is wrong.
    #[error("{0:?} is no port, range of ports, ICMP type and code, \"any\" or \"opaque\"")]
    Port(String),
    /// The two address fields are of different families.
    #[error("local and remote addresses are of different families")]
    MixedFamilies,
}

impl FromStr for Addresses {
    type Err = AddressRangeError;

    /// Reads `any`, or what an [`AddressRange`](super::AddressRange) reads.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "any" { Ok(Self::Any) } else { text.parse().map(Self::Range) }
    }
}

impl FromStr for Selector {
    type Err = SelectorParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let addresses = |text: Option<&str>| {
            let text = text.ok_or(SelectorParseError::Form)?;
            text.parse::<Addresses>()
                .map_err(|error| SelectorParseError::Address { text: text.to_owned(), error })
        };
        let local = addresses(words.next())?;
        if words.next() != Some("<->") {
            return Err(SelectorParseError::Form);
        }
        let remote = addresses(words.next())?;
        let protocol = match words.next() {
            None | Some("any") => None,
            Some(name) => Some(protocol(name).ok_or_else(|| SelectorParseError::Protocol(name.to_owned()))?),
        };
        let fields: Vec<&str> = words.collect();
        let mut fields = fields.split(|word| *word == "<->");
        let first = fields.next().unwrap_or_default();
        let (local_port, remote_port) = match (fields.next(), fields.next()) {
            (_, Some(_)) => return Err(SelectorParseError::Form),
            (Some(second), None) => (port(first)?, port(second)?),
            (None, None) if first.is_empty() => (PortRange::ANY, PortRange::ANY),
            (None, None) if protocol.is_some_and(has_messages) => (port(first)?, port(first)?),
            (None, None) => (PortRange::ANY, port(first)?),
        };
        let selector = Self { local, remote, protocol, local_port, remote_port };
        if selector.mixes_families() { Err(SelectorParseError::MixedFamilies) } else { Ok(selector) }
    }
}

fn protocol(name: &str) -> Option<IpProtocol> {
    IpProtocol::NAMED
        .iter()
        .copied()
        .find(|protocol| ProtocolName(*protocol).to_string() == name)
        .or_else(|| name.parse().ok().map(IpProtocol))
}

fn port(words: &[&str]) -> Result<PortRange, SelectorParseError> {
    let wrong = || SelectorParseError::Port(words.join(" "));
    let octet = |word: &str| word.parse::<u8>().map_err(|_| wrong());
    Ok(match words {
        ["any"] => PortRange::ANY,
        ["opaque"] => PortRange::OPAQUE,
        ["none"] => PortRange::NONE,
        ["type", kind] => PortRange::icmp_type(octet(kind)?),
        ["type", kind, "code", code] => PortRange::icmp(octet(kind)?, octet(code)?),
        ["type", kind, "code", code, "-", "type", last_kind, "code", last_code] => {
            let first = PortRange::icmp(octet(kind)?, octet(code)?).first();
            let last = PortRange::icmp(octet(last_kind)?, octet(last_code)?).last();
            PortRange::new(first, last).ok_or_else(wrong)?
        }
        [ports] => {
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            let number = |text: &str| text.parse::<u16>().map_err(|_| wrong());
            PortRange::new(number(first)?, number(last)?).ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    })
}

impl fmt::Display for Selector {
    /// `10.1.0.0/24 <-> 10.2.0.0/24 tcp 80`: a lone port is the remote one, `tcp 80 <-> any` a local one. A lone ICMP type
    /// may be sent and received, `icmp type 8 <-> none` sent only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <-> {}", self.local, self.remote)?;
        match self.protocol {
            Some(protocol) => write!(f, " {}", ProtocolName(protocol))?,
            None if self.has_ports() => f.write_str(" any")?,
            None => {}
        }
        if !self.has_ports() {
            return Ok(());
        }
        let messages = self.protocol.is_some_and(has_messages);
        let lone = if messages { self.local_port == self.remote_port } else { self.local_port.is_any() };
        let field = |range| Field { range, messages };
        if lone {
            write!(f, " {}", field(self.remote_port))
        } else {
            write!(f, " {} <-> {}", field(self.local_port), field(self.remote_port))
        }
    }
}

/// A protocol as operators write it: `tcp`, `ipv6-icmp`, `253`.
pub(crate) struct ProtocolName(pub(crate) IpProtocol);

impl fmt::Display for ProtocolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => name.chars().try_for_each(|letter| {
                let letter = if letter == ' ' { '-' } else { letter.to_ascii_lowercase() };
                write!(f, "{letter}")
            }),
            None => write!(f, "{}", self.0.0),
        }
    }
}

/// A port field, with `messages` as types and codes.
struct Field {
    range: PortRange,
    messages: bool,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { range, messages } = self;
        if !messages || range.is_any() || range.is_opaque() || range.is_none() {
            return fmt::Display::fmt(range, f);
        }
        let [first_kind, first_code] = range.first().to_be_bytes();
        let [last_kind, last_code] = range.last().to_be_bytes();
        match (first_kind == last_kind, first_code, last_code) {
            (true, first, last) if first == last => write!(f, "type {first_kind} code {first}"),
            (true, 0, u8::MAX) => write!(f, "type {first_kind}"),
            _ => write!(f, "type {first_kind} code {first_code} - type {last_kind} code {last_code}"),
        }
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_read_what_they_print() {
        for text in [
            "any <-> any",
            "10.1.0.0/24 <-> 10.2.0.1-10.2.0.9 tcp 80",
            "fd00::/8 <-> any udp 53 <-> any",
            "any <-> any any opaque",
            "any <-> any icmp type 8 <-> type 0",
            "any <-> any icmp type 30 <-> opaque",
            "any <-> any ipv6-icmp type 1 code 4",
            "any <-> any icmp type 3 code 1 - type 5 code 0 <-> none",
            "any <-> any mobility-header type 5",
            "any <-> any 253",
            "any <-> any gre opaque",
        ] {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_selector_says_why() {
        use SelectorParseError as E;
        for (text, error) in [
            ("", E::Form),
            ("any", E::Form),
            ("any any", E::Form),
            ("any <-> any tcp 1 <-> 2 <-> 3", E::Form),
            ("any <-> 10.0.0.1/8", {
                let error = AddressRangeError::HostBits { network: [10, 0, 0, 0].into(), length: 8 };
                E::Address { text: "10.0.0.1/8".into(), error }
            }),
            ("x <-> any", E::Address { text: "x".into(), error: AddressRangeError::Address }),
            ("any <-> any 256", E::Protocol("256".into())),
            ("any <-> any tcp 80-79", E::Port("80-79".into())),
            ("any <-> any tcp 65536", E::Port("65536".into())),
            ("any <-> any icmp type", E::Port("type".into())),
            ("any <-> any tcp 1 <->", E::Port(String::new())),
            ("10.0.0.1 <-> fd00::1", E::MixedFamilies),
        ] {
            assert_eq!(text.parse::<Selector>(), Err(error), "{text}");
        }
    }
}
