//! The one walk over IPv6 extension headers (RFC 8200 §4).

use crate::codec::Reader;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::ip::Fragment;
use crate::registry::IpProtocol;

/// The most extension headers followed in one packet.
pub const MAX_EXTENSION_HEADERS: usize = 16;

/// Where the walk ended.
pub(super) struct Walked {
    /// The next layer: anything that is no extension header. ESP, AH, Mobility, HIP and Shim6 are next layers here, for
    /// they are what policies select by (RFC 4301 §4.4.1.1).
    pub(super) protocol: IpProtocol,
    /// The fragment header's contents.
    pub(super) fragment: Fragment,
}

/// Follows the extension headers from `first` on; `r` then stands at the next layer.
///
/// After the fragment header of a later fragment nothing is followed: the octets there are the middle of something.
pub(super) fn walk(first: IpProtocol, r: &mut Reader<'_>) -> Result<Walked, DecodeError> {
    let mut protocol = first;
    let mut fragment = Fragment::Whole;
    let mut fragmented = false;
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
                r.take("IPv6 extension header", usize::from(length).saturating_mul(8).saturating_add(6))?;
                protocol = IpProtocol(next);
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
                protocol = IpProtocol(next);
                fragment = Fragment::new(id, word & !7, word & 1 != 0);
                if matches!(fragment, Fragment::Later { .. }) {
                    break;
                }
            }
            _ => break,
        }
    }
    Ok(Walked { protocol, fragment })
}
