//! NAT traversal: who announces what, whether there is a NAT, and on which side (RFC 3947).

use core::fmt;
use std::net::SocketAddr;

use ipsec_proto::isakmp::NatNumbers;
use ipsec_proto::net::Path;
use ipsec_proto::registry::EncapsulationMode;

use crate::config::{ChildMode, NatTraversal, Ports};
use crate::event::Cookies;

/// MD5("RFC 3947"), the vendor id of RFC 3947 §3.1.
const VENDOR_RFC3947: [u8; 16] =
    [0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f];
/// MD5("draft-ietf-ipsec-nat-t-ike-03").
const VENDOR_DRAFT03: [u8; 16] =
    [0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56];
/// MD5("draft-ietf-ipsec-nat-t-ike-02\n"): with the line end, as the old gateways send it.
const VENDOR_DRAFT02_LF: [u8; 16] =
    [0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f];

/// MD5("draft-ietf-ipsec-nat-t-ike-02"): without it, as others send it.
const VENDOR_DRAFT02: [u8; 16] =
    [0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4, 0x48];

/// One edition of NAT traversal for IKEv1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Edition {
    /// The standard.
    Rfc3947,
    /// Its draft 03.
    Draft03,
    /// Its draft 02, announced with a line end in the hashed name.
    Draft02Newline,
    /// Its draft 02, announced by the bare name.
    Draft02,
}

impl Edition {
    /// Best first.
    pub(crate) const ALL: [Self; 4] = [Self::Rfc3947, Self::Draft03, Self::Draft02Newline, Self::Draft02];

    pub(crate) const fn vendor_id(self) -> &'static [u8; 16] {
        match self {
            Self::Rfc3947 => &VENDOR_RFC3947,
            Self::Draft03 => &VENDOR_DRAFT03,
            Self::Draft02Newline => &VENDOR_DRAFT02_LF,
            Self::Draft02 => &VENDOR_DRAFT02,
        }
    }

    /// The payload numbers that it uses.
    pub(crate) const fn numbers(self) -> NatNumbers {
        match self {
            Self::Rfc3947 => NatNumbers::Rfc3947,
            Self::Draft03 | Self::Draft02Newline | Self::Draft02 => NatNumbers::Draft,
        }
    }

    /// The encapsulation mode that a quick mode proposes for ESP in UDP.
    pub(crate) const fn in_udp(self, mode: ChildMode) -> EncapsulationMode {
        match (self.numbers(), mode) {
            (NatNumbers::Rfc3947, ChildMode::Tunnel) => EncapsulationMode::UDP_TUNNEL,
            (NatNumbers::Rfc3947, ChildMode::Transport) => EncapsulationMode::UDP_TRANSPORT,
            (NatNumbers::Draft, ChildMode::Tunnel) => EncapsulationMode::UDP_TUNNEL_DRAFT,
            (NatNumbers::Draft, ChildMode::Transport) => EncapsulationMode::UDP_TRANSPORT_DRAFT,
        }
    }

    /// The best edition among a peer's vendor ids.
    pub(crate) fn best_of<'a>(vendor_ids: impl Iterator<Item = &'a [u8]> + Clone) -> Option<Self> {
        Self::ALL.into_iter().find(|edition| vendor_ids.clone().any(|id| id == edition.vendor_id()))
    }
}

/// Where a NAT was found on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NatFound {
    /// Our own address is translated: we keep the mapping alive.
    pub here: Behind,
    /// The peer's address is translated.
    pub there: Behind,
}

/// Whether an end is behind a NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behind {
    /// Its address arrives as it left.
    #[default]
    Open,
    /// Its address or port arrives changed, or it says so to have ESP carried in UDP.
    Nat,
}

impl NatFound {
    /// Whether there is a NAT at all, so that the ports float and ESP goes into UDP.
    #[must_use]
    pub fn any(self) -> bool {
        self.here == Behind::Nat || self.there == Behind::Nat
    }
}

impl fmt::Display for NatFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.here, self.there) {
            (Behind::Open, Behind::Open) => "no NAT",
            (Behind::Nat, Behind::Open) => "NAT at this end",
            (Behind::Open, Behind::Nat) => "NAT at the peer's end",
            (Behind::Nat, Behind::Nat) => "NAT at both ends",
        })
    }
}

/// The octets that a NAT-D payload is the hash of: CKY-I | CKY-R | IP | Port (RFC 3947 §3.2).
pub(crate) fn discovery_input(cookies: &Cookies, address: SocketAddr) -> Vec<u8> {
    let mut input = Vec::with_capacity(34);
    input.extend_from_slice(&cookies.initiator.0);
    input.extend_from_slice(&cookies.responder.0);
    match address.ip() {
        std::net::IpAddr::V4(v4) => input.extend_from_slice(&v4.octets()),
        std::net::IpAddr::V6(v6) => input.extend_from_slice(&v6.octets()),
    }
    input.extend_from_slice(&address.port().to_be_bytes());
    input
}

