//! Certificates: reading them, building paths to a trust anchor and validating them as IKE needs it (RFC 5280, RFC 4945 §5).
//!
//! ```text
//!   files, CERT payloads                    configuration
//!        |                                       |
//!   Certificate · Crl          TrustAnchors · CertificatePolicy · ExpectedIdentity
//!        |                                       |
//!        +------------ CertificateCheck ---------+
//!                            |
//!        Certificate::verify(provider, check)  ->  VerifiedPath: key, path, revocation status
//!                                              ->  CertificateError: what was found, where, and the remedy
//! ```
//!
//! **What libraries do.** DER, times, object identifiers and the simple extensions are read by RustCrypto's `der` and `x509-cert`,
//! PEM by `pem-rfc7468`; keys and signatures are those of the provider.
//!
//! **What is done here**: RFC 5280 §6.1's algorithm, and RFC 4945's profile on top. `rustls-webpki` was weighed as its
//! basis and is its oracle in the tests instead: it refuses whatever a `directoryName` or `rfc822Name` constraint applies to,
//! compares names octet by octet, doesn't look at `keyCertSign` nor at an anchor's validity, and its errors don't say which
//! certificate they are about. IKE needs all of those. Names are read here too, with a limit on their parts: sorting those of a hostile name,
//! as the library does, takes time that grows with the square of their number.
//!
//! **What is checked**, from the trust anchor down: signature, validity, key strength, `basicConstraints` and `pathLenConstraint`,
//! `keyUsage`, `extKeyUsage`, `nameConstraints`, revocation, unknown critical extensions; for the end entity the usages of
//! RFC 4945 §5.1.3.2 and §5.1.3.12, and the identity. Policies are not asked for, so certificates with
//! `certificatePolicies` pass and those with a critical `policyConstraints` don't. An end entity that is itself a trust anchor needs no issuer.
//!
//! **What a hostile peer can make grow is bounded**: [`MAX_CERTIFICATE_LEN`], [`MAX_CRL_LEN`], [`MAX_EXTENSIONS`],
//! [`MAX_ALTERNATIVE_NAMES`], [`MAX_NAME_PARTS`], [`MAX_INTERMEDIATES`], [`MAX_AUTHORITIES`], and in a search the steps and the
//! signatures ([`CertificateError::SearchTooLong`]).
//!
#![cfg_attr(feature = "portable", doc = "```")]
#![cfg_attr(not(feature = "portable"), doc = "```ignore")]
//! use ipsec_crypto::CryptoProvider;
//! use ipsec_crypto::cert::{
//!     Certificate, CertificateCheck, CertificatePolicy, ExpectedIdentity, Intermediates, TrustAnchors,
//! };
//! # macro_rules! file {
//! #     ($name:literal) => { include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pki/", $name)) };
//! # }
//!
//! let provider = CryptoProvider::default();
//! let anchors = TrustAnchors::from_iter(Certificate::from_file(file!("root_rsa.der"))?);
//! let mut intermediates = Intermediates::default();
//! intermediates.add(Certificate::from_der(file!("mid_rsa.der"))?)?;
//! let peer = Certificate::from_der(file!("gw_rsa.der"))?;
//!
//! let identity = ExpectedIdentity::Fqdn("gw.example.org".to_owned());
//! let check = CertificateCheck {
//!     anchors: &anchors,
//!     intermediates: &intermediates,
//!     crls: &[],
//!     time: 1_893_456_000,
//!     identity: Some(&identity),
//!     policy: CertificatePolicy::default(),
//! };
//! assert_eq!(peer.verify(&provider, &check)?.certificates().len(), 3);
//!
//! let expired = peer.verify(&provider, &CertificateCheck { time: 4_200_000_000, ..check }).unwrap_err();
//! assert!(expired.to_string().starts_with("`C=CH, O=Example, CN=Root RSA` expired at 2099-12-31T23:59:59Z"));
//! # Ok::<(), ipsec_crypto::cert::CertificateError>(())
//! ```

mod alternative;
mod certificate;
mod constraints;
mod crl;
mod error;
mod extensions;
mod fields;
mod identity;
mod name;
mod path;
mod pattern;
mod pem;
mod policy;
mod revocation;
mod signature;
mod store;

pub use alternative::AlternativeName;
pub use certificate::{Certificate, MAX_CERTIFICATE_LEN};
pub use crl::{Crl, MAX_CRL_LEN};
pub use error::{CertificateError, RevocationReason, UsageFault};
pub use extensions::{MAX_ALTERNATIVE_NAMES, MAX_EXTENSIONS};
pub use identity::ExpectedIdentity;
pub use name::{DistinguishedName, MAX_NAME_PARTS};
pub use path::{CertificateCheck, VerifiedPath};
pub use pattern::NamePattern;
pub use policy::{
    CertificatePolicy, ExtendedKeyUsagePolicy, MAX_AUTHORITIES, RevocationDepth, RevocationPolicy,
    Sha1Signatures,
};
pub use revocation::RevocationStatus;
pub use store::{Intermediates, MAX_INTERMEDIATES, TrustAnchors};
