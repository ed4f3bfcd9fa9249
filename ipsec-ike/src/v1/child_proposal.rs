//! Proposals of phase 2: what we offer, and what of an offer is ours (RFC 2408 §4.2, RFC 2407 §4.5).
//!
//! Proposals of one number are to be taken together: AH and ESP under one number are a bundle. In each, one of the
//! transforms is taken.

use std::collections::BTreeMap;
use std::time::Duration;

use ipsec_proto::isakmp::{Attribute, Proposal, SecurityAssociation, Transform};
use ipsec_proto::net::Spi;
use ipsec_proto::registry::{
    AuthenticationAlgorithm, EncapsulationMode, GroupDescription, Phase2Attribute, ProtocolId,
};
use ipsec_sad::ProtocolKind;

use super::attributes::{
    KNOWN_CHILD, LIFE_CHILD, Life, check_attributes, life_attributes, number, read_life,
};
use super::proposal::{bits, compare, named};
use crate::refusal::{Dimension, Mismatch};
use crate::suite::{ChildSuite, Part};

/// What was chosen from an offer.
#[derive(Debug, Clone)]
pub(crate) struct ChosenChild {
    pub(crate) suite: ChildSuite,
    /// The chosen proposals, each with the one chosen transform, unaltered: what goes back.
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) life: Life,
}

impl ChosenChild {
    /// The SPI that the other end has for a protocol.
    pub(crate) fn spi(&self, protocol: ProtocolId) -> Option<Spi> {
        self.proposals.iter().find(|proposal| proposal.protocol == protocol)?.spi.as_spi()
    }
}

fn transform_of(
    part: Part,
    suite: &ChildSuite,
    number: u8,
    mode: EncapsulationMode,
    life: Duration,
) -> Transform {
    let mut attributes = life_attributes(LIFE_CHILD, life).to_vec();
    if let Some(group) = suite.pfs_number() {
        attributes.push(Attribute::basic(Phase2Attribute::GROUP.0, group.0));
    }
    attributes.push(Attribute::basic(Phase2Attribute::ENCAPSULATION_MODE.0, mode.0));
    if let Some(integrity) = part.integrity() {
        attributes.push(Attribute::basic(Phase2Attribute::AUTHENTICATION_ALGORITHM.0, integrity.0));
    }
    if let Some(bits) = part.key_length() {
        attributes.push(Attribute::basic(Phase2Attribute::KEY_LENGTH.0, bits));
    }
    Transform { number, id: part.transform().unwrap_or_default(), attributes }
}

/// The phase 2 offer. Neighbours of one protocol alone are transforms of one proposal; a bundle has a number to itself, or
/// its halves could be taken crosswise.
pub(crate) fn offer_child(
    suites: &[ChildSuite],
    spi: impl Fn(ProtocolKind) -> Option<Spi>,
    mode: EncapsulationMode,
    life: Duration,
) -> SecurityAssociation {
    let mut proposals = Vec::new();
    let runs = suites.chunk_by(|a, b| a.only_kind().is_some() && a.only_kind() == b.only_kind());
    for (run, number) in runs.zip(1..=u8::MAX) {
        let Some(first) = run.first() else { continue };
        for (place, part) in first.parts().enumerate() {
            let Some(spi) = spi(part.kind) else { continue };
            let transforms = run.iter().zip(1..=u8::MAX).filter_map(|(suite, number)| {
                suite.parts().nth(place).map(|part| transform_of(part, suite, number, mode, life))
            });
            let transforms = transforms.collect();
            proposals.push(Proposal { number, protocol: part.protocol(), spi: spi.into(), transforms });
        }
    }
    SecurityAssociation::new(proposals)
}

