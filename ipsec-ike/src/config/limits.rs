//! How much peers may make us hold, and how long things take.

use std::time::Duration;

use crate::retransmit::RetransmitPolicy;

/// How much a peer may make us hold. Each has a counter in [`IkeReport`](crate::IkeReport).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Responder negotiations in phase 1 that are not yet authenticated. At the limit one of them, drawn at random, is
    /// given up for the new one: of those that wait for MM3, whose sender has not yet shown that it receives, and
    /// where there is none, of the others.
    pub half_open: usize,
    /// The same for one source, with the same rule: an IPv4 address, or an IPv6 network of 64 bits.
    pub half_open_per_source: usize,
    /// ISAKMP SAs in all. At the limit new ones are refused in silence.
    pub ike_sas: usize,
    /// ISAKMP SAs that stand with one peer under one connection. Beyond the limit the oldest is deleted.
    pub ike_sas_per_peer: usize,
    /// Message ids remembered under one ISAKMP SA. At nine tenths of it a successor is negotiated; at the limit the SA
    /// is deleted.
    pub message_ids: usize,
    /// Quick modes that run at one time under one ISAKMP SA. At the limit a new one is dropped; the peer repeats it.
    /// Of finished ones as many are remembered to answer duplicates.
    pub quick_modes: usize,
    /// Pairs of SAs under one connection. At the limit a new quick mode is refused.
    pub children: usize,
    /// Notifies in clear and other answers to the unauthenticated, per second, to all sources together.
    pub clear_notifies_per_second: u32,
    /// Transforms of one proposal list that are looked at; the rest is ignored.
    pub transforms: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            half_open: 1000,
            half_open_per_source: 64,
            ike_sas: 100_000,
            ike_sas_per_peer: 16,
            message_ids: 65_536,
            quick_modes: 32,
            children: 256,
            clear_notifies_per_second: 20,
            transforms: 256,
        }
    }
}

/// How long things take at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How requests are repeated.
    pub retransmit: RetransmitPolicy,
    /// How long a responder keeps a negotiation whose peer has gone silent.
    pub half_open: Duration,
    /// How often a NAT's mapping is refreshed by the end behind it (RFC 3948 §4): 20 s.
    pub keepalive: Duration,
    /// How long the last message of a finished exchange is kept to answer duplicates.
    pub linger: Duration,
    /// How long a replaced pair of SAs is kept for packets under way.
    pub overlap: Duration,
    /// How long the embedding program may take to answer a question.
    pub question: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            retransmit: RetransmitPolicy::default(),
            half_open: Duration::from_secs(40),
            keepalive: Duration::from_secs(20),
            linger: Duration::from_secs(60),
            overlap: Duration::from_secs(30),
            question: Duration::from_secs(10),
        }
    }
}
