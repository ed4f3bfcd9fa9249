//! The words for every event: one place, so that all sinks say the same.

use ipsec_ike::{ChildUp, Event, IkeUp, MessageNumber, Outcome, Sense};
use ipsec_sad::{AuditEvent, Direction};

use super::record::{Description, NodeEvent};
use super::{Entity, Level, Record, Value, What};

impl Description {
    fn new(code: &'static str, level: Level, entity: Entity, message: String) -> Self {
        Self { code, level, entity, connection: None, path: None, spi: None, fields: Vec::new(), message }
    }

    fn conn(mut self, connection: Option<impl ToString>) -> Self {
        self.connection = connection.map(|name| name.to_string());
        self
    }

    fn path(mut self, path: ipsec_proto::Path) -> Self {
        self.path = Some(path);
        self
    }

    fn spi(mut self, spi: impl ToString) -> Self {
        self.spi = Some(spi.to_string());
        self
    }

    fn number(mut self, key: &'static str, value: impl TryInto<u64>) -> Self {
        self.fields.push((key, Value::Number(value.try_into().unwrap_or(u64::MAX))));
        self
    }

    fn text(mut self, key: &'static str, value: impl ToString) -> Self {
        self.fields.push((key, Value::Text(value.to_string())));
        self
    }

    fn truth(mut self, key: &'static str, value: bool) -> Self {
        self.fields.push((key, Value::Truth(value)));
        self
    }
}

impl Record {
    pub(super) fn describe(&self) -> Description {
        match &self.what {
            What::Ike(event) => ike(event),
            What::Audit(event) => audit(event),
            What::Node(event) => node(event),
        }
    }
}

fn ike(event: &Event) -> Description {
    use Entity::{Child, Command, Ike, Message};
    use Level::{Debug, Error, Info, Trace, Warn};
    let new = Description::new;
    match event {
        Event::Message { number, sense, connection, path, cookies, message_id, octets, payloads } => {
            let (code, verb) = match sense {
                Sense::Sent => ("message.sent", "sent"),
                Sense::Received => ("message.received", "received"),
            };
            new(code, Debug, Message, format!("{number} {verb}, {octets} octets: {payloads}"))
                .conn(connection.as_ref())
                .path(*path)
                .spi(cookies)
                .text("message", number)
                .number("message_id", *message_id)
                .number("octets", *octets)
                .text("payloads", payloads)
        }
        Event::Retransmit { number, cookies, path, sent } => new(
            "message.retransmitted",
            Info,
            Message,
            format!("{number} sent again, for the {} time", ordinal(*sent)),
        )
        .path(*path)
        .spi(cookies)
        .text("message", number)
        .number("sent", *sent),
        Event::Duplicate { cookies, path, answered } => {
            let what = if *answered { "answered again" } else { "left unanswered" };
            new("message.duplicate", Debug, Message, format!("a duplicate came in and was {what}"))
                .path(*path)
                .spi(cookies)
                .truth("answered", *answered)
        }
        Event::Nat { cookies, found, path } => {
            new("ike.nat", Info, Ike, found.to_string()).path(*path).spi(cookies).text("found", found)
        }
        Event::IkeUp(up) => ike_up(up),
        Event::IkeDown { connection, path, cookies, reason } => {
            new("ike.down", Info, Ike, format!("the IKE SA is gone: {reason}"))
                .conn(connection.as_ref())
                .path(*path)
                .spi(cookies)
                .text("reason", reason)
        }
        Event::ChildUp(up) => child_up(up),
        Event::ChildFailed { connection, child, diagnosis, .. } => {
            new("child.failed", Error, Child, format!("child {child} could not be had: {diagnosis}"))
                .conn(Some(connection))
                .text("child", child)
                .text("diagnosis", diagnosis)
        }
        Event::AcquireRefused { template, diagnosis, .. } => new(
            "acquire.refused",
            Warn,
            Child,
            format!("traffic wants an SA that cannot be negotiated: {diagnosis}"),
        )
        .number("template", template.0)
        .text("diagnosis", diagnosis),
        Event::ChildDown { connection, child, inbound, outbound, reason, .. } => {
            new("child.down", Info, Child, format!("child {child} is gone: {reason}"))
                .conn(Some(connection))
                .spi(format!("{inbound}/{outbound}"))
                .text("child", child)
                .text("reason", reason)
        }
        Event::Refused { connection, path, cookies, refusal, diagnosis } => {
            new("message.refused", Warn, Message, format!("{refusal}. {diagnosis}"))
                .conn(connection.as_ref())
                .path(*path)
                .spi(cookies)
                .text("cause", refusal.cause.name())
                .text("message", refusal.message.map_or("", MessageNumber::name))
                .text("diagnosis", diagnosis)
        }
        Event::Hint { connection, path, cookies, notify } => {
            new("message.hint", Info, Message, format!("the peer says, unauthenticated: {notify}"))
                .conn(connection.as_ref())
                .path(*path)
                .spi(cookies)
                .text("notify", notify)
        }
        Event::Notified { connection, cookies, notify } => {
            new("message.notified", Info, Message, format!("the peer says: {notify}"))
                .conn(Some(connection))
                .spi(cookies)
                .text("notify", notify)
        }
        Event::Discarded { path, reason, octets } => {
            new("message.discarded", Trace, Message, format!("{octets} octets let fall: {}", reason.name()))
                .path(*path)
                .text("reason", reason.name())
                .number("octets", *octets)
        }
        Event::AtLimit { limit, value, path } => {
            new("ike.limit", Warn, Ike, format!("the limit {limit} of {value} is reached"))
                .path(*path)
                .text("limit", limit)
                .number("value", *value)
        }
        Event::Step { cookies, phase, took } => {
            new("ike.step", Debug, Ike, format!("{phase} took {} ms", took.as_millis()))
                .spi(cookies)
                .text("phase", phase)
                .number("milliseconds", took.as_millis())
        }
        Event::Done { request, outcome } => {
            let (level, message) = match outcome {
                Outcome::Done => (Debug, "done".to_owned()),
                Outcome::AlreadyUp => (Debug, "it stood already".to_owned()),
                Outcome::Failed(diagnosis) => (Warn, format!("failed: {diagnosis}")),
                Outcome::Cancelled => (Info, "cancelled".to_owned()),
                _ => (Info, format!("{outcome:?}")),
            };
            new("command.done", level, Command, format!("command {}: {message}", request.0))
                .number("request", request.0)
        }
        // The control plane's list of events grows; one without words of its own is shown as it is.
        other => new("ike.event", Debug, Ike, format!("{other:?}")),
    }
}

