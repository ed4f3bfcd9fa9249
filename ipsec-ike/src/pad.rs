//! The peer authorisation database (RFC 4301 §4.4.3): which connections a caller may be, and who it must prove to be.
//!
//! In Main Mode with pre-shared keys the responder needs the key before it learns the identity (RFC 2409 §5.4). So the
//! address chooses: the exact one before the longest prefix, that before a name that resolves to it, that before any
//! address. Among connections of the same rank that share the key the identity in MM5 decides.

use std::net::IpAddr;
use std::sync::Arc;

use crate::config::{Config, Connection, LocalAddress, RemoteAddress};
use crate::identity::Identity;
use crate::refusal::{Dimension, Mismatch};

/// How well a configured remote address fits a caller's; greater is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Any,
    Name,
    /// By the number of its addresses' leading bits that are fixed.
    Range(u32),
    Exact,
}

fn rank(remote: &RemoteAddress, caller: IpAddr) -> Option<Rank> {
    match remote {
        RemoteAddress::Literal(address) => (*address == caller).then_some(Rank::Exact),
        RemoteAddress::Range(range) => {
            range.contains(caller).then(|| Rank::Range(fixed_bits(range.first(), range.last())))
        }
        RemoteAddress::Name { resolved, .. } => resolved.contains(&caller).then_some(Rank::Name),
        RemoteAddress::Any => Some(Rank::Any),
    }
}

/// The leading bits that the two ends of a range share.
fn fixed_bits(first: IpAddr, last: IpAddr) -> u32 {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
        (IpAddr::V6(first), IpAddr::V6(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
        _ => 0,
    }
}

/// The connections that a caller may be: those of the best rank that have the key of the first of them, in the
/// order of the configuration.
pub(crate) fn candidates(config: &Config, local: IpAddr, caller: IpAddr) -> Vec<Arc<Connection>> {
    let ranked: Vec<_> = config
        .connections()
        .iter()
        .filter(|connection| match connection.local {
            LocalAddress::Any => true,
            LocalAddress::Literal(address) => address == local,
        })
        .filter_map(|connection| rank(&connection.remote, caller).map(|rank| (rank, connection)))
        .collect();
    let Some(best) = ranked.iter().map(|(rank, _)| *rank).max() else { return Vec::new() };
    let mut equals = ranked.into_iter().filter(|(rank, _)| *rank == best).map(|(_, connection)| connection);
    let Some(first) = equals.next() else { return Vec::new() };
    let mut chosen = vec![Arc::clone(first)];
    chosen.extend(equals.filter(|other| other.psk.is_same(&first.psk)).cloned());
    chosen
}

/// Who the peer must say it is. A connection without an identity of its own has a literal address, as the
/// configuration's check demands.
pub(crate) fn expected_identity(connection: &Connection) -> Option<Identity> {
    match (&connection.remote_id, &connection.remote) {
        (Some(identity), _) => Some(identity.clone()),
        (None, RemoteAddress::Literal(address)) => Some(Identity::address(*address)),
        (None, _) => None,
    }
}

/// Who we say we are: the configured identity, else the address that we write from.
pub(crate) fn local_identity(connection: &Connection, local: IpAddr) -> Identity {
    connection.local_id.clone().unwrap_or_else(|| Identity::address(local))
}

/// The first candidate that expects this identity; or what all of them expect, against what came.
pub(crate) fn settle<'a>(
    candidates: &'a [Arc<Connection>],
    identity: &Identity,
) -> Result<&'a Arc<Connection>, Mismatch> {
    let expected = |connection: &Connection| expected_identity(connection);
    candidates.iter().find(|connection| expected(connection).as_ref() == Some(identity)).ok_or_else(|| {
        let ours: Vec<_> = candidates
            .iter()
            .filter_map(|connection| expected(connection))
            .map(|identity| format!("{} ({})", identity, identity.kind()))
            .collect();
        Mismatch {
            dimension: Dimension::Identity,
            ours: ours.join(" or "),
            theirs: format!("{} ({})", identity, identity.kind()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::PreSharedKey;

    fn connection(name: &str, remote: RemoteAddress, key: &[u8]) -> Connection {
        let psk = Arc::new(PreSharedKey::new(key.to_vec()));
        let mut connection =
            Connection::new(name, remote, psk, vec!["aes128-sha1-modp2048".parse().unwrap()], vec![]);
        connection.remote_id = Some(Identity::fqdn(name));
        connection
    }

    fn names(config: &Config, caller: &str) -> Vec<String> {
        let local = "192.0.2.1".parse().unwrap();
        candidates(config, local, caller.parse().unwrap()).iter().map(|found| found.name.clone()).collect()
    }

    #[test]
    fn the_better_the_address_fits_the_earlier_it_is_chosen() {
        let config = Config::builder()
            .connection(connection("any", RemoteAddress::Any, b"k0"))
            .connection(connection(
                "name",
                RemoteAddress::Name {
                    name: "gw.example".into(),
                    resolved: vec!["198.51.100.7".parse().unwrap()],
                },
                b"k1",
            ))
            .connection(connection("wide", RemoteAddress::Range("198.51.100.0/24".parse().unwrap()), b"k2"))
            .connection(connection(
                "narrow",
                RemoteAddress::Range("198.51.100.64/26".parse().unwrap()),
                b"k3",
            ))
            .connection(connection("exact", RemoteAddress::Literal("198.51.100.65".parse().unwrap()), b"k4"))
            .build()
            .unwrap();
        assert_eq!(names(&config, "198.51.100.65"), ["exact"]);
        assert_eq!(names(&config, "198.51.100.66"), ["narrow"]);
        assert_eq!(names(&config, "198.51.100.7"), ["wide"]);
        assert_eq!(names(&config, "203.0.113.1"), ["any"]);
    }

    #[test]
    fn equals_with_the_same_key_are_settled_by_identity() {
        let config = Config::builder()
            .connection(connection("a", RemoteAddress::Any, b"shared"))
            .connection(connection("b", RemoteAddress::Any, b"other"))
            .connection(connection("c", RemoteAddress::Any, b"shared"))
            .build()
            .unwrap();
        let local = "192.0.2.1".parse().unwrap();
        let found = candidates(&config, local, "203.0.113.1".parse().unwrap());
        assert_eq!(found.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(settle(&found, &Identity::fqdn("c")).unwrap().name, "c");
        let mismatch = settle(&found, &Identity::fqdn("x")).unwrap_err();
        assert_eq!(
            (mismatch.ours.as_str(), mismatch.theirs.as_str()),
            ("a (ID_FQDN) or c (ID_FQDN)", "x (ID_FQDN)")
        );
    }
}
