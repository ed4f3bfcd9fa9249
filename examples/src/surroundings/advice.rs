//! Settings of the host that would keep a tunnel from working: they are the operator's to change.

use std::fs;
use std::path::Path;

use super::plan::{Plan, RouteKind};
use super::prefix::Family;

/// Sentences for the log about kernel settings that do not go with a plan.
#[must_use]
pub fn kernel_advice(plan: &Plan) -> Vec<String> {
    advice(plan, |name| fs::read_to_string(Path::new("/proc/sys/net").join(name)).ok())
}

/// The same with `read` for the files under `/proc/sys/net`.
fn advice(plan: &Plan, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let is = |name: &str, value: &str| read(name).is_some_and(|text| text.trim() == value);
    let tunnels = |family: Family| {
        plan.routes.iter().filter(move |route| {
            route.to.family() == family && matches!(route.kind, RouteKind::Tunnel { .. })
        })
    };
    let mut lines = Vec::new();
    for (family, name) in [(Family::V4, "ipv4/ip_forward"), (Family::V6, "ipv6/conf/all/forwarding")] {
        if tunnels(family).next().is_some() && is(name, "0") {
            lines.push(format!(
                "this host forwards nothing, so hosts behind it cannot use the tunnels; if they should: sysctl -w net.{}=1",
                name.replace('/', ".")
            ));
        }
    }
    // The reverse path of a packet from a peer behind the default route leads into the tunnel to everywhere.
    if tunnels(Family::V4).any(|route| route.to.is_everything()) && is("ipv4/conf/all/rp_filter", "1") {
        lines.push(
            "strict reverse path filtering drops what peers send when a tunnel leads to everywhere: \
             sysctl -w net.ipv4.conf.all.rp_filter=2"
                .to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::{Numbers, Tunnel};

    #[test]
    fn only_what_matters_to_the_plan_is_said() {
        let plan = |remote: &str, local: &str| {
            let tunnel =
                Tunnel { name: "a/b".into(), local: local.parse().unwrap(), remote: remote.parse().unwrap() };
            Plan::new(Numbers { table: 450, priority: 450, mark: 450 }, &[tunnel], &[], &[])
        };
        let closed = |name: &str| Some(if name.ends_with("rp_filter") { "1\n" } else { "0\n" }.to_owned());
        let found = advice(&plan("0.0.0.0/0", "10.1.0.0/24"), closed);
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("sysctl -w net.ipv4.ip_forward=1"), "{found:?}");
        assert!(found[1].ends_with("sysctl -w net.ipv4.conf.all.rp_filter=2"), "{found:?}");
        let found = advice(&plan("2001:db8:2::/64", "2001:db8:1::/64"), closed);
        assert!(
            matches!(found.as_slice(), [only] if only.ends_with("net.ipv6.conf.all.forwarding=1")),
            "{found:?}"
        );
        assert_eq!(advice(&plan("10.2.0.0/24", "10.1.0.0/24"), |_| Some("1\n".to_owned())).len(), 0);
        assert_eq!(advice(&plan("10.2.0.0/24", "10.1.0.0/24"), |_| None).len(), 0);
    }
}
