//! Proposals of phase 1: what we offer, and what of an offer is ours (RFC 2408 §4.2, RFC 2409 §5).
//!
//! Attributes are compared one by one; what does not fit comes out as a [`Mismatch`] for every dimension of the pair
//! that comes nearest, so that one message to the operator names all that has to be changed.

use std::time::Duration;

use ipsec_proto::isakmp::{Attribute, Proposal, SecurityAssociation, SpiBytes, Transform};
use ipsec_proto::registry::{
    AuthenticationMethod, EncryptionAlgorithm, GroupDescription, HashAlgorithm, IsakmpTransform,
    Phase1Attribute, ProtocolId,
};

use super::attributes::{KNOWN_IKE, LIFE_IKE, Life, check_attributes, life_attributes, number, read_life};
use crate::refusal::{Dimension, Mismatch};
use crate::suite::{IkeSuite, Phase1Numbers};

/// What a phase 1 SA lives if nobody says (RFC 2407 §4.5 has it for phase 2; the same is usual here).
pub(crate) const DEFAULT_LIFETIME: Duration = Duration::from_secs(28_800);

/// What was chosen from an offer.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) suite: IkeSuite,
    /// The chosen proposal with the one chosen transform, unaltered: what goes back.
    pub(crate) proposal: Proposal,
    pub(crate) life: Life,
}

pub(super) fn named<T: core::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "none".into(), |value| value.to_string())
}

pub(super) fn bits(value: Option<u16>) -> String {
    value.map_or_else(|| "none".into(), |bits| format!("{bits} bits"))
}

/// Notes a difference.
pub(super) fn compare<T: PartialEq>(
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
) -> Result<Chosen, Vec<Mismatch>> {
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

/// What an answer chose from our phase 1 offer: exactly one proposal with exactly one transform, and that one of ours.
pub(crate) fn accepted_ike(
    answer: &SecurityAssociation,
    suites: &[IkeSuite],
) -> Result<Chosen, Vec<Mismatch>> {
    one_choice(answer)?;
    choose_ike(answer, suites, 1)
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
