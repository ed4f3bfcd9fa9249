//! SAs end: by delete from either side, by lifetime, by a new configuration; and are replaced before they do.

#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use ipsec_ike::*;
use support::*;

fn standing() -> Pair {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    pair.settle();
    pair.assert_agree(1);
    pair
}

#[test]
fn a_delete_in_either_direction_is_noticed() {
    for end in [End::Left, End::Right] {
        for child in [None, Some("net".to_owned())] {
            let mut pair = standing();
            let now = pair.now;
            let command = Command::Down { connection: "peer".into(), child: child.clone() };
            pair.side(end).ike.command(now, command).unwrap();
            pair.settle();
            pair.assert_agree(0);
            let left = if child.is_some() { 1 } else { 0 };
            assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (left, left));
            let other = if end == End::Left { &pair.right } else { &pair.left };
            assert!(other.events.iter().any(|event| {
                matches!(event, Event::ChildDown { reason: DownReason::DeletedByPeer, .. })
            }));
        }
    }
}

#[test]
fn clear_tells_every_peer() {
    let mut pair = standing();
    pair.right.ike.command(pair.now, Command::Clear).unwrap();
    pair.settle();
    pair.assert_agree(0);
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (0, 0));
}

#[test]
fn children_outlive_the_isakmp_sa_and_can_be_rekeyed_without_it() {
    let setup = Setup {
        ike_lifetime: Duration::from_secs(60),
        child_lifetime: Duration::from_secs(600),
        ..Setup::default()
    };
    let mut pair = Pair::alike(&setup);
    pair.up();
    pair.settle();
    // No phase 1 comes about for a while.
    pair.fate = Box::new(|datagram| if datagram.octets[18] == 2 { Fate::Drop } else { Fate::Deliver });
    pair.run(Duration::from_secs(150));
    pair.fate = Box::new(|_| Fate::Deliver);
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (0, 0));
    pair.assert_agree(1);
    pair.run(Duration::from_secs(430));
    assert!(pair.left.ladder().iter().filter(|name| **name == "MM1").count() >= 2);
    pair.run(Duration::from_secs(60));
    pair.assert_agree(1);
}

#[test]
fn a_pair_is_replaced_before_its_end_and_never_missing() {
    let setup = Setup { child_lifetime: Duration::from_secs(300), ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    pair.up();
    for _ in 0..200 {
        pair.run(Duration::from_secs(10));
        let working = |from: &Side, to: &Side| {
            from.ike.report(from_now()).children.iter().any(|child| to.inbound.contains_key(&child.outbound))
        };
        assert!(working(&pair.left, &pair.right) && working(&pair.right, &pair.left));
        assert!(pair.left.children() <= 2 && pair.right.children() <= 2);
    }
    let ups = pair.left.events.iter().filter(|event| matches!(event, Event::ChildUp(_))).count();
    assert!((7..=10).contains(&ups), "{ups} pairs in 2000 s of 300 s each");
    let replaced = pair.left.events.iter().any(|event| match event {
        Event::ChildUp(up) => up.replaces.is_some(),
        _ => false,
    });
    assert!(replaced);
    fn from_now() -> Now {
        now()
    }
}

#[test]
fn a_peer_that_starts_again_replaces_what_it_forgot() {
    let mut pair = standing();
    let fresh = Pair::seeded(&Setup::default(), &Setup::default().mirrored(), 9);
    pair.left = fresh.left;
    pair.up();
    pair.settle();
    pair.assert_agree(1);
    assert_eq!((pair.right.ike_sas(), pair.right.children()), (1, 1));
}

#[test]
fn an_unauthenticated_delete_does_nothing() {
    let mut pair = standing();
    let cookies = pair.transcript[1].octets[..16].to_vec();
    let mut delete = cookies.clone();
    delete.extend([12, 0x10, 5, 0, 9, 9, 9, 9, 0, 0, 0, 56, 0, 0, 0, 28, 0, 0, 0, 1, 1, 16, 0, 1]);
    delete.extend(&cookies);
    let forged =
        Datagram { to: End::Right, path: pair.transcript[0].path, octets: delete, framing: Framing::Bare };
    assert_eq!(pair.deliver(&forged), Some(Disposition::Discarded(DiscardReason::InClear)));
    pair.settle();
    pair.assert_agree(1);
}

#[test]
fn reload_keeps_what_is_unchanged_and_renegotiates_what_is_not() {
    let mut pair = standing();
    let same = Setup::default().config(LEFT, RIGHT);
    pair.left.ike.command(pair.now, Command::Reload(same)).unwrap();
    pair.settle();
    pair.assert_agree(1);
    assert_eq!(pair.transcript.len(), 9, "nothing was said");

    let both = Setup { esp: vec!["aes256-sha256", "aes128-sha1"], ..Setup::default() };
    pair.right.ike.command(pair.now, Command::Reload(both.mirrored().config(RIGHT, LEFT))).unwrap();
    pair.settle();
    let changed = Setup { esp: vec!["aes256-sha256"], ..Setup::default() };
    pair.left.ike.command(pair.now, Command::Reload(changed.config(LEFT, RIGHT))).unwrap();
    pair.run(Duration::from_secs(60));
    pair.assert_agree(1);
    assert_eq!(pair.left.ike.report(pair.now).children[0].suite.to_string(), "aes256-sha256");

    let nothing = Arc::new(Config::builder().build().unwrap());
    pair.left.ike.command(pair.now, Command::Reload(nothing)).unwrap();
    pair.settle();
    pair.assert_agree(0);
}

#[test]
fn an_sa_that_cannot_be_installed_is_taken_back() {
    let mut pair = standing();
    let child = pair.left.ike.report(pair.now).children[0].pair;
    let error = sad::InstallError::ReplayWindow(0);
    pair.left.ike.handle_install_failed(pair.now, child, &error);
    pair.settle();
    pair.assert_agree(0);
}

#[test]
fn nothing_is_left_behind() {
    let mut pair = standing();
    pair.left.ike.command(pair.now, Command::Clear).unwrap();
    pair.run(Duration::from_secs(600));
    for side in [&pair.left, &pair.right] {
        assert_eq!(side.ike.poll_timeout(), None, "no timer is left");
        assert!(side.inbound.is_empty() && side.outbound.is_empty());
        assert_eq!(side.ike.report(pair.now).half_open, 0);
    }
}
