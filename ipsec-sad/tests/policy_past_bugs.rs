//! What went wrong with policies elsewhere, tried here.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::{Pair, Setup, TEMPLATE, dropped, networks, packet, run, udp};
use ipsec_sad::{
    Action, DropReason, Meta, PairId, Policy, PolicyId, PolicySource, Selector, Spd, Update, Verdict,
};

fn verdict(pair: &mut Pair, packet: Vec<u8>) -> Verdict {
    run(&[packet], Meta::Clear, |batch| pair.a.outbound(pair.now, batch))[0].0
}

/// CVE-2020-1749: packets of IPv6 went past the policies into the tunnel's route, in clear.
#[test]
fn ipv6_is_searched_for_as_ipv4_is_whatever_its_extension_headers() {
    let mut pair = Pair::without_sas(Setup::default());
    let mut policies = vec![Policy::new(PolicyId(9), "rest", Selector::ANY, Action::Bypass)];
    let nets = "fd00:1::/32 <-> fd00:2::/32 udp 53".parse().unwrap();
    policies.insert(0, Policy::new(PolicyId(1), "v6", nets, Action::Protect(TEMPLATE)));
    let spd = Spd::builder(Action::Discard).extend(policies).build().unwrap();
    pair.a.apply(pair.now, Update::Policies(Arc::new(spd)));
    let plain = udp("fd00:1::1", "fd00:2::1", 53, b"x");
    assert!(matches!(verdict(&mut pair, plain.clone()), Verdict::Acquire(_)));
    // The same behind destination options.
    let mut behind = plain;
    let next = std::mem::replace(&mut behind[6], 60);
    behind.splice(40..40, [next, 0, 1, 4, 0, 0, 0, 0]);
    behind[5] += 8;
    assert!(matches!(verdict(&mut pair, behind), Verdict::Acquire(_)));
    assert_eq!(verdict(&mut pair, udp("fd00:1::1", "fd00:3::1", 53, b"x")), Verdict::Bypass);
}

/// RFC 4301 §7.4: a later fragment must not pass by a rule for another port than the one it hides.
#[test]
fn a_later_fragment_takes_no_rule_for_ports() {
    let mut pair = Pair::without_sas(Setup::default());
    let rule = |id, selector: &str, action| Policy::new(PolicyId(id), "p", selector.parse().unwrap(), action);
    let ports = [
        rule(1, "10.1.0.0/24 <-> 10.2.0.0/24 udp 53", Action::Protect(TEMPLATE)),
        rule(2, "10.1.0.0/24 <-> 10.2.0.0/24 udp 119", Action::Bypass),
    ];
    let build = |more: &[Policy]| {
        let policies = ports.iter().chain(more).cloned();
        Arc::new(Spd::builder(Action::Discard).extend(policies).build().unwrap())
    };
    pair.a.apply(pair.now, Update::Policies(build(&[])));
    let mut later = udp("10.1.0.1", "10.2.0.1", 119, b"");
    assert_eq!(verdict(&mut pair, later.clone()), Verdict::Bypass);
    later[7] = 1;
    assert_eq!(verdict(&mut pair, later.clone()), dropped(DropReason::NoPolicy));
    // Those who want them say so (RFC 4301 §7.2).
    let opaque = rule(3, "10.1.0.0/24 <-> 10.2.0.0/24 udp opaque", Action::Protect(TEMPLATE));
    pair.a.apply(pair.now, Update::Policies(build(&[opaque])));
    assert!(matches!(verdict(&mut pair, later), Verdict::Acquire(_)));
}

/// CVE-2017-16939 and others: policies that were listed while they changed, and references that stayed behind.
#[test]
fn policies_and_pairs_come_and_go_and_leave_nothing() {
    let mut pair = Pair::without_sas(Setup::default());
    let base = Arc::new(common::protect(&[networks()]));
    pair.a.apply(pair.now, Update::Policies(Arc::clone(&base)));
    for number in 0..200 {
        let owner = PairId(number);
        let mut edit = base.edit();
        let source = PolicySource::Dynamic { owner, parent: PolicyId(1) };
        let hosts = "10.1.0.1 <-> 10.2.0.1".parse().unwrap();
        let dynamic = Policy::new(PolicyId(1000), "d", hosts, Action::Protect(TEMPLATE));
        edit.add_dynamic(Policy { source, ..dynamic }).unwrap();
        let spd = Arc::new(edit.finish().unwrap());
        let listed = Arc::downgrade(&spd);
        pair.a.apply(pair.now, Update::Policies(Arc::clone(&spd)));
        pair.connect(owner, networks());
        let ids: Vec<PolicyId> = spd.entries().map(|policy| policy.id).collect();
        pair.seal(&[packet(b"")]);
        drop(spd);
        pair.a.apply(pair.now, Update::Remove(owner));
        pair.b.apply(pair.now, Update::Remove(owner));
        assert_eq!(ids, [PolicyId(1000), PolicyId(1)]);
        assert!(listed.upgrade().is_none(), "nobody has it any more");
        let report = pair.a.report();
        assert_eq!((report.sas.len(), report.policies.len()), (0, 1));
    }
}

/// libreswan 2184, Openswan 316: another SA of the same peer was taken. The choice depends on nothing but the policy, the
/// selectors, the age and the usability of SAs.
#[test]
fn which_sa_a_flow_takes_does_not_depend_on_what_was_sent_before() {
    let wide = networks();
    let narrow: Selector = "10.1.0.1 <-> 10.2.0.1 udp 53".parse().unwrap();
    for other_first in [false, true] {
        let mut pair = Pair::without_sas(Setup::default());
        pair.connect(PairId(1), narrow);
        pair.connect(PairId(2), wide);
        pair.connect(PairId(3), "10.1.0.2 <-> 10.2.0.1".parse().unwrap());
        if other_first {
            pair.seal(&[udp("10.1.0.2", "10.2.0.1", 53, b""), udp("10.1.0.1", "10.2.0.1", 54, b"")]);
        }
        let sent = |pair: &Pair, id| {
            let report = pair.a.report();
            let mut outbound = report.sas.iter().filter(|sa| sa.pair == PairId(id));
            outbound.find(|sa| sa.direction == ipsec_sad::Direction::Outbound).unwrap().traffic.packets
        };
        let before = [1, 2, 3].map(|id| sent(&pair, id));
        pair.seal(&[packet(b"")]);
        assert_eq!([1, 2, 3].map(|id| sent(&pair, id)), [before[0], before[1] + 1, before[2]]);
        pair.a.apply(pair.now, Update::Remove(PairId(2)));
        pair.seal(&[packet(b"")]);
        assert_eq!(sent(&pair, 1), before[0] + 1);
    }
}
