//! The file as it is written: sections with typed values, not yet joined into what the gateway runs.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipsec_io::sad::{AddressRange, AddressRangeError, Addresses, Selector, SelectorParseError};
use toml::de::DeTable;

use super::fault::{Collector, Faults, Source};
use super::reader::Section;
use super::values::{self, At, NatTraversal, RemoteHost, Start, Wrong};

/// The longest path of a socket, in octets (`sun_path` with its final zero, unix(7)).
const LONGEST_SOCKET: usize = 107;
const GATEWAY: &str = "[gateway]";
const CONNECTION: &str = "[[connection]]";
const CHILD: &str = "[[connection.child]]";
const POLICY: &str = "[[policy]]";
const MANUAL: &str = "[[manual]]";

/// A whole configuration file.
#[derive(Debug, Clone)]
pub struct File {
    /// `[gateway]`.
    pub gateway: GatewaySection,
    /// `[[policy]]`, in order.
    pub policies: Vec<PolicySection>,
    /// `[[manual]]`, in order: the files that hold tunnels.
    pub manual: Vec<At<PathBuf>>,
    /// `[[connection]]`, in order.
    pub connections: Vec<ConnectionSection>,
}

/// `[gateway]`: what holds for all connections. Every key has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySection {
    /// The control socket's path.
    pub control: PathBuf,
    /// The TUN device's name.
    pub tun: String,
    /// The TUN device's MTU in octets; computed from the ways to the peers where `None`.
    pub mtu: Option<u16>,
    /// Whether routes and rules are installed, and removed again.
    pub manage_routes: bool,
    /// Whether the host's packet filter drops what the policies do not let pass in clear.
    pub enforce: bool,
    /// The routing table for tunnels; the next higher one takes tunnels to everywhere.
    pub route_table: u32,
    /// The priority of the first of our rules; the two behind it are used too.
    pub rule_priority: u32,
    /// The mark on our own packets, so that they are not routed into a tunnel.
    pub fwmark: u32,
    /// The UDP port of IKE.
    pub ike_port: u16,
    /// The UDP port of IKE and ESP behind a NAT.
    pub natt_port: u16,
    /// Whether legacy algorithms may be named.
    pub legacy: bool,
    /// Where to record packets on the wire and in clear, as pcapng.
    pub capture: Option<PathBuf>,
    /// Whether keys go into key tables beside the recording.
    pub capture_keys: bool,
}

/// `[[policy]]`: an exception, in front of all children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySection {
    /// Its name in reports.
    pub name: String,
    /// What it is for.
    pub selector: Selector,
    /// What happens to packets for them.
    pub action: PolicyAction,
}

/// What a `[[policy]]` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyAction {
    /// They go their way in clear.
    Bypass,
    /// They are dropped.
    Discard,
}

/// `[[connection]]`: one peer.
#[derive(Debug, Clone)]
pub struct ConnectionSection {
    /// The name that `up` and `down` take.
    pub name: At<String>,
    /// Our address; whichever the peer writes to where `None`.
    pub local: Option<At<IpAddr>>,
    /// The peer.
    pub remote: At<RemoteHost>,
    /// Who we say we are; our address where `None`.
    pub local_id: Option<At<String>>,
    /// Who the peer must say it is; its address where `None`.
    pub remote_id: Option<At<String>>,
    /// Where the pre-shared key is.
    pub secret: At<SecretSource>,
    /// Phase 1 proposals, best first.
    pub ike: Vec<At<String>>,
    /// How long an ISAKMP SA lives.
    pub ike_lifetime: Option<Duration>,
    /// Whether ESP goes into UDP.
    pub nat_traversal: NatTraversal,
    /// The peer's UDP port of IKE.
    pub remote_ike_port: u16,
    /// The peer's UDP port of IKE and ESP behind a NAT.
    pub remote_natt_port: u16,
    /// What is to be protected.
    pub children: Vec<ChildSection>,
}

/// Where a pre-shared key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Environment(String),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
        }
    }
}

