//! What a signature scheme puts its numbers on.

use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

use crate::error::{CryptoError, Missing};
use crate::suite::{Hash, SignatureInput, SignatureScheme};

/// The hash of a message, or the digest as it was given.
pub(super) fn digest(scheme: SignatureScheme, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let row = scheme.row();
    match (row.input, row.hash) {
        (SignatureInput::Digest, _) => Ok(input.to_vec()),
        (_, Some(Hash::Sha1)) => Ok(Sha1::digest(input).to_vec()),
        (_, Some(Hash::Sha256)) => Ok(Sha256::digest(input).to_vec()),
        (_, Some(Hash::Sha384)) => Ok(Sha384::digest(input).to_vec()),
        (_, Some(Hash::Sha512)) => Ok(Sha512::digest(input).to_vec()),
        _ => Err(CryptoError::UnsupportedSignature { scheme, reason: Missing::Provider }),
    }
}
