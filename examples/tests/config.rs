//! The configuration file: what is read, and what is said about what cannot be.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ipsec_examples::config::{
    File, Loaded, NatTraversal, Numbering, RemoteHost, SecretSource, Source, Start,
};
use ipsec_examples::surroundings::Exception;
use ipsec_io::crypto::CryptoProvider;
use ipsec_io::ike::PreSharedKey;

fn parse(text: &str) -> Result<File, String> {
    File::parse(&Source::new("gateway.toml", text)).map_err(|faults| faults.to_string())
}

/// Compares the faults with the lines of the golden text, which starts each with the place.
#[track_caller]
fn refused(text: &str, golden: &[&str]) {
    let faults = parse(text).expect_err("the file has faults");
    assert_eq!(faults.lines().collect::<Vec<_>>(), golden, "\n{faults}");
}

const SITE: &str = r#"[[connection]]
name = "site"
local = "192.0.2.1"
remote = "192.0.2.2"
psk_file = "site.psk"
ike = ["aes128-sha1-modp2048"]

  [[connection.child]]
  name = "net"
  local_ts = "10.1.0.0/24"
  remote_ts = "10.2.0.0/24"
  esp = ["aes128-sha1"]
"#;

#[test]
fn the_smallest_file_has_defaults_for_all_else() {
    let file = File::parse(&Source::new("/etc/ipsec-gateway/gateway.toml", SITE)).unwrap();
    assert_eq!(file.gateway.control.to_str(), Some("/run/ipsec-gateway/control.sock"));
    assert_eq!(
        (file.gateway.tun.as_str(), file.gateway.ike_port, file.gateway.natt_port),
        ("ipsec0", 500, 4500)
    );
    assert!(file.gateway.manage_routes && !file.gateway.legacy && file.gateway.capture.is_none());
    let site = &file.connections[0];
    assert_eq!(site.remote.value, RemoteHost::Address("192.0.2.2".parse().unwrap()));
    assert_eq!(site.secret.value, SecretSource::File("/etc/ipsec-gateway/site.psk".into()));
    assert_eq!((site.nat_traversal, site.children[0].start), (NatTraversal::Auto, Start::Acquire));
}

