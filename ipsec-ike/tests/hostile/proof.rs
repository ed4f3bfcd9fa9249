//! MM5: what cannot be decrypted or proven leaves everything as it was, and what is proven is still not believed blindly.

use std::time::Duration;

use ipsec_ike::proto::isakmp::*;
use ipsec_ike::proto::registry::NotifyType;
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

fn at_mm5() -> (Pair, Peer) {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    peer.exchange_keys(&mut pair);
    (pair, peer)
}

#[test]
fn an_undecryptable_mm5_draws_one_notify_in_clear_and_the_good_one_is_taken_after_it() {
    let (mut pair, mut peer) = at_mm5();
    let before = standing(&pair);
    let good = peer.mm5();
    let mut notifies = 0;
    for nth in 0..50 {
        let mut bad = good.clone();
        // In the first block, which holds the identity's header.
        bad[28] ^= nth + 1;
        let answer = say(&mut pair, &bad);
        assert!(matches!(answer.disposition, Disposition::Refused(_)));
        if let Some(notify) = answer.clear_notify() {
            assert_eq!(notify, NotifyType::PAYLOAD_MALFORMED);
            notifies += 1;
        } else {
            assert!(answer.datagrams.is_empty());
        }
    }
    assert_eq!(notifies, 1);
    assert_eq!(standing(&pair), before);
    let mm6 = say(&mut pair, &good);
    assert!(mm6.is_accepted());
    peer.take_mm6(mm6.octets());
    peer.child(&mut pair, 7, 0x1000);
}

#[test]
fn no_flipped_bit_of_mm5_is_believed() {
    let (mut pair, peer) = at_mm5();
    let before = standing(&pair);
    let good = peer.mm5();
    // The header's next payload, flags, and all of the ciphertext but its padding.
    for bit in (16 * 8..17 * 8).chain(28 * 8..(28 + 36) * 8) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let answer = say(&mut pair, &bad);
        assert!(!answer.is_accepted(), "bit {bit}");
        assert_eq!(standing(&pair), before, "bit {bit}");
    }
    assert!(say(&mut pair, &good).is_accepted());
}

#[test]
fn a_wrong_key_leaves_the_state_and_the_notifies_are_limited() {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    let mm2 = say(&mut pair, &peer.mm1());
    peer.take_mm2(mm2.octets());
    let mm4 = say(&mut pair, &peer.mm3());
    peer.take_mm4(mm4.octets(), b"another key");
    let mut notifies = 0;
    for _ in 0..100 {
        let before = standing(&pair);
        let answer = say(&mut pair, &peer.mm5());
        notifies += answer.datagrams.len();
        assert_eq!(standing(&pair), before);
        pair.now.mono += Duration::from_millis(100);
    }
    assert!(notifies <= 2, "{notifies} in ten seconds");
    // It ends on its own, and nothing stays.
    pair.run(Duration::from_secs(60));
    assert_eq!((pair.right.ike_sas(), pair.right.ike.poll_timeout()), (0, None));
}

#[test]
fn a_right_proof_of_a_wrong_identity_is_told_under_the_keys_and_ends() {
    let identities: Vec<Vec<u8>> = vec![
        vec![1, 0, 0, 0, 192, 0, 2, 9],
        [&[2, 0, 0, 0][..], b"somebody"].concat(),
        [&[2, 0, 0, 0][..], b"\x1b[2J\r\n%n%s"].concat(),
        [&[9, 0, 0, 0][..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]].concat(),
        [&[11, 0, 0, 0][..], &[0xff; 512]].concat(),
        [&[200, 0, 0, 0][..], &[0; 16]].concat(),
        // The right address as a subnet, and as a range.
        vec![4, 0, 0, 0, 192, 0, 2, 1, 255, 255, 255, 255],
        vec![7, 0, 0, 0, 192, 0, 2, 1, 192, 0, 2, 1],
    ];
    for id_b in identities {
        let (mut pair, peer) = at_mm5();
        let answer = say(&mut pair, &peer.mm5_with(&id_b, &[]));
        assert_eq!(answer.refusal().cause, Cause::IdentityMismatch);
        assert!(!answer.refusal().to_string().contains(char::is_control), "{}", answer.refusal());
        let told = Message::parse(answer.octets()).unwrap();
        assert!(matches!(told.body, Body::Encrypted(_)));
        assert_eq!((pair.right.ike_sas(), pair.right.ike.poll_timeout()), (0, None));
    }
}

#[test]
fn identities_without_data_or_without_bound_are_refused() {
    for id_b in [
        vec![2, 0, 0, 0],
        [&[2, 0, 0, 0][..], &[b'a'; 513]].concat(),
        [&[11, 0, 0, 0][..], &[0; 60_000]].concat(),
    ] {
        let (mut pair, peer) = at_mm5();
        let answer = say(&mut pair, &peer.mm5_with(&id_b, &[]));
        assert!(matches!(answer.disposition, Disposition::Refused(_)));
        assert!(answer.refusal().to_string().len() < 2000);
        assert_eq!(pair.right.ike.report(pair.now).children.len(), 0);
    }
}

#[test]
fn ciphertext_of_every_length_is_survived() {
    let (mut pair, peer) = at_mm5();
    let before = standing(&pair);
    let header = peer.mm5()[..28].to_vec();
    for length in 0..200_usize {
        let mut octets = header.clone();
        octets.extend(std::iter::repeat_n(0xa5, length));
        let total = u32::try_from(octets.len()).unwrap();
        octets[24..28].copy_from_slice(&total.to_be_bytes());
        let answer = say(&mut pair, &octets);
        assert!(matches!(answer.disposition, Disposition::Refused(_)), "{length}");
        assert_eq!(standing(&pair), before);
    }
}

