//! What a new configuration changes: a pure function, for the operator's eyes.

use std::fmt;

use ipsec_io::ike::{Child, Config, Connection};

use crate::config::GatewaySection;

/// What a reload does, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Keys of `[gateway]` that only a new start can change.
    pub needs_restart: Vec<&'static str>,
    /// Connections that are new.
    pub added: Vec<String>,
    /// Connections that are gone: their SAs are deleted.
    pub removed: Vec<String>,
    /// Connections whose credentials, identities or phase 1 are others: from the next authentication on.
    pub next_authentication: Vec<String>,
    /// Children, as `connection/child`, whose SAs are deleted and, where they stood, negotiated anew.
    pub renegotiated: Vec<String>,
    /// Children, as `connection/child`, that are new.
    pub new_children: Vec<String>,
    /// Children, as `connection/child`, that are gone: their SAs are deleted.
    pub removed_children: Vec<String>,
}

/// Compares what runs with what was read.
#[must_use]
pub fn difference(before: (&GatewaySection, &Config), after: (&GatewaySection, &Config)) -> Difference {
    let mut found = Difference { needs_restart: fixed(before.0, after.0), ..Difference::default() };
    for old in before.1.connections() {
        match after.1.connection(&old.name) {
            None => found.removed.push(old.name.clone()),
            Some(new) => found.compare(old, new),
        }
    }
    for new in after.1.connections() {
        if before.1.connection(&new.name).is_none() {
            found.added.push(new.name.clone());
        }
    }
    found
}

/// The keys of `[gateway]` that differ and are bound at the start. `legacy` only guards the file itself.
fn fixed(before: &GatewaySection, after: &GatewaySection) -> Vec<&'static str> {
    let GatewaySection {
        control,
        tun,
        mtu: _,
        manage_routes,
        enforce,
        route_table,
        rule_priority,
        fwmark,
        ike_port,
        natt_port,
        legacy: _,
        capture,
        capture_keys,
    } = after;
    let keys = [
        ("control", *control != before.control),
        ("tun", *tun != before.tun),
        ("manage_routes", *manage_routes != before.manage_routes),
        ("enforce", *enforce != before.enforce),
        ("route_table", *route_table != before.route_table),
        ("rule_priority", *rule_priority != before.rule_priority),
        ("fwmark", *fwmark != before.fwmark),
        ("ike_port", *ike_port != before.ike_port),
        ("natt_port", *natt_port != before.natt_port),
        ("capture", *capture != before.capture),
        ("capture_keys", *capture_keys != before.capture_keys),
    ];
    keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

impl Difference {
    fn compare(&mut self, old: &Connection, new: &Connection) {
        let same = old.local == new.local
            && old.remote == new.remote
            && old.local_id == new.local_id
            && old.remote_id == new.remote_id
            && old.psk.is_same(&new.psk)
            && old.proposals == new.proposals
            && old.ike_lifetime == new.ike_lifetime
            && old.nat_traversal == new.nat_traversal
            && old.remote_ports == new.remote_ports;
        if !same {
            self.next_authentication.push(new.name.clone());
        }
        let path = |child: &Child| format!("{}/{}", new.name, child.name);
        for child in &old.children {
            match new.child(&child.name) {
                None => self.removed_children.push(path(child)),
                Some(now) => {
                    let stays = child.selector == now.selector
                        && child.proposals == now.proposals
                        && child.mode == now.mode
                        && child.lifetime == now.lifetime;
                    if !stays {
                        self.renegotiated.push(path(child));
                    }
                }
            }
        }
        self.new_children
            .extend(new.children.iter().filter(|child| old.child(&child.name).is_none()).map(path));
    }
}

