//! What defines a manually keyed tunnel, and its mirror at the peer.

use std::net::IpAddr;

use ipsec_crypto::{Integrity, ProtectionSuite, Secret, SecureRandom};
use ipsec_proto::Spi;
use ipsec_proto::registry::IpProtocol;

use super::error::{Field, ManualError, ManualFault};
use super::table;
use crate::sad::{AntiReplay, SpiAllocator, Unauthenticated};
use crate::selector::{AddressRange, PortRange, Selector};

/// Which form AH and ESP headers have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeaderFormat {
    /// With a sequence number, and ESP with an ICV of its own (RFC 4302, RFC 4303; RFC 2402, RFC 2406).
    #[default]
    New,
    /// Without (RFC 1826, RFC 1827): for partners of the last century.
    Old,
}

/// What of a packet is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManualMode {
    /// The whole packet, between two gateways.
    #[default]
    Tunnel,
    /// Its payload, between two hosts.
    Transport,
}

/// Which of AH and ESP is applied last, so comes first in a packet that has both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nesting {
    /// AH protects the ESP packet too (RFC 2401 §4.5 case 1.3). AIX: `ea`.
    #[default]
    AhOutside,
    /// ESP hides the AH header. AIX: `ae`.
    EspOutside,
}

/// Whether policies are made for a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AutoRules {
    /// Those that pass AH and ESP between the two ends, and the one that protects the traffic.
    #[default]
    Generate,
    /// None: the operator writes them. AIX: `gentun -g`.
    Suppress,
}

/// The ESP of one direction.
#[derive(Debug)]
pub struct ManualEsp {
    /// The number in its packets.
    pub spi: Spi,
    /// The algorithms.
    pub suite: ProtectionSuite,
    /// The encryption key.
    pub encryption: Secret,
    /// The integrity key; empty without integrity.
    pub integrity: Secret,
}

/// The AH of one direction.
#[derive(Debug)]
pub struct ManualAh {
    /// The number in its packets.
    pub spi: Spi,
    /// The algorithm.
    pub integrity: Integrity,
    /// Its key.
    pub key: Secret,
}

/// One direction: ESP, AH, or both.
#[derive(Debug, Default)]
pub struct ManualSas {
    /// ESP, if there is any.
    pub esp: Option<ManualEsp>,
    /// AH, if there is any.
    pub ah: Option<ManualAh>,
}

impl ManualSas {
    /// The SPIs, of ESP first.
    pub fn spis(&self) -> impl Iterator<Item = Spi> {
        let esp = self.esp.as_ref().map(|esp| esp.spi);
        esp.into_iter().chain(self.ah.as_ref().map(|ah| ah.spi))
    }

    fn copy(&self) -> Self {
        Self {
            esp: self.esp.as_ref().map(|esp| ManualEsp {
                spi: esp.spi,
                suite: esp.suite,
                encryption: Secret::from_slice(esp.encryption.as_slice()),
                integrity: Secret::from_slice(esp.integrity.as_slice()),
            }),
            ah: self.ah.as_ref().map(|ah| ManualAh {
                spi: ah.spi,
                integrity: ah.integrity,
                key: Secret::from_slice(ah.key.as_slice()),
            }),
        }
    }

    /// Whether both are the same; keys are compared in constant time.
    fn is(&self, other: &Self) -> bool {
        let esp = match (&self.esp, &other.esp) {
            (Some(ours), Some(theirs)) => {
                ours.spi == theirs.spi
                    && ours.suite == theirs.suite
                    && ours.encryption.ct_eq(theirs.encryption.as_slice())
                    && ours.integrity.ct_eq(theirs.integrity.as_slice())
            }
            (None, None) => true,
            _ => false,
        };
        let ah = match (&self.ah, &other.ah) {
            (Some(ours), Some(theirs)) => {
                ours.spi == theirs.spi
                    && ours.integrity == theirs.integrity
                    && ours.key.ct_eq(theirs.key.as_slice())
            }
            (None, None) => true,
            _ => false,
        };
        esp && ah
    }
}

/// Whose traffic goes through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManualTraffic {
    /// The addresses on our side: a prefix.
    pub local: AddressRange,
    /// The addresses on the other side: a prefix.
    pub remote: AddressRange,
    /// The protocol; `None` is any.
    pub protocol: Option<IpProtocol>,
    /// The port on our side; `None` is any. Of TCP, UDP, SCTP and DCCP.
    pub local_port: Option<u16>,
    /// The port on the other side; `None` is any.
    pub remote_port: Option<u16>,
}

impl ManualTraffic {
    /// Everything between two prefixes.
    #[must_use]
    pub const fn between(local: AddressRange, remote: AddressRange) -> Self {
        Self { local, remote, protocol: None, local_port: None, remote_port: None }
    }