#[test]
fn initial_contact_in_mm5_replaces_what_its_own_peer_had_and_nothing_else() {
    let mut pair = Pair::alike(&Setup::default());
    let first = Peer::up(&mut pair, 1);
    first.child(&mut pair, 7, 0x1000);
    pair.now.mono += Duration::from_secs(5);
    let mut second = Peer::new(2);
    second.exchange_keys(&mut pair);
    assert_eq!((pair.right.ike_sas(), pair.right.children()), (2, 1));
    let spi = SpiBytes::from_cookies(second.cookies.0, second.cookies.1);
    let contact = Notify::new(proto::registry::ProtocolId::ISAKMP, spi, NotifyType::INITIAL_CONTACT);
    // Not proven: nothing goes.
    let mut bad = second.mm5_with(&[1, 0, 0, 0, 192, 0, 2, 1], &[Payload::Notify(contact.clone())]);
    bad[40] ^= 1;
    say(&mut pair, &bad);
    assert_eq!((pair.right.ike_sas(), pair.right.children()), (2, 1));
    let mm6 = say(&mut pair, &second.mm5_with(&[1, 0, 0, 0, 192, 0, 2, 1], &[Payload::Notify(contact)]));
    assert!(mm6.is_accepted());
    assert_eq!((pair.right.ike_sas(), pair.right.children()), (1, 0));
    second.take_mm6(mm6.octets());
    second.child(&mut pair, 8, 0x2000);
    assert_eq!(pair.right.children(), 1);
}

#[test]
fn the_port_and_protocol_of_a_phase_1_identity_are_those_of_ike_or_none() {
    for (protocol, port, good) in [
        (0, 0, true),
        (17, 500, true),
        (17, 0, true),
        (17, 4500, true),
        (6, 80, false),
        (0, 500, false),
        (17, 501, false),
    ] {
        let (mut pair, peer) = at_mm5();
        let [high, low] = u16::to_be_bytes(port);
        let answer = say(&mut pair, &peer.mm5_with(&[1, protocol, high, low, 192, 0, 2, 1], &[]));
        assert_eq!(answer.is_accepted(), good, "{protocol}/{port}");
        assert_eq!(pair.right.ike_sas(), usize::from(good));
    }
}

#[test]
fn how_far_a_wrong_mm5_came_is_not_told() {
    // What does not decrypt, what decrypts into foreign payloads, and a wrong hash: the same notify.
    let (_, peer) = at_mm5();
    let header = peer.header(proto::registry::ExchangeType::IDENTITY_PROTECTION, 0);
    let id = Payload::Id(Id::new(IdValue::Fqdn(b"x".to_vec())));
    let iv = peer.keys().iv.clone();
    let mut undecryptable = peer.mm5();
    undecryptable[28] ^= 0x55;
    let tries = [
        undecryptable,
        peer.seal(&header, &iv, &[id.clone(), id.clone()]),
        peer.seal(&header, &iv, &[id, Payload::Hash(Hash(vec![0; 20]))]),
    ];
    for wrong in tries {
        // The same seeds make the same keys.
        let (mut pair, _) = at_mm5();
        let answer = say(&mut pair, &wrong);
        assert_eq!(answer.clear_notify(), Some(NotifyType::PAYLOAD_MALFORMED), "{:?}", answer.disposition);
    }
}

/// Road warriors under one key.
fn under_one_key(names: &[&str]) -> std::sync::Arc<Config> {
    let mut builder = Config::builder();
    for name in names {
        let psk = std::sync::Arc::new(PreSharedKey::new(PSK.to_vec()));
        let suites = vec!["aes128-sha1-modp2048".parse().unwrap()];
        let mut connection = Connection::new(*name, RemoteAddress::Any, psk, suites, vec![]);
        connection.remote_id = Some(Identity::fqdn(name));
        builder = builder.connection(connection);
    }
    std::sync::Arc::new(builder.build().unwrap())
}

#[test]
fn a_connection_that_was_removed_authenticates_nobody() {
    for (stays, good) in [("first", false), ("second", true), ("third", false)] {
        let mut pair = Pair::alike(&Setup::default());
        let reload = |names: &[&str]| Command::Reload(under_one_key(names));
        pair.right.ike.command(pair.now, reload(&["first", "second"])).unwrap();
        let mut peer = Peer::new(1);
        peer.exchange_keys(&mut pair);
        pair.right.ike.command(pair.now, reload(&[stays])).unwrap();
        let answer = say(&mut pair, &peer.mm5_with(&[&[2, 0, 0, 0][..], b"second"].concat(), &[]));
        assert_eq!(answer.is_accepted(), good, "{stays}");
    }
}

#[test]
fn a_caller_whose_every_connection_is_gone_is_let_go() {
    let (mut pair, peer) = at_mm5();
    let nothing = std::sync::Arc::new(Config::builder().build().unwrap());
    pair.right.ike.command(pair.now, Command::Reload(nothing)).unwrap();
    assert!(!say(&mut pair, &peer.mm5()).is_accepted());
    assert_eq!((pair.right.ike_sas(), pair.right.ike.poll_timeout()), (0, None));
}
