//! Proposals of both phases: what we offer, and what of an offer is ours (RFC 2408 §4.2, RFC 2409 §5, RFC 2407 §4.5).
//!
//! Attributes are compared one by one; what does not fit comes out as a [`Mismatch`] for every dimension of the pair
//! that comes nearest, so that one message to the operator names all that has to be changed.

use std::collections::BTreeMap;
use std::time::Duration;

use ipsec_proto::isakmp::{Attribute, Proposal, SecurityAssociation, SpiBytes, Transform};
use ipsec_proto::net::Spi;
use ipsec_proto::registry::{
    AuthenticationAlgorithm, AuthenticationMethod, EncapsulationMode, EncryptionAlgorithm, EspTransform,
    GroupDescription, HashAlgorithm, IsakmpTransform, Phase1Attribute, Phase2Attribute, ProtocolId,
};

use super::attributes::{
    KNOWN_ESP, KNOWN_IKE, LIFE_ESP, LIFE_IKE, Life, check_attributes, life_attributes, number, read_life,
};
use crate::refusal::{Dimension, Mismatch};
use crate::suite::{EspSuite, IkeSuite, Phase1Numbers, Phase2Numbers};

/// What a phase 1 SA lives if nobody says (RFC 2407 §4.5 has it for phase 2; the same is usual here).
pub(crate) const DEFAULT_LIFETIME: Duration = Duration::from_secs(28_800);

/// What was chosen from an offer.
#[derive(Debug, Clone)]
pub(crate) struct Chosen<S> {
    pub(crate) suite: S,
    /// The chosen proposal with the one chosen transform, unaltered: what goes back.
    pub(crate) proposal: Proposal,
    pub(crate) life: Life,
}

fn named<T: core::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "none".into(), |value| value.to_string())
}

fn bits(value: Option<u16>) -> String {
    value.map_or_else(|| "none".into(), |bits| format!("{bits} bits"))
}

/// Notes a difference.
fn compare<T: PartialEq>(
    found: &mut Vec<Mismatch>,
    dimension: Dimension,
    ours: &T,
    theirs: &T,
    text: impl Fn(&T) -> String,
) {
    if ours != theirs {
        found.push(Mismatch { dimension, ours: text(ours), theirs: text(theirs) });
    }
}

/// The phase 1 offer: one proposal, a transform a suite.
pub(crate) fn offer_ike(suites: &[IkeSuite], life: Duration) -> SecurityAssociation {
    let transforms = suites
        .iter()
        .zip(1..=u8::MAX)
        .map(|(suite, number)| {
            let mut attributes = Vec::new();
            let mut push = |class: Phase1Attribute, value: Option<u16>| {
                attributes.extend(value.map(|value| Attribute::basic(class.0, value)));
            };
            push(Phase1Attribute::ENCRYPTION, suite.encryption_number().map(|number| number.0));
            push(Phase1Attribute::KEY_LENGTH, suite.key_length_attribute());
            push(Phase1Attribute::HASH, suite.hash_number().map(|number| number.0));
            push(Phase1Attribute::GROUP, Some(suite.group_number().0));
            push(Phase1Attribute::AUTHENTICATION_METHOD, Some(AuthenticationMethod::PSK.0));
            attributes.extend(life_attributes(LIFE_IKE, life));
            Transform { number, id: IsakmpTransform::KEY_IKE.0, attributes }
        })
        .collect();
    SecurityAssociation::new(vec![Proposal {
        number: 1,
        protocol: ProtocolId::ISAKMP,
        spi: SpiBytes::EMPTY,
        transforms,
    }])
}