#[test]
fn the_sample_file_is_read() {
    let text = include_str!("../gateway.toml");
    let file = File::parse(&Source::new("gateway.toml", text)).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(!file.connections.is_empty());
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_in_order() {
    refused(
        r#"[gateway]
tunn = "ipsec0"
mtu = "1400"
ike_port = 70000
color = true

[[connection]]
name = "a/b"
local = "192.0.2.300"
remote = "-gw-"
psk_file = ""
ike = "aes128-sha1-modp2048"
nat_traversal = "yes"
ike_lifetime = "8 hours"

  [[connection.child]]
  name = "net"
  local_ts = "10.1.0.1/24"
  remote_ts = "10.2.0.0/33"
  esp = []
"#,
        &[
            "gateway.toml:2:1: unknown key `tunn` in [gateway]; fix: write `tun`",
            "gateway.toml:3:7: `mtu` is a value of type string; fix: write a number from 576 to 65535",
            "gateway.toml:4:12: `ike_port` is 70000; fix: write a number from 1 to 65535",
            "gateway.toml:5:1: unknown key `color` in [gateway]; fix: remove it; [gateway] knows control, tun, mtu, \
             manage_routes, enforce, route_table, rule_priority, fwmark, ike_port, natt_port, legacy, capture, capture_keys",
            "gateway.toml:8:8: `name` is \"a/b\": not a name; fix: use 1 to 64 letters, digits, `-`, `_` and `.`",
            "gateway.toml:9:9: `local` is \"192.0.2.300\": not an address; fix: write an address such as \"192.0.2.1\", \
             or \"%any\" for whichever the peer writes to",
            "gateway.toml:10:10: `remote` is \"-gw-\": neither an address nor a DNS name; fix: write an address such as \
             \"192.0.2.2\", a DNS name, or \"%any\" for whoever calls",
            "gateway.toml:11:12: `psk_file` is empty; fix: give it a value, or remove the line",
            "gateway.toml:12:7: `ike` is a value of type string; fix: write ike = [\"…\", \"…\"]",
            "gateway.toml:13:17: `nat_traversal` is \"yes\": no such choice; fix: write \"auto\", \"force\" or \"off\"",
            "gateway.toml:14:16: `ike_lifetime` is \"8 hours\": not a time; fix: write a time from 60 s to 2592000 s \
             with its unit: \"90s\", \"15m\", \"8h\", \"1d\"",
            "gateway.toml:18:14: `local_ts` is \"10.1.0.1/24\": the address has bits set behind the prefix; \
             fix: write \"10.1.0.0/24\"",
            "gateway.toml:19:15: `remote_ts` is \"10.2.0.0/33\": the prefix length is not a number from 0 to 32; \
             fix: write a network such as \"10.1.0.0/24\", an address, or a range \"10.1.0.1-10.1.0.9\"",
            "gateway.toml:20:9: `esp` is empty; fix: write esp = [\"…\", \"…\"]",
        ],
    );
}

#[test]
fn what_is_missing_is_named_with_an_example() {
    refused(
        "[[connection]]\n",
        &[
            "gateway.toml:1:1: [[connection]] has no `name`; fix: add name = \"site\"",
            "gateway.toml:1:1: [[connection]] has no `remote`; fix: add remote = \"192.0.2.2\", a DNS name or \"%any\"",
            "gateway.toml:1:1: [[connection]] has no `psk_file`; fix: add psk_file = \"site.psk\", or psk_env = \"NAME\"",
            "gateway.toml:1:1: [[connection]] has no `ike`; fix: add ike = [\"aes256-sha256-modp3072\"]",
            "gateway.toml:1:1: [[connection]] has no child, so nothing is protected; fix: add a [[connection.child]]",
        ],
    );
}

#[test]
fn values_that_contradict_each_other_are_found() {
    let two = format!("{SITE}\n{SITE}");
    refused(
        &two,
        &[
            "gateway.toml:15:8: a second connection is named \"site\"; fix: give each its own name",
            "gateway.toml:24:15: the same traffic belongs to site/net already; fix: remove one of the two, or narrow \
             its selectors",
        ],
    );
    refused(
        &SITE.replace("\"192.0.2.2\"", "\"gw.example\""),
        &[
            "gateway.toml:4:10: `remote` is no fixed address, and there is no `remote_id`; fix: add remote_id = \"…\": \
           who the peer must say it is",
        ],
    );
    refused(
        &SITE.replace("\"192.0.2.2\"", "\"192.0.2.1\""),
        &["gateway.toml:4:10: `remote` is our own address; fix: give the peer's address"],
    );
    refused(
        &SITE.replace("\"10.2.0.0/24\"", "\"2001:db8::/64\""),
        &[
            "gateway.toml:11:15: `local_ts` and `remote_ts` are of different families; fix: use one child for IPv4 and \
           another for IPv6",
        ],
    );
    refused(
        &SITE.replace("psk_file", "psk_env = \"PSK\"\npsk_file"),
        &["gateway.toml:5:11: `psk_env` beside `psk_file`; fix: keep one of the two"],
    );
    refused(
        "[gateway]\nnatt_port = 500\ncapture_keys = true\n",
        &[
            "gateway.toml:2:13: `ike_port` and `natt_port` are both 500; fix: use two different ports",
            "gateway.toml:3:16: `capture_keys` without `capture`; fix: add capture = \"FILE.pcapng\", or remove the line",
        ],
    );
}

#[test]
fn bad_syntax_is_all_that_is_said_of_a_file() {
    let faults = parse("[gateway]\ntun = ipsec0\n[connection\n").unwrap_err();
    for line in faults.lines() {
        assert!(line.starts_with("gateway.toml:2:") || line.starts_with("gateway.toml:3:"), "{line}");
        assert!(line.contains(": not TOML: ") && line.contains("; fix: "), "{line}");
    }
    let faults = parse("[gateway]\ntun = \"a\"\ntun = \"b\"\n").unwrap_err();
    assert!(faults.starts_with("gateway.toml:3:1: not TOML: duplicate key"), "{faults}");
}

#[test]
fn columns_count_characters() {
    refused(
        "[gateway]\n\"größe\" = 1\nmtu = 1\n",
        &[
            "gateway.toml:2:1: unknown key `größe` in [gateway]; fix: remove it; [gateway] knows control, tun, mtu, \
             manage_routes, enforce, route_table, rule_priority, fwmark, ike_port, natt_port, legacy, capture, capture_keys",
            "gateway.toml:3:7: `mtu` is 1; fix: write a number from 576 to 65535",
        ],
    );
    refused(
        "gateway = { \"größe\" = 1, tun = \"\" }\n",
        &[
            "gateway.toml:1:13: unknown key `größe` in [gateway]; fix: remove it; [gateway] knows control, tun, mtu, \
             manage_routes, enforce, route_table, rule_priority, fwmark, ike_port, natt_port, legacy, capture, capture_keys",
            "gateway.toml:1:32: `tun` is empty; fix: give it a value, or remove the line",
        ],
    );
}

/// A directory with a secret, and the configuration beside it.
fn load(text: &str, mode: u32) -> Result<Loaded, String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let secret = directory.path().join("site.psk");
    fs::write(&secret, "a secret\n").expect("a file in it");
    fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).expect("its mode");
    let source = Source::new(directory.path().join("gateway.toml"), text);
    let place = format!("{}/", directory.path().display());
    Loaded::from_source(&source, &mut Numbering::default(), &CryptoProvider::default())
        .map_err(|faults| faults.to_string().replace(&place, ""))
}

