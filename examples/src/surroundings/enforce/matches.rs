//! Selectors as matches of nftables.

use std::borrow::Cow;

use ipsec_io::proto::registry::IpProtocol;
use ipsec_io::sad::{AddressRange, PortRange, Selector};
use nftables::expr::{
    BinaryOperation, Expression, Exthdr, Meta, MetaKey, NamedExpression, Payload, PayloadBase, PayloadField,
    PayloadRaw, Prefix as NftPrefix, Range, SetItem,
};
use nftables::stmt::{Match, Operator, Statement};

use crate::surroundings::prefix::{Family, Prefix};

/// The protocols whose ports the data plane knows: TCP, UDP, DCCP, SCTP and UDP-Lite.
const WITH_PORTS: [u32; 5] = [6, 17, 33, 132, 136];
/// The bits of the field that are the offset (RFC 791 §3.1).
const OFFSET: u32 = 0x1fff;

pub(super) type Words = Vec<Statement<'static>>;

/// What a packet has to be that a selector covers, which is mirrored for what comes in; `None` where nothing can be that.
pub(super) fn packets(selector: &Selector) -> Option<Words> {
    let mut words = addresses(selector);
    words.extend(protocol(selector));
    words.extend(ports(selector)?);
    Some(words)
}

/// Fragments that hide the ports which the selector asks for: they may be of such a packet.
pub(super) fn fragments(selector: &Selector) -> Vec<Words> {
    if selector.local_port.is_any() && selector.remote_port.is_any() {
        return Vec::new();
    }
    let families = match [selector.local.range(), selector.remote.range()].into_iter().flatten().next() {
        Some(range) => vec![Family::of(range.first())],
        None => vec![Family::V4, Family::V6],
    };
    let of = |family: Family| {
        let mut words = addresses(selector);
        words.extend(protocol(selector));
        words.push(is_later_fragment(family));
        words
    };
    families.into_iter().map(of).collect()
}

fn is_later_fragment(family: Family) -> Statement<'static> {
    let offset = match family {
        Family::V4 => Expression::BinaryOperation(Box::new(BinaryOperation::AND(
            payload("ip", "frag-off"),
            Expression::Number(OFFSET),
        ))),
        Family::V6 => Expression::Named(NamedExpression::Exthdr(Exthdr {
            name: "frag".into(),
            field: Some("frag-off".into()),
            offset: Some(0),
        })),
    };
    compare(offset, Operator::NEQ, Expression::Number(0))
}

/// Source is the selector's local side.
fn addresses(selector: &Selector) -> Words {
    let sides = [("saddr", selector.local.range()), ("daddr", selector.remote.range())];
    let specified = sides.into_iter().filter_map(|(field, range)| Some((field, range?)));
    specified.map(|(field, range)| is(payload(family_name(range), field), of_range(range))).collect()
}

fn protocol(selector: &Selector) -> Option<Statement<'static>> {
    selector.protocol.map(|protocol| is(meta(MetaKey::L4proto), Expression::Number(protocol.0.into())))
}

/// `None` where no packet can have such ports.
fn ports(selector: &Selector) -> Option<Words> {
    let Selector { protocol, local_port, remote_port, .. } = selector;
    if local_port.is_any() && remote_port.is_any() {
        return Some(Vec::new());
    }
    if protocol.is_some_and(|protocol| [IpProtocol::ICMP, IpProtocol::ICMPV6].contains(&protocol)) {
        // Type and code are the first two octets, and have to be in both fields.
        let both = local_port.intersect(remote_port)?;
        let message = PayloadRaw { base: PayloadBase::TH, offset: 0, len: 16 };
        let left = Expression::Named(NamedExpression::Payload(Payload::PayloadRaw(message)));
        return Some(vec![is(left, of_ports(&both))]);
    }
    let mut words = Vec::new();
    if protocol.is_none() {
        words.push(is(meta(MetaKey::L4proto), set(WITH_PORTS.map(Expression::Number))));
    }
    for (field, range) in [("sport", local_port), ("dport", remote_port)] {
        if !range.is_any() {
            words.push(is(payload("th", field), of_ports(range)));
        }
    }
    Some(words)
}

fn family_name(range: &AddressRange) -> &'static str {
    match Family::of(range.first()) {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

/// A packet from one of these networks to one of them; all are of one family.
pub(super) fn among(networks: &[Prefix]) -> Words {
    let Some(first) = networks.first() else { return Vec::new() };
    let name = match first.family() {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    };
    let networks = || set(networks.iter().map(of_prefix));
    vec![is(payload(name, "saddr"), networks()), is(payload(name, "daddr"), networks())]
}

fn of_prefix(prefix: &Prefix) -> Expression<'static> {
    network_of(prefix.address().to_string(), prefix.length().into())
}

/// A network by its address and the length of its prefix.
pub(super) fn network_of(address: impl Into<Cow<'static, str>>, length: u32) -> Expression<'static> {
    Expression::Named(NamedExpression::Prefix(NftPrefix { addr: Box::new(text(address)), len: length }))
}

fn of_range(range: &AddressRange) -> Expression<'static> {
    match Prefix::of_range(range).as_slice() {
        [prefix] => of_prefix(prefix),
        _ => between(text(range.first().to_string()), text(range.last().to_string())),
    }
}

fn of_ports(range: &PortRange) -> Expression<'static> {
    if range.is_single() {
        Expression::Number(range.first().into())
    } else {
        between(Expression::Number(range.first().into()), Expression::Number(range.last().into()))
    }
}

pub(super) fn between(first: Expression<'static>, last: Expression<'static>) -> Expression<'static> {
    Expression::Range(Box::new(Range { range: [first, last] }))
}

pub(super) fn text(text: impl Into<Cow<'static, str>>) -> Expression<'static> {
    Expression::String(text.into())
}

pub(super) fn set(items: impl IntoIterator<Item = Expression<'static>>) -> Expression<'static> {
    Expression::Named(NamedExpression::Set(items.into_iter().map(SetItem::Element).collect()))
}

pub(super) fn payload(protocol: &'static str, field: &'static str) -> Expression<'static> {
    let field = PayloadField { protocol: protocol.into(), field: field.into() };
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(field)))
}

pub(super) const fn meta(key: MetaKey) -> Expression<'static> {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

pub(super) const fn compare(
    left: Expression<'static>,
    op: Operator,
    right: Expression<'static>,
) -> Statement<'static> {
    Statement::Match(Match { left, right, op })
}

pub(super) const fn is(left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    compare(left, Operator::EQ, right)
}

pub(super) const fn is_not(left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    compare(left, Operator::NEQ, right)
}
