//! An SPD is edited while packets flow: the index follows, counters stay, what is protected from changes is.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and has no loop"
)]

#[path = "common/policies.rs"]
mod policies;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ipsec_crypto::Seeded;
use ipsec_proto::ip::{Addresses, Header};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::spd::{EditError, Position, ike_policies, loop_policies};
use ipsec_sad::{
    Action, Batch, Direction, Flow, InterfaceId, LogRate, Meta, Origin, PairId, Policy, PolicyId,
    PolicySource, Ports, RealmId, Realms, Selector, Spd, TemplateId, Update, Verdict, Worker, WorkerConfig,
};
use policies::{direction, flow, policies, policy, scan, spd};
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Clone, Debug)]
enum Step {
    Insert(Box<Policy>, Index),
    Remove(Index),
    Move(Index, Index),
    Replace(Index, Box<Policy>),
    AddDynamic(Index, Selector, u64),
    RemoveOwned(u64),
    SetDefault(Action),
}

fn step() -> impl Strategy<Value = Step> {
    let boxed = || policy().prop_map(Box::new);
    prop_oneof![
        4 => (boxed(), any::<Index>()).prop_map(|(policy, at)| Step::Insert(policy, at)),
        2 => any::<Index>().prop_map(Step::Remove),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Step::Move(from, to)),
        2 => (any::<Index>(), boxed()).prop_map(|(at, policy)| Step::Replace(at, policy)),
        4 => (any::<Index>(), policies::selector(), 0_u64..3).prop_map(|(parent, selector, owner)| {
            Step::AddDynamic(parent, selector, owner)
        }),
        1 => (0_u64..3).prop_map(Step::RemoveOwned),
        1 => prop_oneof![Just(Action::Bypass), Just(Action::Discard)].prop_map(Step::SetDefault),
    ]
}

/// The policies as a list, the dynamic ones behind.
struct Model {
    written: Vec<Policy>,
    dynamic: Vec<Policy>,
    default: Action,
    next: u32,
}

impl Model {
    /// Does the step in both; what the SPD refuses must be what it should.
    fn apply(&mut self, spd: &Spd, step: Step) -> Spd {
        let mut edit = spd.edit();
        self.next += 1;
        let id = PolicyId(self.next);
        let pick = |index: Index, of: &[Policy]| (!of.is_empty()).then(|| index.index(of.len()));
        match step {
            Step::Insert(policy, at) => {
                let policy = Policy { id, ..*policy };
                match pick(at, &self.written) {
                    Some(at) => {
                        let before = self.written[at].id;
                        edit.insert(policy.clone(), Position::Before(before)).unwrap();
                        self.written.insert(at, policy);
                    }
                    None => {
                        edit.insert(policy.clone(), Position::Last).unwrap();
                        self.written.push(policy);
                    }
                }
            }
            Step::Remove(at) => {
                if let Some(at) = pick(at, &self.written) {
                    let gone = self.written.remove(at);
                    assert_eq!(edit.remove(gone.id), Ok(gone));
                }
            }
            Step::Move(from, to) => {
                if let Some(from) = pick(from, &self.written) {
                    let moved = self.written.remove(from);
                    match pick(to, &self.written) {
                        Some(to) => {
                            edit.move_to(moved.id, Position::After(self.written[to].id)).unwrap();
                            self.written.insert(to + 1, moved);
                        }
                        None => self.written.push(moved),
                    }
                }
            }
            Step::Replace(at, policy) => {
                if let Some(at) = pick(at, &self.written) {
                    let policy = Policy { id: self.written[at].id, ..*policy };
                    edit.replace(policy.clone()).unwrap();
                    self.written[at] = policy;
                }
            }
            Step::AddDynamic(parent, selector, owner) => {
                if let Some(parent) = pick(parent, &self.written).map(|at| self.written[at].clone()) {
                    // Most random selectors are no part of it; what they have in common is.
                    let selector = parent.selector.intersect(&selector).unwrap_or(parent.selector);
                    let source = PolicySource::Dynamic { owner: PairId(owner), parent: parent.id };
                    let policy = Policy { source, ..Policy::new(id, "d", selector, parent.action) };
                    let added = edit.add_dynamic(policy.clone());
                    if matches!(parent.action, Action::Protect(_)) {
                        added.unwrap();
                        self.dynamic.push(policy);
                    } else {
                        assert_eq!(added, Err(EditError::NotProtected { parent: parent.id }));
                    }
                }
            }
            Step::RemoveOwned(owner) => {
                let owned = |policy: &Policy| matches!(policy.source, PolicySource::Dynamic { owner: other, .. } if other == PairId(owner));
                let before = self.dynamic.len();
                self.dynamic.retain(|policy| !owned(policy));
                assert_eq!(edit.remove_owned(PairId(owner)), before - self.dynamic.len());
            }
            Step::SetDefault(action) => {
                edit.set_default(action);
                self.default = action;
            }
        }
        // Those whose parent is gone, or does not protect what they cover.
        let written = &self.written;
        self.dynamic.retain_mut(|policy| {
            let PolicySource::Dynamic { parent, .. } = policy.source else { return false };
            let Some(parent) = written.iter().find(|other| other.id == parent) else { return false };
            (policy.applies, policy.realms, policy.interface) =
                (parent.applies, parent.realms, parent.interface);
            matches!(parent.action, Action::Protect(_)) && parent.selector.covers(&policy.selector)
        });
        edit.finish().unwrap()
    }

