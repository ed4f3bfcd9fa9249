//! The two gateways, and the hosts behind them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipsec_io::ike::{Child, Config, ConfigError, Connection, LocalAddress, PreSharedKey, RemoteAddress};
use ipsec_io::node::NodeConfig;
use ipsec_io::sad::{AddressRange, Selector, TemplateId};

use super::DemoError;
use super::moment::Side;

/// What both gateways offer for phase 1.
pub(super) const IKE_PROPOSAL: &str = "aes256-sha256-modp3072";
/// What both gateways offer for phase 2: with perfect forward secrecy.
pub(super) const ESP_PROPOSAL: &str = "aes256-sha256-modp3072";
/// The secret both gateways share. A demonstration's secret is none.
const SECRET: &[u8] = b"watch me negotiate, it is only a demonstration";

/// One side of the stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Role {
    /// The gateway's outer address.
    pub(super) gateway: IpAddr,
    /// The network behind it.
    pub(super) net: &'static str,
    /// The host behind it.
    pub(super) host: IpAddr,
    /// That host's name.
    pub(super) host_name: &'static str,
    /// The gateway's name for its connection.
    pub(super) connection: &'static str,
}

/// Who plays a side.
pub(super) const fn role(side: Side) -> Role {
    match side {
        Side::West => Role {
            gateway: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            net: "10.1.0.0/24",
            host: IpAddr::V4(Ipv4Addr::new(10, 1, 0, 10)),
            host_name: "alice",
            connection: "to-east",
        },
        Side::East => Role {
            gateway: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
            net: "10.2.0.0/24",
            host: IpAddr::V4(Ipv4Addr::new(10, 2, 0, 10)),
            host_name: "bob",
            connection: "to-west",
        },
    }
}

/// How a side's gateway is configured: the mirror of the other's.
pub(super) fn config(side: Side) -> Result<NodeConfig, DemoError> {
    let (ours, theirs) = (role(side), role(side.peer()));
    let range = |net: &str| net.parse::<AddressRange>().map_err(DemoError::setup);
    let selector = Selector::between(range(ours.net)?, range(theirs.net)?);
    let child =
        Child::new("net", TemplateId(1), selector, vec![ESP_PROPOSAL.parse().map_err(DemoError::setup)?]);
    let connection = Connection {
        local: LocalAddress::Literal(ours.gateway),
        ..Connection::new(
            ours.connection,
            RemoteAddress::Literal(theirs.gateway),
            Arc::new(PreSharedKey::new(SECRET.to_vec())),
            vec![IKE_PROPOSAL.parse().map_err(DemoError::setup)?],
            vec![child],
        )
    };
    let ike = Config::builder()
        .connection(connection)
        .build()
        .map_err(|error: ConfigError| DemoError::setup(error))?;
    Ok(NodeConfig::new(Arc::new(ike)))
}
