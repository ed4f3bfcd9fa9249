//! Quick Mode from a peer that has the keys, and from one that has not.

use std::time::Duration;

use ipsec_ike::proto::isakmp::*;
use ipsec_ike::proto::registry::*;
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

fn up() -> (Pair, Peer) {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    (pair, peer)
}

fn nonce() -> Payload {
    Payload::Nonce(Nonce(vec![0x22; 16]))
}

#[test]
fn a_bad_hash_changes_nothing_and_the_same_message_id_is_free_for_the_good_one() {
    let (mut pair, peer) = up();
    let before = standing(&pair);
    let good = peer.good_qm1(7, 0x1000);
    for at in 28..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        let answer = say(&mut pair, &bad);
        let is_padding = at >= good.len() - 16;
        assert!(!answer.is_accepted() || is_padding, "octet {at}");
        assert!(answer.datagrams.is_empty() || is_padding, "octet {at}");
        if !is_padding {
            assert_eq!(standing(&pair), before, "octet {at}");
        } else {
            break;
        }
    }
    let qm2 = say(&mut pair, &good);
    assert!(qm2.is_accepted(), "{:?}", qm2.disposition);
    // Bad QM3s, then the good one: the chain has not moved.
    let qm3 = peer.qm3(7, &[0x22; 16], &good, qm2.octets());
    let before = standing(&pair);
    for at in 28..52 {
        let mut bad = qm3.clone();
        bad[at] ^= 1;
        let answer = say(&mut pair, &bad);
        assert!(matches!(answer.disposition, Disposition::Refused(_)), "octet {at}");
        assert!(answer.datagrams.is_empty());
        assert_eq!(standing(&pair), before);
    }
    assert!(say(&mut pair, &qm3).is_accepted());
    assert_eq!(pair.right.children(), 1);
}

#[test]
fn message_id_zero_is_no_quick_mode() {
    let (mut pair, peer) = up();
    let answer = say(&mut pair, &peer.good_qm1(0, 0x1000));
    assert_eq!(answer.disposition, Disposition::Discarded(DiscardReason::MessageId));
    assert_eq!((answer.datagrams.len(), pair.right.children()), (0, 0));
}

#[test]
fn a_used_message_id_starts_nothing() {
    let (mut pair, peer) = up();
    peer.child(&mut pair, 7, 0x1000);
    let delete = || Payload::Delete(Delete::new(ProtocolId::ESP, vec![SpiBytes::new(&[9; 4]).unwrap()]));
    assert!(say(&mut pair, &peer.inform(8, &[delete()])).is_accepted());
    let before = standing(&pair);
    for id in [7, 8] {
        let answer = say(&mut pair, &peer.good_qm1(id, 0x2000));
        assert!(matches!(answer.disposition, Disposition::Discarded(_)), "{:?}", answer.disposition);
        assert!(answer.datagrams.is_empty());
        assert!(!say(&mut pair, &peer.inform(id, &[delete()])).is_accepted());
    }
    assert_eq!(standing(&pair), before);
}

#[test]
fn identities_of_every_type_are_answered_or_refused_but_install_nothing_foreign() {
    let (mut pair, peer) = up();
    for kind in 0..=255_u8 {
        for length in [0_usize, 4, 8, 16, 17, 32] {
            let mut data = vec![kind, 0, 0, 0];
            data.extend(std::iter::repeat_n(10, length));
            let id = || Payload::Other(PayloadType::ID, data.clone());
            let message_id = u32::from(kind) << 8 | u32::try_from(length).unwrap() | 1 << 24;
            let qm1 = peer.qm1(message_id, &[Payload::Sa(esp_sa(0x1000)), nonce(), id(), id()]);
            let answer = say(&mut pair, &qm1);
            assert!(!answer.is_accepted(), "type {kind} of {length}");
        }
    }
    assert_eq!(pair.right.children(), 0);
    pair.run(Duration::from_secs(100));
    assert!(pair.right.ike.report(pair.now).ike_sas[0].quick_modes.is_empty());
}

