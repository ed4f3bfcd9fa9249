//! What can be checked of a configuration without a peer.

use std::time::Duration;

use super::{Config, ConfigError, Connection, LocalAddress, RemoteAddress};
use ipsec_sad::PortRange;

use crate::identity::MAX_LENGTH;
use crate::suite::{ChildSuite, Part, Phase1Numbers};

/// The shortest time that a timer may have.
const SHORTEST: Duration = Duration::from_millis(10);

pub(super) fn check_numbers(config: &Config) -> Result<(), ConfigError> {
    let limits = &config.limits;
    for (field, value) in [
        ("limits.half_open", limits.half_open),
        ("limits.half_open_per_source", limits.half_open_per_source),
        ("limits.ike_sas", limits.ike_sas),
        ("limits.ike_sas_per_peer", limits.ike_sas_per_peer),
        ("limits.quick_modes", limits.quick_modes),
        ("limits.children", limits.children),
        ("limits.transforms", limits.transforms),
        ("timing.retransmit.attempts", config.timing.retransmit.attempts as usize),
    ] {
        if value == 0 {
            return Err(ConfigError::new("", field, "is 0", "set it to 1 at least"));
        }
    }
    if limits.message_ids < 100 {
        let fix = "set it to 100 at least: every message under an ISAKMP SA takes one";
        return Err(ConfigError::new("", "limits.message_ids", "is too low", fix));
    }
    // A timer of nothing would be due again as soon as it is set.
    let timing = &config.timing;
    for (field, value) in [
        ("timing.retransmit.initial", timing.retransmit.initial),
        ("timing.retransmit.ceiling", timing.retransmit.ceiling),
        ("timing.half_open", timing.half_open),
        ("timing.keepalive", timing.keepalive),
        ("timing.linger", timing.linger),
        ("timing.overlap", timing.overlap),
        ("timing.question", timing.question),
    ] {
        if value < SHORTEST {
            let fix = "set it to 10 ms at least";
            return Err(ConfigError::new("", field, "is too short", fix));
        }
    }
    if config.ports.ike == config.ports.natt {
        return Err(ConfigError::new(
            "",
            "ports",
            "are equal",
            "use different ports for IKE and for NAT traversal",
        ));
    }
    Ok(())
}

