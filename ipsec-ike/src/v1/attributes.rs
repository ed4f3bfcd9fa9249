//! The attributes of a transform: lifetimes, and which others may stand there (RFC 2409 appendix A, RFC 2407 §4.5).

use std::time::Duration;

use ipsec_proto::isakmp::{Attribute, Transform};
use ipsec_proto::registry::{LifeType, Phase1Attribute, Phase2Attribute};

use crate::refusal::{Dimension, Mismatch};

/// The shortest life of an ISAKMP SA that a peer can talk us into: whoever wants less ends it himself.
pub(crate) const MIN_IKE_LIFETIME: Duration = Duration::from_secs(60);

/// The same for a pair of IPsec SAs, so that nobody makes us negotiate without end.
pub(crate) const MIN_CHILD_LIFETIME: Duration = Duration::from_secs(30);

/// The fewest octets that a pair of IPsec SAs carries, likewise.
const MIN_CHILD_OCTETS: u64 = 16 << 20;

/// A lifetime as negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Life {
    pub(crate) time: Option<Duration>,
    /// In octets: on the wire it is in units of 1024.
    pub(crate) octets: Option<u64>,
}

pub(super) fn life_attributes([kind, duration]: [u16; 2], life: Duration) -> [Attribute; 2] {
    let seconds = u32::try_from(life.as_secs()).unwrap_or(u32::MAX);
    [Attribute::basic(kind, LifeType::SECONDS.0), Attribute::number(duration, seconds)]
}

/// Reads life types and durations, each duration belonging to the type in front of it.
pub(super) fn read_life(transform: &Transform, [kind, duration]: [u16; 2]) -> Life {
    let mut life = Life::default();
    let mut unit = None;
    for attribute in &transform.attributes {
        if attribute.class == kind {
            unit = attribute.as_number();
        } else if attribute.class == duration
            && let Some(value) = attribute.as_number()
        {
            match unit {
                // A life of nothing is none that was named.
                Some(_) if value == 0 => {}
                Some(1) => life.time = Some(Duration::from_secs(value)),
                Some(2) => life.octets = Some(value.saturating_mul(1024).max(MIN_CHILD_OCTETS)),
                _ => {}
            }
        }
    }
    life
}

pub(super) fn number(transform: &Transform, class: u16) -> Option<u16> {
    transform.attribute(class).and_then(Attribute::as_number).and_then(|value| u16::try_from(value).ok())
}

/// Notes attributes that a transform may not have: one that we do not know may change what the others mean, and one
/// that is there twice contradicts itself (RFC 2407 §4.5.2, §4.5.3). Only lifetimes come more than once.
pub(super) fn check_attributes(
    found: &mut Vec<Mismatch>,
    transform: &Transform,
    known: &[u16],
    life: [u16; 2],
    name: impl Fn(u16) -> String,
) {
    let mut seen = Vec::with_capacity(known.len());
    let odd = transform.attributes.iter().find_map(|attribute| {
        let class = attribute.class;
        if life.contains(&class) {
            None
        } else if !known.contains(&class) {
            Some(("only attributes that it knows", name(class)))
        } else if seen.contains(&class) {
            Some(("each attribute once", format!("{} twice", name(class))))
        } else {
            seen.push(class);
            None
        }
    });
    if let Some((ours, theirs)) = odd {
        found.push(Mismatch { dimension: Dimension::Attribute, ours: ours.into(), theirs });
    }
}

pub(super) const LIFE_IKE: [u16; 2] = [Phase1Attribute::LIFE_TYPE.0, Phase1Attribute::LIFE_DURATION.0];
pub(super) const LIFE_CHILD: [u16; 2] = [Phase2Attribute::LIFE_TYPE.0, Phase2Attribute::LIFE_DURATION.0];

/// What describes a phase 1 suite, lifetimes aside.
pub(super) const KNOWN_IKE: [u16; 5] = [
    Phase1Attribute::ENCRYPTION.0,
    Phase1Attribute::KEY_LENGTH.0,
    Phase1Attribute::HASH.0,
    Phase1Attribute::GROUP.0,
    Phase1Attribute::AUTHENTICATION_METHOD.0,
];

/// What describes a phase 2 suite, lifetimes aside.
pub(super) const KNOWN_CHILD: [u16; 5] = [
    Phase2Attribute::GROUP.0,
    Phase2Attribute::ENCAPSULATION_MODE.0,
    Phase2Attribute::AUTHENTICATION_ALGORITHM.0,
    Phase2Attribute::KEY_LENGTH.0,
    Phase2Attribute::EXTENDED_SEQUENCE_NUMBER.0,
];