fn mismatches_ike(suite: &IkeSuite, transform: &Transform) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let get = |attribute: Phase1Attribute| number(transform, attribute.0);
    compare(
        &mut found,
        Dimension::Encryption,
        &suite.encryption_number(),
        &get(Phase1Attribute::ENCRYPTION).map(EncryptionAlgorithm),
        |value| named(*value),
    );
    compare(
        &mut found,
        Dimension::KeyLength,
        &suite.key_length_attribute(),
        &get(Phase1Attribute::KEY_LENGTH),
        |value| bits(*value),
    );
    compare(
        &mut found,
        Dimension::Hash,
        &suite.hash_number(),
        &get(Phase1Attribute::HASH).map(HashAlgorithm),
        |value| named(*value),
    );
    compare(
        &mut found,
        Dimension::Group,
        &Some(suite.group_number()),
        &get(Phase1Attribute::GROUP).map(GroupDescription),
        |value| named(*value),
    );
    compare(
        &mut found,
        Dimension::Authentication,
        &Some(AuthenticationMethod::PSK),
        &get(Phase1Attribute::AUTHENTICATION_METHOD).map(AuthenticationMethod),
        |value| named(*value),
    );
    check_attributes(&mut found, transform, &KNOWN_IKE, LIFE_IKE, |class| Phase1Attribute(class).to_string());
    found
}

/// The phase 1 suite that the offer and we have in common: the initiator's order decides (RFC 2408 §4.2).
///
/// The error is every difference of the nearest pair; it is empty only where the offer has no transform at all.
pub(crate) fn choose_ike(
    offer: &SecurityAssociation,
    suites: &[IkeSuite],
    limit: usize,
) -> Result<Chosen<IkeSuite>, Vec<Mismatch>> {
    let mut nearest: Option<Vec<Mismatch>> = None;
    let transforms =
        offer.proposals.iter().flat_map(|proposal| proposal.transforms.iter().map(move |t| (proposal, t)));
    for (proposal, transform) in transforms.take(limit) {
        for suite in suites {
            let mut found = mismatches_ike(suite, transform);
            compare(
                &mut found,
                Dimension::Protocol,
                &ProtocolId::ISAKMP,
                &proposal.protocol,
                ToString::to_string,
            );
            if found.is_empty() {
                let proposal = Proposal { transforms: vec![transform.clone()], ..proposal.clone() };
                let life = read_life(transform, LIFE_IKE);
                return Ok(Chosen { suite: *suite, proposal, life });
            }
            if nearest.as_ref().is_none_or(|best| found.len() < best.len()) {
                nearest = Some(found);
            }
        }
    }
    Err(nearest.unwrap_or_default())
}

/// The phase 2 offer: one ESP proposal, a transform a suite.
pub(crate) fn offer_esp(
    suites: &[EspSuite],
    spi: Spi,
    mode: EncapsulationMode,
    life: Duration,
) -> SecurityAssociation {
    let transforms = suites
        .iter()
        .zip(1..=u8::MAX)
        .map(|(suite, number)| {
            let mut attributes = life_attributes(LIFE_ESP, life).to_vec();
            if let Some(group) = suite.pfs_number() {
                attributes.push(Attribute::basic(Phase2Attribute::GROUP.0, group.0));
            }
            attributes.push(Attribute::basic(Phase2Attribute::ENCAPSULATION_MODE.0, mode.0));
            if let Some(integrity) = suite.integrity_number() {
                attributes.push(Attribute::basic(Phase2Attribute::AUTHENTICATION_ALGORITHM.0, integrity.0));
            }
            if let Some(bits) = suite.key_length_attribute() {
                attributes.push(Attribute::basic(Phase2Attribute::KEY_LENGTH.0, bits));
            }
            Transform { number, id: suite.transform_number().map_or(0, |number| number.0), attributes }
        })
        .collect();
    SecurityAssociation::new(vec![Proposal {
        number: 1,
        protocol: ProtocolId::ESP,
        spi: spi.into(),
        transforms,
    }])
}

