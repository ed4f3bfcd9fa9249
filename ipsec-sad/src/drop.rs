//! Why packets are dropped: one reason a packet, all of them countable.

use core::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $sentence:literal;)*) => {
        /// Why a packet was dropped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum DropReason {
            $($(#[$doc])* $variant,)*
        }

        impl DropReason {
            /// Every reason, in the order of reports.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in counters and machine-readable reports: lower case, words joined by hyphens.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What happened, as a sentence for people.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $sentence,)*
                }
            }
        }
    };
}

reasons! {
    /// A packet from the protected side, or a clear one from the network, is not a well-formed IP packet.
    MalformedPacket, "malformed-packet", "The packet is not a well-formed IPv4 or IPv6 packet.";
    /// A policy says discard.
    PolicyDiscard, "policy-discard", "A policy says that this traffic is discarded.";
    /// No policy covers the packet and the default is discard.
    NoPolicy, "no-policy", "No policy covers this traffic and the default is to discard it.";
    /// The packet needs an SA, none could be negotiated, and the hold-down of the failure lasts.
    NoSa, "no-sa", "The traffic needs an SA and none could be negotiated.";
    /// As many negotiations are wanted by waiting packets as the configuration allows.
    AcquireLimit, "acquire-limit", "Too many negotiations are already waited for.";
    /// The queue of packets that wait for an SA is full.
    AcquireQueueFull, "acquire-queue-full", "The queue of packets that wait for an SA is full.";
    /// The SA's sequence numbers are used up (RFC 4303 §3.3.3).
    SequenceExhausted, "sequence-exhausted", "The SA has used its last sequence number; it must be replaced.";
    /// The SA has gone as far as its last stored checkpoint lets it.
    CheckpointDue, "checkpoint-due", "The SA may not go on before its state is saved.";
    /// The packet's buffer has no room for the ESP header or trailer.
    NoRoom, "no-room", "The packet's buffer has no room for the ESP header and trailer.";
    /// The algorithm refused a packet that we built.
    SealFailed, "seal-failed", "The algorithm refused to seal the packet.";
    /// An ESP packet is too short for its header, or not of a length its algorithms produce.
    MalformedEsp, "malformed-esp", "The ESP packet is too short or of a length that its algorithms can't produce.";
    /// A packet with AH has lengths that contradict each other or its SA's algorithm, or headers that no AH may follow.
    MalformedAh, "malformed-ah", "The packet's AH, or a header before it, is malformed.";
    /// The headers that AH protects are longer than this implementation takes.
    HeaderTooLong, "header-too-long", "The packet's headers are too long to be authenticated.";
    /// A fragment came to AH or ESP (RFC 4302 §3.4.1, RFC 4303 §3.4.1): the system puts packets together before.
    Fragmented, "fragmented", "A fragment of a protected packet came in; it should have been put together before.";
    /// No SA has this SPI (RFC 4303 §3.4.2).
    UnknownSpi, "unknown-spi", "No SA has the packet's SPI.";
    /// The SA is for the other of UDP-encapsulated and raw ESP.
    WrongEncapsulation, "wrong-encapsulation", "The packet came in UDP for an SA without, or the other way round.";
    /// The SA's packets must come in another SA, and this one did not, or in a wrong one (RFC 4301 §5.2 step 5).
    OutsideBundle, "outside-bundle", "The packet did not come through the SA that its own SA must be carried in.";
    /// More SAs are applied to the packet than one packet may have.
    NestedTooDeep, "nested-too-deep", "The packet is nested in more SAs than are allowed.";
    /// The SA that is to carry the packets of another can't be used.
    BundleBroken, "bundle-broken", "The SA that has to carry the packet's own SA is missing or can't be used.";
    /// Transport and BEET mode protect whole packets only (RFC 4303 §3.3.4, RFC 4301 §7.1).
    FragmentInTransport, "fragment-in-transport", "A fragment can't be protected in transport or BEET mode.";
    /// The packet has IPv4 source routing or the abolished IPv6 routing header (RFC 5095), which is refused.
    SourceRoute, "source-route", "The packet says by which way it wants to go, which is refused.";
    /// The packet is one that its own SA has sent: sealed again it would come back once more.
    Loop, "loop", "The packet is one that its SA has sent; sealing it again would make a loop.";
    /// The packet is longer than the path of its SA takes and must not be fragmented (RFC 4301 §8.2.1).
    TooBig, "too-big", "The packet is too big for the path of its SA and must not be fragmented.";
    /// The SA takes packets of its peer's address only, see [`SourceCheck`](crate::SourceCheck).
    WrongSource, "wrong-source", "The packet came from another address than its SA's peer has.";
    /// The SA has passed a hard lifetime limit (RFC 4301 §4.4.2.1).
    SaExpired, "sa-expired", "The SA has passed its hard lifetime.";
    /// The sequence number was received before (RFC 4303 §3.4.3).
    Replayed, "replayed", "A packet with this sequence number was received before.";
    /// The sequence number is left of the replay window (RFC 4303 §3.4.3).
    TooOld, "too-old", "The sequence number is older than the replay window.";
    /// The integrity check failed (RFC 4303 §3.4.4).
    IntegrityFailed, "integrity-failed", "The integrity check failed: other keys, or an altered packet.";
    /// The padding is not 1, 2, 3, … or is longer than the packet (RFC 4303 §2.4).
    BadPadding, "bad-padding", "The padding is not the sequence 1, 2, 3 and so on.";
    /// A dummy packet, next header 59, sent to hide traffic (RFC 4303 §2.6). Not a fault.
    Dummy, "dummy", "A dummy packet, sent only to hide traffic.";
    /// The next header is neither IPv4 nor IPv6, in tunnel mode.
    WrongNextHeader, "wrong-next-header", "The packet in the tunnel is neither IPv4 nor IPv6.";
    /// The packet inside is not a well-formed IP packet.
    MalformedInner, "malformed-inner", "The packet in the tunnel is not a well-formed IP packet.";
    /// The packet inside is not covered by the SA's selectors (RFC 4301 §5.2 step 4).
    SelectorMismatch, "selector-mismatch", "The packet in the tunnel is not covered by the selectors of its SA.";
    /// The network marked congestion on a packet whose ends do not understand it (RFC 6040 §4.2).
    CongestionNotSupported, "congestion-not-supported", "Marked with congestion, but its ends do not support that.";
    /// A clear packet came in that a policy wants protected (RFC 4301 §5.2 step 3a).
    ClearWhereProtectRequired, "clear-where-protect-required", "The packet came in clear, but a policy protects it.";
}

impl DropReason {
    /// The reason's place in [`DropReason::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_places_are_right() {
        for (place, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place);
            assert_eq!(DropReason::ALL.iter().filter(|other| other.name() == reason.name()).count(), 1);
            assert!(reason.sentence().ends_with('.'));
        }
    }
}
