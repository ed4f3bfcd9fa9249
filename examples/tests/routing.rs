//! Routes and rules in a real kernel: each test in a network namespace of its own. Without root they say so and pass.

use std::process::Command;

use ipsec_examples::surroundings::{Exception, Kernel, Numbers, Plan, Tunnel};
use ipsec_io::tun::TunLink;
use nix::sched::{CloneFlags, unshare};

const NUMBERS: Numbers = Numbers { table: 450, priority: 450, mark: 450 };

/// Runs a test in a new network namespace, which ends with the thread.
#[expect(clippy::print_stdout, reason = "what was skipped has to be seen")]
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    if unshare_fails() {
        println!("skipped: it takes root, a network namespace and the program `ip`");
        return;
    }
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("it worked in another thread");
        ip("link set lo up");
        ip("addr add 10.1.0.1/24 dev lo");
        ip("-6 addr add 2001:db8:1::1/64 dev lo");
        test();
    });
    thread.join().expect("the test in the namespace");
}

fn unshare_fails() -> bool {
    let can = || unshare(CloneFlags::CLONE_NEWNET).is_ok() && Command::new("ip").arg("link").output().is_ok();
    !std::thread::spawn(can).join().unwrap_or(false)
}

fn ip(words: &str) -> String {
    let output = Command::new("ip").args(words.split(' ')).output().expect("the program `ip`");
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What belongs to the gateway: rules, and the routes of its two tables.
fn ours() -> Vec<String> {
    let all =
        [ip("-4 rule"), ip("-6 rule"), ip("-4 route show table all"), ip("-6 route show table all")].concat();
    all.lines().filter(|line| line.contains("proto 150")).map(|line| line.trim().to_owned()).collect()
}

fn tunnel(local: &str, remote: &str) -> Tunnel {
    Tunnel {
        name: "site/net".into(),
        local: local.parse().expect("a range"),
        remote: remote.parse().expect("a range"),
    }
}

fn plan(kernel: &Kernel, tunnels: &[Tunnel], exceptions: &[Exception]) -> Plan {
    Plan::new(NUMBERS, tunnels, exceptions, &kernel.addresses().expect("the addresses of the namespace"))
}

#[test]
fn packets_find_the_tunnel_and_marked_ones_do_not() {
    in_namespace(|| {
        let link = TunLink::open("ipsec0", 1400).expect("a TUN device");
        let mut kernel = Kernel::open(NUMBERS).expect("netlink");
        let tunnels = [
            tunnel("10.1.0.0/24", "10.2.0.0/24"),
            tunnel("10.1.0.0/24", "0.0.0.0/0"),
            tunnel("2001:db8:1::/64", "2001:db8:2::/64"),
        ];
        let exceptions = [Exception::Discard("10.2.0.128/25".parse().expect("a range"))];
        let plan = plan(&kernel, &tunnels, &exceptions);
        kernel.apply(plan.clone(), link.index().expect("its index")).expect("all routes and rules");
        assert_eq!(ours().len(), plan.routes.len() + plan.rules.len());

        let way = |to: &str| ip(&format!("route get {to}"));
        assert!(way("10.2.0.1").contains("dev ipsec0") && way("10.2.0.1").contains("src 10.1.0.1"));
        assert!(way("203.0.113.1").contains("dev ipsec0"));
        assert!(
            way("2001:db8:2::1").contains("dev ipsec0") && way("2001:db8:2::1").contains("src 2001:db8:1::1")
        );
        assert!(way("10.1.0.7").contains("dev lo"));
        for refused in ["10.2.0.129", "10.2.0.1 mark 450", "203.0.113.1 mark 450"] {
            let output =
                Command::new("ip").args(["route", "get"]).args(refused.split(' ')).output().expect("ip");
            assert!(!output.status.success(), "{refused}: {}", String::from_utf8_lossy(&output.stdout));
        }

        drop(kernel);
        assert_eq!(ours(), Vec::<String>::new());
    });
}

#[test]
fn the_device_gets_the_mtu_that_is_due_and_is_no_way_to_a_peer() {
    in_namespace(|| {
        let link = TunLink::open("ipsec0", 1400).expect("a TUN device");
        let device = link.index().expect("its index");
        let kernel = Kernel::open(NUMBERS).expect("netlink");
        kernel.set_mtu(device, 1300).expect("a smaller MTU");
        assert!(ip("link show ipsec0").contains("mtu 1300"));
        assert_eq!(kernel.path_mtu(None, None).expect("the links"), 1300);
        assert_eq!(kernel.path_mtu(None, Some(device)).expect("the links"), 1500);
        ip("link add eth0 mtu 1450 type veth peer name eth1");
        ip("addr add 192.0.2.1/24 dev eth0");
        ip("link set eth0 up");
        ip("link set eth1 up");
        assert_eq!(kernel.path_mtu(None, Some(device)).expect("the links"), 1450);
        let peer = "192.0.2.2".parse().expect("an address");
        assert_eq!(kernel.path_mtu(Some(peer), Some(device)).expect("the way"), 1450);
        ip("route add 198.51.100.0/24 via 192.0.2.9 mtu 1280");
        let far = "198.51.100.1".parse().expect("an address");
        assert_eq!(kernel.path_mtu(Some(far), Some(device)).expect("the way"), 1280);
    });
}

#[test]
fn what_a_killed_gateway_leaves_refuses_packets_and_the_next_one_removes_it() {
    in_namespace(|| {
        let link = TunLink::open("ipsec0", 1400).expect("a TUN device");
        let mut killed = Kernel::open(NUMBERS).expect("netlink");
        let tunnels = [tunnel("10.1.0.0/24", "10.2.0.0/24"), tunnel("2001:db8:1::/64", "::/0")];
        let plan = plan(&killed, &tunnels, &[]);
        killed.apply(plan.clone(), link.index().expect("its index")).expect("all routes and rules");
        std::mem::forget(killed);
        drop(link);
        let left = ours();
        assert_eq!(left.iter().filter(|line| line.starts_with("unreachable")).count(), 2, "{left:#?}");
        let output = Command::new("ip").args(["route", "get", "10.2.0.1"]).output().expect("ip");
        assert!(!output.status.success());

        let link = TunLink::open("ipsec0", 1400).expect("a TUN device");
        let mut next = Kernel::open(NUMBERS).expect("netlink");
        next.clear().expect("what was left is removed");
        assert_eq!(ours(), Vec::<String>::new());
        next.apply(plan, link.index().expect("its index")).expect("all routes and rules");
        drop(next);
        assert_eq!(ours(), Vec::<String>::new());
    });
}

#[test]
fn another_plan_replaces_the_first_and_leaves_what_both_have() {
    in_namespace(|| {
        let link = TunLink::open("ipsec0", 1400).expect("a TUN device");
        let device = link.index().expect("its index");
        let mut kernel = Kernel::open(NUMBERS).expect("netlink");
        let first =
            plan(&kernel, &[tunnel("10.1.0.0/24", "10.2.0.0/24"), tunnel("10.1.0.0/24", "10.3.0.0/24")], &[]);
        kernel.apply(first, device).expect("all routes and rules");
        ip("addr add 10.9.0.1/24 dev lo");
        let second = [tunnel("10.9.0.0/24", "10.2.0.0/24"), tunnel("10.1.0.0/24", "0.0.0.0/0")];
        let second = plan(&kernel, &second, &[]);
        kernel.apply(second.clone(), device).expect("all routes and rules");
        assert_eq!(ours().len(), second.routes.len() + second.rules.len());
        assert!(ip("route get 10.2.0.1").contains("src 10.9.0.1"));
        assert!(ip("route get 10.3.0.1").contains("table 451"));
        kernel.apply(Plan::default(), device).expect("nothing");
        assert_eq!(ours(), Vec::<String>::new());
    });
}