    /// As a selector.
    #[must_use]
    pub fn selector(&self) -> Selector {
        let port = |port: Option<u16>| port.map_or(PortRange::ANY, PortRange::single);
        Selector {
            protocol: self.protocol,
            local_port: port(self.local_port),
            remote_port: port(self.remote_port),
            ..Selector::between(self.local, self.remote)
        }
    }

    /// As the peer sees it.
    #[must_use]
    pub const fn mirror(&self) -> Self {
        Self {
            local: self.remote,
            remote: self.local,
            protocol: self.protocol,
            local_port: self.remote_port,
            remote_port: self.local_port,
        }
    }
}

/// A tunnel whose SPIs and keys a person has chosen (RFC 4301 §4.5.1).
///
/// RFC 8221 §3 advises against manual keying: keys are never replaced. It is for peers that have no key exchange.
#[derive(Debug)]
pub struct ManualTunnel {
    /// The operator's name for it: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Our address: the outer source of what leaves.
    pub local: IpAddr,
    /// The peer's address.
    pub remote: IpAddr,
    /// What of a packet is protected.
    pub mode: ManualMode,
    /// The form of the headers.
    pub format: HeaderFormat,
    /// The order of AH and ESP where there are both.
    pub nesting: Nesting,
    /// Whose traffic it carries.
    pub traffic: ManualTraffic,
    /// What we send with. The SPIs are the peer's.
    pub outbound: ManualSas,
    /// What we receive with. The SPIs are ours.
    pub inbound: ManualSas,
    /// Inbound: how replayed packets are found.
    pub anti_replay: AntiReplay,
    /// Whether policies are made for it.
    pub rules: AutoRules,
    /// Whether it may encrypt without integrity.
    pub unauthenticated: Unauthenticated,
}

/// The algorithms of a tunnel whose SPIs and keys are to be drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ManualSuite {
    /// ESP's, if there is to be any.
    pub esp: Option<ProtectionSuite>,
    /// AH's, if there is to be any.
    pub ah: Option<Integrity>,
}

impl ManualTunnel {
    /// The longest name, in octets.
    pub const MAX_NAME: usize = 64;

    /// A tunnel of the new format without keys: [`ManualTunnel::generate`] draws them, or they are set by hand.
    pub fn new(name: impl Into<String>, local: IpAddr, remote: IpAddr, traffic: ManualTraffic) -> Self {
        Self {
            name: name.into(),
            local,
            remote,
            mode: ManualMode::default(),
            format: HeaderFormat::default(),
            nesting: Nesting::default(),
            traffic,
            outbound: ManualSas::default(),
            inbound: ManualSas::default(),
            anti_replay: AntiReplay::default(),
            rules: AutoRules::default(),
            unauthenticated: Unauthenticated::default(),
        }
    }

    /// Draws SPIs and keys for both directions. Inbound SPIs are ones that nobody holds.
    ///
    /// The peer is configured with the [mirror](Self::mirror).
    #[must_use]
    pub fn generate(
        mut self,
        suite: ManualSuite,
        spis: &SpiAllocator,
        random: &mut dyn SecureRandom,
    ) -> Self {
        let mut taken = Vec::new();
        let mut halves = [&mut self.outbound, &mut self.inbound];
        for half in &mut halves {
            half.esp = suite.esp.map(|suite| ManualEsp {
                spi: draw_spi(&mut taken, spis, random),
                suite,
                encryption: draw_key(suite.key_len(), random),
                integrity: draw_key(suite.integrity_key_len(), random),
            });
            half.ah = suite.ah.map(|integrity| ManualAh {
                spi: draw_spi(&mut taken, spis, random),
                integrity,
                key: draw_key(integrity.key_len(), random),
            });
        }
        self
    }

