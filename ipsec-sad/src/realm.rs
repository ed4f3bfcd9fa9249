//! Where a packet is, beside its addresses: the realm it belongs to and the interface it uses.

use core::fmt;
use core::num::NonZeroU32;

/// A separate address space, a VRF say: equal addresses in two realms are different hosts. Opaque to the data plane.
///
/// Realm 0 is the one there is where none are configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RealmId(pub u32);

impl fmt::Display for RealmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An interface, by a number of the system's that is never 0. Opaque to the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(NonZeroU32);

impl InterfaceId {
    /// The interface with this number, `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What only the system knows of a clear packet.
///
/// The interface is the one on the outer side that the packet leaves or came in by. It is the scope of link-local
/// addresses too (RFC 4007 §6): on two interfaces they name different hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Outbound the inner realm it comes from, inbound the outer realm it came in.
    pub realm: RealmId,
    /// The interface, if it is known.
    pub interface: Option<InterfaceId>,
}

/// The realms a policy is for. `None` is any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Realms {
    /// The protected side's: compared with outbound packets.
    pub inner: Option<RealmId>,
    /// The network's, in which protected packets travel: compared with inbound packets that came in clear.
    pub outer: Option<RealmId>,
}
