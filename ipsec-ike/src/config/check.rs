//! What can be checked of a configuration without a peer.

use std::time::Duration;

use super::{Config, ConfigError, Connection, LocalAddress, RemoteAddress};
use crate::identity::MAX_LENGTH;
use crate::suite::{EspSuite, Phase1Numbers, Phase2Numbers};

pub(super) fn check_numbers(config: &Config) -> Result<(), ConfigError> {
    let limits = &config.limits;
    for (field, value) in [
        ("limits.half_open", limits.half_open),
        ("limits.half_open_per_source", limits.half_open_per_source),
        ("limits.ike_sas", limits.ike_sas),
        ("limits.quick_modes", limits.quick_modes),
        ("limits.children", limits.children),
        ("limits.transforms", limits.transforms),
        ("timing.retransmit.attempts", config.timing.retransmit.attempts as usize),
    ] {
        if value == 0 {
            return Err(ConfigError::new("", field, "is 0", "set it to 1 at least"));
        }
    }
    if config.timing.retransmit.initial.is_zero() {
        return Err(ConfigError::new(
            "",
            "timing.retransmit.initial",
            "is 0",
            "set it to some hundred milliseconds",
        ));
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
                "list at least one ESP suite, for example aes256-sha256",
            );
        }
        if child.proposals.len() > 255 {
            return fault("children.proposals", "has more than 255 suites", "list the few that you want");
        }
        let unnumbered = |suite: &EspSuite| {
            suite.transform_number().is_none()
                || suite.integrity.is_some() && suite.integrity_number().is_none()
        };
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