pub(super) fn check_connection(connection: &Connection) -> Result<(), ConfigError> {
    let fault =
        |field: &str, problem: &str, fix: &str| Err(ConfigError::new(&connection.name, field, problem, fix));
    if connection.name.is_empty() {
        return fault("name", "is empty", "give the connection a name");
    }
    if connection.psk.is_empty() {
        return fault("psk", "is empty", "give the pre-shared key");
    }
    if connection.proposals.is_empty() {
        return fault(
            "proposals",
            "is empty",
            "list at least one phase 1 suite, for example aes256-sha256-modp3072",
        );
    }
    if !matches!(connection.remote, RemoteAddress::Literal(_)) && connection.remote_id.is_none() {
        return fault(
            "remote.id",
            "is missing",
            "the remote address is no literal: say who the peer must be",
        );
    }
    if connection.proposals.len() > 255 {
        return fault("proposals", "has more than 255 suites", "list the few that you want");
    }
    if connection
        .proposals
        .iter()
        .any(|suite| suite.encryption_number().is_none() || suite.hash_number().is_none())
    {
        return fault(
            "proposals",
            "names an algorithm without a number in IKEv1",
            "choose a CBC cipher and a hash",
        );
    }
    if [&connection.local_id, &connection.remote_id]
        .into_iter()
        .flatten()
        .any(|id| id.data().len() > MAX_LENGTH)
    {
        return fault("local_id or remote_id", "is too long", "use at most 512 octets");
    }
    if let (LocalAddress::Literal(local), RemoteAddress::Literal(remote)) =
        (connection.local, &connection.remote)
    {
        if local.is_ipv4() != remote.is_ipv4() {
            return fault(
                "local",
                "and remote are of different families",
                "use IPv4 on both ends or IPv6 on both",
            );
        }
        if local == *remote {
            return fault("remote", "is our own address", "give the peer's address");
        }
    }
    if connection.ike_lifetime < Duration::from_secs(60) {
        return fault("ike_lifetime", "is below a minute", "set at least 60 s");
    }
    for (index, child) in connection.children.iter().enumerate() {
        if connection.children.iter().take(index).any(|other| other.name == child.name) {
            return fault("children.name", "is used twice", "give each child its own name");
        }
        if child.proposals.is_empty() {
            return fault(
                "children.proposals",
                "is empty",
                "list at least one suite, for example aes256-sha256",
            );
        }
        if child.proposals.len() > 255 {
            return fault("children.proposals", "has more than 255 suites", "list the few that you want");
        }
        let unnumbered = |suite: &ChildSuite| !suite.parts().all(Part::is_numbered);
        if child.proposals.iter().any(unnumbered) {
            return fault(
                "children.proposals",
                "names an algorithm without a number in IKEv1",
                "choose another one",
            );
        }
        if child.selector.mixes_families() {
            return fault("children.selector", "mixes IPv4 and IPv6", "make one child for each family");
        }
        // An identity of Quick Mode has one port or all (RFC 2407 §4.6.2): what is said must be what is meant.
        let ports = [child.selector.local_port, child.selector.remote_port];
        if ports.into_iter().any(|port| port != PortRange::ANY && !port.is_single()) {
            return fault(
                "children.selector",
                "has a range of ports, which IKEv1 cannot name",
                "give one port or none",
            );
        }
        if child.lifetime < Duration::from_secs(30) {
            return fault("children.lifetime", "is below 30 s", "set at least 30 s");
        }
        // RFC 2409 §5.5: the group of a quick mode is one for all its proposals, as there is one KE payload.
        if child.proposals.windows(2).any(|pair| matches!(pair, [a, b] if a.group != b.group)) {
            return fault(
                "children.proposals",
                "differ in the PFS group",
                "use one PFS group, or none, for the whole child",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::auth::PreSharedKey;
    use crate::config::{Child, Ports};
    use ipsec_sad::{Selector, TemplateId};

    fn good() -> Connection {
        let child = Child::new("net", TemplateId(1), Selector::ANY, vec!["aes128-sha1".parse().unwrap()]);
        let remote = RemoteAddress::Literal("192.0.2.2".parse().unwrap());
        let psk = Arc::new(PreSharedKey::new(b"secret".to_vec()));
        Connection::new("peer", remote, psk, vec!["aes128-sha1-modp2048".parse().unwrap()], vec![child])
    }

    fn fault(change: impl FnOnce(&mut Connection)) -> ConfigError {
        let mut connection = good();
        change(&mut connection);
        Config::builder().connection(connection).build().unwrap_err()
    }

    #[test]
    fn each_fault_names_its_field_and_the_fix() {
        assert!(Config::builder().connection(good()).build().is_ok());
        let faults: [(&str, ConfigError); 9] = [
            ("name", fault(|c| c.name.clear())),
            ("psk", fault(|c| c.psk = Arc::new(PreSharedKey::new(Vec::new())))),
            ("proposals", fault(|c| c.proposals.clear())),
            ("remote.id", fault(|c| c.remote = RemoteAddress::Any)),
            ("local", fault(|c| c.local = LocalAddress::Literal("2001:db8::1".parse().unwrap()))),
            ("remote", fault(|c| c.local = LocalAddress::Literal("192.0.2.2".parse().unwrap()))),
            ("ike_lifetime", fault(|c| c.ike_lifetime = Duration::from_secs(5))),
            (
                "children.proposals",
                fault(|c| {
                    c.children[0].proposals.push("aes128-sha1-modp2048".parse().unwrap());
                }),
            ),
            (
                "children.name",
                fault(|c| {
                    let again = c.children[0].clone();
                    c.children.push(again);
                }),
            ),
        ];
        for (field, error) in faults {
            assert_eq!(error.field, field, "{error}");
            assert!(!error.fix.is_empty());
        }
        let twice = Config::builder().connection(good()).connection(good()).build().unwrap_err();
        assert_eq!(
            twice.to_string(),
            "connection peer: name is used twice: give each connection its own name"
        );
        let ports = Config::builder().ports(Ports { ike: 500, natt: 500 }).build().unwrap_err();
        assert_eq!(ports.field, "ports");
    }
    #[test]
    fn times_that_would_make_timers_turn_without_end_are_refused() {
        type Change = fn(&mut crate::config::Timing);
        let changes: [(&str, Change); 7] = [
            ("timing.retransmit.initial", |timing| timing.retransmit.initial = Duration::ZERO),
            ("timing.retransmit.ceiling", |timing| timing.retransmit.ceiling = Duration::ZERO),
            ("timing.half_open", |timing| timing.half_open = Duration::ZERO),
            ("timing.keepalive", |timing| timing.keepalive = Duration::from_nanos(1)),
            ("timing.linger", |timing| timing.linger = Duration::ZERO),
            ("timing.overlap", |timing| timing.overlap = Duration::ZERO),
            ("timing.question", |timing| timing.question = Duration::ZERO),
        ];
        for (field, change) in changes {
            let mut timing = crate::config::Timing::default();
            change(&mut timing);
            let error = Config::builder().timing(timing).build().unwrap_err();
            assert_eq!(error.field, field);
        }
    }

    #[test]
    fn a_range_of_ports_is_refused_for_no_identity_names_it() {
        let ports = |first, last| PortRange::new(first, last).unwrap();
        for (range, good) in [(ports(80, 80), true), (PortRange::ANY, true), (ports(80, 90), false)] {
            let mut connection = good_with_ports(range);
            connection.children[0].selector.protocol = Some(ipsec_proto::registry::IpProtocol(6));
            assert_eq!(Config::builder().connection(connection).build().is_ok(), good, "{range:?}");
        }
    }

    fn good_with_ports(range: PortRange) -> Connection {
        let mut connection = good();
        connection.children[0].selector.remote_port = range;
        connection
    }
}