impl fmt::Display for Difference {
    /// One sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            needs_restart: _,
            added,
            removed,
            next_authentication,
            renegotiated,
            new_children,
            removed_children,
        } = self;
        let parts = [
            ("new", added),
            ("removed", removed),
            ("changed from the next authentication on", next_authentication),
            ("negotiated anew", renegotiated),
            ("new", new_children),
            ("removed", removed_children),
        ];
        let names = parts.into_iter().filter(|(_, names)| !names.is_empty());
        let said: Vec<String> = names.map(|(what, names)| format!("{what}: {}", names.join(", "))).collect();
        if said.is_empty() { f.write_str("connections as before") } else { f.write_str(&said.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use ipsec_io::crypto::CryptoProvider;

    use super::*;
    use crate::config::{Loaded, Numbering, Source};

    const BEFORE: &str = r#"
[gateway]
mtu = 1400
[[connection]]
name = "stays"
remote = "192.0.2.2"
psk_file = "one.psk"
ike = ["aes128-sha1-modp2048"]
child = [{ name = "net", local_ts = "10.1.0.0/24", remote_ts = "10.2.0.0/24", esp = ["aes128-sha1"] }]
[[connection]]
name = "goes"
remote = "192.0.2.3"
psk_file = "one.psk"
ike = ["aes128-sha1-modp2048"]
child = [{ name = "net", local_ts = "10.1.0.0/24", remote_ts = "10.3.0.0/24", esp = ["aes128-sha1"] }]
"#;

    struct Files {
        directory: tempfile::TempDir,
        numbering: Numbering,
    }

    impl Files {
        fn new() -> Self {
            use std::os::unix::fs::PermissionsExt;
            let directory = tempfile::tempdir().unwrap();
            for (name, secret) in [("one.psk", "one\n"), ("same.psk", "one"), ("two.psk", "two")] {
                let path = directory.path().join(name);
                std::fs::write(&path, secret).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            }
            Self { directory, numbering: Numbering::default() }
        }

        fn load(&mut self, text: &str) -> Loaded {
            let source = Source::new(self.directory.path().join("gateway.toml"), text);
            Loaded::from_source(&source, &mut self.numbering, &CryptoProvider::default()).unwrap()
        }

        fn difference(&mut self, after: &str) -> Difference {
            let (before, after) = (self.load(BEFORE), self.load(after));
            difference((&before.gateway, &before.node.ike), (&after.gateway, &after.node.ike))
        }
    }

    #[test]
    fn the_same_file_changes_nothing_and_children_keep_their_numbers() {
        let mut files = Files::new();
        assert_eq!(files.difference(BEFORE), Difference::default());
        assert_eq!(Difference::default().to_string(), "connections as before");
        let numbers = |loaded: &Loaded| -> Vec<_> {
            loaded
                .node
                .ike
                .connections()
                .iter()
                .flat_map(|c| c.children.iter().map(|child| child.template))
                .collect()
        };
        let (_, goes) = BEFORE.rsplit_once("[[connection]]").unwrap();
        let both = numbers(&files.load(BEFORE));
        assert_eq!(numbers(&files.load(&format!("[[connection]]{goes}"))), both[1..]);
    }

    #[test]
    fn a_key_in_another_file_is_the_same_key() {
        let mut files = Files::new();
        assert_eq!(files.difference(&BEFORE.replace("one.psk", "same.psk")), Difference::default());
    }

    #[test]
    fn every_change_has_its_consequence() {
        let mut files = Files::new();
        let (first, _) = BEFORE.rsplit_once("[[connection]]").unwrap();
        let second = first.split_once("[[connection]]").unwrap().1;
        let second =
            second.replace("stays", "comes").replace("10.2.0.0", "10.4.0.0").replace("one.psk", "two.psk");
        let after = format!(
            "{}[[connection]]{second}",
            first.replace("one.psk", "two.psk").replace("\"aes128-sha1\"", "\"aes256-sha256\"")
        );
        let found = files.difference(&after);
        let expected = Difference {
            added: vec!["comes".into()],
            removed: vec!["goes".into()],
            next_authentication: vec!["stays".into()],
            renegotiated: vec!["stays/net".into()],
            ..Difference::default()
        };
        assert_eq!(found, expected);
        assert_eq!(
            found.to_string(),
            "new: comes; removed: goes; changed from the next authentication on: stays; negotiated anew: stays/net"
        );
        let renamed = files.difference(&BEFORE.replace("{ name = \"net\"", "{ name = \"lan\""));
        assert_eq!(renamed.new_children, ["stays/lan", "goes/lan"]);
        assert_eq!(renamed.removed_children, ["stays/net", "goes/net"]);
    }

    #[test]
    fn what_is_bound_at_the_start_cannot_change() {
        let mut files = Files::new();
        let found =
            files.difference(&BEFORE.replace("mtu = 1400", "mtu = 1300\ntun = \"other0\"\nike_port = 501"));
        assert_eq!(found, Difference { needs_restart: vec!["tun", "ike_port"], ..Difference::default() });
    }
}
