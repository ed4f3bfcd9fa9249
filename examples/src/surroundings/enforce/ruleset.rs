//! From policies to rules: a pure function.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ipsec_io::node::GuardDirection;
use ipsec_io::sad::{Action, AddressRange, Direction, Policy};
use nftables::batch::Batch;
use nftables::expr::{Expression, Fib, FibFlag, FibResult, MetaKey, NamedExpression};
use nftables::schema::{Chain, Counter, NfListObject, Nftables, Rule, Table};
use nftables::stmt::{Counter as Count, JumpTarget, Statement};
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook};

use super::matches::{
    Words, among, between, fragments, is, is_not, meta, network_of, packets, payload, set, text,
};
use crate::surroundings::prefix::{Family, Prefix};

/// Before the host's own filter, and behind its NAT of what comes in.
const PRIORITY: i32 = -10;
/// Before its NAT: addresses as they came.
const BEFORE_NAT: i32 = -300;
/// ESP (RFC 4303 §2) and AH (RFC 4302 §2).
const IPSEC: [u32; 2] = [50, 51];
/// Neighbour discovery: router solicitation to redirect (RFC 4861 §4).
const NEIGHBOURS: [u32; 2] = [133, 137];
/// No router has passed it on (RFC 4861 §6.1, §7.1).
const FROM_THE_LINK: u32 = 255;
/// What never leaves a link: RFC 5771 §4, RFC 919 §7; RFC 4291 §2.5.6, §2.7.
const LINK_LOCAL: [(&str, &str, &str, u32); 5] = [
    ("ip", "daddr", "224.0.0.0", 24),
    ("ip", "daddr", "255.255.255.255", 32),
    ("ip6", "daddr", "fe80::", 10),
    ("ip6", "daddr", "ff02::", 16),
    ("ip6", "saddr", "fe80::", 10),
];
/// The longest comment of a rule, in octets (`NFT_USERDATA_MAXLEN` less what the attribute itself takes).
const COMMENT: usize = 120;

/// What passes whatever the policies say, because the gateway would not work without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempt {
    /// The TUN device: what it carries is sealed or opened by the gateway.
    pub tun: String,
    /// The fwmark of the gateway's own packets, and of those that it lets bypass.
    pub mark: u32,
    /// Our UDP ports of IKE, and of ESP behind a NAT.
    pub ports: [u16; 2],
}

/// A counter, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) counter: String,
    pub(super) policy: String,
    pub(super) direction: GuardDirection,
}

/// A whole table of rules.
#[derive(Debug)]
pub struct Ruleset {
    pub(super) rules: Nftables<'static>,
    pub(super) labels: Vec<Label>,
}

/// The name of the table for a TUN device, by which a later gateway finds it.
pub(super) fn table_name(tun: &str) -> String {
    format!("ipsec-gateway-{tun}")
}

impl Ruleset {
    /// The rules for `policies`, which are in the order of the configuration.
    #[must_use]
    pub fn new(exempt: &Exempt, policies: &[Policy]) -> Self {
        let mut builder = Builder::new(exempt);
        let order = search_order(policies);
        builder.keep_local(&exempt.tun, &order);
        for (number, policy) in order.iter().enumerate() {
            builder.policy(number, policy);
        }
        builder.hooks(exempt);
        builder.finish()
    }
}

/// The order in which the first match is the SPD's choice: hashed policies, those with the most specified fields first,
/// then the others; each in the order of the configuration.
fn search_order(policies: &[Policy]) -> Vec<&Policy> {
    let (mut order, ordered): (Vec<&Policy>, Vec<&Policy>) =
        policies.iter().partition(|policy| policy.is_hashed());
    order.sort_by_key(|policy| Reverse(policy.specified_fields()));
    order.extend(ordered);
    order
}