/// The hashes to send, the peer's end first (RFC 3947 §3.2). With [`NatTraversal::Force`] our own is made for an
/// address that nobody has, so that the peer finds a NAT.
pub(crate) fn discovery_hashes(
    mode: NatTraversal,
    cookies: &Cookies,
    path: Path,
    hash: impl Fn(&[u8]) -> Vec<u8>,
) -> [Vec<u8>; 2] {
    let own = match mode {
        NatTraversal::Force => SocketAddr::new([0, 0, 0, 0].into(), 0),
        NatTraversal::Auto | NatTraversal::Off => path.local,
    };
    [hash(&discovery_input(cookies, path.remote)), hash(&discovery_input(cookies, own))]
}

/// Compares the peer's NAT-D payloads with the path as we see it. Fewer than two payloads say nothing.
pub(crate) fn discover(
    mode: NatTraversal,
    cookies: &Cookies,
    path: Path,
    received: &[&[u8]],
    hash: impl Fn(&[u8]) -> Vec<u8>,
) -> NatFound {
    let [ours, theirs @ ..] = received else { return NatFound::default() };
    if theirs.is_empty() {
        return NatFound::default();
    }
    let behind = |open: bool| if open { Behind::Open } else { Behind::Nat };
    let here = hash(&discovery_input(cookies, path.local));
    let there = hash(&discovery_input(cookies, path.remote));
    let forced = mode == NatTraversal::Force;
    NatFound {
        here: behind(*ours == here.as_slice() && !forced),
        there: behind(theirs.contains(&there.as_slice())),
    }
}

/// The path after the float to the ports of NAT traversal (RFC 3947 §4): the initiator's move.
pub(crate) fn floated(path: Path, local: Ports, remote: Ports) -> Path {
    Path::new(SocketAddr::new(path.local.ip(), local.natt), SocketAddr::new(path.remote.ip(), remote.natt))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipsec_proto::net::Cookie;

    fn hash(octets: &[u8]) -> Vec<u8> {
        // Not a hash: enough to tell inputs apart.
        octets.to_vec()
    }

    fn cookies() -> Cookies {
        Cookies { initiator: Cookie([1; 8]), responder: Cookie([2; 8]) }
    }

    fn path(local: &str, remote: &str) -> Path {
        Path::new(local.parse().unwrap(), remote.parse().unwrap())
    }

    #[test]
    fn an_unchanged_path_has_no_nat() {
        let ours = path("192.0.2.1:500", "192.0.2.2:500");
        let sent = discovery_hashes(NatTraversal::Auto, &cookies(), ours, hash);
        let received: Vec<_> = sent.iter().map(Vec::as_slice).collect();
        let found = discover(NatTraversal::Auto, &cookies(), ours.reversed(), &received, hash);
        assert_eq!(found, NatFound::default());
    }

    #[test]
    fn a_changed_source_is_found_at_the_right_end() {
        let sent =
            discovery_hashes(NatTraversal::Auto, &cookies(), path("10.0.0.1:500", "192.0.2.2:500"), hash);
        let received: Vec<_> = sent.iter().map(Vec::as_slice).collect();
        let seen = path("192.0.2.2:500", "198.51.100.9:1024");
        let found = discover(NatTraversal::Auto, &cookies(), seen, &received, hash);
        assert_eq!(found, NatFound { here: Behind::Open, there: Behind::Nat });
    }

    #[test]
    fn force_makes_both_ends_find_a_nat() {
        let ours = path("192.0.2.1:500", "192.0.2.2:500");
        let sent = discovery_hashes(NatTraversal::Force, &cookies(), ours, hash);
        let received: Vec<_> = sent.iter().map(Vec::as_slice).collect();
        assert_eq!(
            discover(NatTraversal::Auto, &cookies(), ours.reversed(), &received, hash).there,
            Behind::Nat
        );
        let plain = discovery_hashes(NatTraversal::Auto, &cookies(), ours.reversed(), hash);
        let received: Vec<_> = plain.iter().map(Vec::as_slice).collect();
        assert_eq!(discover(NatTraversal::Force, &cookies(), ours, &received, hash).here, Behind::Nat);
    }

    #[test]
    fn both_spellings_of_draft_02_are_known() {
        use ipsec_proto::isakmp::KnownVendor;
        for vendor in [KnownVendor::NatTDraft02, KnownVendor::NatTDraft02Newline] {
            let edition = Edition::best_of([vendor.octets()].into_iter()).unwrap();
            // It is answered in the spelling that the peer knows.
            assert_eq!(edition.vendor_id(), vendor.octets());
            assert_eq!(edition.numbers(), NatNumbers::Draft);
        }
    }

    #[test]
    fn one_payload_or_none_says_nothing() {
        let ours = path("192.0.2.1:500", "192.0.2.2:500");
        assert!(!discover(NatTraversal::Force, &cookies(), ours, &[], hash).any());
        assert!(!discover(NatTraversal::Auto, &cookies(), ours, &[b"x"], hash).any());
    }
}
