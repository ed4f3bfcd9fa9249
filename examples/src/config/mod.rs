//! The gateway's configuration file: TOML, read strictly.
//!
//! Whatever is wrong is said at once, each fault with file, line, column and the way to mend it; a file with a fault
//! gives no configuration at all.
//!
//! ```
//! use ipsec_examples::config::{File, Source};
//!
//! let source = Source::new("gateway.toml", "[gateway]\ntun = \"ipsec0\"\nmtu = 40\n");
//! let faults = File::parse(&source).unwrap_err();
//! assert_eq!(
//!     faults.to_string(),
//!     "gateway.toml:3:7: `mtu` is 40; fix: write a number from 576 to 65535"
//! );
//! ```

mod algorithms;
mod fault;
mod file;
mod load;
mod reader;
mod secret;
mod values;

pub use fault::{Fault, Faults, Source, Span};
pub use file::{
    ChildSection, ConnectionSection, File, GatewaySection, PolicyAction, PolicySection, SecretSource,
};
pub use load::{Loaded, Numbering};
pub use secret::SecretError;
pub use values::{At, NatTraversal, RemoteHost, Start};
