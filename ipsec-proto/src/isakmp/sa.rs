//! Security Association, Proposal and Transform payloads and their attributes (RFC 2408 §3.3 to §3.6, RFC 2407 §4.6.1).

use alloc::vec::Vec;

use crate::codec::{Reader, Writer, octet};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::isakmp::SpiBytes;
use crate::registry::{Doi, PayloadType, ProtocolId, Situation};

/// The most attributes one transform may have: no registry has a quarter as many classes.
pub const MAX_ATTRIBUTES: usize = 64;

/// An SA payload of the IPsec DOI with the situation SIT_IDENTITY_ONLY, the only one IKE uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecurityAssociation {
    /// The DOI: IPsec.
    pub doi: Doi,
    /// The situation: SIT_IDENTITY_ONLY.
    pub situation: Situation,
    /// The proposals in order of preference; equal numbers belong together (RFC 2408 §4.2).
    pub proposals: Vec<Proposal>,
}

/// One protocol of one proposal, with the transforms to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The proposal number.
    pub number: u8,
    /// The protocol the transforms are for.
    pub protocol: ProtocolId,
    /// The sender's inbound SPI; in phase 1 anything, to be ignored (RFC 2408 §3.5).
    pub spi: SpiBytes,
    /// The transforms in order of preference.
    pub transforms: Vec<Transform>,
}

/// One choice of algorithms.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transform {
    /// The transform number.
    pub number: u8,
    /// The transform identifier; its registry depends on the proposal's protocol.
    pub id: u8,
    /// The attributes in the order received: a life duration belongs to the life type before it.
    pub attributes: Vec<Attribute>,
}

/// A data attribute (RFC 2408 §3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The attribute class, 0 to 32767; its registry depends on the phase.
    pub class: u16,
    /// The value.
    pub value: AttributeValue,
}

/// The value of an attribute, in the form it was encoded in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AttributeValue {
    /// Type/value form (AF = 1): 16 bits.
    Basic(u16),
    /// Type/length/value form (AF = 0).
    Variable(Vec<u8>),
}

impl SecurityAssociation {
    /// An SA payload of the IPsec DOI.
    #[must_use]
    pub const fn new(proposals: Vec<Proposal>) -> Self {
        Self { doi: Doi::IPSEC, situation: Situation::IDENTITY_ONLY, proposals }
    }

    /// Reads the body of an SA payload.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Unsupported`] for another DOI or situation, whose contents are laid out differently; what
    /// [`DecodeErrorKind`] says for lengths, counts and linkage that do not add up.
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.offset();
        let doi = Doi(r.u32("SA DOI")?);
        if doi != Doi::IPSEC {
            return Err(DecodeError::new(DecodeErrorKind::Unsupported, "SA DOI", at, u64::from(doi.0)));
        }
        let at = r.offset();
        let situation = Situation(r.u32("SA situation")?);
        if situation != Situation::IDENTITY_ONLY {
            let value = u64::from(situation.0);
            return Err(DecodeError::new(DecodeErrorKind::Unsupported, "SA situation", at, value));
        }
        let mut proposals = Vec::new();
        linked(
            r,
            PayloadType::PROPOSAL,
            ["proposal next payload", "proposal RESERVED", "proposal length"],
            |r| {
                proposals.push(Proposal::parse(r)?);
                Ok(())
            },
        )?;
        Ok(Self { doi, situation, proposals })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when a count or length overflows; [`EncodeError::Inconsistent`] without proposals.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.u32(self.doi.0);
        w.u32(self.situation.0);
        let Some(last) = self.proposals.len().checked_sub(1) else {
            return Err(EncodeError::Inconsistent { field: "SA proposals" });
        };
        self.proposals.iter().enumerate().try_for_each(|(i, proposal)| {
            let next = if i == last { PayloadType::NONE } else { PayloadType::PROPOSAL };
            w.generic("proposal length", next.0, |w| proposal.emit(w))
        })
    }
}