/// In what a transform of a proposal differs from one protocol of a suite of ours.
fn mismatches(
    suite: &ChildSuite,
    part: Part,
    mode: EncapsulationMode,
    proposal: &Proposal,
    transform: &Transform,
) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let get = |attribute: Phase2Attribute| number(transform, attribute.0);
    if proposal.protocol == part.protocol() {
        let theirs = Some(transform.id);
        let text = |id: &Option<u8>| named(id.map(|id| part.transform_text(id)));
        let dimension = match part.kind {
            ProtocolKind::Esp => Dimension::Encryption,
            ProtocolKind::Ah => Dimension::Integrity,
        };
        compare(&mut found, dimension, &part.transform(), &theirs, text);
    }
    compare(
        &mut found,
        Dimension::KeyLength,
        &part.key_length(),
        &get(Phase2Attribute::KEY_LENGTH),
        |value| bits(*value),
    );
    compare(
        &mut found,
        Dimension::Integrity,
        &part.integrity(),
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
    check_attributes(&mut found, transform, &KNOWN_CHILD, LIFE_CHILD, |class| {
        Phase2Attribute(class).to_string()
    });
    if proposal.spi.as_spi().is_none_or(Spi::is_reserved) {
        found.push(Mismatch {
            dimension: Dimension::Protocol,
            ours: "an SPI above 255".into(),
            theirs: format!("the unusable SPI {}", proposal.spi),
        });
    }
    found
}

/// The proposals of one number, which are to be taken together.
struct Bundle<'o>(Vec<&'o Proposal>);

impl<'o> Bundle<'o> {
    /// Protocols named of one bundle: enough for any that means something.
    const NAMED: usize = 4;

    /// The proposals of an offer by number: the initiator numbers them in the order of its preference.
    fn all(offer: &'o SecurityAssociation) -> impl Iterator<Item = Self> {
        let mut bundles = BTreeMap::<u8, Vec<&Proposal>>::new();
        for proposal in &offer.proposals {
            bundles.entry(proposal.number).or_default().push(proposal);
        }
        bundles.into_values().map(Self)
    }

    /// Its protocols, for a person.
    fn text(&self) -> String {
        let named = self.0.iter().take(Self::NAMED);
        let mut text = named.map(|proposal| proposal.protocol.to_string()).collect::<Vec<_>>().join(" with ");
        if let Some(more) = self.0.len().checked_sub(Self::NAMED + 1) {
            text.push_str(&format!(" and {} more", more + 1));
        }
        text
    }

    /// What a suite of ours takes of it, if the bundle's first transform taken is `lead`; else in what they differ.
    fn choose(
        &self,
        lead: &'o Transform,
        suite: &ChildSuite,
        mode: EncapsulationMode,
        limit: usize,
    ) -> Result<Vec<(&'o Proposal, &'o Transform)>, Vec<Mismatch>> {
        let mut found = Vec::new();
        let mut taken = Vec::new();
        let part_of = |protocol| suite.parts().find(|part| part.protocol() == protocol);
        let fits = self.0.len() == suite.parts().count()
            && suite.parts().all(|part| self.0.iter().any(|proposal| proposal.protocol == part.protocol()));
        if !fits {
            let (ours, theirs) = (suite.protocol_names(), self.text());
            found.push(Mismatch { dimension: Dimension::Protocol, ours, theirs });
        }
        for (place, &proposal) in self.0.iter().enumerate().take(if fits { self.0.len() } else { 1 }) {
            let Some(part) = part_of(proposal.protocol).or_else(|| suite.parts().next()) else { continue };
            let candidates: &[Transform] =
                if place == 0 { core::slice::from_ref(lead) } else { proposal.transforms.as_slice() };
            let judged = candidates
                .iter()
                .take(limit)
                .map(|transform| (mismatches(suite, part, mode, proposal, transform), transform))
                .min_by_key(|(differences, _)| differences.len());
            let Some((differences, transform)) = judged else {
                let (ours, theirs) = (part.protocol().to_string(), "no transform".into());
                found.push(Mismatch { dimension: Dimension::Protocol, ours, theirs });
                continue;
            };
            found.extend(differences);
            taken.push((proposal, transform));
        }
        if found.is_empty() { Ok(taken) } else { Err(found) }
    }
}