#[test]
fn selectors_wider_than_ours_or_of_mixed_families_are_refused() {
    let v4 = |a: [u8; 4], m: [u8; 4]| IdValue::Ipv4Subnet(a.into(), m.into());
    let ours = || (v4([10, 1, 0, 0], [255, 255, 255, 0]), v4([10, 2, 0, 0], [255, 255, 255, 0]));
    let cases = [
        (v4([0; 4], [0; 4]), v4([0; 4], [0; 4])),
        (v4([10, 1, 0, 0], [255, 255, 254, 0]), ours().1),
        (ours().0, v4([10, 2, 0, 0], [255, 255, 0, 0])),
        (v4([10, 1, 0, 0], [255, 0, 255, 0]), ours().1),
        (IdValue::Ipv4Range([10, 1, 0, 9].into(), [10, 1, 0, 1].into()), ours().1),
        (IdValue::Ipv6Subnet(0.into(), 0.into()), ours().1),
        (ours().1, ours().0),
    ];
    let (mut pair, peer) = up();
    for (number, (initiator, responder)) in (1..).zip(cases) {
        let ids = [Payload::Id(Id::new(initiator)), Payload::Id(Id::new(responder))];
        let qm1 = peer.qm1(number, &[vec![Payload::Sa(esp_sa(0x1000)), nonce()], ids.to_vec()].concat());
        let answer = say(&mut pair, &qm1);
        assert_eq!(answer.refusal().cause, Cause::SelectorMismatch, "{number}");
        let told = peer.read_informational(answer.octets());
        assert!(
            matches!(&told[1], Payload::Notify(notify) if notify.kind == NotifyType::INVALID_ID_INFORMATION)
        );
    }
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn spis_that_are_reserved_or_of_the_wrong_size_are_refused() {
    let (mut pair, peer) = up();
    let spis: Vec<Vec<u8>> = vec![
        vec![],
        vec![0; 4],
        vec![0, 0, 0, 255],
        vec![1; 2],
        vec![1; 3],
        vec![1; 5],
        vec![1; 8],
        vec![1; 16],
    ];
    for (number, spi) in (1..).zip(spis) {
        let mut sa = esp_sa(0x1000);
        sa.proposals[0].spi = SpiBytes::new(&spi).unwrap();
        let mut payloads = vec![Payload::Sa(sa), nonce()];
        payloads.extend(selectors());
        let answer = say(&mut pair, &peer.qm1(number, &payloads));
        assert!(matches!(answer.disposition, Disposition::Refused(_)), "{spi:?}");
    }
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn key_exchange_where_none_is_due_and_bundles_are_refused() {
    let (mut pair, peer) = up();
    let mut with_ke =
        vec![Payload::Sa(esp_sa(0x1000)), nonce(), Payload::KeyExchange(KeyExchange(peer.public.clone()))];
    with_ke.extend(selectors());
    assert_eq!(say(&mut pair, &peer.qm1(1, &with_ke)).refusal().cause, Cause::PfsMismatch);
    let ah = Proposal { protocol: ProtocolId::AH, ..esp_proposal(0x1001, phase2_attributes()) };
    let bundle = SecurityAssociation::new(vec![esp_proposal(0x1000, phase2_attributes()), ah]);
    let mut payloads = vec![Payload::Sa(bundle), nonce()];
    payloads.extend(selectors());
    assert_eq!(say(&mut pair, &peer.qm1(2, &payloads)).refusal().cause, Cause::NoProposalChosen);
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn several_sa_payloads_install_nothing() {
    let (mut pair, peer) = up();
    let mut payloads = vec![Payload::Sa(esp_sa(0x1000)), Payload::Sa(esp_sa(0x1001)), nonce()];
    payloads.extend(selectors());
    let answer = say(&mut pair, &peer.qm1(1, &payloads));
    assert!(matches!(answer.disposition, Disposition::Refused(_)));
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn esp_without_integrity_or_in_another_mode_is_refused() {
    let (mut pair, peer) = up();
    let without = |class: Phase2Attribute| {
        let mut attributes = phase2_attributes();
        attributes.retain(|attribute| attribute.class != class.0);
        attributes
    };
    let with = |class: Phase2Attribute, value: u16| {
        let mut attributes = without(class);
        attributes.push(Attribute::basic(class.0, value));
        attributes
    };
    use Phase2Attribute as A;
    let cases = vec![
        without(A::AUTHENTICATION_ALGORITHM),
        with(A::AUTHENTICATION_ALGORITHM, 0),
        without(A::KEY_LENGTH),
        with(A::KEY_LENGTH, 40),
        with(A::ENCAPSULATION_MODE, 2),
        with(A::ENCAPSULATION_MODE, 3),
        with(A::ENCAPSULATION_MODE, 61443),
        with(A::GROUP, 14),
        with(A::EXTENDED_SEQUENCE_NUMBER, 1),
    ];
    for (number, attributes) in (1..).zip(cases) {
        let sa = SecurityAssociation::new(vec![esp_proposal(0x1000, attributes)]);
        let mut payloads = vec![Payload::Sa(sa), nonce()];
        payloads.extend(selectors());
        let answer = say(&mut pair, &peer.qm1(number, &payloads));
        assert!(matches!(answer.disposition, Disposition::Refused(_)), "{number}");
    }
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn quick_modes_that_are_never_finished_leave_nothing() {
    let (mut pair, peer) = up();
    for number in 1..200_u32 {
        say(&mut pair, &peer.good_qm1(number, 0x1000 + number));
    }
    let limits = Limits::default();
    assert!(pair.right.children() <= limits.quick_modes);
    pair.run(Duration::from_secs(120));
    assert_eq!(pair.right.children(), 0);
    assert!(pair.right.inbound.is_empty() && pair.right.outbound.is_empty());
    assert!(pair.right.ike.report(pair.now).ike_sas[0].quick_modes.is_empty());
}

#[test]
fn one_identity_is_not_none() {
    let setup = Setup { local_net: "192.0.2.1/32", remote_net: "192.0.2.2/32", ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    let peer = Peer::up(&mut pair, 1);
    let id = Payload::Id(Id::new(IdValue::Fqdn(b"anything".to_vec())));
    let payloads = [Payload::Sa(esp_sa(0x1000)), Payload::Nonce(Nonce(vec![0x22; 16])), id];
    let answer = say(&mut pair, &peer.qm1(7, &payloads));
    assert!(!answer.is_accepted());
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn a_replaced_pair_does_not_outlive_its_own_lifetime() {
    let setup = Setup { child_lifetime: Duration::from_secs(60), ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    pair.up();
    pair.run(Duration::from_secs(1));
    let first = pair.left.ike.report(pair.now).children[0].pair;
    pair.run(Duration::from_secs(61));
    let report = pair.left.ike.report(pair.now);
    assert!(report.children.iter().all(|child| child.pair != first), "{:?}", report.children);
}

#[test]
fn what_is_authentic_but_refused_is_answered_under_the_keys_and_not_blamed_on_them() {
    let (mut pair, peer) = up();
    let two = [Payload::Sa(esp_sa(0x1000)), Payload::Sa(esp_sa(0x1001)), nonce()];
    let short = [Payload::Sa(esp_sa(0x1000)), Payload::Other(PayloadType::NONCE, vec![1; 4])];
    for (number, mut payloads) in (7..).zip([two.to_vec(), short.to_vec()]) {
        payloads.extend(selectors());
        let qm1 = peer.qm1(number, &payloads);
        let answer = say(&mut pair, &qm1);
        let told = peer.read_informational(answer.octets());
        assert!(matches!(&told[1], Payload::Notify(notify) if notify.kind.is_error()));
        let refusals = pair.right.refusals();
        let (_, diagnosis) = refusals.last().unwrap();
        assert_eq!(diagnosis.code, diagnosis::Code::ProtocolError, "{diagnosis}");
        // Its message id is used, and its duplicate draws the same answer.
        let again = say(&mut pair, &qm1);
        assert_eq!(again.disposition, Disposition::Duplicate);
        assert_eq!(again.octets(), answer.octets());
    }
    assert_eq!(pair.right.children(), 0);
}

#[test]
fn refused_quick_modes_are_remembered_in_a_limited_number() {
    let limits = Limits { quick_modes: 5, ..Limits::default() };
    let mut pair = Pair::alike(&Setup { limits, ..Setup::default() });
    let peer = Peer::up(&mut pair, 1);
    for number in 1..50 {
        let answer = say(&mut pair, &peer.qm1(number, &[Payload::Sa(esp_sa(0x1000))]));
        assert!(matches!(answer.disposition, Disposition::Refused(_)));
        pair.now.mono += Duration::from_millis(1);
    }
    let remembered = pair.right.ike.report(pair.now).ike_sas[0].quick_modes.clone();
    assert_eq!(remembered.len(), 5);
    pair.run(Duration::from_secs(100));
    assert!(pair.right.ike.report(pair.now).ike_sas[0].quick_modes.is_empty());
}

#[test]
fn an_answer_that_was_not_asked_for_is_told_so_under_the_keys() {
    let (mut pair, peer) = up();
    let command = Command::Up { connection: "peer".into(), child: None };
    pair.right.ike.command(pair.now, command).unwrap();
    pair.collect();
    let qm1 = pair.wire.pop_front().unwrap().octets;
    let header = Header::parse(&qm1).unwrap();
    let mut text = qm1[HEADER_LEN..].to_vec();
    peer.keys().cipher.decrypt(&peer.iv(header.message_id), &mut text).unwrap();
    let chain = Chain::parse(PayloadType::HASH, &text, HEADER_LEN, Tail::CipherPadding).unwrap();
    let ni = chain.nonce().unwrap().0.clone();
    // Another suite than any that was offered, with a good HASH(2).
    let foreign = SecurityAssociation::new(vec![Proposal {
        transforms: vec![Transform { number: 1, id: 3, attributes: phase2_attributes() }],
        ..esp_proposal(0x1000, vec![])
    }]);
    let mut rest = Vec::new();
    encode_chain(&[Payload::Sa(foreign), nonce()], &mut rest).unwrap();
    let mid = header.message_id.to_be_bytes();
    let hash = peer.prf.mac(peer.keys().a.as_slice(), &[&mid, &ni, &rest]);
    let mut qm2 = vec![PayloadType::SA.0, 0, 0, 24];
    qm2.extend_from_slice(hash.as_slice());
    qm2.extend_from_slice(&rest);
    let own = peer.header(ExchangeType::QUICK_MODE, header.message_id);
    let answer = say(&mut pair, &peer.seal_text(&own, &qm1[qm1.len() - 16..], PayloadType::HASH, qm2));
    assert_eq!(answer.refusal().cause, Cause::AlteredProposal);
    let told = peer.read_informational(answer.octets());
    let Payload::Notify(notify) = &told[1] else { panic!("{told:?}") };
    assert_eq!(notify.kind, NotifyType::NO_PROPOSAL_CHOSEN);
    assert_eq!(notify.spi.as_spi().map(|spi| spi.0), Some(0x1000));
    assert!(matches!(pair.right.outcome(), Some(Outcome::Failed(_))));
}