#[track_caller]
fn not_loaded(text: &str, mode: u32, golden: &[&str]) {
    let faults = load(text, mode).expect_err("the file has faults");
    assert_eq!(faults.lines().collect::<Vec<_>>(), golden, "\n{faults}");
}

#[test]
fn a_good_file_becomes_connections_policies_and_routes() {
    let text =
        format!("{SITE}\n[[policy]]\nname = \"printer\"\nremote_ts = \"10.2.0.9\"\naction = \"bypass\"\n");
    let loaded = load(&text, 0o600).unwrap_or_else(|faults| panic!("{faults}"));
    let connection = loaded.node.ike.connection("site").expect("the connection of the file");
    assert_eq!(
        connection.proposals.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["aes128-sha1-modp2048"]
    );
    assert!(connection.psk.is_same(&PreSharedKey::new(b"a secret".to_vec())));
    assert_eq!(loaded.node.rules.len(), 1);
    assert_eq!(loaded.tunnels.iter().map(|tunnel| tunnel.name.as_str()).collect::<Vec<_>>(), ["site/net"]);
    assert_eq!(loaded.exceptions, [Exception::Bypass("10.2.0.9".parse().unwrap())]);
    assert!(!format!("{loaded:?}").contains("a secret"));
}

#[test]
fn algorithms_are_held_against_what_is_allowed_and_what_there_is() {
    not_loaded(
        &SITE
            .replace("\"aes128-sha1-modp2048\"", "\"3des-md5-modp2048\", \"aes128-modp2048\"")
            .replace("\"aes128-sha1\"", "\"aes128-sha0\", \"blowfish128-sha1\""),
        0o600,
        &[
            "gateway.toml:6:8: 3des is a legacy algorithm; fix: use a current one, or set legacy = true in [gateway] if \
             the peer has nothing better",
            "gateway.toml:6:8: md5 is a legacy algorithm; fix: use a current one, or set legacy = true in [gateway] if \
             the peer has nothing better",
            "gateway.toml:6:29: proposal `aes128-modp2048` names no hash; fix: write a proposal such as \
             \"aes256-sha256-modp3072\"",
            "gateway.toml:12:10: `sha0` names no part of a proposal; fix: did you mean \"sha1\"?",
            "gateway.toml:12:25: blowfish128 cannot be used: 64-bit blocks; not implemented; fix: choose another algorithm",
        ],
    );
    not_loaded(
        &SITE.replace("\"aes128-sha1\"", "\"aes128-sha1-modp2048\", \"aes128-sha1\""),
        0o600,
        &[
            "gateway.toml:12:34: the proposals of a child differ in the group for PFS, and IKEv1 has one key exchange for \
           all (RFC 2409 §5.5); fix: end all of them with the same group, or none",
        ],
    );
}

#[test]
fn legacy_algorithms_need_the_line_and_the_build() {
    let old = SITE.replace("aes128-sha1", "3des-md5").replace("modp2048", "modp1024");
    let result = load(&format!("[gateway]\nlegacy = true\n{old}"), 0o600);
    if cfg!(feature = "legacy") {
        result.unwrap_or_else(|faults| panic!("{faults}"));
    } else {
        let faults = result.expect_err("this build has no legacy algorithms");
        assert!(
            faults
                .lines()
                .all(|line| line.ends_with("fix: build with --features legacy, or use a current one")),
            "{faults}"
        );
    }
}

