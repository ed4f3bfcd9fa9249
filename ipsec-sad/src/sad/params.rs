//! What defines an SA: protocol and keys, mode, selectors, limits; and what is refused.

use std::net::IpAddr;

use ipsec_crypto::{CryptoError, Integrity, ProtectionSuite, Secret};
use ipsec_proto::{Path, Spi};

use super::{
    AntiReplay, Esn, Lifetime, Mode, PairId, REPLAY_WINDOW_DEFAULT, REPLAY_WINDOW_MAX, REPLAY_WINDOW_MIN,
};
use crate::selector::Selector;
use crate::spd::TemplateId;
use crate::verdict::Encap;

/// The keys of one ESP SA, as dealt out of the keying material (RFC 4303 §3.1, RFC 2409 §5.5).
#[derive(Debug)]
pub struct SaKeys {
    /// The encryption key, with the salt behind it where the cipher has one.
    pub encryption: Secret,
    /// The integrity key; empty with a combined-mode cipher.
    pub integrity: Secret,
}

/// The security protocol of an SA, with its algorithms and keys (RFC 4301 §4.4.2.1).
#[derive(Debug)]
#[non_exhaustive]
pub enum Protocol {
    /// Encapsulating Security Payload (RFC 4303).
    Esp {
        /// Cipher and integrity.
        suite: ProtectionSuite,
        /// Their keys.
        keys: SaKeys,
    },
    /// Authentication Header (RFC 4302): integrity of the whole packet, its IP header included.
    Ah {
        /// The algorithm.
        integrity: Integrity,
        /// Its key.
        key: Secret,
    },
}

impl Protocol {
    /// Which one it is.
    #[must_use]
    pub const fn kind(&self) -> ProtocolKind {
        match self {
            Self::Esp { .. } => ProtocolKind::Esp,
            Self::Ah { .. } => ProtocolKind::Ah,
        }
    }
}

/// One of the two security protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolKind {
    /// Encapsulating Security Payload.
    Esp,
    /// Authentication Header.
    Ah,
}

impl ProtocolKind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Esp => "ESP",
            Self::Ah => "AH",
        }
    }
}

/// Who made the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Keying {
    /// A key exchange: they are fresh, and replaced before their numbers run out.
    #[default]
    Negotiated,
    /// A person: they may be in use since long ago, and nobody replaces them (RFC 4301 §4.5.1).
    Manual,
}

/// Whether ESP may encrypt without integrity. Such ciphertext can be changed, and read, by whoever can send packets and
/// see answers (RFC 4303 §2.7, RFC 8221 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unauthenticated {
    /// No.
    #[default]
    Refuse,
    /// Yes. Nothing vouches for the sequence numbers of such an SA, so its replay window is not used
    /// (RFC 4303 §3.4.3).
    Allow,
}

/// Who writes the outermost IP header of what an outbound SA sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OuterHeader {
    /// The system, when the payload is sent through a socket ([`Verdict::Send`](crate::Verdict::Send)). Of the header's
    /// fields only the traffic class is ours. Packets whose IP options or extension headers must stay in front of the
    /// protection are written by us all the same.
    #[default]
    System,
    /// We do ([`Verdict::SendPacket`](crate::Verdict::SendPacket)): what leaves is a whole IP packet. AH needs it, for
    /// it protects the header.
    Own,
}

/// Traffic flow confidentiality: padding that hides how long packets are (RFC 4303 §2.7). Tunnel mode only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TfcPadding {
    /// None.
    #[default]
    None,
    /// Every packet is made at least this long, in octets of the packet inside.
    To(u16),
    /// Up to so many octets more, drawn anew for each packet.
    Random(u16),
}

/// Everything that defines one SA in one direction.
#[derive(Debug)]
pub struct SaParams {
    /// The pair the SA is half of.
    pub pair: PairId,
    /// What it was negotiated for: packets of policies with this template may use it.
    pub template: TemplateId,
    /// The number in its packets: inbound our reserved one, outbound the peer's.
    pub spi: Spi,
    /// ESP or AH, algorithms and keys.
    pub protocol: Protocol,
    /// What of a packet is protected.
    pub mode: Mode,
    /// With or without UDP.
    pub encap: Encap,
    /// The outer addresses and, in UDP, the ports.
    pub path: Path,
    /// What was negotiated that the SA may carry, local to remote.
    pub selector: Selector,
    /// Limits.
    pub lifetime: Lifetime,
    /// Inbound: how replayed packets are found.
    pub anti_replay: AntiReplay,
    /// The size of sequence numbers.
    pub esn: Esn,
    /// Who made the keys.
    pub keying: Keying,
    /// Whether ESP may lack integrity.
    pub unauthenticated: Unauthenticated,
    /// Outbound: who writes the outer header.
    pub outer_header: OuterHeader,
    /// Outbound: padding beyond what the cipher needs.
    pub tfc: TfcPadding,
    /// The pair that carries the packets of this one: both SAs are applied to a packet, this one first, and inbound a
    /// packet that did not come through the other is refused (RFC 4301 §4.4.2, appendix E; RFC 2401 §4.3 calls it an SA
    /// bundle). The carrying SA's selectors must cover what this one sends: its outer addresses and ESP or AH.
    pub within: Option<PairId>,
}

impl SaParams {
    /// The replay window of an SA that asks for no other, in packets.
    pub const DEFAULT_REPLAY_WINDOW: u32 = REPLAY_WINDOW_DEFAULT;