/// The phase 2 suite that the offer and we have in common; the initiator's order decides.
///
/// The error is every difference of the nearest pair.
pub(crate) fn choose_child<'s>(
    offer: &SecurityAssociation,
    suites: impl Iterator<Item = &'s ChildSuite> + Clone,
    mode: EncapsulationMode,
    limit: usize,
) -> Result<ChosenChild, Vec<Mismatch>> {
    let mut nearest: Option<Vec<Mismatch>> = None;
    let bundles: Vec<_> = Bundle::all(offer).collect();
    let leads = bundles.iter().flat_map(|bundle| {
        let first = bundle.0.first().into_iter();
        first.flat_map(move |proposal| proposal.transforms.iter().map(move |lead| (bundle, lead)))
    });
    for (bundle, lead) in leads.take(limit) {
        for suite in suites.clone() {
            match bundle.choose(lead, suite, mode, limit) {
                Ok(taken) => {
                    let life = read_life(lead, LIFE_CHILD);
                    let proposals = taken.into_iter().map(|(proposal, transform)| Proposal {
                        transforms: vec![transform.clone()],
                        ..proposal.clone()
                    });
                    return Ok(ChosenChild { suite: *suite, proposals: proposals.collect(), life });
                }
                Err(found) if nearest.as_ref().is_none_or(|best| found.len() < best.len()) => {
                    nearest = Some(found);
                }
                Err(_) => {}
            }
        }
    }
    Err(nearest.unwrap_or_default())
}

