//! Offers: too many, too few, contradictory.

use ipsec_ike::proto::isakmp::*;
use ipsec_ike::proto::registry::*;
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

fn altered(class: Phase1Attribute, value: Option<u16>) -> Vec<Attribute> {
    let mut attributes = phase1_attributes();
    attributes.retain(|attribute| attribute.class != class.0);
    attributes.extend(value.map(|value| Attribute::basic(class.0, value)));
    attributes
}

#[test]
fn every_missing_or_foreign_value_is_refused_without_state() {
    use Phase1Attribute as A;
    for class in [A::ENCRYPTION, A::KEY_LENGTH, A::HASH, A::GROUP, A::AUTHENTICATION_METHOD] {
        for value in [None, Some(0), Some(1025), Some(u16::MAX)] {
            let mut pair = Pair::alike(&Setup::default());
            let mut peer = Peer::new(1);
            let mm1 = peer.mm1_with(&[Payload::Sa(phase1_sa(vec![altered(class, value)]))]);
            let answer = say(&mut pair, &mm1);
            assert_eq!(answer.refusal().cause, Cause::NoProposalChosen);
            assert!(matches!(answer.clear_notify(), None | Some(NotifyType::NO_PROPOSAL_CHOSEN)));
            assert!(answer.sent() <= mm1.len());
            assert_eq!((pair.right.ike_sas(), pair.right.ike.poll_timeout()), (0, None));
        }
    }
}

#[test]
fn a_value_in_more_octets_than_it_needs_is_the_same_value_and_one_in_too_many_is_none() {
    for (octets, good) in
        [(vec![0, 0, 0, 14], true), (vec![0; 9], false), (vec![], false), (vec![1; 300], false)]
    {
        let mut attributes = phase1_attributes();
        attributes.retain(|attribute| attribute.class != Phase1Attribute::GROUP.0);
        attributes.push(Attribute::variable(Phase1Attribute::GROUP.0, octets));
        let mut pair = Pair::alike(&Setup::default());
        let mut peer = Peer::new(1);
        let mm1 = peer.mm1_with(&[Payload::Sa(phase1_sa(vec![attributes]))]);
        assert_eq!(say(&mut pair, &mm1).is_accepted(), good);
    }
}

#[test]
fn lifetimes_of_odd_sizes_are_survived_and_ours_bounds_them() {
    for octets in [vec![], vec![1; 3], vec![0xff; 4], vec![0xff; 8], vec![0xff; 9], vec![7; 1000]] {
        let mut attributes = phase1_attributes();
        attributes.retain(|attribute| attribute.class != Phase1Attribute::LIFE_DURATION.0);
        attributes.push(Attribute::variable(Phase1Attribute::LIFE_DURATION.0, octets));
        let mut pair = Pair::alike(&Setup::default());
        let mut peer = Peer::new(1);
        let mm1 = peer.mm1_with(&[Payload::Sa(phase1_sa(vec![attributes]))]);
        let mm2 = say(&mut pair, &mm1);
        assert!(mm2.is_accepted(), "{:?}", mm2.disposition);
        peer.take_mm2(mm2.octets());
        let mm4 = say(&mut pair, &peer.mm3());
        peer.take_mm4(mm4.octets(), PSK);
        assert!(say(&mut pair, &peer.mm5()).is_accepted());
        let life = pair.right.ike.report(pair.now).ike_sas[0].lifetime.unwrap();
        assert!(life <= Setup::default().ike_lifetime);
    }
}

#[test]
fn hundreds_of_transforms_are_read_and_the_good_one_within_the_limit_is_found() {
    let foreign = altered(Phase1Attribute::ENCRYPTION, Some(1));
    let mut transforms = vec![foreign.clone(); 254];
    transforms.push(phase1_attributes());
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    let mm2 = say(&mut pair, &peer.mm1_with(&[Payload::Sa(phase1_sa(transforms))]));
    assert!(mm2.is_accepted(), "{:?}", mm2.disposition);
    assert!(mm2.sent() < 200, "one transform goes back");

    // As many as a datagram holds, none of them ours.
    let proposals: Vec<_> =
        (0..4).map(|_| phase1_sa(vec![foreign.clone(); 255]).proposals.remove(0)).collect();
    let mm1 = Peer::new(2).mm1_with(&[Payload::Sa(SecurityAssociation::new(proposals))]);
    assert!(mm1.len() > 30_000);
    for _ in 0..20 {
        let answer = say(&mut pair, &mm1);
        assert_eq!(answer.refusal().cause, Cause::NoProposalChosen);
        assert!(answer.refusal().to_string().len() < 1000);
    }
    assert_eq!(pair.right.ike_sas(), 1);
}

