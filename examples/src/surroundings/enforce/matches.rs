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

/// What a packet has to be that a selector covers, which is mirrored for what comes in; more than one if there are several
/// ways to be that, and none if there is no way.
pub(super) fn packets(selector: &Selector) -> Vec<Words> {
    let with = |more: Words| {
        let mut words = addresses(selector);
        words.extend(protocol(selector));
        words.extend(more);
        words
    };
    ports(selector).into_iter().map(with).collect()
}

/// Fragments that hide the ports which the selector asks for: they may be of such a packet.
pub(super) fn fragments(selector: &Selector) -> Vec<Words> {
    let Selector { local_port, remote_port, .. } = selector;
    let asked = match has_messages(selector) {
        true => vec![local_port],
        false => vec![local_port, remote_port],
    };
    if asked.iter().any(|field| field.is_none())
        || asked.iter().all(|field| field.is_any() || field.is_opaque())
    {
        return Vec::new();
    }
    later_fragments(selector)
        .map(|fragment| addresses(selector).into_iter().chain(protocol(selector)).chain([fragment]).collect())
        .collect()
}

/// Of the families that the selector speaks of.
fn later_fragments(selector: &Selector) -> impl Iterator<Item = Statement<'static>> {
    let family = [selector.local.range(), selector.remote.range()].into_iter().flatten().next();
    let family = family.map(|range| Family::of(range.first()));
    let families = [Family::V4, Family::V6].into_iter();
    families.filter(move |one| family.is_none_or(|family| family == *one)).map(is_later_fragment)
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

/// Whether the port fields are about types of messages, sent and received, in place of ports.
fn has_messages(selector: &Selector) -> bool {
    let messages = [IpProtocol::ICMP, IpProtocol::ICMPV6, IpProtocol::MOBILITY];
    selector.protocol.is_some_and(|protocol| messages.contains(&protocol))
}

/// The ways in which the ports can be what the selector says.
fn ports(selector: &Selector) -> Vec<Words> {
    let Selector { protocol, local_port, remote_port, .. } = selector;
    if has_messages(selector) {
        return match local_port {
            range if range.is_any() => vec![Vec::new()],
            range if range.is_none() => Vec::new(),
            range if range.is_opaque() => later_fragments(selector).map(|fragment| vec![fragment]).collect(),
            range => vec![vec![message(*protocol, range)]],
        };
    }
    let fields = [("sport", local_port), ("dport", remote_port)];
    if fields.iter().any(|(_, range)| range.is_none()) {
        return Vec::new();
    }
    let ranges = fields.into_iter().filter(|(_, range)| !range.is_any() && !range.is_opaque());
    let matches: Words = ranges.map(|(field, range)| is(payload("th", field), of_ports(range))).collect();
    let known = || set(WITH_PORTS.map(Expression::Number));
    if fields.iter().any(|(_, range)| range.is_opaque()) {
        // Ports that are there and ports that are not: nothing has both.
        if !matches.is_empty() {
            return Vec::new();
        }
        let mut ways: Vec<Words> = later_fragments(selector).map(|fragment| vec![fragment]).collect();
        match protocol {
            Some(protocol) if WITH_PORTS.contains(&protocol.0.into()) => {}
            Some(_) => return vec![Vec::new()],
            None => ways.push(vec![is_not(meta(MetaKey::L4proto), known())]),
        }
        return ways;
    }
    match protocol {
        None if !matches.is_empty() => {
            vec![[is(meta(MetaKey::L4proto), known())].into_iter().chain(matches).collect()]
        }
        _ => vec![matches],
    }
}

/// Type and code are the first two octets of ICMP; the type of a Mobility Header is its third (RFC 6275 §6.1.1).
fn message(protocol: Option<IpProtocol>, range: &PortRange) -> Statement<'static> {
    let raw = |offset, len| {
        let raw = PayloadRaw { base: PayloadBase::TH, offset, len };
        Expression::Named(NamedExpression::Payload(Payload::PayloadRaw(raw)))
    };
    if protocol == Some(IpProtocol::MOBILITY) {
        let [first, last] =
            [range.first(), range.last()].map(|value| Expression::Number((value >> 8).into()));
        return is(raw(16, 8), between(first, last));
    }
    is(raw(0, 16), of_ports(range))
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