/// Networks behind us that the remote side of a tunnel holds too (10.1.0.0/24 to 10.0.0.0/8). What passes among them
/// stays behind us, as the routes have it.
fn kept_local(policies: &[&Policy]) -> Vec<Prefix> {
    let protected = || policies.iter().filter(|policy| matches!(policy.action, Action::Protect(_)));
    let remotes: Vec<_> = protected().filter_map(|policy| policy.selector.remote.range()).collect();
    let locals = protected().filter_map(|policy| policy.selector.local.range());
    let inside = locals.filter(|local| remotes.iter().any(|remote| remote.covers(local)));
    // A set of nftables has no two elements that overlap.
    let all: BTreeSet<Prefix> = inside.flat_map(Prefix::of_range).collect();
    all.iter().filter(|one| !all.iter().any(|other| other != *one && other.covers(one))).copied().collect()
}

struct Builder {
    table: String,
    batch: Batch<'static>,
    labels: Vec<Label>,
}

impl Builder {
    fn new(exempt: &Exempt) -> Self {
        let table = table_name(&exempt.tun);
        let mut this = Self { table, batch: Batch::new(), labels: Vec::new() };
        // Adding what is there already is no error, so what is deleted is there: one transaction from any state.
        this.batch.add(this.table());
        this.batch.delete(this.table());
        this.batch.add(this.table());
        for name in ["inbound", "outbound"] {
            this.chain(name, None);
        }
        this
    }

