//! The client identities of Quick Mode, IDci and IDcr, and the selectors that they stand for (RFC 2409 §5.5).

use std::net::IpAddr;

use ipsec_proto::isakmp::{Id, IdValue};
use ipsec_proto::net::Path;
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{AddressRange, Addresses, PortRange, Selector};

/// Two identities as what they cover; `None` for types that are no addresses, or where the two contradict each other.
pub(crate) fn selector_of(local: &Id, remote: &Id) -> Option<Selector> {
    let range = |id: &Id| {
        let (first, last) = id.value.address_range()?;
        AddressRange::new(first, last).ok()
    };
    let (local_range, remote_range) = (range(local)?, range(remote)?);
    if local.protocol != remote.protocol || local_range.is_ipv4() != remote_range.is_ipv4() {
        return None;
    }
    let port = |id: &Id| if id.port == 0 { PortRange::ANY } else { PortRange::single(id.port) };
    Some(Selector {
        local: Addresses::Range(local_range),
        remote: Addresses::Range(remote_range),
        protocol: (local.protocol != IpProtocol(0)).then_some(local.protocol),
        local_port: port(local),
        remote_port: port(remote),
    })
}

/// A selector as IDci and IDcr, local first. An unspecified side is all addresses of the other side's family, or of
/// the path's. A port is one or all: the configuration's check refuses what an identity cannot say.
pub(crate) fn ids_of(selector: &Selector, path: Path) -> [Id; 2] {
    let is_ipv4 = [&selector.local, &selector.remote]
        .into_iter()
        .find_map(|addresses| addresses.range().map(AddressRange::is_ipv4))
        .unwrap_or_else(|| path.local.is_ipv4());
    let all = if is_ipv4 { AddressRange::ANY_V4 } else { AddressRange::ANY_V6 };
    let id = |addresses: &Addresses, port: PortRange| {
        let range = addresses.range().copied().unwrap_or(all);
        let value = match (range.as_prefix(), range.first(), range.last()) {
            (Some((address, length)), _, _) => IdValue::network(address, length),
            (None, IpAddr::V4(first), IpAddr::V4(last)) => IdValue::Ipv4Range(first, last),
            (None, IpAddr::V6(first), IpAddr::V6(last)) => IdValue::Ipv6Range(first, last),
            // A range has one family.
            (None, first, _) => IdValue::Address(first),
        };
        let port = if port.is_single() { port.first() } else { 0 };
        Id { protocol: selector.protocol.unwrap_or(IpProtocol(0)), port, value }
    };
    [id(&selector.local, selector.local_port), id(&selector.remote, selector.remote_port)]
}
