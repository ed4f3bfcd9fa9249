//! What is probably wrong with an SPD is found, and what is found is wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/policies.rs"]
mod policies;

use ipsec_sad::spd::{DiffLimits, Finding, Lifeline, LintContext, diff, ike_policies, lint, loop_policies};
use ipsec_sad::{Action, Direction, InterfaceId, Policy, PolicyId, Spd, TemplateId};
use policies::{direction, policies, real_flow, spd};
use proptest::prelude::*;

const PROTECT: Action = Action::Protect(TemplateId(1));

/// The policies that never decide.
fn never(spd: &Spd) -> Vec<PolicyId> {
    let found = lint(spd, &LintContext::default());
    assert!(found.complete);
    let dead = |finding: &Finding| match finding {
        Finding::Shadowed { policy, .. } | Finding::Unreachable { policy } => Some(*policy),
        _ => None,
    };
    found.findings.iter().filter_map(dead).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_never_decides_wins_no_flow(
        policies in policies(25),
        flows in proptest::collection::vec((real_flow(), direction()), 200),
    ) {
        let spd = spd(&policies);
        let dead = never(&spd);
        for (flow, direction) in &flows {
            let winner = spd.lookup(flow, *direction).policy;
            prop_assert!(!winner.is_some_and(|winner| dead.contains(&winner)), "{flow} {winner:?}");
        }
    }

    #[test]
    fn a_policy_never_decides_just_if_its_action_makes_no_difference(policies in policies(10)) {
        let old = spd(&policies);
        let dead = never(&old);
        for (number, policy) in policies.iter().enumerate() {
            let mut changed = policies.clone();
            changed[number].action = Action::Protect(TemplateId(999));
            let found = diff(&old, &spd(&changed), DiffLimits::default());
            prop_assert!(found.complete);
            prop_assert_eq!(found.changes.is_empty(), dead.contains(&policy.id), "{:?}", policy);
        }
    }
}

fn policy(id: u32, selector: &str, action: Action) -> Policy {
    Policy::new(PolicyId(id), format!("p{id}"), selector.parse().unwrap(), action)
}

fn findings(default: Action, list: Vec<Policy>, context: &LintContext) -> Vec<Finding> {
    lint(&Spd::builder(default).extend(list).build().unwrap(), context).findings
}

#[test]
fn order_and_overlap() {
    let none = LintContext::default();
    let id = PolicyId;
    let found = |list| findings(Action::Discard, list, &none);
    assert_eq!(findings(Action::Bypass, vec![], &none), [Finding::DefaultBypass]);
    assert_eq!(
        found(vec![
            policy(1, "10.0.0.0/8 <-> any", Action::Bypass),
            policy(2, "10.1.0.0/16 <-> any tcp", PROTECT)
        ]),
        [Finding::Shadowed { policy: id(2), by: id(1) }]
    );
    assert_eq!(
        found(vec![
            policy(1, "10.0.0.0/9 <-> any", PROTECT),
            policy(2, "10.128.0.0/9 <-> any", PROTECT),
            policy(3, "10.0.0.0/8 <-> any", PROTECT)
        ]),
        [Finding::Unreachable { policy: id(3) }]
    );
    assert_eq!(
        found(vec![
            policy(1, "10.0.0.0/8 <-> any", PROTECT),
            policy(2, "any <-> any tcp 80", Action::Bypass)
        ]),
        [Finding::HashedOverrides { policy: id(2), earlier: id(1) }]
    );
    assert_eq!(
        found(vec![
            policy(1, "10.0.0.0/8 <-> any", PROTECT),
            policy(2, "any <-> any tcp 80-90", Action::Bypass)
        ]),
        [Finding::Overlap { first: id(1), second: id(2) }]
    );
    // An exception before the rule is how it is done.
    assert_eq!(
        found(vec![
            policy(1, "10.1.0.0/16 <-> any", Action::Bypass),
            policy(2, "10.0.0.0/8 <-> any", PROTECT)
        ]),
        []
    );
    let scoped = Policy { interface: InterfaceId::new(1), ..policy(2, "fe80::/64 <-> any", PROTECT) };
    assert_eq!(
        found(vec![policy(1, "fe80::/64 <-> any", PROTECT)]),
        [Finding::LinkLocalAnywhere { policy: id(1) }]
    );
    assert_eq!(found(vec![scoped]), []);
}

#[test]
fn what_the_gateway_lives_on() {
    let (own, peer) = ([192, 0, 2, 1].into(), [198, 51, 100, 1].into());
    let peers = LintContext { peers: vec![(own, peer)], ..LintContext::default() };
    let all = policy(1, "any <-> any", PROTECT);
    let found = findings(Action::Discard, vec![all.clone()], &peers);
    assert_eq!(found.len(), 8);
    let by = Some(PolicyId(1));
    for what in [Lifeline::Ike, Lifeline::NatTraversal, Lifeline::Esp, Lifeline::Ah] {
        for direction in [Direction::Outbound, Direction::Inbound] {
            assert!(found.contains(&Finding::NotPassed { what, own, peer, direction, by }));
        }
    }
    let mut list = ike_policies(PolicyId(10), &[own], None);
    list.extend(loop_policies(PolicyId(20), &[own]));
    list.extend([
        policy(2, "192.0.2.1 <-> any esp", Action::Bypass),
        policy(3, "192.0.2.1 <-> any ah", Action::Bypass),
    ]);
    list.push(all.clone());
    let left = findings(Action::Discard, list, &peers);
    assert!(left.iter().all(|finding| !matches!(finding, Finding::NotPassed { .. })), "{left:?}");

    let ssh = LintContext { management: vec![([192, 0, 2, 1], 22).into()], ..LintContext::default() };
    let shut = Finding::ManagementShut { own: ([192, 0, 2, 1], 22).into() };
    let manage = policy(4, "192.0.2.1 <-> 203.0.113.0/24 tcp 22 <-> any", Action::Bypass);
    assert_eq!(findings(Action::Discard, vec![all.clone()], &ssh), [shut]);
    assert_eq!(findings(Action::Discard, vec![manage.clone(), all.clone()], &ssh), []);
    assert!(
        findings(Action::Discard, vec![all.clone(), manage], &ssh).contains(&shut),
        "behind what covers it"
    );
    assert_eq!(findings(Action::Bypass, vec![], &ssh), [Finding::DefaultBypass]);

    let ocsp = ([10, 2, 0, 80], 80).into();
    let crl = LintContext { revocation: vec![ocsp], asks_from: Some(own), ..LintContext::default() };
    let through = Finding::RevocationThroughTunnel { destination: ocsp, policy: PolicyId(1) };
    assert_eq!(findings(Action::Discard, vec![all.clone()], &crl), [through]);
    let clear = policy(5, "192.0.2.1 <-> 10.2.0.80 tcp 80", Action::Bypass);
    assert_eq!(findings(Action::Discard, vec![clear, all], &crl), []);
}
