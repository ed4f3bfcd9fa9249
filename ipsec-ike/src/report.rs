//! What stands, for a person or a program to look at.

use std::sync::Arc;
use std::time::Duration;

use ipsec_proto::net::{Path, Spi};
use ipsec_sad::{PairId, Selector, TemplateId};

use crate::event::Cookies;
use crate::identity::Identity;
use crate::natt::NatFound;
use crate::state::{IkeState, QuickState, Role};
use crate::suite::{ChildSuite, IkeSuite};

/// Everything at one moment.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct IkeReport {
    /// The ISAKMP SAs, oldest first, those under negotiation too.
    pub ike_sas: Vec<IkeSaReport>,
    /// The pairs of IPsec SAs, oldest first.
    pub children: Vec<ChildReport>,
    /// What was counted since the start.
    pub counters: Counters,
    /// Responder negotiations that are not yet authenticated.
    pub half_open: usize,
}

/// One ISAKMP SA.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IkeSaReport {
    /// The connection's name.
    pub connection: Arc<str>,
    /// How far it is.
    pub state: IkeState,
    /// Our role.
    pub role: Role,
    /// Where the peer is.
    pub path: Path,
    /// Its name on the wire.
    pub cookies: Cookies,
    /// Who we said we are; once both ends are authenticated.
    pub local_id: Option<Identity>,
    /// Who the peer is, likewise.
    pub remote_id: Option<Identity>,
    /// What was agreed, from MM2 on.
    pub suite: Option<IkeSuite>,
    /// Where a NAT was found.
    pub nat: NatFound,
    /// Since its first message.
    pub age: Duration,
    /// How long it will live in all, once it stands.
    pub lifetime: Option<Duration>,
    /// The quick modes under it, by message id.
    pub quick_modes: Vec<(u32, QuickState)>,
    /// How often the message that waits for an answer was sent; 0 if none waits.
    pub transmissions: u32,
}

/// One pair of IPsec SAs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChildReport {
    /// The connection's name.
    pub connection: Arc<str>,
    /// The child's name.
    pub child: Arc<str>,
    /// The data plane's word for the child.
    pub template: TemplateId,
    /// The pair.
    pub pair: PairId,
    /// The SPI the peer sends with.
    pub inbound: Spi,
    /// The SPI we send with.
    pub outbound: Spi,
    /// What was agreed.
    pub suite: ChildSuite,
    /// What it covers, local to remote.
    pub selector: Selector,
    /// Where its packets go.
    pub path: Path,
    /// Whether ESP is carried in UDP.
    pub in_udp: bool,
    /// Our role in the quick mode.
    pub role: Role,
    /// Since it was made.
    pub age: Duration,
    /// How long it will live in all.
    pub lifetime: Duration,
    /// Whether a newer pair has taken its place.
    pub replaced: bool,
}

/// Counters; they only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Datagrams handed in.
    pub received: u64,
    /// Datagrams that were what we waited for.
    pub accepted: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Messages refused.
    pub refused: u64,
    /// Datagrams let fall.
    pub discarded: u64,
    /// Requests sent again.
    pub retransmitted: u64,
    /// Half-open negotiations given up for newer ones.
    pub half_open_evicted: u64,
    /// Negotiations not begun because a limit was reached.
    pub at_limit: u64,
    /// Notifies in clear that were not sent, to keep within the rate.
    pub notifies_withheld: u64,
    /// ISAKMP SAs that came to stand.
    pub ike_up: u64,
    /// Pairs of IPsec SAs that came to stand.
    pub child_up: u64,
    /// Negotiations that failed, in either phase.
    pub failed: u64,
}
