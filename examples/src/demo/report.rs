//! What both gateways say of themselves, as tables, and compared.

use ipsec_io::node::{ChildReport, IkeSaReport, NodeReport, TrafficReport};

use super::moment::{Agreement, Side, Table, Throughput};
use super::world::World;

/// The IKE SA, SAD and SPD reports.
pub(super) fn tables(world: &World) -> Vec<Table> {
    let reports = [Side::West, Side::East].map(|side| (side, world.report(side)));
    let mut tables = vec![ike_table(&reports), sad_table(&reports)];
    tables.extend(reports.iter().map(|(side, report)| spd_table(*side, report)));
    tables
}

fn ike_table(reports: &[(Side, NodeReport)]) -> Table {
    let row = |side: Side, sa: &IkeSaReport| {
        vec![
            side.name().to_owned(),
            sa.state.clone(),
            sa.role.clone(),
            sa.remote.clone(),
            sa.suite.clone().unwrap_or_default(),
            sa.lifetime.map_or(String::new(), |lifetime| format!("{lifetime} s")),
        ]
    };
    Table {
        title: "IKE SA".to_owned(),
        side: None,
        columns: vec!["gateway", "state", "role", "peer", "algorithms", "lifetime"],
        rows: each(reports, |side, report| report.ike_sas.iter().map(|sa| row(side, sa)).collect()),
    }
}

fn sad_table(reports: &[(Side, NodeReport)]) -> Table {
    let rows = |side: Side, child: &ChildReport| {
        let half = |direction: &str, spi: &str, traffic: TrafficReport| {
            vec![
                side.name().to_owned(),
                direction.to_owned(),
                spi.to_owned(),
                child.suite.clone(),
                child.encapsulation.clone(),
                traffic.packets.to_string(),
                traffic.bytes.to_string(),
            ]
        };
        [half("in", &child.inbound_spi, child.inbound), half("out", &child.outbound_spi, child.outbound)]
    };
    Table {
        title: "SAD, the security associations".to_owned(),
        side: None,
        columns: vec!["gateway", "way", "SPI", "algorithms", "ESP", "packets", "octets"],
        rows: each(reports, |side, report| {
            report.children.iter().flat_map(|child| rows(side, child)).collect()
        }),
    }
}

fn spd_table(side: Side, report: &NodeReport) -> Table {
    Table {
        title: "SPD, the policies".to_owned(),
        side: Some(side),
        columns: vec!["policy", "action", "covers, local to remote", "packets"],
        rows: report
            .policies
            .iter()
            .chain([&report.default_policy])
            .map(|policy| {
                vec![
                    policy.name.clone(),
                    policy.action.clone(),
                    policy.selector.clone(),
                    policy.hits.to_string(),
                ]
            })
            .collect(),
    }
}

fn each(
    reports: &[(Side, NodeReport)],
    rows: impl Fn(Side, &NodeReport) -> Vec<Vec<String>>,
) -> Vec<Vec<String>> {
    reports.iter().flat_map(|(side, report)| rows(*side, report)).collect()
}

/// What both ends must say alike.
pub(super) fn agreements(world: &World) -> Vec<Agreement> {
    let (west, east) = (world.report(Side::West), world.report(Side::East));
    let mut rows = vec![Agreement::compare(
        "number of SA pairs",
        west.children.len().to_string(),
        east.children.len().to_string(),
    )];
    let ike = |report: &NodeReport, read: fn(&IkeSaReport) -> String| {
        report.ike_sas.last().map(read).unwrap_or_default()
    };
    let child = |report: &NodeReport, read: fn(&ChildReport) -> String| {
        report.children.last().map(read).unwrap_or_default()
    };
    rows.push(Agreement::compare(
        "ISAKMP SA",
        ike(&west, |sa| sa.cookies.clone()),
        ike(&east, |sa| sa.cookies.clone()),
    ));
    rows.push(Agreement::compare("its algorithms", ike(&west, suite), ike(&east, suite)));
    let spi = [|sa: &ChildReport| sa.outbound_spi.clone(), |sa: &ChildReport| sa.inbound_spi.clone()];
    rows.push(Agreement::compare("SPI west → east", child(&west, spi[0]), child(&east, spi[1])));
    rows.push(Agreement::compare("SPI east → west", child(&west, spi[1]), child(&east, spi[0])));
    rows.push(Agreement::compare(
        "IPsec algorithms",
        child(&west, |sa| sa.suite.clone()),
        child(&east, |sa| sa.suite.clone()),
    ));
    let traffic = |from: (&NodeReport, Side), to: &NodeReport| {
        let sent = from.0.children.last().map(|child| child.outbound).unwrap_or_default();
        let got = to.children.last().map(|child| child.inbound).unwrap_or_default();
        (sent, got, world.esp(from.1).lost)
    };
    for (what, (sent, got, lost)) in [
        ("traffic west → east", traffic((&west, Side::West), &east)),
        ("traffic east → west", traffic((&east, Side::East), &west)),
    ] {
        let arrived = sent.packets.saturating_sub(lost);
        rows.push(Agreement::compare(what, format!("{arrived} packets"), format!("{} packets", got.packets)));
    }
    rows
}

/// Whether no packet was lost while measuring.
pub(super) fn lossless(throughput: &Throughput) -> Agreement {
    Agreement::compare(
        "packets while measuring",
        format!("{} packets", throughput.sent),
        format!("{} packets", throughput.received),
    )
}

fn suite(sa: &IkeSaReport) -> String {
    sa.suite.clone().unwrap_or_default()
}