    fn all(&self) -> Vec<Policy> {
        self.written.iter().chain(&self.dynamic).cloned().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn after_any_edits_the_index_agrees_with_the_scan(
        start in policies(12),
        steps in proptest::collection::vec(step(), 1..30),
        flows in proptest::collection::vec((flow(), direction()), 1..40),
    ) {
        let written: Vec<Policy> =
            start.into_iter().map(|p| Policy { source: PolicySource::Configured, ..p }).collect();
        let mut spd = spd(&written);
        let mut model = Model { written, dynamic: Vec::new(), default: Action::Discard, next: 1000 };
        for step in steps {
            spd = model.apply(&spd, step);
            let all = model.all();
            for (flow, direction) in &flows {
                let expected = scan(&all, model.default, flow, *direction);
                prop_assert_eq!(spd.lookup(flow, *direction), expected, "{} {:?}", flow, direction);
                prop_assert_eq!(spd.explain(flow, *direction).found, expected);
            }
        }
    }
}

fn web() -> Selector {
    "10.1.0.0/24 <-> any tcp 80".parse().unwrap()
}

#[test]
fn built_in_policies_go_first_and_allow_their_log_flag_only() {
    let own = [[192, 0, 2, 1].into()];
    let everything = Policy::new(PolicyId(1), "all", Selector::ANY, Action::Protect(TemplateId(1)));
    let ike = ike_policies(PolicyId(100), &own, None);
    let spd = Spd::builder(Action::Discard)
        .push(everything)
        .extend(ike.clone())
        .extend(loop_policies(PolicyId(200), &own))
        .build()
        .unwrap();
    let udp = |port| {
        let ports = Ports::Transport { source: port, destination: port };
        Flow::new([192, 0, 2, 1], [192, 0, 2, 2], IpProtocol::UDP, ports)
    };
    let found = |flow: Flow, direction| spd.lookup(&flow, direction).policy;
    assert_eq!(found(udp(500), Direction::Outbound), Some(PolicyId(100)));
    assert_eq!(found(udp(4500).reversed(), Direction::Inbound), Some(PolicyId(101)));
    assert_eq!(found(udp(53), Direction::Outbound), Some(PolicyId(1)));
    let esp = Flow { protocol: IpProtocol::ESP, ports: Ports::None, ..udp(0) };
    assert_eq!(spd.lookup(&esp, Direction::Outbound).action, Action::Discard, "it would loop");
    let behind = Flow { source: [10, 1, 0, 1].into(), ..udp(500) };
    assert_eq!(found(behind, Direction::Outbound), Some(PolicyId(1)), "IKE of others is not ours");

    let refused = Err(EditError::BuiltIn { id: PolicyId(100), name: "ike 192.0.2.1".into() });
    let mut edit = spd.edit();
    assert_eq!(edit.remove(PolicyId(100)).map(|_| ()), refused);
    assert_eq!(edit.move_to(PolicyId(100), Position::Last), refused);
    assert_eq!(edit.replace(Policy { action: Action::Discard, ..ike[0].clone() }), refused);
    let other = Policy::new(PolicyId(100), "mine", web(), Action::Bypass);
    assert_eq!(edit.replace(other), refused, "not by another of its number either");
    let before = Policy::new(PolicyId(2), "before", web(), Action::Bypass);
    assert_eq!(edit.insert(before.clone(), Position::Before(PolicyId(100))), refused);
    edit.set_log(PolicyId(100), true).unwrap();
    edit.insert(before, Position::First).unwrap();
    assert_eq!(edit.set_log(PolicyId(9), true), Err(EditError::Unknown(PolicyId(9))));
    let spd = edit.finish().unwrap();
    let ids: Vec<u32> = spd.policies().iter().map(|policy| policy.id.0).collect();
    assert_eq!(ids, [100, 101, 200, 201, 2, 1]);
    assert!(spd.policy(PolicyId(100)).unwrap().log);
}

#[test]
fn what_an_edit_refuses() {
    let parent = Policy::new(PolicyId(1), "net", web(), Action::Protect(TemplateId(1)));
    let bypass = Policy::new(PolicyId(2), "clear", Selector::ANY, Action::Bypass);
    let spd = Spd::builder(Action::Discard).push(parent.clone()).push(bypass).build().unwrap();
    let mut edit = spd.edit();
    let dynamic = |id, parent, selector: &str| Policy {
        source: PolicySource::Dynamic { owner: PairId(7), parent: PolicyId(parent) },
        ..Policy::new(PolicyId(id), "d", selector.parse().unwrap(), Action::Protect(TemplateId(1)))
    };
    let narrow = "10.1.0.1 <-> 10.2.0.1 tcp 80";
    assert_eq!(edit.add_dynamic(parent.clone()), Err(EditError::NotDynamic(PolicyId(1))));
    assert_eq!(edit.add_dynamic(dynamic(3, 9, narrow)), Err(EditError::Unknown(PolicyId(9))));
    assert_eq!(edit.add_dynamic(dynamic(3, 2, narrow)), Err(EditError::NotProtected { parent: PolicyId(2) }));
    assert_eq!(
        edit.add_dynamic(dynamic(3, 1, "10.1.0.1 <-> 10.2.0.1 tcp")),
        Err(EditError::NotCovered { id: PolicyId(3), parent: PolicyId(1) })
    );
    edit.add_dynamic(dynamic(3, 1, narrow)).unwrap();
    assert_eq!(edit.add_dynamic(dynamic(3, 1, narrow)), Err(EditError::DuplicateId(PolicyId(3))));
    let owned = Err(EditError::Owned { id: PolicyId(3), owner: PairId(7) });
    assert_eq!(edit.remove(PolicyId(3)).map(|_| ()), owned);
    assert_eq!(
        edit.insert(dynamic(4, 1, narrow), Position::Last),
        Err(EditError::Owned { id: PolicyId(4), owner: PairId(7) })
    );
    assert_eq!(edit.insert(parent, Position::Last), Err(EditError::DuplicateId(PolicyId(1))));
    assert_eq!(edit.remove(PolicyId(8)).map(|_| ()), Err(EditError::Unknown(PolicyId(8))));
    let spd = edit.finish().unwrap();
    let order: Vec<u32> = spd.entries().map(|policy| policy.id.0).collect();
    assert_eq!(order, [3, 1, 2], "directly before the one it came from");
}

fn packet(from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
    let header = Header::new(Addresses::new(from.into(), to.into()).unwrap(), IpProtocol::GRE);
    let mut packet = vec![0; header.header_len() + 8];
    header.emit(8, &mut packet).unwrap();
    packet
}

/// Sends one packet and gives its verdict.
fn send(worker: &mut Worker, now: Instant, meta: Meta, packet: &[u8]) -> Verdict {
    let mut batch = Batch::new(1, 100);
    batch.push(meta, packet).unwrap();
    worker.outbound(now, &mut batch);
    batch.verdict(0).unwrap()
}

fn used(worker: &Worker, id: u32) -> (u64, Option<Instant>) {
    let report = worker.report();
    let policy = report.policies.iter().find(|policy| policy.id == PolicyId(id)).unwrap();
    (policy.used.hits, policy.used.last_hit)
}

#[test]
fn counters_outlive_an_edit_and_dynamic_policies_go_with_their_pair() {
    let now = Instant::now();
    let mut worker = Worker::new(WorkerConfig::default(), &mut Seeded::from_u64(1));
    let nets: Selector = "10.1.0.0/24 <-> 10.2.0.0/24".parse().unwrap();
    let spd = Spd::builder(Action::Discard)
        .push(Policy::new(PolicyId(1), "nets", nets, Action::Protect(TemplateId(1))))
        .build()
        .unwrap();
    worker.apply(now, Update::Policies(Arc::new(spd.clone())));
    let ping = packet([10, 1, 0, 1], [10, 2, 0, 1]);
    send(&mut worker, now, Meta::Clear, &ping);

    let mut edit = spd.edit();
    let hosts = "10.1.0.1 <-> 10.2.0.1".parse().unwrap();
    let source = PolicySource::Dynamic { owner: PairId(7), parent: PolicyId(1) };
    let dynamic = Policy::new(PolicyId(5), "hosts", hosts, Action::Protect(TemplateId(1)));
    edit.add_dynamic(Policy { source, ..dynamic }).unwrap();
    let first = Policy::new(PolicyId(2), "first", "10.9.9.9 <-> any".parse().unwrap(), Action::Bypass);
    edit.insert(first, Position::First).unwrap();
    worker.apply(now, Update::Policies(Arc::new(edit.finish().unwrap())));
    let later = now + Duration::from_secs(1);
    send(&mut worker, later, Meta::Clear, &ping);
    assert_eq!(used(&worker, 1), (1, Some(now)), "kept, though it moved");
    assert_eq!(used(&worker, 5), (1, Some(later)));
    assert_eq!(used(&worker, 2), (0, None));

    worker.apply(later, Update::Remove(PairId(7)));
    send(&mut worker, later, Meta::Clear, &ping);
    assert_eq!(used(&worker, 1), (2, Some(later)));
    assert!(worker.report().policies.iter().all(|policy| policy.id != PolicyId(5)));
}

#[test]
fn a_policy_is_for_its_realm_and_its_interface() {
    let now = Instant::now();
    let mut worker = Worker::new(WorkerConfig::default(), &mut Seeded::from_u64(1));
    let interface = InterfaceId::new(3);
    let red = Realms { inner: Some(RealmId(1)), outer: None };
    let spd = Spd::builder(Action::Discard)
        .push(Policy { interface, ..Policy::new(PolicyId(1), "eth", Selector::ANY, Action::Bypass) })
        .push(Policy { realms: red, ..Policy::new(PolicyId(2), "red", Selector::ANY, Action::Bypass) })
        .build()
        .unwrap();
    worker.apply(now, Update::Policies(Arc::new(spd)));
    // Link-local addresses: on each interface other hosts.
    let ping = packet([169, 254, 0, 1], [169, 254, 0, 2]);
    let at = |realm, interface| Meta::ClearAt(Origin { realm: RealmId(realm), interface });
    // Each twice: the second time the cache answers.
    for _ in 0..2 {
        assert_eq!(send(&mut worker, now, at(0, interface), &ping), Verdict::Bypass);
        assert_ne!(send(&mut worker, now, at(0, InterfaceId::new(4)), &ping), Verdict::Bypass);
        assert_ne!(send(&mut worker, now, Meta::Clear, &ping), Verdict::Bypass);
        assert_eq!(send(&mut worker, now, at(1, None), &ping), Verdict::Bypass);
    }
    assert_eq!((used(&worker, 1).0, used(&worker, 2).0), (2, 2));
    assert_eq!(worker.report().cache_hits, 4);
    let flow = Flow::parse(&ping).unwrap();
    let explained = worker.explain(now, &flow, Direction::Outbound);
    assert_eq!(explained.on_another_interface().collect::<Vec<_>>(), [PolicyId(1)]);
}

#[test]
fn a_log_flag_tells_of_packets_at_a_limited_rate() {
    let start = Instant::now();
    let log_rate = LogRate { burst: 2, interval: Duration::from_secs(1) };
    let config = WorkerConfig { log_rate, ..WorkerConfig::default() };
    let mut worker = Worker::new(config, &mut Seeded::from_u64(1));
    let policy = Policy::new(PolicyId(1), "all", Selector::ANY, Action::Bypass);
    let spd = Spd::builder(Action::Discard).push(Policy { log: true, ..policy }).build().unwrap();
    worker.apply(start, Update::Policies(Arc::new(spd.clone())));
    let ping = packet([10, 1, 0, 1], [10, 2, 0, 1]);
    for _ in 0..5 {
        send(&mut worker, start, Meta::Clear, &ping);
    }
    let mut told = || std::iter::from_fn(|| worker.next_policy_log()).collect::<Vec<_>>();
    let first = told();
    assert_eq!(first.len(), 2);
    assert_eq!((first[0].policy, first[0].action, first[0].suppressed), (PolicyId(1), Action::Bypass, 0));
    assert_eq!((first[0].flow, first[0].direction), (Flow::parse(&ping).unwrap(), Direction::Outbound));

    // An edit does not fill the bucket again.
    worker.apply(start, Update::Policies(Arc::new(spd.clone())));
    send(&mut worker, start, Meta::Clear, &ping);
    assert_eq!(worker.next_policy_log(), None);
    send(&mut worker, start + Duration::from_secs(1), Meta::Clear, &ping);
    assert_eq!(worker.next_policy_log().map(|log| log.suppressed), Some(4));

    let mut edit = spd.edit();
    edit.set_log(PolicyId(1), false).unwrap();
    worker.apply(start, Update::Policies(Arc::new(edit.finish().unwrap())));
    send(&mut worker, start + Duration::from_secs(9), Meta::Clear, &ping);
    assert_eq!(worker.next_policy_log(), None);
}