    /// The tunnel as the peer has it: everything local is remote there, what leaves here enters there.
    #[must_use]
    pub fn mirror(&self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            local: self.remote,
            remote: self.local,
            traffic: self.traffic.mirror(),
            outbound: self.inbound.copy(),
            inbound: self.outbound.copy(),
            ..*self
        }
    }

    /// Whether both define the same tunnel, the name apart. Keys are compared in constant time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.local == other.local
            && self.remote == other.remote
            && self.mode == other.mode
            && self.format == other.format
            && (self.nesting == other.nesting || !self.is_nested())
            && self.traffic == other.traffic
            && self.anti_replay == other.anti_replay
            && self.rules == other.rules
            && self.unauthenticated == other.unauthenticated
            && self.outbound.is(&other.outbound)
            && self.inbound.is(&other.inbound)
    }

    /// Whether packets have both AH and ESP.
    #[must_use]
    pub const fn is_nested(&self) -> bool {
        self.outbound.esp.is_some() && self.outbound.ah.is_some()
    }

    /// The source address of a tunnel, as an operator writes it: an address, and one of this machine.
    ///
    /// # Errors
    /// [`ManualFault::SourceIsName`] and [`ManualFault::SourceNotLocal`].
    pub fn source(text: &str, locals: &[IpAddr]) -> Result<IpAddr, ManualError> {
        let Ok(address) = text.trim().parse() else {
            return Err(ManualError::new(Field::Local, text, ManualFault::SourceIsName));
        };
        check_source(address, locals)?;
        Ok(address)
    }

    /// Whether the tunnel can be: its source is one of `locals`, its parts go together, and every key has its length.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, locals: &[IpAddr]) -> Result<(), ManualError> {
        check_name(&self.name)?;
        check_source(self.local, locals)?;
        let fault =
            |field, value: &dyn ToString, fault| Err(ManualError::new(field, value.to_string(), fault));
        if self.local.is_ipv4() != self.remote.is_ipv4() {
            return fault(Field::Remote, &self.remote, ManualFault::MixedFamilies);
        }
        if self.remote.is_unspecified() || self.remote.is_multicast() {
            return fault(Field::Remote, &self.remote, ManualFault::NotAHost);
        }
        let ManualTraffic { local, remote, protocol, local_port, remote_port } = self.traffic;
        for (field, range) in [(Field::TrafficLocal, local), (Field::TrafficRemote, remote)] {
            if range.as_prefix().is_none() {
                return fault(field, &range, ManualFault::NotAPrefix);
            }
        }
        if local.is_ipv4() != remote.is_ipv4() {
            return fault(Field::TrafficRemote, &remote, ManualFault::MixedFamilies);
        }
        if (local_port.is_some() || remote_port.is_some()) && !protocol.is_some_and(has_ports) {
            let protocol = protocol.map_or_else(|| "any".to_owned(), |protocol| protocol.0.to_string());
            return fault(Field::Protocol, &protocol, ManualFault::PortsWithoutProtocol);
        }
        self.check_spis()?;
        self.check_keys()?;
        table::check(self)
    }

    fn check_spis(&self) -> Result<(), ManualError> {
        for (field, half) in [(Field::OutboundSpi, &self.outbound), (Field::InboundSpi, &self.inbound)] {
            let mut seen = None;
            for spi in half.spis() {
                let fault = match seen {
                    _ if spi.is_reserved() => ManualFault::SpiReserved,
                    Some(other) if other == spi => ManualFault::SpiTwice,
                    _ => {
                        seen = Some(spi);
                        continue;
                    }
                };
                return Err(ManualError::new(field, spi.to_string(), fault));
            }
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), ManualError> {
        for half in [&self.outbound, &self.inbound] {
            if let Some(esp) = &half.esp {
                let suite = esp.suite;
                check_key(Field::EncryptionKey, &esp.encryption, suite.key_len(), &suite)?;
                check_key(Field::IntegrityKey, &esp.integrity, suite.integrity_key_len(), &suite)?;
            }
            if let Some(ah) = &half.ah {
                check_key(Field::AhKey, &ah.key, ah.integrity.key_len(), &ah.integrity)?;
            }
        }
        Ok(())
    }
}

/// Whether a protocol has ports.
pub(super) fn has_ports(protocol: IpProtocol) -> bool {
    // TCP, UDP, DCCP, SCTP, UDP-Lite.
    [6, 17, 33, 132, 136].contains(&protocol.0)
}

fn check_name(name: &str) -> Result<(), ManualError> {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    if (1..=ManualTunnel::MAX_NAME).contains(&name.len()) && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(ManualError::new(Field::Name, name, ManualFault::BadName))
    }
}

fn check_source(address: IpAddr, locals: &[IpAddr]) -> Result<(), ManualError> {
    if locals.contains(&address) {
        return Ok(());
    }
    let same = locals.iter().filter(|local| local.is_ipv4() == address.is_ipv4()).copied();
    let fault = ManualFault::SourceNotLocal { locals: same.collect() };
    Err(ManualError::new(Field::Local, address.to_string(), fault))
}

fn check_key(
    field: Field,
    key: &Secret,
    expected: usize,
    algorithm: &dyn ToString,
) -> Result<(), ManualError> {
    if key.len() == expected {
        return Ok(());
    }
    // Never the key itself.
    let value = format!("{} octets", key.len());
    let fault = ManualFault::KeyLength { algorithm: algorithm.to_string(), expected };
    Err(ManualError::new(field, value, fault))
}

fn draw_key(octets: usize, random: &mut dyn SecureRandom) -> Secret {
    let mut key = vec![0; octets];
    random.fill(&mut key);
    Secret::new(key)
}

fn draw_spi(taken: &mut Vec<Spi>, spis: &SpiAllocator, random: &mut dyn SecureRandom) -> Spi {
    loop {
        let mut octets = [0; 4];
        random.fill(&mut octets);
        let spi = Spi(u32::from_be_bytes(octets));
        if !spi.is_reserved() && !taken.contains(&spi) && spis.holder(spi).is_none() {
            taken.push(spi);
            return spi;
        }
    }
}
