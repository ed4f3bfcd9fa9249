//! What can go wrong in this crate.

use crate::suite::{Cipher, Encryption, Group, Integrity, KeyAlgorithm, KeyWeakness, Prf, SignatureScheme};

/// An error of the algorithm layer. None of them carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The provider has no implementation of this cipher.
    #[error("cipher {cipher} is not available: {reason}")]
    UnsupportedCipher {
        /// The cipher that was asked for.
        cipher: Cipher,
        /// Why it is missing.
        reason: Missing,
    },
    /// The provider has no implementation of this integrity algorithm.
    #[error("integrity algorithm {integrity} is not available: {reason}")]
    UnsupportedIntegrity {
        /// The algorithm that was asked for.
        integrity: Integrity,
        /// Why it is missing.
        reason: Missing,
    },
    /// The provider has no implementation of this pseudo-random function.
    #[error("pseudo-random function {prf} is not available: {reason}")]
    UnsupportedPrf {
        /// The function that was asked for.
        prf: Prf,
        /// Why it is missing.
        reason: Missing,
    },
    /// The provider has no implementation of this key exchange group.
    #[error("group {group} is not available: {reason}")]
    UnsupportedGroup {
        /// The group that was asked for.
        group: Group,
        /// Why it is missing.
        reason: Missing,
    },
    /// The provider has no implementation of this signature scheme.
    #[error("signature scheme {scheme} is not available: {reason}")]
    UnsupportedSignature {
        /// The scheme that was asked for.
        scheme: SignatureScheme,
        /// Why it is missing.
        reason: Missing,
    },
    /// A signature that does not verify. Why is not said: nothing depends on it but an attacker's next attempt.
    #[error("the {scheme} signature is not that of this key over this text")]
    BadSignature {
        /// The scheme it was to be of.
        scheme: SignatureScheme,
    },
    /// A key of another algorithm than the scheme takes.
    #[error("{scheme} takes no {key} key")]
    WrongKey {
        /// The scheme.
        scheme: SignatureScheme,
        /// What kind of key was given.
        key: KeyAlgorithm,
    },
    /// A digest to sign that is empty, or longer than the key can hold.
    #[error("{scheme} with this key cannot sign a digest of {got} octets")]
    BadDigestLength {
        /// The scheme.
        scheme: SignatureScheme,
        /// Octets given.
        got: usize,
    },
    /// A signature came out wrong, by a fault of key or machine, and was not given out.
    #[error("signing with {scheme} failed: key or machine is faulty")]
    SigningFailed {
        /// The scheme.
        scheme: SignatureScheme,
    },
    /// Octets that are no usable key.
    #[error("bad key: {reason}")]
    BadKey {
        /// What is wrong with it.
        reason: KeyFault,
    },
    /// A file that gives no key, or no certificates, or not what was wanted.
    #[error("{format}: {reason}")]
    BadKeyFile {
        /// What was found: `PEM`, `PKCS#12`, …
        format: &'static str,
        /// What is wrong with it.
        reason: KeyFileFault,
    },
    /// A key of the wrong length for its algorithm.
    #[error("{algorithm} takes a key of {expected} octets, not {got}")]
    BadKeyLength {
        /// The algorithm's name.
        algorithm: &'static str,
        /// Octets the algorithm takes.
        expected: usize,
        /// Octets given.
        got: usize,
    },
    /// A key that must not be used: another has to be negotiated or made.
    #[error("the key is refused for {encryption}: {weakness}")]
    WeakKey {
        /// The encryption algorithm.
        encryption: Encryption,
        /// What is wrong with the key.
        weakness: KeyWeakness,
    },
    /// An initialization vector of the wrong length for its cipher.
    #[error("{algorithm} takes an IV of {expected} octets, not {got}")]
    BadIvLength {
        /// The algorithm's name.
        algorithm: &'static str,
        /// Octets the algorithm takes.
        expected: usize,
        /// Octets given.
        got: usize,
    },
    /// Text for a block cipher that is not a whole number of blocks.
    #[error("{len} octets are not a whole number of blocks of {block}")]
    NotBlockAligned {
        /// Octets given.
        len: usize,
        /// Octets of a block.
        block: usize,
    },
    /// Source and destination of a transformation differ in length.
    #[error("source has {from} octets, destination {to}")]
    LengthMismatch {
        /// Octets of the source.
        from: usize,
        /// Octets of the destination.
        to: usize,
    },
    /// The peer's public key exchange value must not be used.
    #[error("bad public value for {group}: {reason}")]
    BadPublicValue {
        /// The group the value was meant for.
        group: Group,
        /// What is wrong with it.
        reason: PublicValueFault,
    },
    /// This encryption has no such key length.
    #[error("{encryption} has no key length of {key_bits} bits")]
    NoSuchKeyLength {
        /// The encryption algorithm.
        encryption: Encryption,
        /// The key length that was asked for, in bits.
        key_bits: u16,
    },
    /// Encryption that does not protect integrity itself was asked for without an integrity algorithm.
    #[error("{cipher} does not authenticate: an integrity algorithm is required (RFC 8221 section 4)")]
    IntegrityRequired {
        /// The cipher that was asked for.
        cipher: Cipher,
    },
    /// A combined-mode cipher was asked for with a separate integrity algorithm.
    #[error(
        "{cipher} authenticates itself: no separate integrity algorithm {integrity} (RFC 4303 section 3.2.3)"
    )]
    IntegrityNotAllowed {
        /// The cipher that was asked for.
        cipher: Cipher,
        /// The algorithm that is too much.
        integrity: Integrity,
    },
    /// A spelling that names nothing of the kind asked for.
    #[error("`{name}` names no {kind}{}; {accepted}", did_you_mean(.suggestion))]
    UnknownName {
        /// What was looked for: `cipher`, `group`, …
        kind: &'static str,
        /// The spelling.
        name: String,
        /// The nearest spelling there is, if one is near enough to have been meant.
        suggestion: Option<String>,
        /// The forms that are accepted, for people.
        accepted: &'static str,
    },
    /// A proposal that lacks a part.
    #[error("proposal `{proposal}` names no {part}")]
    MissingPart {
        /// The proposal as written.
        proposal: String,
        /// What is missing: `cipher`, `hash`, `group`, …
        part: &'static str,
    },
    /// A proposal that names a part twice.
    #[error("proposal `{proposal}` names more than one {part}")]
    RepeatedPart {
        /// The proposal as written.
        proposal: String,
        /// What is there twice.
        part: &'static str,
    },
    /// A proposal that names a part which does not belong there.
    #[error("proposal `{proposal}` names {part}, which has no place in it")]
    UnexpectedPart {
        /// The proposal as written.
        proposal: String,
        /// What is too much.
        part: &'static str,
    },
    /// A provider's own table contradicts the suite table or itself.
    #[error("provider `{provider}` is inconsistent: {detail}")]
    Inconsistent {
        /// The provider's name.
        provider: &'static str,
        /// The contradiction.
        detail: String,
    },
    /// A known-answer test failed: this build or machine computes wrongly, nothing of it may be used.
    #[error("provider `{provider}` fails the known answer for {algorithm}")]
    SelfTest {
        /// The provider's name.
        provider: &'static str,
        /// The algorithm that answered wrongly.
        algorithm: String,
    },
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// Why an algorithm is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// The table names it, nothing here implements it.
    #[error("{0}")]
    NamedOnly(&'static str),
    /// It is compiled in with the `legacy` feature only.
    #[error("it needs the `legacy` feature")]
    LegacyFeature,
    /// It does not encrypt by itself what it does not authenticate, as IKEv1's messages and encrypt-then-MAC need it.
    #[error("it is a combined mode, which protects packets only")]
    CombinedMode,
    /// This provider leaves it out.
    #[error("the provider does not have it")]
    Provider,
}