    fn table(&self) -> NfListObject<'static> {
        NfListObject::Table(Table { family: NfFamily::INet, name: self.table.clone().into(), handle: None })
    }

    fn chain(&mut self, name: &'static str, hook: Option<(NfHook, i32)>) {
        self.batch.add(NfListObject::Chain(Chain {
            family: NfFamily::INet,
            table: self.table.clone().into(),
            name: name.into(),
            newname: None,
            handle: None,
            _type: hook.map(|_| NfChainType::Filter),
            hook: hook.map(|(hook, _)| hook),
            prio: hook.map(|(_, priority)| priority),
            dev: None,
            policy: hook.map(|_| NfChainPolicy::Accept),
        }));
    }

    fn rule(&mut self, chain: &'static str, words: Words, comment: &str) {
        let mut end = comment.len().min(COMMENT);
        while !comment.is_char_boundary(end) {
            end -= 1;
        }
        let comment = comment.get(..end).filter(|text| !text.is_empty()).map(|text| text.to_owned().into());
        self.batch.add(NfListObject::Rule(Rule {
            family: NfFamily::INet,
            table: self.table.clone().into(),
            chain: chain.into(),
            expr: words.into(),
            handle: None,
            index: None,
            comment,
        }));
    }

    fn pass(&mut self, chain: &'static str, mut words: Words) {
        words.push(Statement::Accept(None));
        self.rule(chain, words, "");
    }

    /// A counter for a policy and direction.
    fn label(&mut self, counter: String, policy: &str, direction: GuardDirection) -> String {
        self.batch.add(NfListObject::Counter(Counter {
            family: NfFamily::INet,
            table: self.table.clone().into(),
            name: counter.clone().into(),
            handle: None,
            packets: Some(0),
            bytes: Some(0),
        }));
        self.labels.push(Label { counter: counter.clone(), policy: policy.to_owned(), direction });
        counter
    }

    fn policy(&mut self, number: usize, policy: &Policy) {
        let ways = [
            ("outbound", "out", GuardDirection::Outbound, Direction::Outbound, policy.selector),
            ("inbound", "in", GuardDirection::Inbound, Direction::Inbound, policy.selector.mirror()),
        ];
        for (chain, end, guard, direction, selector) in ways {
            if !policy.applies_to(direction) {
                continue;
            }
            if policy.action == Action::Bypass {
                for mut words in packets(&selector) {
                    words.push(Statement::Return(None));
                    self.rule(chain, words, &policy.name);
                }
                continue;
            }
            let counter = self.label(format!("p{number}-{end}"), &policy.name, guard);
            for mut words in fragments(&selector).into_iter().chain(packets(&selector)) {
                words.extend(count_and_drop(&counter));
                self.rule(chain, words, &policy.name);
            }
        }
    }

    /// What passes among networks behind us is no policy's; what only claims to come from there is dropped as it comes.
    fn keep_local(&mut self, tun: &str, policies: &[&Policy]) {
        let local = kept_local(policies);
        let owner = policies.iter().find(|policy| {
            let holds = |remote: &AddressRange| local.iter().any(|prefix| remote.contains(prefix.address()));
            matches!(policy.action, Action::Protect(_)) && policy.selector.remote.range().is_some_and(holds)
        });
        let Some(owner) = owner else { return };
        let counter = self.label("spoofed".to_owned(), &owner.name, GuardDirection::Inbound);
        self.chain("arriving", Some((NfHook::Prerouting, BEFORE_NAT)));
        for family in [Family::V4, Family::V6] {
            let networks: Vec<Prefix> =
                local.iter().filter(|prefix| prefix.family() == family).copied().collect();
            if networks.is_empty() {
                continue;
            }
            for chain in ["inbound", "outbound"] {
                let mut words = among(&networks);
                words.push(Statement::Return(None));
                self.rule(chain, words, "behind us");
            }
            let flags = [FibFlag::Saddr, FibFlag::Iif].into_iter().collect();
            let way_back = Fib { result: FibResult::Oif, flags };
            let way_back = Expression::Named(NamedExpression::Fib(way_back));
            let mut words = vec![is_not(meta(MetaKey::Iifname), ours(tun))];
            words.extend(among(&networks));
            words.push(is(way_back, Expression::Boolean(false)));
            words.extend(count_and_drop(&counter));
            self.rule("arriving", words, &owner.name);
        }
    }

    /// Where packets come from, into the two chains.
    fn hooks(&mut self, exempt: &Exempt) {
        let Exempt { tun, mark, ports } = exempt;
        let named = || text(tun.clone());
        let jump = |chain: &'static str| Statement::Jump(JumpTarget { target: chain.into() });
        for (name, hook) in
            [("input", NfHook::Input), ("output", NfHook::Output), ("forward", NfHook::Forward)]
        {
            self.chain(name, Some((hook, PRIORITY)));
        }
        self.pass("input", vec![is(meta(MetaKey::Iifname), ours(tun))]);
        self.pass("input", vec![is(meta(MetaKey::L4proto), set(IPSEC.map(Expression::Number)))]);
        self.pass(
            "input",
            vec![is(payload("udp", "dport"), set(ports.map(|port| Expression::Number(port.into()))))],
        );
        self.pass("output", vec![is(meta(MetaKey::Oifname), ours(tun))]);
        self.pass("output", vec![is(meta(MetaKey::Mark), Expression::Number(*mark))]);
        for chain in ["input", "output"] {
            let [first, last] = NEIGHBOURS.map(Expression::Number);
            let limit = is(payload("ip6", "hoplimit"), Expression::Number(FROM_THE_LINK));
            self.pass(chain, vec![limit, is(payload("icmpv6", "type"), between(first, last))]);
            for (protocol, field, network, length) in LINK_LOCAL {
                self.pass(chain, vec![is(payload(protocol, field), network_of(network, length))]);
            }
        }
        self.rule("input", vec![jump("inbound")], "");
        self.rule("output", vec![jump("outbound")], "");
        self.rule("forward", vec![is_not(meta(MetaKey::Iifname), named()), jump("inbound")], "");
        self.rule("forward", vec![is_not(meta(MetaKey::Oifname), named()), jump("outbound")], "");
    }

    fn finish(self) -> Ruleset {
        Ruleset { rules: self.batch.to_nftables(), labels: self.labels }
    }
}

/// The interfaces that need no rule: what is on them is the host's own, or the gateway's.
fn ours(tun: &str) -> Expression<'static> {
    set([text("lo"), text(tun.to_owned())])
}

fn count_and_drop(counter: &str) -> Words {
    vec![Statement::Counter(Count::Named(counter.to_owned().into())), Statement::Drop(None)]
}
