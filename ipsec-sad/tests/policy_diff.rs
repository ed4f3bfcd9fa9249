//! What changes between two SPDs, against brute force.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/policies.rs"]
mod policies;

use ipsec_sad::spd::{DiffLimits, Position, diff};
use ipsec_sad::{Action, Direction, Policy, PolicyId, Selector, Spd, TemplateId};
use policies::{direction, policies, policy, real_flow, spd};
use proptest::prelude::*;
use proptest::sample::Index;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_diff_names_every_change_and_nothing_else(
        policies in policies(10),
        changed in policy(),
        at in any::<Index>(),
        kind in 0_u8..4,
        flows in proptest::collection::vec((real_flow(), direction()), 300),
    ) {
        let old = spd(&policies);
        let mut after = policies;
        let place = at.index(after.len() + 1);
        let changed = Policy { id: PolicyId(500), ..changed };
        match (kind, after.len()) {
            (0, _) | (_, 0) => after.insert(place, changed),
            (1, len) => drop(after.remove(place.min(len - 1))),
            (2, _) => after.rotate_left(1),
            (_, len) => {
                let place = place.min(len - 1);
                after[place] = Policy { id: after[place].id, ..changed };
            }
        }
        let new = spd(&after);
        let found = diff(&old, &new, DiffLimits::default());
        prop_assert!(found.complete);
        for change in &found.changes {
            prop_assert!(change.classes >= change.examples.len() as u64 && !change.examples.is_empty());
            prop_assert_ne!(change.old.action, change.new.action);
            for example in &change.examples {
                prop_assert_eq!(old.lookup(example, change.direction), change.old, "{}", example);
                prop_assert_eq!(new.lookup(example, change.direction), change.new, "{}", example);
            }
        }
        for (flow, direction) in &flows {
            let (before, now) = (old.lookup(flow, *direction), new.lookup(flow, *direction));
            let named = found.changes.iter().any(|change| {
                (change.direction, change.old, change.new) == (*direction, before, now)
            });
            prop_assert!(named || before.action == now.action, "{flow} {direction:?}: {before:?} {now:?}");
        }
        prop_assert_eq!(diff(&old, &old, DiffLimits::default()).changes, []);
    }
}

fn nets(id: u32, selector: &str, action: Action) -> Policy {
    Policy::new(PolicyId(id), "p", selector.parse::<Selector>().unwrap(), action)
}

#[test]
fn a_default_that_changes_is_told_where_no_policy_decides() {
    let build = |default| {
        Spd::builder(default)
            .push(nets(1, "any <-> 10.0.0.0/8", Action::Bypass))
            .push(nets(2, "any <-> fd00::/8", Action::Protect(TemplateId(1))))
            .build()
            .unwrap()
    };
    let (old, new) = (build(Action::Discard), build(Action::Bypass));
    let found = diff(&old, &new, DiffLimits { examples: 1, ..DiffLimits::default() });
    assert_eq!(
        found.changes.iter().map(|c| (c.direction, c.old.policy, c.new.policy)).collect::<Vec<_>>(),
        [(Direction::Outbound, None, None), (Direction::Inbound, None, None)]
    );
    assert!(found.changes.iter().all(|change| change.examples.len() == 1 && change.classes > 1));
}

#[test]
fn the_work_is_limited() {
    let many = |action: fn(u32) -> Action| {
        let ports =
            (0..200).map(|n| nets(n, &format!("10.0.0.0/8 <-> any udp {}-{}", n, 2 * n + 1), action(n)));
        Spd::builder(Action::Discard).extend(ports).build().unwrap()
    };
    let (old, new) = (many(|_| Action::Bypass), many(|n| Action::Protect(TemplateId(n))));
    let limits = DiffLimits { cells: 50, examples: 1 };
    assert!(!diff(&old, &new, limits).complete);
    assert!(diff(&old, &new, DiffLimits::default()).complete);
}

#[test]
fn an_edit_of_many_policies_is_compared_by_what_it_touches() {
    let hosts = (0..20_000_u32).map(|n| {
        let [_, _, high, low] = n.to_be_bytes();
        nets(n, &format!("10.1.0.0/16 <-> 10.2.{high}.{low}"), Action::Bypass)
    });
    let old = Spd::builder(Action::Discard).extend(hosts).build().unwrap();
    let mut edit = old.edit();
    edit.replace(nets(7, "10.1.0.0/16 <-> 10.2.0.7", Action::Discard)).unwrap();
    edit.move_to(PolicyId(19_000), Position::First).unwrap();
    let new = edit.finish().unwrap();
    let found = diff(&old, &new, DiffLimits { cells: 2_000, examples: 1 });
    assert!(found.complete);
    assert_eq!(found.changes.len(), 2, "{:?}", found.changes);
    assert!(found.changes.iter().all(|change| change.old.policy == Some(PolicyId(7))));
}
