//! Bodies of the fuzz targets: they assert laws, not only survival.
//!
//! The targets in `fuzz/` and the replay of their corpora in `tests/corpus.rs` call these.

mod certificate;
mod ip;
mod isakmp;
#[cfg(feature = "portable")]
mod keys;
mod names;
mod node;
#[cfg(feature = "portable")]
mod providers;
mod spd;

pub use certificate::certificate;
pub use ip::ip_packet;
pub use isakmp::{isakmp_message, isakmp_payload_chain};
#[cfg(feature = "portable")]
pub use keys::key_file;
pub use names::algorithm_names;
pub use node::{esp_inbound, ike_initiator, ike_responder, pair_ops};
#[cfg(feature = "portable")]
pub use providers::crypto_providers;
pub use spd::spd_vs_model;

/// What is fed with octets: it panics when they break a law.
pub type Body = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: &[(&str, Body)] = &[
    ("algorithm_names", algorithm_names),
    ("certificate", certificate),
    #[cfg(feature = "portable")]
    ("crypto_providers", crypto_providers),
    ("esp_inbound", esp_inbound),
    ("ike_initiator", ike_initiator),
    ("ike_responder", ike_responder),
    ("ip_packet", ip_packet),
    ("isakmp_message", isakmp_message),
    ("isakmp_payload_chain", isakmp_payload_chain),
    #[cfg(feature = "portable")]
    ("key_file", key_file),
    ("pair_ops", pair_ops),
    ("spd_vs_model", spd_vs_model),
];