impl Proposal {
    fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = r.u8("proposal number")?;
        let protocol = ProtocolId(r.u8("proposal protocol ID")?);
        let size_at = r.offset();
        let spi_size = r.u8("proposal SPI size")?;
        let count_at = r.offset();
        let count = r.u8("proposal transform count")?;
        let spi = SpiBytes::parse(r, "proposal SPI size", size_at, spi_size)?;
        let mut transforms = Vec::new();
        linked(
            r,
            PayloadType::TRANSFORM,
            ["transform next payload", "transform RESERVED", "transform length"],
            |r| {
                transforms.push(Transform::parse(r)?);
                Ok(())
            },
        )?;
        if transforms.len() != usize::from(count) {
            let kind = DecodeErrorKind::CountMismatch { found: transforms.len() };
            return Err(DecodeError::new(kind, "proposal transform count", count_at, u64::from(count)));
        }
        Ok(Self { number, protocol, spi, transforms })
    }

    fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.u8(self.number);
        w.u8(self.protocol.0);
        w.u8(octet("proposal SPI size", self.spi.len())?);
        w.u8(octet("proposal transform count", self.transforms.len())?);
        w.bytes(self.spi.as_slice());
        let Some(last) = self.transforms.len().checked_sub(1) else {
            return Err(EncodeError::Inconsistent { field: "proposal transforms" });
        };
        self.transforms.iter().enumerate().try_for_each(|(i, transform)| {
            let next = if i == last { PayloadType::NONE } else { PayloadType::TRANSFORM };
            w.generic("transform length", next.0, |w| transform.emit(w))
        })
    }
}

impl Transform {
    /// The first attribute of a class.
    #[must_use]
    pub fn attribute(&self, class: u16) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.class == class)
    }

    fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = r.u8("transform number")?;
        let id = r.u8("transform ID")?;
        let at = r.offset();
        let reserved = r.u16("transform RESERVED2")?;
        if reserved != 0 {
            let kind = DecodeErrorKind::ReservedNotZero;
            return Err(DecodeError::new(kind, "transform RESERVED2", at, u64::from(reserved)));
        }
        Ok(Self { number, id, attributes: Attribute::parse_list(r)? })
    }

    fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.u8(self.number);
        w.u8(self.id);
        w.u16(0);
        Attribute::emit_list(&self.attributes, w)
    }
}

impl Attribute {
    const BASIC: u16 = 0x8000;

    /// An attribute in type/value form.
    #[must_use]
    pub const fn basic(class: u16, value: u16) -> Self {
        Self { class, value: AttributeValue::Basic(value) }
    }

    /// An attribute in type/length/value form.
    #[must_use]
    pub const fn variable(class: u16, value: Vec<u8>) -> Self {
        Self { class, value: AttributeValue::Variable(value) }
    }

    /// A 32-bit number, basic if it fits in 16 bits and in four octets otherwise: how life durations are sent.
    #[must_use]
    pub fn number(class: u16, value: u32) -> Self {
        match u16::try_from(value) {
            Ok(small) => Self::basic(class, small),
            Err(_) => Self::variable(class, value.to_be_bytes().to_vec()),
        }
    }

    /// The value as a number, whichever form it has; `None` when it exceeds 64 bits or has no octets.
    #[must_use]
    pub fn as_number(&self) -> Option<u64> {
        match &self.value {
            AttributeValue::Basic(value) => Some(u64::from(*value)),
            AttributeValue::Variable(octets) if octets.is_empty() => None,
            AttributeValue::Variable(octets) => octets
                .iter()
                .try_fold(0u64, |sum, octet| (sum >> 56 == 0).then(|| sum << 8 | u64::from(*octet))),
        }
    }

