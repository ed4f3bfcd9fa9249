//! The addresses that the ends of a transport-mode SA used before a NAT changed them (RFC 3947 §5.2).
//!
//! TCP's and UDP's checksums cover them: whoever knows them can mend a checksum instead of computing it anew.

use std::net::IpAddr;

use ipsec_proto::isakmp::{NatNumbers, NatOriginal, Payload};
use ipsec_proto::net::Path;
use ipsec_sad::TransportChecksum;

use super::main::Established;
use crate::config::ChildMode;
use crate::state::Role;

/// What we tell: the addresses as we see them, the initiator's first. The drafts know one payload, with the sender's.
pub(crate) fn payloads(established: &Established, mode: ChildMode, path: Path, role: Role) -> Vec<Payload> {
    let (ChildMode::Transport, Some(edition), true) = (mode, established.agreed.natt, established.nat.any())
    else {
        return Vec::new();
    };
    let (local, remote) = (path.local.ip(), path.remote.ip());
    let addresses: &[IpAddr] = match (edition.numbers(), role) {
        (NatNumbers::Draft, _) => &[local],
        (NatNumbers::Rfc3947, Role::Initiator) => &[local, remote],
        (NatNumbers::Rfc3947, Role::Responder) => &[remote, local],
    };
    let numbers = edition.numbers();
    addresses.iter().map(|&address| Payload::NatOriginal(NatOriginal { numbers, address })).collect()
}

/// What becomes of the checksums of what the peer sends, whose payloads are `told`; `role` is ours.
pub(crate) fn checksum(told: &[IpAddr], path: Path, role: Role) -> TransportChecksum {
    let (source, destination) = match (told, role) {
        (&[initiator, responder], Role::Responder) => (initiator, responder),
        (&[initiator, responder], Role::Initiator) => (responder, initiator),
        (&[sender], _) => (sender, path.local.ip()),
        _ => return TransportChecksum::Recompute,
    };
    let families = [source, destination].map(|address| address.is_ipv4());
    if families != [path.local.is_ipv4(); 2] {
        return TransportChecksum::Recompute;
    }
    TransportChecksum::Adjust { source, destination }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_own_address_is_the_source_of_what_it_sends() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let (private, public, ours) = (address("10.0.0.2"), address("192.0.2.2"), address("198.51.100.1"));
        let path = Path::new((ours, 4500).into(), (public, 4500).into());
        let adjust = TransportChecksum::Adjust { source: private, destination: ours };
        assert_eq!(checksum(&[private, ours], path, Role::Responder), adjust);
        assert_eq!(checksum(&[ours, private], path, Role::Initiator), adjust);
        assert_eq!(checksum(&[private], path, Role::Initiator), adjust);
        assert_eq!(checksum(&[], path, Role::Initiator), TransportChecksum::Recompute);
        assert_eq!(checksum(&[address("2001:db8::1")], path, Role::Initiator), TransportChecksum::Recompute);
    }
}
