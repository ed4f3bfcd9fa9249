//! UDP encapsulation of ESP and IKE on one port (RFC 3948 §2, RFC 3947 §4).

use alloc::vec::Vec;

use crate::esp;

/// Four zero octets before IKE messages, where ESP has its SPI (RFC 3948 §2.2).
pub const NON_ESP_MARKER: [u8; 4] = [0; 4];
/// The one octet of a NAT keepalive (RFC 3948 §2.3).
pub const KEEPALIVE: [u8; 1] = [0xff];

/// What a datagram on an encapsulating port is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// An IKE message, without the non-ESP marker.
    Ike(&'a [u8]),
    /// An ESP packet, from its SPI on.
    Esp(&'a [u8]),
    /// A NAT keepalive: to be dropped without further ado.
    Keepalive,
    /// None of these: too short for any.
    Invalid,
}

/// Tells what a datagram on an encapsulating port is. Only what follows says whether it is well-formed.
#[must_use]
pub fn classify(datagram: &[u8]) -> Datagram<'_> {
    if let Some(message) = datagram.strip_prefix(&NON_ESP_MARKER) {
        return if message.is_empty() { Datagram::Invalid } else { Datagram::Ike(message) };
    }
    if datagram.len() >= esp::HEADER_LEN {
        return Datagram::Esp(datagram);
    }
    if datagram == KEEPALIVE { Datagram::Keepalive } else { Datagram::Invalid }
}

/// An IKE message with the non-ESP marker in front.
#[must_use]
pub fn mark(message: &[u8]) -> Vec<u8> {
    [&NON_ESP_MARKER, message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_octets_decide() {
        assert_eq!(classify(&[0xff]), Datagram::Keepalive);
        assert_eq!(classify(&mark(&[1, 2])), Datagram::Ike(&[1, 2]));
        assert_eq!(classify(&[0, 0, 1, 0, 0, 0, 0, 1]), Datagram::Esp(&[0, 0, 1, 0, 0, 0, 0, 1]));
        for invalid in [&[][..], &[0], &[0xff, 0xff], &[0; 4], &[1, 2, 3, 4, 5, 6, 7]] {
            assert_eq!(classify(invalid), Datagram::Invalid);
        }
    }
}