fn ike_up(up: &IkeUp) -> Description {
    let IkeUp { connection, path, cookies, role, suite, local_id, remote_id, nat, lifetime, .. } = up;
    let message = format!("the IKE SA stands as {role}: {suite}, {local_id} to {remote_id}, {nat}");
    Description::new("ike.up", Level::Info, Entity::Ike, message)
        .conn(Some(connection))
        .path(*path)
        .spi(cookies)
        .text("role", role)
        .text("suite", suite)
        .text("local_id", local_id)
        .text("remote_id", remote_id)
        .text("nat", nat)
        .number("lifetime", lifetime.as_secs())
}

fn child_up(up: &ChildUp) -> Description {
    let ChildUp {
        connection, child, inbound, outbound, suite, selector, role, lifetime, path, in_udp, ..
    } = up;
    let how = if *in_udp { "in UDP" } else { "without UDP" };
    let message = format!("child {child} stands as {role}: {selector}, {suite}, ESP {how}");
    Description::new("child.up", Level::Info, Entity::Child, message)
        .conn(Some(connection))
        .path(*path)
        .spi(format!("{inbound}/{outbound}"))
        .text("child", child)
        .text("role", role)
        .text("suite", suite)
        .text("selector", selector)
        .truth("in_udp", *in_udp)
        .number("lifetime", lifetime.as_secs())
}

fn audit(event: &AuditEvent) -> Description {
    let way = match event.direction {
        Direction::Outbound => "outbound",
        Direction::Inbound => "inbound",
    };
    let mut description =
        Description::new("packet.refused", Level::Warn, Entity::Packet, event.reason.sentence().to_owned())
            .text("kind", event.kind)
            .text("reason", event.reason)
            .text("direction", way);
    if let Some(path) = event.path {
        description = description.path(path);
    }
    if let Some(spi) = event.spi {
        description = description.spi(spi);
    }
    if let Some(sequence) = event.sequence {
        description = description.number("sequence", sequence);
    }
    if let Some(protocol) = event.protocol {
        description = description.number("protocol", protocol.0);
    }
    if let Some(label) = event.flow_label {
        description = description.number("flow_label", label);
    }
    if let Some(flow) = event.flow {
        description = description.text("flow", flow);
    }
    if let Some(selector) = event.selector {
        description = description.text("selector", selector);
    }
    if let Some(policy) = event.policy {
        description = description.number("policy", policy.0);
    }
    description
}

fn node(event: &NodeEvent) -> Description {
    use Entity::{Child, Gateway, Policy};
    let new = Description::new;
    match event {
        NodeEvent::Acquire { id, policy, flow } => new(
            "acquire.started",
            Level::Info,
            Policy,
            format!("{flow} needs an SA, a negotiation is asked for"),
        )
        .number("acquire", id.0)
        .number("policy", policy.0)
        .text("flow", flow),
        NodeEvent::Released { id, packets } => {
            new("acquire.released", Level::Info, Policy, format!("{packets} packets that waited are sent"))
                .number("acquire", id.0)
                .number("packets", *packets)
        }
        NodeEvent::GivenUp { id, packets, reason } => new(
            "acquire.given-up",
            Level::Warn,
            Policy,
            format!("{packets} packets that waited are dropped: {reason}"),
        )
        .number("acquire", id.0)
        .number("packets", *packets)
        .text("reason", reason),
        NodeEvent::InstallFailed { pair, spi, reason } => new(
            "child.install-failed",
            Level::Error,
            Child,
            format!("an SA could not be installed: {reason}"),
        )
        .spi(spi)
        .number("pair", pair.0)
        .text("reason", reason),
        NodeEvent::Reloaded { connections, policies } => {
            let message =
                format!("the configuration is taken up: {connections} connections, {policies} policies");
            new("gateway.reloaded", Level::Info, Gateway, message)
                .number("connections", *connections)
                .number("policies", *policies)
        }
        NodeEvent::Withheld { records } => {
            let message =
                format!("{records} records of what strangers sent were left out; the counters have them");
            new("gateway.withheld", Level::Warn, Gateway, message).number("records", *records)
        }
        NodeEvent::ClearDropped { policy, direction, packets } => new(
            "policy.clear-dropped",
            Level::Warn,
            Policy,
            format!("{packets} {direction} packets in clear, which {policy} does not let pass, were dropped"),
        )
        .text("policy", policy)
        .text("direction", direction)
        .number("packets", *packets),
        NodeEvent::Backend { side, dropped, error } => new(
            "gateway.backend",
            Level::Warn,
            Gateway,
            format!("{side}: {error}; {dropped} packets dropped"),
        )
        .text("side", side)
        .number("dropped", *dropped)
        .text("error", error),
    }
}

/// `1st`, `2nd`, `3rd`, `4th`.
fn ordinal(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}
