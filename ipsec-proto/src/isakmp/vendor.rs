//! The Vendor ID payload (RFC 2408 §3.16) and the vendor IDs that change or explain a peer's behaviour.

use alloc::vec::Vec;
use core::fmt;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, EncodeError};

/// A vendor ID, as received.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VendorId(pub Vec<u8>);

/// How much of a vendor ID is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    /// All of it.
    Exact,
    /// The beginning: a version or capability bits follow.
    Prefix,
}

macro_rules! known {
    ($($(#[$doc:meta])* $variant:ident $how:ident $name:literal $octets:expr,)+) => {
        /// A vendor ID with a meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum KnownVendor {
            $($(#[$doc])* $variant,)+
        }

        /// Every known vendor ID.
        pub const KNOWN_VENDORS: &[KnownVendor] = &[$(KnownVendor::$variant),+];

        impl KnownVendor {
            /// The name operators know it by.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The octets to send; where a version or capability bits may follow, the fixed beginning.
            #[must_use]
            pub const fn octets(self) -> &'static [u8] {
                match self { $(Self::$variant => &$octets,)+ }
            }

            const fn how(self) -> Match {
                match self { $(Self::$variant => Match::$how,)+ }
            }
        }
    };
}

known! {
    /// NAT traversal as standardised: MD5("RFC 3947") (RFC 3947 §3.1).
    NatTRfc3947 Exact "RFC 3947 NAT-T"
        [0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f],
    /// NAT traversal, draft 03: payload numbers 130 and 131, port 4500.
    NatTDraft03 Exact "NAT-T draft-03"
        [0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56],
    /// NAT traversal, draft 02, as most peers send it: the hash covers a trailing newline.
    NatTDraft02Newline Exact "NAT-T draft-02\\n"
        [0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f],
    /// NAT traversal, draft 02, with the hash of the bare name.
    NatTDraft02 Exact "NAT-T draft-02"
        [0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4, 0x48],
    /// NAT traversal, drafts 00 and 01: ESP in UDP on port 500.
    NatTDraft00 Exact "NAT-T draft-00"
        [0x44, 0x85, 0x15, 0x2d, 0x18, 0xb6, 0xbb, 0xcd, 0x0b, 0xe8, 0xa8, 0x46, 0x95, 0x79, 0xdd, 0xcc],
    /// NAT traversal, draft 07: to be ignored, for its payload numbers 15 and 16 went to GDOI.
    NatTDraft07 Exact "NAT-T draft-07"
        [0x43, 0x9b, 0x59, 0xf8, 0xba, 0x67, 0x6c, 0x4c, 0x77, 0x37, 0xae, 0x22, 0xea, 0xb8, 0xf5, 0x82],
    /// Dead peer detection, version 1.0 (RFC 3706 §5.1).
    Dpd Exact "DPD"
        [0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00],
    /// Extended authentication (draft-beaulieu-ike-xauth-02 §2).
    Xauth Exact "XAUTH" [0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12],
    /// Cisco Unity; two octets of version follow.
    CiscoUnity Prefix "Cisco Unity"
        [0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9, 0x70, 0x2d, 0x9f, 0xe2, 0x74, 0xcc],
    /// IKE fragmentation; four octets of capability bits may follow.
    Fragmentation Prefix "IKE fragmentation"
        [0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3],
    /// strongSwan.
    StrongSwan Exact "strongSwan"
        [0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb],
    /// KAME racoon and ipsec-tools.
    Racoon Exact "KAME/racoon"
        [0x70, 0x03, 0xcb, 0xc1, 0x09, 0x7d, 0xbe, 0x9c, 0x26, 0x00, 0xba, 0x69, 0x83, 0xbc, 0x8b, 0x35],
    /// Windows: this is the first SA since it started.
    MsInitialContact Exact "MS Vid-Initial-Contact"
        [0x26, 0x24, 0x4d, 0x38, 0xed, 0xdb, 0x61, 0xb3, 0x17, 0x2a, 0x36, 0xe3, 0xd0, 0xcf, 0xb8, 0x19],
    /// Windows; four octets of version follow.
    MsIsakmpOakley Prefix "MS NT5 ISAKMPOAKLEY"
        [0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d, 0x7c, 0x96, 0xfc, 0xbf, 0xb5, 0x87, 0xe4, 0x61],
}

impl VendorId {
    /// Which known vendor ID this is.
    #[must_use]
    pub fn known(&self) -> Option<KnownVendor> {
        KNOWN_VENDORS.iter().copied().find(|known| match known.how() {
            Match::Exact => self.0 == known.octets(),
            Match::Prefix => self.0.starts_with(known.octets()),
        })
    }

    /// Reads the body.
    ///
    /// # Errors
    /// None of its own: any octets are a vendor ID.
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(r.rest().to_vec()))
    }

    /// Writes the body.
    ///
    /// # Errors
    /// None of its own.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.bytes(&self.0);
        Ok(())
    }
}

impl From<KnownVendor> for VendorId {
    fn from(known: KnownVendor) -> Self {
        Self(known.octets().to_vec())
    }
}

impl fmt::Display for VendorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some(known) => f.write_str(known.name()),
            None => self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn all_known_ids_are_recognised_and_distinct() {
        for known in KNOWN_VENDORS {
            assert_eq!(VendorId::from(*known).known(), Some(*known));
        }
    }

    #[test]
    fn versions_may_follow_where_they_do() {
        let mut unity = VendorId::from(KnownVendor::CiscoUnity);
        unity.0.extend([1, 0]);
        assert_eq!(unity.to_string(), "Cisco Unity");
        let mut dpd = VendorId::from(KnownVendor::Dpd);
        dpd.0.push(0);
        assert_eq!((dpd.known(), dpd.to_string().len()), (None, 34));
    }
}
