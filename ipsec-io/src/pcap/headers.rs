//! The IP and UDP headers that a datagram has on the network, put in front for the file.

use std::net::SocketAddr;

use ipsec_proto::ip::{Addresses, Header, UDP_HEADER_LEN, emit_udp_header};
use ipsec_proto::registry::IpProtocol;

use crate::backend::{Datagram, Form};

/// Writes the packet that carries `datagram` into `out`; `None` if there is none, as addresses are of different
/// families or it is too long for an IP packet.
pub(super) fn emit(
    out: &mut Vec<u8>,
    source: SocketAddr,
    destination: SocketAddr,
    datagram: &Datagram<'_>,
) -> Option<()> {
    let addresses = Addresses::new(source.ip(), destination.ip())?;
    let (protocol, transport) = match datagram.form {
        Form::Esp => (IpProtocol::ESP, 0),
        Form::Udp => (IpProtocol::UDP, UDP_HEADER_LEN),
        // It has its headers.
        Form::Packet => return None,
    };
    let header = Header { traffic_class: datagram.traffic_class, ..Header::new(addresses, protocol) };
    let start = header.header_len();
    out.clear();
    out.resize(start + transport, 0);
    out.extend_from_slice(datagram.octets);
    header.emit(out.len() - start, out).ok()?;
    if datagram.form == Form::Udp {
        emit_udp_header(&header.addresses, source.port(), destination.port(), out.get_mut(start..)?).ok()?;
    }
    Some(())
}