    /// Reads attributes to the end: of a transform, or of a RESPONDER-LIFETIME notify's data (RFC 2407 §4.6.3.1).
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when a value ends too early, [`DecodeErrorKind::TooMany`] above [`MAX_ATTRIBUTES`].
    pub fn parse_list(r: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut attributes = Vec::new();
        while !r.is_empty() {
            if attributes.len() == MAX_ATTRIBUTES {
                let kind = DecodeErrorKind::TooMany { limit: MAX_ATTRIBUTES };
                return Err(DecodeError::new(kind, "attributes", r.offset(), MAX_ATTRIBUTES as u64));
            }
            let kind = r.u16("attribute type")?;
            let second = r.u16("attribute length")?;
            let value = if kind & Self::BASIC != 0 {
                AttributeValue::Basic(second)
            } else {
                AttributeValue::Variable(r.take("attribute value", usize::from(second))?.to_vec())
            };
            attributes.push(Self { class: kind & !Self::BASIC, value });
        }
        Ok(attributes)
    }

    /// Writes attributes one after the other.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a class above 32767 or a value above 65535 octets.
    pub fn emit_list(attributes: &[Self], w: &mut Writer<'_>) -> Result<(), EncodeError> {
        attributes.iter().try_for_each(|attribute| {
            if attribute.class & Self::BASIC != 0 {
                let value = usize::from(attribute.class);
                return Err(EncodeError::TooLong { field: "attribute type", value, limit: 0x7fff });
            }
            match &attribute.value {
                AttributeValue::Basic(value) => {
                    w.u16(Self::BASIC | attribute.class);
                    w.u16(*value);
                    Ok(())
                }
                AttributeValue::Variable(octets) => {
                    w.u16(attribute.class);
                    w.u16_prefixed("attribute length", |w| {
                        w.bytes(octets);
                        Ok(())
                    })
                }
            }
        })
    }
}