/// `[[connection.child]]`: one pair of SAs.
#[derive(Debug, Clone)]
pub struct ChildSection {
    /// Its name, for `up CONNECTION/CHILD`.
    pub name: At<String>,
    /// What is behind us.
    pub local_ts: At<AddressRange>,
    /// What is behind the peer.
    pub remote_ts: At<AddressRange>,
    /// Both, with the protocol and ports.
    pub selector: Selector,
    /// ESP proposals, best first.
    pub esp: Vec<At<String>>,
    /// How long its SAs live.
    pub lifetime: Option<Duration>,
    /// When it is negotiated.
    pub start: Start,
}

impl File {
    /// Reads the text of a file. Secrets are not looked at, algorithms not yet understood.
    ///
    /// # Errors
    /// Everything that is wrong. Where the text is no TOML, only that.
    pub fn parse(source: &Source) -> Result<Self, Faults> {
        let mut faults = Collector::new(source);
        let file = Self::collect(&mut faults);
        faults.finish(file)
    }

    /// The file, with what is wrong noted; a part that is wrong is left out.
    pub(crate) fn collect(faults: &mut Collector<'_>) -> Self {
        let source = faults.source();
        let (root, errors) = DeTable::parse_recoverable(source.text());
        for error in &errors {
            let problem = format!("not TOML: {}", error.message().replace('\n', ", "));
            faults.add(
                &error.span().unwrap_or(0..0),
                problem,
                "mend the syntax (https://toml.io has it on one page)",
            );
        }
        // What is left of a text with bad syntax would draw faults that are none.
        let nothing = DeTable::new();
        let root = if errors.is_empty() { root.get_ref() } else { &nothing };
        let mut root_section = Section::new("the file", root, 0..0);
        let gateway = root_section
            .table(faults, "gateway", GATEWAY, gateway)
            .unwrap_or_else(|| gateway(&mut Section::new(GATEWAY, &nothing, 0..0), faults));
        let policies = root_section.tables(faults, "policy", POLICY, policy);
        let manual = root_section.tables(faults, "manual", MANUAL, manual);
        let connections = root_section.tables(faults, "connection", CONNECTION, connection);
        root_section.finish(faults);
        check_names(faults, &connections);
        check_coverage(faults, &connections);
        Self { gateway, policies, manual, connections }
    }
}

fn gateway(section: &mut Section<'_, '_>, faults: &mut Collector<'_>) -> GatewaySection {
    let source = faults.source();
    let path = |text: At<String>| source.beside(&text.value);
    let control_key = section.text(faults, "control");
    let control = control_key.clone().map_or_else(|| PathBuf::from("/run/ipsec-gateway/control.sock"), path);
    if let Some(At { span, .. }) = control_key.filter(|_| control.as_os_str().len() > LONGEST_SOCKET) {
        faults.add(
            &span,
            format!(
                "`control` is a path of {} octets, and a socket has {LONGEST_SOCKET} at most",
                control.as_os_str().len()
            ),
            "choose a shorter path; it is relative to this file unless it begins with a slash",
        );
    }
    let tun =
        section.parsed(faults, "tun", values::interface).map_or_else(|| "ipsec0".to_owned(), |at| at.value);
    let mtu = section.number(faults, "mtu", 576..=u16::MAX).map(|at| at.value);
    let manage_routes = section.flag(faults, "manage_routes").is_none_or(|at| at.value);
    let enforce = section.flag(faults, "enforce").is_none_or(|at| at.value);
    // 253 to 255 are the kernel's own tables, 0 stands for none; the next higher number is ours too.
    let table = section.number(faults, "route_table", 1..=i32::MAX.cast_unsigned() - 1);
    if let Some(At { span, .. }) = table.as_ref().filter(|at| (252..=255).contains(&at.value)) {
        faults.add(
            span,
            "`route_table` is, or is followed by, a table of the kernel",
            "choose a number outside 252 to 255",
        );
    }
    let route_table = table.map_or(450, |at| at.value);
    let rule_priority = section.number(faults, "rule_priority", 1..=32_763_u32).map_or(450, |at| at.value);
    let fwmark = section.number(faults, "fwmark", 1..=u32::MAX).map_or(450, |at| at.value);
    let ike_port = section.number(faults, "ike_port", 1..=u16::MAX);
    let natt_port = section.number(faults, "natt_port", 1..=u16::MAX);
    let span = natt_port.as_ref().or(ike_port.as_ref()).map_or(0..0, |at| at.span.clone());
    let (ike_port, natt_port) = (ike_port.map_or(500, |at| at.value), natt_port.map_or(4500, |at| at.value));
    if ike_port == natt_port {
        faults.add(
            &span,
            format!("`ike_port` and `natt_port` are both {ike_port}"),
            "use two different ports",
        );
    }
    let legacy = section.flag(faults, "legacy").is_some_and(|at| at.value);
    let capture = section.text(faults, "capture").map(path);
    let keys = section.flag(faults, "capture_keys");
    if let Some(At { value: true, span }) = &keys
        && capture.is_none()
    {
        faults.add(
            span,
            "`capture_keys` without `capture`",
            "add capture = \"FILE.pcapng\", or remove the line",
        );
    }
    let capture_keys = keys.is_some_and(|at| at.value);
    GatewaySection {
        control,
        tun,
        mtu,
        manage_routes,
        enforce,
        route_table,
        rule_priority,
        fwmark,
        ike_port,
        natt_port,
        legacy,
        capture,
        capture_keys,
    }
}

