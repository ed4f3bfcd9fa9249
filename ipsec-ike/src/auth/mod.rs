//! How the peers prove who they are, one file a method.

mod psk;

pub use self::psk::PreSharedKey;
