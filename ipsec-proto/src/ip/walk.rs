//! The one walk over IPv6 extension headers (RFC 8200 §4).

use crate::codec::Reader;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::ip::Fragment;
use crate::registry::IpProtocol;

/// The most extension headers followed in one packet.
pub const MAX_EXTENSION_HEADERS: usize = 16;

/// Where a packet is cut to protect what follows its header: transport mode's ESP or AH goes in between
/// (RFC 4303 §3.1.1, RFC 4302 §3.1.1).
///
/// In IPv6 behind the hop-by-hop and routing headers and whatever precedes these, so that destination options for the
/// last destination are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Split {
    /// Octets before the cut.
    pub at: usize,
    /// The octet among them that names what follows the cut.
    pub next_header_at: usize,
    /// What it names.
    pub protocol: IpProtocol,
}

/// Where the walk ended.
pub(super) struct Walked {
    /// The next layer: anything that is no extension header. ESP, AH, Mobility, HIP and Shim6 are next layers here, for
    /// they are what policies select by (RFC 4301 §4.4.1.1).
    pub(super) protocol: IpProtocol,
    /// The fragment header's contents.
    pub(super) fragment: Fragment,
    /// Whether there is a fragment header, be it of a whole packet.
    pub(super) fragmented: bool,
    /// Where the octet is that names the next layer.
    pub(super) next_header_at: usize,
    pub(super) split: Split,
    /// Whether there is a routing header of type 0 (RFC 5095).
    pub(super) source_route: bool,
}

/// Where the next header of the fixed header stands.
pub(super) const NEXT_HEADER_AT: usize = 6;

/// Follows the extension headers from `first` on; `r` then stands at the next layer.
///
/// After the fragment header of a later fragment nothing is followed: the octets there are the middle of something.
pub(super) fn walk(first: IpProtocol, r: &mut Reader<'_>) -> Result<Walked, DecodeError> {
    let mut protocol = first;
    let mut fragment = Fragment::Whole;
    let mut fragmented = false;
    let mut next_header_at = NEXT_HEADER_AT;
    let mut split = Split { at: r.offset(), next_header_at, protocol };
    let mut source_route = false;
    for count in 0..=MAX_EXTENSION_HEADERS {
        let at = r.offset();
        match protocol {
            IpProtocol::HOPOPT if count > 0 => {
                let value = u64::from(protocol.0);
                return Err(DecodeError::new(
                    DecodeErrorKind::BadValue,
                    "IPv6 hop-by-hop options",
                    at,
                    value,
                ));
            }
            IpProtocol::HOPOPT | IpProtocol::IPV6_ROUTE | IpProtocol::IPV6_OPTS | IpProtocol::IPV6_FRAG
                if count == MAX_EXTENSION_HEADERS =>
            {
                let kind = DecodeErrorKind::TooMany { limit: MAX_EXTENSION_HEADERS };
                return Err(DecodeError::new(kind, "IPv6 extension headers", at, count as u64));
            }
            IpProtocol::HOPOPT | IpProtocol::IPV6_ROUTE | IpProtocol::IPV6_OPTS => {
                let next = r.u8("IPv6 extension next header")?;
                let length = r.u8("IPv6 extension length")?;
                // In units of 8 octets, not counting the first 8, of which two are read.
                let body =
                    r.take("IPv6 extension header", usize::from(length).saturating_mul(8).saturating_add(6))?;
                let this = protocol;
                (protocol, next_header_at) = (IpProtocol(next), at);
                if this != IpProtocol::IPV6_OPTS && !fragmented {
                    split = Split { at: r.offset(), next_header_at, protocol };
                }
                source_route |= this == IpProtocol::IPV6_ROUTE && body.first() == Some(&0);
            }
            // One that cuts up a fragment again would let a later fragment pass for a first one.
            IpProtocol::IPV6_FRAG if fragmented => {
                let value = u64::from(protocol.0);
                return Err(DecodeError::new(
                    DecodeErrorKind::BadValue,
                    "IPv6 second fragment header",
                    at,
                    value,
                ));
            }
            IpProtocol::IPV6_FRAG => {
                fragmented = true;
                let next = r.u8("IPv6 fragment next header")?;
                r.u8("IPv6 fragment reserved")?;
                let word = r.u16("IPv6 fragment offset")?;
                let id = r.u32("IPv6 fragment identification")?;
                (protocol, next_header_at) = (IpProtocol(next), at);
                fragment = Fragment::new(id, word & !7, word & 1 != 0);
                if matches!(fragment, Fragment::Later { .. }) {
                    break;
                }
            }
            _ => break,
        }
    }
    Ok(Walked { protocol, fragment, fragmented, next_header_at, split, source_route })
}