fn policy(section: &mut Section<'_, '_>, faults: &mut Collector<'_>) -> Option<PolicySection> {
    let name = section.parsed(faults, "name", values::name);
    let name = section.required(faults, "name", name, "name = \"printer\"");
    let remote_ts = section.parsed(faults, "remote_ts", addresses);
    let selector = section.parsed(faults, "selector", selector);
    if let (Some(_), Some(At { span, .. })) = (&remote_ts, &selector) {
        faults.add(span, "`selector` beside `remote_ts`", "keep one of the two");
    }
    let selector = selector.map(|at| at.value);
    let selector = selector.or(remote_ts.map(|at| Selector::between(Addresses::Any, at.value)));
    let selector = if section.has("selector") {
        selector
    } else {
        section.required(faults, "remote_ts", selector, "remote_ts = \"10.2.9.0/24\", or selector = \"…\"")
    };
    let action = section.parsed(faults, "action", |text| match text {
        "bypass" => Ok(PolicyAction::Bypass),
        "discard" => Ok(PolicyAction::Discard),
        _ => Err(("no such choice".to_owned(), "write \"bypass\" or \"discard\"".to_owned())),
    });
    let action = section.required(faults, "action", action, "action = \"bypass\" or \"discard\"");
    Some(PolicySection { name: name?.value, selector: selector?, action: action?.value })
}

fn manual(section: &mut Section<'_, '_>, faults: &mut Collector<'_>) -> Option<At<PathBuf>> {
    let source = faults.source();
    let file = section.text(faults, "file");
    let At { value, span } = section.required(faults, "file", file, "file = \"office.tunnel\"")?;
    Some(At { value: source.beside(&value), span })
}