#[test]
fn several_or_no_sa_payloads_make_no_state() {
    let sa = || Payload::Sa(phase1_sa(vec![phase1_attributes()]));
    for payloads in [
        vec![sa(), sa()],
        vec![Payload::Vendor(VendorId(vec![1; 16]))],
        vec![sa(), Payload::Nonce(Nonce(vec![1; 16]))],
    ] {
        let mut pair = Pair::alike(&Setup::default());
        let mut peer = Peer::new(1);
        let mm1 = peer.mm1_with(&payloads);
        let answer = say(&mut pair, &mm1);
        assert!(matches!(answer.disposition, Disposition::Refused(_)));
        assert!(answer.sent() <= mm1.len());
        assert_eq!(pair.right.ike_sas(), 0);
    }
}

#[test]
fn a_phase_1_proposal_for_another_protocol_is_refused() {
    for protocol in [0, 2, 3, 4, 255] {
        let mut sa = phase1_sa(vec![phase1_attributes()]);
        sa.proposals[0].protocol = ProtocolId(protocol);
        let mut pair = Pair::alike(&Setup::default());
        let mm1 = Peer::new(1).mm1_with(&[Payload::Sa(sa)]);
        assert_eq!(say(&mut pair, &mm1).refusal().cause, Cause::NoProposalChosen);
        assert_eq!(pair.right.ike_sas(), 0);
    }
}

#[test]
fn attributes_that_contradict_each_other_or_that_nobody_knows_are_refused_in_both_phases() {
    // 13 is PRF (RFC 2409 appendix A): it would change what is computed.
    for odd in [Attribute::basic(Phase1Attribute::ENCRYPTION.0, 5), Attribute::basic(13, 1)] {
        let mut attributes = phase1_attributes();
        attributes.push(odd);
        let mut pair = Pair::alike(&Setup::default());
        let mm1 = Peer::new(1).mm1_with(&[Payload::Sa(phase1_sa(vec![attributes]))]);
        let answer = say(&mut pair, &mm1);
        assert_eq!(answer.refusal().mismatches[0].dimension, Dimension::Attribute);
    }
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    let odds = [Attribute::basic(Phase2Attribute::ENCAPSULATION_MODE.0, 2), Attribute::basic(99, 1)];
    for (number, odd) in (1..).zip(odds) {
        let mut attributes = phase2_attributes();
        attributes.push(odd);
        let sa = SecurityAssociation::new(vec![esp_proposal(0x1000, attributes)]);
        let mut payloads = vec![Payload::Sa(sa), Payload::Nonce(Nonce(vec![0x22; 16]))];
        payloads.extend(selectors());
        let answer = say(&mut pair, &peer.qm1(number, &payloads));
        assert_eq!(answer.refusal().mismatches[0].dimension, Dimension::Attribute);
    }
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn lifetimes_of_nothing_are_ignored_and_tiny_ones_are_made_longer() {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    let hour = Setup::default().child_lifetime.as_secs();
    for (number, (seconds, due)) in (1..).zip([(0_u16, hour), (1, 30), (29, 30), (600, 600)]) {
        let mut attributes = phase2_attributes();
        attributes[1] = Attribute::basic(Phase2Attribute::LIFE_DURATION.0, seconds);
        attributes.push(Attribute::basic(Phase2Attribute::LIFE_TYPE.0, 2));
        attributes.push(Attribute::basic(Phase2Attribute::LIFE_DURATION.0, 1));
        let sa = SecurityAssociation::new(vec![esp_proposal(0x1000 + number, attributes)]);
        let mut payloads = vec![Payload::Sa(sa), Payload::Nonce(Nonce(vec![0x22; 16]))];
        payloads.extend(selectors());
        assert!(say(&mut pair, &peer.qm1(number, &payloads)).is_accepted());
        let report = pair.right.ike.report(pair.now);
        assert_eq!(report.children.last().unwrap().lifetime.as_secs(), due, "{seconds}");
    }
    for seconds in [0_u16, 1] {
        let mut attributes = phase1_attributes();
        attributes[6] = Attribute::basic(Phase1Attribute::LIFE_DURATION.0, seconds);
        let mut pair = Pair::alike(&Setup::default());
        let mut peer = Peer::new(1);
        let mm2 = say(&mut pair, &peer.mm1_with(&[Payload::Sa(phase1_sa(vec![attributes]))]));
        peer.take_mm2(mm2.octets());
        let mm4 = say(&mut pair, &peer.mm3());
        peer.take_mm4(mm4.octets(), PSK);
        assert!(say(&mut pair, &peer.mm5()).is_accepted());
        let life = pair.right.ike.report(pair.now).ike_sas[0].lifetime.unwrap().as_secs();
        assert_eq!(life, if seconds == 0 { 4 * 3600 } else { 60 });
    }
}

#[test]
fn thousands_of_proposals_of_one_number_are_not_recited() {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    let mut sa = esp_sa(0x1000);
    sa.proposals = vec![esp_proposal(0x1000, vec![]); 3000];
    let mut payloads = vec![Payload::Sa(sa), Payload::Nonce(Nonce(vec![0x22; 16]))];
    payloads.extend(selectors());
    let qm1 = peer.qm1(7, &payloads);
    let answer = say(&mut pair, &qm1);
    assert!(answer.refusal().to_string().len() < 500, "{}", answer.refusal());
}