fn mismatches_esp(
    suite: &EspSuite,
    mode: EncapsulationMode,
    proposal: &Proposal,
    transform: &Transform,
) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let get = |attribute: Phase2Attribute| number(transform, attribute.0);
    compare(&mut found, Dimension::Protocol, &ProtocolId::ESP, &proposal.protocol, ToString::to_string);
    if proposal.protocol == ProtocolId::ESP {
        let theirs = Some(EspTransform(transform.id));
        compare(&mut found, Dimension::Encryption, &suite.transform_number(), &theirs, |value| named(*value));
    }
    compare(
        &mut found,
        Dimension::KeyLength,
        &suite.key_length_attribute(),
        &get(Phase2Attribute::KEY_LENGTH),
        |value| bits(*value),
    );
    compare(
        &mut found,
        Dimension::Integrity,
        &suite.integrity_number(),
        &get(Phase2Attribute::AUTHENTICATION_ALGORITHM).map(AuthenticationAlgorithm),
        |value| named(*value),
    );
    compare(
        &mut found,
        Dimension::PfsGroup,
        &suite.pfs_number(),
        &get(Phase2Attribute::GROUP).map(GroupDescription),
        |value| named(*value),
    );
    // The numbers of the drafts and of the standard name the same mode (RFC 3947 §5.1).
    let theirs = get(Phase2Attribute::ENCAPSULATION_MODE).map(EncapsulationMode);
    let same = theirs
        .is_some_and(|theirs| theirs.is_udp() == mode.is_udp() && theirs.is_tunnel() == mode.is_tunnel());
    if !same {
        found.push(Mismatch {
            dimension: Dimension::Encapsulation,
            ours: mode.to_string(),
            theirs: named(theirs),
        });
    }
    if get(Phase2Attribute::EXTENDED_SEQUENCE_NUMBER).is_some_and(|value| value != 0) {
        found.push(Mismatch {
            dimension: Dimension::Encapsulation,
            ours: "32-bit sequence numbers".into(),
            theirs: "extended sequence numbers".into(),
        });
    }
    check_attributes(&mut found, transform, &KNOWN_ESP, LIFE_ESP, |class| Phase2Attribute(class).to_string());
    found
}

/// The protocols of the proposals by their number: those of one number are to be taken together (RFC 2408 §4.2).
struct Bundles(BTreeMap<u8, (usize, Vec<ProtocolId>)>);

impl Bundles {
    /// Protocols named of one bundle: enough for any that means something.
    const NAMED: usize = 4;

    fn of(offer: &SecurityAssociation) -> Self {
        let mut bundles = BTreeMap::<u8, (usize, Vec<ProtocolId>)>::new();
        for proposal in &offer.proposals {
            let (count, protocols) = bundles.entry(proposal.number).or_default();
            *count += 1;
            if protocols.len() < Self::NAMED {
                protocols.push(proposal.protocol);
            }
        }
        Self(bundles)
    }

    /// What is bundled under a number, for a person; `None` where it is one proposal.
    fn text(&self, number: u8) -> Option<String> {
        let (count, protocols) = self.0.get(&number).filter(|(count, _)| *count > 1)?;
        let mut text = protocols.iter().map(ToString::to_string).collect::<Vec<_>>().join(" with ");
        if *count > Self::NAMED {
            text.push_str(&format!(" and {} more", count - Self::NAMED));
        }
        Some(text)
    }
}