/// What is wrong with a key of a signature algorithm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// Not the DER it should be, or more than that.
    #[error("not a well-formed {what}")]
    Encoding {
        /// What was expected there.
        what: &'static str,
    },
    /// A kind of key, curve or form that is not supported.
    #[error("{found} is not supported")]
    Unsupported {
        /// Its name, or its object identifier.
        found: String,
    },
    /// A modulus that is too short.
    #[error("{bits} bits are too short, {least} are the least")]
    TooShort {
        /// Bits of the modulus.
        bits: u32,
        /// Bits of the shortest that is taken.
        least: u32,
    },
    /// A modulus that is too long.
    #[error("{bits} bits are too long, {most} are the most")]
    TooLong {
        /// Bits of the modulus.
        bits: u32,
        /// Bits of the longest that is taken.
        most: u32,
    },
    /// Numbers that make no sound key.
    #[error("{what}")]
    Unsound {
        /// What is wrong with them.
        what: &'static str,
    },
    /// A point that is not on its curve.
    #[error("its point is not on the curve")]
    NotOnCurve,
    /// A private key without its public key.
    #[error("it does not carry its public key")]
    NoPublicKey,
}

/// What is wrong with a file of keys and certificates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileFault {
    /// Nothing that is known here.
    #[error("neither PEM nor the DER of a private key, a certificate or PKCS#12")]
    NotRecognized,
    /// More than any key file has.
    #[error("{octets} octets are too many, {most} are the most")]
    TooLarge {
        /// Octets of the file.
        octets: usize,
        /// Octets of the largest that is read.
        most: usize,
    },
    /// It begins as its format does, and does not go on so.
    #[error("it is damaged, or not complete")]
    Malformed,
    /// It is encrypted, and there was no passphrase.
    #[error("it is encrypted: give its passphrase")]
    PassphraseNeeded,
    /// The passphrase does not decrypt it.
    #[error("the passphrase is wrong, or the file is damaged")]
    PassphraseWrong,
    /// Encrypted in a way that is not supported.
    #[error(
        "its encryption ({found}) is not supported: convert the key with `openssl pkcs8 -topk8 -v2 aes-256-cbc`"
    )]
    Encryption {
        /// The encryption's name, or its object identifier.
        found: String,
    },
    /// Its passphrase is hashed with more iterations or memory than is accepted.
    #[error("its passphrase takes more time or memory than is accepted: encrypt the key again with less")]
    TooMuchWork,
    /// The key in it cannot be used.
    #[error("{0}")]
    Key(KeyFault),
    /// More than one private key: which one is meant cannot be told.
    #[error("it holds {count} private keys: leave one")]
    SeveralKeys {
        /// How many there are.
        count: usize,
    },
    /// No private key where one is needed.
    #[error("it holds no private key, but {certificates} certificates: name the file that has the key")]
    NoKey {
        /// How many certificates there are.
        certificates: usize,
    },
}

/// What is wrong with a public key exchange value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicValueFault {
    /// Not exactly as long as the group's values are (RFC 2409 §5: padded to the prime's length; RFC 5903 §7).
    #[error("{got} octets instead of {expected}")]
    Length {
        /// Octets of the group's values.
        expected: usize,
        /// Octets received.
        got: usize,
    },
    /// Zero or one: the shared secret would be known to everybody (RFC 6989 §2.1).
    #[error("it is zero or one")]
    TooSmall,
    /// Prime minus one or more (RFC 6989 §2.1).
    #[error("it is not below the prime minus one")]
    TooLarge,
    /// Not the coordinates of a point of the curve (RFC 6989 §2.3).
    #[error("it is no point of the curve")]
    NotOnCurve,
    /// A point of so small an order that everybody knows the shared secret: zero (RFC 7748 §6.1).
    #[error("it makes the shared secret zero")]
    ZeroResult,
}