fn connection(section: &mut Section<'_, '_>, faults: &mut Collector<'_>) -> Option<ConnectionSection> {
    let name = section.parsed(faults, "name", values::name);
    let name = section.required(faults, "name", name, "name = \"site\"");
    let local = section.parsed(faults, "local", values::local);
    let remote = section.parsed(faults, "remote", values::remote);
    let remote = section.required(faults, "remote", remote, "remote = \"192.0.2.2\", a DNS name or \"%any\"");
    let local_id = section.text(faults, "local_id");
    let remote_id = section.text(faults, "remote_id");
    let secret = secret(section, faults);
    let ike = section.texts(faults, "ike");
    let ike = section.required(faults, "ike", ike, "ike = [\"aes256-sha256-modp3072\"]");
    let ike_lifetime = lifetime(section, faults, "ike_lifetime", 60);
    let nat_traversal = section.parsed(faults, "nat_traversal", values::nat_traversal).map(|at| at.value);
    let remote_ike_port = section.number(faults, "remote_ike_port", 1..=u16::MAX);
    let remote_natt_port = section.number(faults, "remote_natt_port", 1..=u16::MAX);
    let children = section.tables(faults, "child", CHILD, child);
    if children.is_empty() && !section.has("child") {
        faults.add(
            &section.span(),
            format!("{CONNECTION} has no child, so nothing is protected"),
            format!("add a {CHILD}"),
        );
    }
    let local = local.and_then(|at| at.value.map(|value| At { value, span: at.span }));
    let remote = remote?;
    if !matches!(remote.value, RemoteHost::Address(_)) && !section.has("remote_id") {
        faults.add(
            &remote.span,
            "`remote` is no fixed address, and there is no `remote_id`",
            "add remote_id = \"…\": who the peer must say it is",
        );
    }
    if let (Some(local), RemoteHost::Address(address)) = (&local, &remote.value) {
        if local.value == *address {
            faults.add(&remote.span, "`remote` is our own address", "give the peer's address");
        } else if local.value.is_ipv4() != address.is_ipv4() {
            faults.add(
                &local.span,
                "`local` and `remote` are of different families",
                "use IPv4 for both or IPv6 for both",
            );
        }
    }
    Some(ConnectionSection {
        name: name?,
        local,
        remote,
        local_id,
        remote_id,
        secret: secret?,
        ike: ike?,
        ike_lifetime,
        nat_traversal: nat_traversal.unwrap_or_default(),
        remote_ike_port: remote_ike_port.map_or(500, |at| at.value),
        remote_natt_port: remote_natt_port.map_or(4500, |at| at.value),
        children,
    })
}

fn secret(section: &mut Section<'_, '_>, faults: &mut Collector<'_>) -> Option<At<SecretSource>> {
    let source = faults.source();
    let file = section.text(faults, "psk_file");
    let environment = section.text(faults, "psk_env");
    match (file, environment) {
        (Some(At { value, span }), None) => {
            Some(At { value: SecretSource::File(source.beside(&value)), span })
        }
        (None, Some(At { value, span })) => Some(At { value: SecretSource::Environment(value), span }),
        (Some(_), Some(environment)) => {
            faults.add(&environment.span, "`psk_env` beside `psk_file`", "keep one of the two");
            None
        }
        (None, None) => {
            if !section.has("psk_env") {
                section.required(faults, "psk_file", None, "psk_file = \"site.psk\", or psk_env = \"NAME\"")
            } else {
                None
            }
        }
    }
}

fn child(section: &mut Section<'_, '_>, faults: &mut Collector<'_>) -> Option<ChildSection> {
    let name = section.parsed(faults, "name", values::name);
    let name = section.required(faults, "name", name, "name = \"net\"");
    let selected = child_selector(section, faults);
    let esp = section.texts(faults, "esp");
    let esp = section.required(faults, "esp", esp, "esp = [\"aes256-sha256\"]");
    let lifetime = lifetime(section, faults, "lifetime", 30);
    let start = section.parsed(faults, "start", values::start).map(|at| at.value);
    let (local_ts, remote_ts, selector) = selected?;
    Some(ChildSection {
        name: name?,
        local_ts,
        remote_ts,
        selector,
        esp: esp?,
        lifetime,
        start: start.unwrap_or_default(),
    })
}