    /// A tunnel-mode SA without UDP, limits, ESN and whatever else is optional, with negotiated keys and the default
    /// replay window. The fields are there to be changed.
    #[must_use]
    pub fn new(
        pair: PairId,
        template: TemplateId,
        spi: Spi,
        protocol: Protocol,
        path: Path,
        selector: Selector,
    ) -> Self {
        let outer_header = match protocol {
            Protocol::Ah { .. } => OuterHeader::Own,
            Protocol::Esp { .. } => OuterHeader::System,
        };
        Self {
            pair,
            template,
            spi,
            protocol,
            mode: Mode::default(),
            encap: Encap::Raw,
            path,
            selector,
            lifetime: Lifetime::default(),
            anti_replay: AntiReplay::default(),
            esn: Esn::Off,
            keying: Keying::default(),
            unauthenticated: Unauthenticated::default(),
            outer_header,
            tfc: TfcPadding::default(),
            within: None,
        }
    }

    /// Whether the parts go together, apart from the algorithms' own rules.
    pub(super) fn check(&self) -> Result<(), InstallError> {
        if self.spi.is_reserved() {
            return Err(InstallError::ReservedSpi(self.spi));
        }
        if self.path.local.is_ipv4() != self.path.remote.is_ipv4() {
            return Err(InstallError::MixedFamilies(self.path));
        }
        if self.within == Some(self.pair) {
            return Err(InstallError::WithinItself(self.pair));
        }
        match self.anti_replay {
            AntiReplay::Window(size) if !(REPLAY_WINDOW_MIN..=REPLAY_WINDOW_MAX).contains(&size) => {
                return Err(InstallError::ReplayWindow(size));
            }
            AntiReplay::Off if self.keying == Keying::Negotiated => return Err(InstallError::ReplayOff),
            AntiReplay::Off if self.esn == Esn::On => return Err(InstallError::EsnWithoutReplay),
            AntiReplay::Off | AntiReplay::Window(_) => {}
        }
        if self.tfc != TfcPadding::None && !(self.is_esp() && matches!(self.mode, Mode::Tunnel(_))) {
            return Err(InstallError::TfcNeedsTunnel);
        }
        if let Mode::Beet { local, remote, .. } = self.mode
            && local.is_ipv4() != remote.is_ipv4()
        {
            return Err(InstallError::MixedBeetFamilies { local, remote });
        }
        if self.is_esp() {
            return Ok(());
        }
        match (self.mode, self.encap, self.outer_header) {
            (Mode::Beet { .. }, ..) => Err(InstallError::AhInBeet),
            (_, Encap::Udp, _) => Err(InstallError::AhInUdp),
            (.., OuterHeader::System) => Err(InstallError::AhNeedsHeader),
            _ => Ok(()),
        }
    }

    const fn is_esp(&self) -> bool {
        matches!(self.protocol, Protocol::Esp { .. })
    }
}

/// Why an SA can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The parameters name another SPI than the one reserved.
    #[error("the SA's SPI is {given}, but {reserved} was reserved for it")]
    SpiMismatch {
        /// The SPI reserved.
        reserved: Spi,
        /// The SPI in the parameters.
        given: Spi,
    },
    /// The peer's SPI lies in 0..=255 (RFC 4303 §2.1).
    #[error("SPI {0} is in the reserved range 0 to 255")]
    ReservedSpi(Spi),
    /// The two outer addresses are of different families.
    #[error("the outer addresses {0} are of different families")]
    MixedFamilies(Path),
    /// The two inner addresses of BEET mode are of different families.
    #[error("the inner addresses {local} and {remote} are of different families")]
    MixedBeetFamilies {
        /// Ours.
        local: IpAddr,
        /// The peer's.
        remote: IpAddr,
    },
    /// An SA can't carry its own packets.
    #[error("pair {0} is to be carried within itself")]
    WithinItself(PairId),
    /// The replay window is too small or too large.
    #[error("a replay window of {0} packets is not in {REPLAY_WINDOW_MIN} to {REPLAY_WINDOW_MAX}")]
    ReplayWindow(u32),
    /// Negotiated SAs always have a replay window: an SA never comes up unprotected by mistake.
    #[error(
        "anti-replay can be off with manual keys only: give a window of {REPLAY_WINDOW_MIN} packets or more"
    )]
    ReplayOff,
    /// The upper half of an extended sequence number is inferred from the window.
    #[error("extended sequence numbers need a replay window: turn one on, or extended sequence numbers off")]
    EsnWithoutReplay,
    /// TFC padding outside of ESP in tunnel mode, where no length inside says where it begins.
    #[error("TFC padding needs ESP in tunnel mode: leave the padding out, or choose tunnel mode")]
    TfcNeedsTunnel,
    /// BEET mode is defined for ESP (RFC 7402 appendix B).
    #[error("there is no BEET mode of AH: choose ESP, or transport or tunnel mode")]
    AhInBeet,
    /// UDP encapsulation is defined for ESP; a NAT breaks what AH protects (RFC 3948 §1).
    #[error("AH can't be encapsulated in UDP: choose ESP where there is a NAT")]
    AhInUdp,
    /// AH protects the outer header, so it can't be left to the system.
    #[error("AH protects the IP header: write the outer header ourselves (OuterHeader::Own)")]
    AhNeedsHeader,
    /// NULL encryption and no integrity protect nothing (RFC 4303 §3.2). Always refused.
    #[error("NULL encryption without integrity protects nothing: choose an integrity algorithm")]
    NoProtection,
    /// A cipher without integrity.
    #[error(
        "{suite} encrypts without integrity: add an integrity algorithm or take a combined mode such as aes128gcm16; \
         if the peer can do no better, allow it explicitly (Unauthenticated::Allow)"
    )]
    IntegrityMissing {
        /// What was asked for.
        suite: ProtectionSuite,
    },
    /// The algorithms or keys are refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}