/// What an answer chose from our phase 2 offer: one proposal, or one bundle, each with exactly one transform, and that one of
/// ours.
pub(crate) fn accepted_child<'s>(
    answer: &SecurityAssociation,
    suites: impl Iterator<Item = &'s ChildSuite> + Clone,
    mode: EncapsulationMode,
) -> Result<ChosenChild, Vec<Mismatch>> {
    let one_number = answer.proposals.windows(2).all(|pair| matches!(pair, [a, b] if a.number == b.number));
    let one_each = answer.proposals.iter().all(|proposal| proposal.transforms.len() == 1);
    if !one_number || !one_each || answer.proposals.is_empty() {
        let transforms: usize = answer.proposals.iter().map(|proposal| proposal.transforms.len()).sum();
        return Err(vec![Mismatch {
            dimension: Dimension::Protocol,
            ours: "one proposal, or one bundle, with one transform each".into(),
            theirs: format!("{} proposals with {transforms} transforms", answer.proposals.len()),
        }]);
    }
    choose_child(answer, suites, mode, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(3600);

    fn suites(texts: &[&str]) -> Vec<ChildSuite> {
        texts.iter().map(|text| text.parse().expect("the table spells it so")).collect()
    }

    fn offer(texts: &[&str]) -> SecurityAssociation {
        let spi = |kind| Some(if kind == ProtocolKind::Ah { Spi(0x1111_1111) } else { Spi(0x2222_2222) });
        offer_child(&suites(texts), spi, EncapsulationMode::TUNNEL, LIFE)
    }

    fn choose(offered: &SecurityAssociation, ours: &[&str]) -> Result<ChosenChild, Vec<Mismatch>> {
        choose_child(offered, suites(ours).iter(), EncapsulationMode::TUNNEL, 16)
    }

    fn text(found: &[Mismatch]) -> String {
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// Transform identifier, Authentication Algorithm, Key Length and Group Description on the wire.
    #[test]
    fn every_suite_is_offered_with_the_numbers_it_needs_and_no_others() {
        for (suite, protocol, expected) in [
            ("aes128gcm16", ProtocolId::ESP, (20, None, Some(128), None)),
            ("aes256gcm8-modp2048", ProtocolId::ESP, (18, None, Some(256), Some(14))),
            ("aes192ccm12", ProtocolId::ESP, (15, None, Some(192), None)),
            ("aes128gmac", ProtocolId::ESP, (23, None, Some(128), None)),
            ("aes128ctr-sha256", ProtocolId::ESP, (13, Some(5), Some(128), None)),
            ("null-sha1", ProtocolId::ESP, (11, Some(2), None, None)),
            ("ah-sha1", ProtocolId::AH, (3, Some(2), None, None)),
            ("ah-sha256-modp2048", ProtocolId::AH, (5, Some(5), None, Some(14))),
            ("ah-aesxcbc", ProtocolId::AH, (9, Some(9), None, None)),
        ] {
            let offer = offer(&[suite]);
            assert_eq!(offer.proposals.len(), 1);
            assert_eq!(offer.proposals[0].protocol, protocol);
            let transform = &offer.proposals[0].transforms[0];
            let get = |attribute: Phase2Attribute| number(transform, attribute.0);
            let found = (
                transform.id,
                get(Phase2Attribute::AUTHENTICATION_ALGORITHM),
                get(Phase2Attribute::KEY_LENGTH),
                get(Phase2Attribute::GROUP),
            );
            assert_eq!(found, expected, "{suite}");
            let chosen = choose(&offer, &[suite]).expect("what we offer is ours");
            assert_eq!(chosen.suite, suites(&[suite])[0]);
        }
    }

    #[test]
    fn neighbours_share_a_proposal_and_a_bundle_has_a_number_to_itself() {
        let offer = offer(&["aes128-sha1", "aes256-sha256", "ah-sha256+aes128-sha1", "ah-sha1", "ah-sha256"]);
        let layout: Vec<_> = offer
            .proposals
            .iter()
            .map(|proposal| (proposal.number, proposal.protocol, proposal.transforms.len()))
            .collect();
        let (ah, esp) = (ProtocolId::AH, ProtocolId::ESP);
        assert_eq!(layout, [(1, esp, 2), (2, ah, 1), (2, esp, 1), (3, ah, 2)]);
    }

    #[test]
    fn the_initiators_order_decides() {
        let offered = offer(&["aes256-sha256", "ah-sha256+aes128-sha1", "aes128-sha1"]);
        let chosen = choose(&offered, &["aes128-sha1", "ah-sha256+aes128-sha1"]).unwrap();
        assert_eq!(chosen.suite.to_string(), "ah-sha256+aes128-sha1");
        assert_eq!(chosen.spi(ProtocolId::AH), Some(Spi(0x1111_1111)));
        assert_eq!(chosen.spi(ProtocolId::ESP), Some(Spi(0x2222_2222)));
        let back = SecurityAssociation::new(chosen.proposals);
        let ours = suites(&["ah-sha256+aes128-sha1"]);
        assert!(accepted_child(&back, ours.iter(), EncapsulationMode::TUNNEL).is_ok());
    }

    #[test]
    fn half_a_bundle_is_none_and_every_difference_is_named() {
        let bundle = offer(&["ah-sha256+aes128-sha1"]);
        let found = text(&choose(&bundle, &["aes128-sha1"]).unwrap_err());
        assert!(found.contains("protocol: ours ESP, theirs AH with ESP"), "{found}");
        let found = text(&choose(&bundle, &["ah-sha1+aes256-sha1"]).unwrap_err());
        assert!(found.contains("integrity: ours AH_SHA, theirs AH_SHA2-256"), "{found}");
        assert!(found.contains("key length: ours 256 bits, theirs 128 bits"), "{found}");
        let found = text(&choose(&offer(&["ah-sha1"]), &["aes128-sha1"]).unwrap_err());
        assert!(found.contains("protocol: ours ESP, theirs AH"), "{found}");
        // An answer that takes one half only.
        let mut half = bundle;
        half.proposals.truncate(1);
        let ours = suites(&["ah-sha256+aes128-sha1"]);
        assert!(accepted_child(&half, ours.iter(), EncapsulationMode::TUNNEL).is_err());
    }

    #[test]
    fn transport_is_not_tunnel() {
        let offered = offer(&["aes128-sha1"]);
        let ours = suites(&["aes128-sha1"]);
        let found = choose_child(&offered, ours.iter(), EncapsulationMode::TRANSPORT, 4).unwrap_err();
        assert_eq!(text(&found), "encapsulation mode: ours Transport, theirs Tunnel");
    }
}