/// The phase 2 suite that the offer and we have in common, with the peer's SPI; the initiator's order decides.
///
/// The error is every difference of the nearest pair.
pub(crate) fn choose_esp(
    offer: &SecurityAssociation,
    suites: &[EspSuite],
    mode: EncapsulationMode,
    limit: usize,
) -> Result<(Chosen<EspSuite>, Spi), Vec<Mismatch>> {
    let mut nearest: Option<Vec<Mismatch>> = None;
    let transforms =
        offer.proposals.iter().flat_map(|proposal| proposal.transforms.iter().map(move |t| (proposal, t)));
    let bundles = Bundles::of(offer);
    for (proposal, transform) in transforms.take(limit) {
        for suite in suites {
            let mut found = mismatches_esp(suite, mode, proposal, transform);
            if let Some(theirs) = bundles.text(proposal.number) {
                found.push(Mismatch { dimension: Dimension::Protocol, ours: "ESP".into(), theirs });
            }
            let spi = proposal.spi.as_spi().filter(|spi| !spi.is_reserved());
            if spi.is_none() {
                let theirs = format!("the unusable SPI {}", proposal.spi);
                found.push(Mismatch {
                    dimension: Dimension::Protocol,
                    ours: "an SPI above 255".into(),
                    theirs,
                });
            }
            if let (true, Some(spi)) = (found.is_empty(), spi) {
                let proposal = Proposal { transforms: vec![transform.clone()], ..proposal.clone() };
                let life = read_life(transform, LIFE_ESP);
                return Ok((Chosen { suite: *suite, proposal, life }, spi));
            }
            if nearest.as_ref().is_none_or(|best| found.len() < best.len()) {
                nearest = Some(found);
            }
        }
    }
    Err(nearest.unwrap_or_default())
}

/// What an answer chose from our phase 1 offer: exactly one proposal with exactly one transform, and that one of ours.
pub(crate) fn accepted_ike(
    answer: &SecurityAssociation,
    suites: &[IkeSuite],
) -> Result<Chosen<IkeSuite>, Vec<Mismatch>> {
    one_choice(answer)?;
    choose_ike(answer, suites, 1)
}

/// What an answer chose from our phase 2 offer, likewise.
pub(crate) fn accepted_esp(
    answer: &SecurityAssociation,
    suites: &[EspSuite],
    mode: EncapsulationMode,
) -> Result<(Chosen<EspSuite>, Spi), Vec<Mismatch>> {
    one_choice(answer)?;
    choose_esp(answer, suites, mode, 1)
}

fn one_choice(answer: &SecurityAssociation) -> Result<(), Vec<Mismatch>> {
    let transforms: usize = answer.proposals.iter().map(|proposal| proposal.transforms.len()).sum();
    if answer.proposals.len() == 1 && transforms == 1 {
        return Ok(());
    }
    Err(vec![Mismatch {
        dimension: Dimension::Protocol,
        ours: "one proposal with one transform".into(),
        theirs: format!("{} proposals with {transforms} transforms", answer.proposals.len()),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Transform identifier, Authentication Algorithm, Key Length and Group Description on the wire.
    #[test]
    fn combined_modes_are_offered_without_an_integrity_algorithm() {
        for (suite, expected) in [
            ("aes128gcm16", (20, None, Some(128), None)),
            ("aes256gcm8-modp2048", (18, None, Some(256), Some(14))),
            ("aes192ccm12", (15, None, Some(192), None)),
            ("aes128gmac", (23, None, Some(128), None)),
            ("aes128ctr-sha256", (13, Some(5), Some(128), None)),
            ("null-sha1", (11, Some(2), None, None)),
        ] {
            let suites = [suite.parse::<EspSuite>().expect("the table spells it so")];
            let mode = EncapsulationMode::TUNNEL;
            let offer = offer_esp(&suites, Spi(0x1234_5678), mode, DEFAULT_LIFETIME);
            let transform = &offer.proposals[0].transforms[0];
            let get = |attribute: Phase2Attribute| number(transform, attribute.0);
            let found = (
                transform.id,
                get(Phase2Attribute::AUTHENTICATION_ALGORITHM),
                get(Phase2Attribute::KEY_LENGTH),
                get(Phase2Attribute::GROUP),
            );
            assert_eq!(found, expected, "{suite}");
            let (chosen, _) = choose_esp(&offer, &suites, mode, 1).expect("what we offer is ours");
            assert_eq!(chosen.suite, suites[0]);
        }
    }
}