/// Walks elements that name their successor's type (`kind` or none), to the exact end of `r`. The names are those of the
/// next payload, RESERVED and length fields.
fn linked(
    r: &mut Reader<'_>,
    kind: PayloadType,
    [next_name, reserved_name, length_name]: [&'static str; 3],
    mut element: impl FnMut(&mut Reader<'_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    loop {
        let at = r.offset();
        let next = PayloadType(r.u8(next_name)?);
        if next != kind && next != PayloadType::NONE {
            return Err(DecodeError::new(DecodeErrorKind::BadValue, next_name, at, u64::from(next.0)));
        }
        let reserved = r.u8(reserved_name)?;
        if reserved != 0 {
            let kind = DecodeErrorKind::ReservedNotZero;
            return Err(DecodeError::new(kind, reserved_name, at.saturating_add(1), u64::from(reserved)));
        }
        let length = r.u16(length_name)?;
        let Some(body) = usize::from(length).checked_sub(4) else {
            let at = at.saturating_add(2);
            return Err(DecodeError::new(DecodeErrorKind::BadLength, length_name, at, u64::from(length)));
        };
        let mut sub = r.sub(length_name, body)?;
        element(&mut sub)?;
        if next == PayloadType::NONE {
            return r.finish(length_name);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn sample() -> SecurityAssociation {
        SecurityAssociation::new(vec![
            Proposal {
                number: 1,
                protocol: ProtocolId::ESP,
                spi: SpiBytes::new(&[0xca, 0xfe, 0, 1]).unwrap(),
                transforms: vec![
                    Transform {
                        number: 1,
                        id: 12,
                        attributes: vec![Attribute::basic(6, 128), Attribute::number(2, 86400)],
                    },
                    Transform { number: 2, id: 3, attributes: vec![] },
                ],
            },
            Proposal {
                number: 2,
                protocol: ProtocolId::AH,
                spi: SpiBytes::EMPTY,
                transforms: vec![Transform { number: 1, id: 2, attributes: vec![] }],
            },
        ])
    }

    const OCTETS: &[u8] = &[
        0, 0, 0, 1, 0, 0, 0, 1, // DOI, situation
        2, 0, 0, 40, 1, 3, 4, 2, 0xca, 0xfe, 0, 1, // proposal 1
        3, 0, 0, 20, 1, 12, 0, 0, 0x80, 6, 0, 128, 0, 2, 0, 4, 0, 1, 0x51, 0x80, // transform 1
        0, 0, 0, 8, 2, 3, 0, 0, // transform 2
        0, 0, 0, 16, 2, 2, 0, 1, // proposal 2
        0, 0, 0, 8, 1, 2, 0, 0,
    ];

    #[test]
    fn round_trip_byte_by_byte() {
        let mut out = vec![];
        sample().emit(&mut Writer::new(&mut out)).unwrap();
        assert_eq!(out, OCTETS);
        assert_eq!(SecurityAssociation::parse(&mut Reader::new(OCTETS)), Ok(sample()));
    }

    /// The error met when one octet is replaced.
    fn with(at: usize, value: u8) -> (DecodeErrorKind, &'static str, usize) {
        let mut octets = OCTETS.to_vec();
        octets[at] = value;
        let error = SecurityAssociation::parse(&mut Reader::new(&octets)).unwrap_err();
        (error.kind, error.field, error.at)
    }

    #[test]
    fn faults_are_named_with_field_and_offset() {
        use DecodeErrorKind::*;
        assert_eq!(with(3, 2), (Unsupported, "SA DOI", 0));
        assert_eq!(with(7, 3), (Unsupported, "SA situation", 4));
        assert_eq!(with(8, 3), (BadValue, "proposal next payload", 8));
        assert_eq!(with(8, 0), (TrailingOctets, "proposal length", 48));
        assert_eq!(with(9, 1), (ReservedNotZero, "proposal RESERVED", 9));
        assert_eq!(with(11, 3), (BadLength, "proposal length", 10));
        assert_eq!(with(11, 0), (BadLength, "proposal length", 10));
        assert_eq!(with(14, 17), (BadLength, "proposal SPI size", 14));
        assert_eq!(with(15, 3), (CountMismatch { found: 2 }, "proposal transform count", 15));
        assert_eq!(with(20, 2), (BadValue, "transform next payload", 20));
        assert_eq!(with(26, 1), (ReservedNotZero, "transform RESERVED2", 26));
        assert_eq!(with(35, 5), (Truncated { need: 5, have: 4 }, "attribute value", 36));
    }

    #[test]
    fn attributes_read_as_numbers_in_both_forms() {
        assert_eq!(Attribute::basic(1, 7).as_number(), Some(7));
        assert_eq!(Attribute::number(2, 65536).as_number(), Some(65536));
        assert_eq!(Attribute::number(2, 65535).value, AttributeValue::Basic(65535));
        assert_eq!(Attribute::variable(2, vec![]).as_number(), None);
        assert_eq!(Attribute::variable(2, vec![0, 0, 0, 0, 0, 0, 0, 0, 1]).as_number(), Some(1));
        assert_eq!(Attribute::variable(2, vec![0xff; 8]).as_number(), Some(u64::MAX));
        assert_eq!(Attribute::variable(2, vec![1; 9]).as_number(), None);
    }

    #[test]
    fn attribute_lists_are_capped() {
        let list = vec![Attribute::basic(1, 1); MAX_ATTRIBUTES + 1];
        let mut out = vec![];
        Attribute::emit_list(&list, &mut Writer::new(&mut out)).unwrap();
        let error = Attribute::parse_list(&mut Reader::new(&out)).unwrap_err();
        assert_eq!((error.kind, error.at), (DecodeErrorKind::TooMany { limit: MAX_ATTRIBUTES }, 256));
        let mut fits = Reader::new(&out[4..]);
        assert_eq!(Attribute::parse_list(&mut fits).unwrap().len(), MAX_ATTRIBUTES);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let mut out = vec![];
        let empty = SecurityAssociation::new(vec![]);
        assert!(empty.emit(&mut Writer::new(&mut out)).is_err());
        let mut many = sample();
        many.proposals[0].transforms = vec![many.proposals[0].transforms[1].clone(); 256];
        assert_eq!(
            many.emit(&mut Writer::new(&mut out)),
            Err(EncodeError::TooLong { field: "proposal transform count", value: 256, limit: 255 })
        );
        let wide = [Attribute::basic(0x8001, 0)];
        assert!(Attribute::emit_list(&wide, &mut Writer::new(&mut out)).is_err());
    }
}