#[test]
fn secrets_and_identities_are_looked_at_with_all_the_rest() {
    not_loaded(
        &SITE.replace("psk_file", "local_id = \"ké@x\"\nremote_id = \"keyid:0\"\npsk_file"),
        0o640,
        &[
            "gateway.toml:5:12: \"ké@x\": a name has printable ASCII characters only; fix: write an address, a host's \
             name \"gw.example\", \"user@gw.example\" or \"keyid:0123abcd\"",
            "gateway.toml:6:13: \"keyid:0\": `keyid:` is followed by an even number of hexadecimal digits; fix: write \
             an address, a host's name \"gw.example\", \"user@gw.example\" or \"keyid:0123abcd\"",
            "gateway.toml:7:12: the file site.psk may be used by others: its mode is 0640; fix: chmod 600 site.psk",
        ],
    );
    not_loaded(
        &SITE.replace("psk_file = \"site.psk\"", "psk_env = \"IPSEC_NO_SUCH_SECRET\""),
        0o600,
        &["gateway.toml:5:11: the environment variable IPSEC_NO_SUCH_SECRET is not set; fix: export \
           IPSEC_NO_SUCH_SECRET before the gateway starts"],
    );
}

#[test]
fn selectors_have_protocols_and_ports_where_they_are_written_whole() {
    let child = |keys: &str| {
        SITE.replace("  local_ts = \"10.1.0.0/24\"\n  remote_ts = \"10.2.0.0/24\"\n", &format!("  {keys}\n"))
    };
    let whole = child("selector = \"10.1.0.0/24 <-> 10.2.0.0/24 tcp 80\"");
    let policies =
        "[[policy]]\nname = \"ntp\"\nselector = \"any <-> 10.2.0.7 udp 123\"\naction = \"bypass\"\n";
    let file = parse(&format!("{policies}{whole}")).unwrap();
    let net = &file.connections[0].children[0];
    assert_eq!(net.selector.to_string(), "10.1.0.0/24 <-> 10.2.0.0/24 tcp 80");
    assert_eq!(
        (net.local_ts.value.to_string(), net.remote_ts.value.to_string()),
        ("10.1.0.0/24".into(), "10.2.0.0/24".into())
    );
    assert_eq!(file.policies[0].selector.to_string(), "any <-> 10.2.0.7 udp 123");

    let text = child("selector = \"10.1.0.0/24 10.2.0.0/24\"\n  local_ts = \"10.1.0.0/24\"");
    refused(
        &text,
        &[
            "gateway.toml:10:14: `selector` is \"10.1.0.0/24 10.2.0.0/24\": not of the form LOCAL <-> REMOTE [PROTOCOL [PORT \
           [<-> PORT]]]; fix: write a selector such as \"10.1.0.0/24 <-> 10.2.0.0/24 tcp 80\", or \"… udp 500 <-> any\" \
           for a port of ours",
        ],
    );
    let text = child("selector = \"10.1.0.0/24 <-> 10.2.0.0/24\"\n  local_ts = \"10.1.0.0/24\"");
    refused(
        &text,
        &["gateway.toml:11:14: an address range beside `selector`; fix: keep one of the two forms"],
    );
    let text = child("selector = \"any <-> 10.2.0.0/24\"");
    refused(
        &text,
        &[
            "gateway.toml:10:14: `selector` of a child has \"any\" for an address; fix: write \"0.0.0.0/0\" or \"::/0\"",
        ],
    );
    refused(
        "[[policy]]\nname = \"a\"\naction = \"bypass\"\n",
        &[
            "gateway.toml:1:1: [[policy]] has no `remote_ts`; fix: add remote_ts = \"10.2.9.0/24\", or selector = \"…\"",
        ],
    );
}

#[test]
fn a_control_socket_that_no_system_can_have_is_said_to_be_too_long() {
    let path = format!("/run/{}.sock", "x".repeat(97));
    assert!(parse(&format!("[gateway]\ncontrol = \"{path}\"\n")).is_ok());
    refused(
        &format!("[gateway]\ncontrol = \"/run/x{}\"\n", &path[5..]),
        &[
            "gateway.toml:2:11: `control` is a path of 108 octets, and a socket has 107 at most; fix: choose a shorter path; \
           it is relative to this file unless it begins with a slash",
        ],
    );
}