/// `selector`, or `local_ts` and `remote_ts`.
fn child_selector(
    section: &mut Section<'_, '_>,
    faults: &mut Collector<'_>,
) -> Option<(At<AddressRange>, At<AddressRange>, Selector)> {
    let whole = section.parsed(faults, "selector", selector);
    let local_ts = section.parsed(faults, "local_ts", addresses);
    let remote_ts = section.parsed(faults, "remote_ts", addresses);
    if section.has("selector") {
        let At { value: selector, span } = whole?;
        if let Some(beside) = local_ts.or(remote_ts) {
            faults.add(&beside.span, "an address range beside `selector`", "keep one of the two forms");
        }
        let (Some(local), Some(remote)) = (selector.local.range(), selector.remote.range()) else {
            faults.add(
                &span,
                "`selector` of a child has \"any\" for an address",
                "write \"0.0.0.0/0\" or \"::/0\"",
            );
            return None;
        };
        return Some((At { value: *local, span: span.clone() }, At { value: *remote, span }, selector));
    }
    let local_ts =
        section.required(faults, "local_ts", local_ts, "local_ts = \"10.1.0.0/24\": what is behind us");
    let remote_ts = section.required(
        faults,
        "remote_ts",
        remote_ts,
        "remote_ts = \"10.2.0.0/24\": what is behind the peer",
    );
    let (local_ts, remote_ts) = (local_ts?, remote_ts?);
    if local_ts.value.is_ipv4() != remote_ts.value.is_ipv4() {
        faults.add(
            &remote_ts.span,
            "`local_ts` and `remote_ts` are of different families",
            "use one child for IPv4 and another for IPv6",
        );
    }
    let selector = Selector::between(local_ts.value, remote_ts.value);
    Some((local_ts, remote_ts, selector))
}

fn lifetime(
    section: &mut Section<'_, '_>,
    faults: &mut Collector<'_>,
    key: &'static str,
    low: u64,
) -> Option<Duration> {
    let (low, high) = (Duration::from_secs(low), Duration::from_secs(86400 * 30));
    section.parsed(faults, key, |text| values::duration(text, low, high)).map(|at| at.value)
}

fn selector(text: &str) -> Result<Selector, Wrong> {
    text.parse().map_err(|error: SelectorParseError| {
        let example = "write a selector such as \"10.1.0.0/24 <-> 10.2.0.0/24 tcp 80\", or \"… udp 500 <-> any\" for a port of ours";
        (error.to_string(), example.to_owned())
    })
}

fn addresses(text: &str) -> Result<AddressRange, Wrong> {
    text.parse().map_err(|error: AddressRangeError| {
        let fix = match error {
            AddressRangeError::HostBits { network, length } => format!("write \"{network}/{length}\""),
            _ => "write a network such as \"10.1.0.0/24\", an address, or a range \"10.1.0.1-10.1.0.9\""
                .to_owned(),
        };
        let problem = match error {
            AddressRangeError::HostBits { .. } => "the address has bits set behind the prefix".to_owned(),
            other => other.to_string(),
        };
        (problem, fix)
    })
}

fn check_names(faults: &mut Collector<'_>, connections: &[ConnectionSection]) {
    let mut doubles = |names: &mut dyn Iterator<Item = &At<String>>, what: &str| {
        let mut seen = Vec::new();
        for name in names {
            if seen.contains(&&name.value) {
                faults.add(
                    &name.span,
                    format!("a second {what} is named \"{}\"", name.value),
                    "give each its own name",
                );
            }
            seen.push(&name.value);
        }
    };
    doubles(&mut connections.iter().map(|connection| &connection.name), "connection");
    for connection in connections {
        doubles(&mut connection.children.iter().map(|child| &child.name), "child of this connection");
    }
}

/// Two children for the same traffic: the second would never get any.
fn check_coverage(faults: &mut Collector<'_>, connections: &[ConnectionSection]) {
    let mut seen: Vec<(&ConnectionSection, &ChildSection)> = Vec::new();
    for connection in connections {
        for child in &connection.children {
            let same = |(_, other): &&(&ConnectionSection, &ChildSection)| other.selector == child.selector;
            if let Some((owner, other)) = seen.iter().find(same) {
                let problem =
                    format!("the same traffic belongs to {}/{} already", owner.name.value, other.name.value);
                faults.add(&child.remote_ts.span, problem, "remove one of the two, or narrow its selectors");
            }
            seen.push((connection, child));
        }
    }
}
