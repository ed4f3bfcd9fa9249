//! The packet filter's rules in a real kernel: each test in a network namespace of its own. Without root or `nft` they
//! say so and pass.

use std::io;
use std::net::UdpSocket;
use std::process::Command;

use ipsec_examples::surroundings::{Enforcer, Exempt, Ruleset};
use ipsec_io::node::GuardDirection;
use ipsec_io::proto::registry::IpProtocol;
use ipsec_io::sad::{Action, Addresses, Applies, Policy, PolicyId, PortRange, Selector, TemplateId};
use nix::sched::{CloneFlags, unshare};

const PROTECT: Action = Action::Protect(TemplateId(1));

/// Runs a test in a new network namespace, which ends with the thread.
#[expect(clippy::print_stdout, reason = "what was skipped has to be seen")]
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let can = || {
        unshare(CloneFlags::CLONE_NEWNET).is_ok()
            && Command::new("ip").arg("link").output().is_ok()
            && Command::new("nft")
                .args(["list", "tables"])
                .output()
                .is_ok_and(|output| output.status.success())
    };
    if !std::thread::spawn(can).join().unwrap_or(false) {
        println!("skipped: it takes root, a network namespace, and the programs `ip` and `nft`");
        return;
    }
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("it worked in another thread");
        run("ip", "link set lo up");
        run("ip", "link add out type veth peer name far");
        run("ip", "link set far up");
        run("ip", "link set out up");
        run("ip", "addr add 10.1.0.1/24 dev out");
        run("ip", "addr add 2001:db8:1::1/64 dev out nodad");
        run("ip", "route add default dev out");
        run("ip", "-6 route add default dev out");
        test();
    });
    thread.join().expect("the test in the namespace");
}

fn run(program: &str, words: &str) -> String {
    let output = Command::new(program).args(words.split(' ')).output().expect("the program");
    assert!(output.status.success(), "{program} {words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn between(local: &str, remote: &str) -> Selector {
    let range = |text: &str| -> Addresses {
        if text == "any" { Addresses::Any } else { Addresses::Range(text.parse().expect("a range")) }
    };
    Selector { local: range(local), remote: range(remote), ..Selector::ANY }
}

fn policies(list: &[(&str, Selector, Action)]) -> Vec<Policy> {
    let numbered = (0..).map(PolicyId).zip(list);
    numbered.map(|(id, (name, selector, action))| Policy::new(id, *name, *selector, *action)).collect()
}

fn exempt() -> Exempt {
    Exempt { tun: "ipsec0".into(), mark: 450, ports: [500, 4500] }
}

/// Sends a datagram; whether the packet filter let it.
fn sends(from: &str, to: &str) -> bool {
    let socket = UdpSocket::bind(from).expect("an address of the namespace");
    match socket.send_to(b"in clear", to) {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => false,
        Err(error) => panic!("{from} to {to}: {error}"),
    }
}

/// What was dropped, as `policy direction packets`, without those that have dropped nothing.
fn dropped(enforcer: &Enforcer) -> Vec<String> {
    let report = enforcer.report().expect("the counters");
    let some = report.iter().filter(|guard| guard.packets > 0);
    some.map(|guard| format!("{} {} {}", guard.policy, guard.direction, guard.packets)).collect()
}

#[test]
fn rules_are_in_the_order_of_the_search_and_say_what_the_selectors_say() {
    in_namespace(|| {
        let web = Selector {
            protocol: Some(IpProtocol::TCP),
            remote_port: PortRange::single(80),
            ..between("10.1.0.0/24", "10.9.0.0/24")
        };
        let echo = Selector {
            protocol: Some(IpProtocol::ICMPV6),
            local_port: PortRange::icmp_type(128),
            ..between("2001:db8:1::/64", "2001:db8:2::1-2001:db8:2::9")
        };
        let host = between("10.1.0.1", "10.9.0.7");
        let ports = Selector { local_port: PortRange::new(1024, 2047).expect("in order"), ..Selector::ANY };
        let mut list = policies(&[
            ("net", between("10.1.0.0/24", "10.0.0.0/8"), PROTECT),
            ("web", web, Action::Bypass),
            ("echo", echo, PROTECT),
            ("host", host, Action::Bypass),
            ("ports", ports, Action::Discard),
        ]);
        list[4].applies = Applies::OutboundOnly;
        let mut enforcer = Enforcer::open("ipsec0").expect("nft");
        enforcer.apply(&Ruleset::new(&exempt(), &list)).expect("the kernel takes the rules");
        let listed = run("nft", "-s list table inet ipsec-gateway-ipsec0");
        let rules = |chain: &str| -> Vec<String> {
            let lines = listed.lines().map(str::trim).skip_while(|line| *line != format!("chain {chain} {{"));
            lines.skip(1).take_while(|line| *line != "}").map(str::to_owned).collect()
        };
        let whose = |rule: &String| rule.rsplit('"').nth(1).unwrap_or_default().to_owned();
        let (inbound, outbound) = (rules("inbound"), rules("outbound"));
        let order: Vec<_> = inbound.iter().map(whose).collect();
        assert_eq!(order, ["behind us", "host", "net", "web", "echo"], "{listed}");
        let order: Vec<_> = outbound.iter().map(whose).collect();
        assert_eq!(order, ["behind us", "host", "net", "web", "echo", "echo", "ports", "ports", "ports"]);
        assert!(outbound[1].starts_with("ip saddr 10.1.0.1 ip daddr 10.9.0.7 return"), "{listed}");
        assert!(inbound[1].starts_with("ip saddr 10.9.0.7 ip daddr 10.1.0.1 return"), "{listed}");
        assert!(inbound[2].contains("ip daddr 10.1.0.0/24 counter name \"p1-in\" drop"), "{listed}");
        assert!(inbound[3].contains("tcp sport 80 return") && outbound[3].contains("tcp dport 80 return"));
        assert!(outbound[4].contains("frag-off") && outbound[5].contains("32768-33023"), "{listed}");
        assert!(outbound[8].contains("sport 1024-2047"), "{listed}");
    });
}

#[test]
fn clear_packets_are_dropped_and_counted_and_what_is_exempt_passes() {
    in_namespace(|| {
        let dns = Selector {
            protocol: Some(IpProtocol::UDP),
            remote_port: PortRange::single(53),
            ..between("10.1.0.0/24", "10.2.0.0/24")
        };
        let list = policies(&[
            ("dns", dns, Action::Bypass),
            ("net", between("10.1.0.0/24", "10.2.0.0/24"), PROTECT),
            ("net6", between("2001:db8:1::/64", "2001:db8:2::/64"), PROTECT),
            ("closed", between("any", "10.3.0.0/16"), Action::Discard),
        ]);
        let mut enforcer = Enforcer::open("ipsec0").expect("nft");
        assert!(!enforcer.found_rules());
        assert!(sends("10.1.0.1:0", "10.2.0.1:9"), "before there are rules");
        enforcer.apply(&Ruleset::new(&exempt(), &list)).expect("the kernel takes the rules");

        assert!(!sends("10.1.0.1:0", "10.2.0.1:9") && !sends("10.1.0.1:0", "10.2.0.255:500"));
        assert!(!sends("[2001:db8:1::1]:0", "[2001:db8:2::1]:9"));
        assert!(!sends("10.1.0.1:0", "10.3.0.1:9"));
        assert!(sends("10.1.0.1:0", "10.2.0.1:53"), "a bypass before it");
        assert!(sends("10.1.0.1:0", "10.4.0.1:9"), "no policy's");
        assert!(sends("10.1.0.1:0", "10.1.0.1:9"), "to ourselves");
        let expected = ["net outbound 2", "net6 outbound 1", "closed outbound 1"];
        assert_eq!(dropped(&enforcer), expected);

        // Other rules, the same counters.
        let fewer = Ruleset::new(&exempt(), &list[1..3]);
        enforcer.apply(&fewer).expect("in the place of the others");
        assert!(!sends("10.1.0.1:0", "10.2.0.1:53") && sends("10.1.0.1:0", "10.3.0.1:9"));
        assert_eq!(dropped(&enforcer), ["net outbound 3", "net6 outbound 1"]);

        // What is killed removes nothing; the next one finds it, and removes it twice without complaint.
        drop(enforcer);
        assert!(!sends("10.1.0.1:0", "10.2.0.1:9"));
        let mut next = Enforcer::open("ipsec0").expect("nft");
        assert!(next.found_rules());
        assert!(!Enforcer::open("ipsec1").expect("nft").found_rules(), "another gateway's device");
        for _ in 0..2 {
            next.remove().expect("gone");
        }
        assert!(sends("10.1.0.1:0", "10.2.0.1:9"));
        assert_eq!(run("nft", "list tables"), "");
    });
}

#[test]
fn what_passes_among_networks_behind_us_is_left_alone() {
    in_namespace(|| {
        let list = policies(&[
            ("site", between("10.1.0.0/24", "10.0.0.0/8"), PROTECT),
            ("all", between("2001:db8:1::/64", "::/0"), PROTECT),
        ]);
        let mut enforcer = Enforcer::open("ipsec0").expect("nft");
        enforcer.apply(&Ruleset::new(&exempt(), &list)).expect("the kernel takes the rules");
        assert!(sends("10.1.0.1:0", "10.1.0.7:9") && sends("[2001:db8:1::1]:0", "[2001:db8:1::7]:9"));
        assert!(!sends("10.1.0.1:0", "10.2.0.7:9") && !sends("[2001:db8:1::1]:0", "[2001:db8:3::7]:9"));
        let inbound = |guard: &&ipsec_io::node::GuardReport| guard.direction == GuardDirection::Inbound;
        let report = enforcer.report().expect("the counters");
        let names: Vec<_> = report.iter().filter(inbound).map(|guard| guard.policy.as_str()).collect();
        assert_eq!(names, ["site", "all"], "the counter for spoofed packets is the first policy's");
    });
}
