//! Names of algorithms: any text is read or refused, and what is read is printed and read again.

use ipsec_crypto::suite::{Dialect, TransformSet};
use ipsec_crypto::{
    Cipher, CryptoError, Encryption, EspSuite, Group, IkeSuite, Integrity, Prf, SignatureScheme,
};

/// A line of somebody's configuration, as any kind of name.
///
/// # Panics
/// When a law is broken.
pub fn algorithm_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let text = &*text;
    judge(text.parse::<Integrity>(), |read| read.to_string().parse() == Ok(read));
    judge(text.parse::<Prf>(), |read| read.to_string().parse() == Ok(read));
    judge(text.parse::<Group>(), |read| read.to_string().parse() == Ok(read));
    judge(text.parse::<SignatureScheme>(), |read| read.to_string().parse() == Ok(read));
    judge(text.parse::<IkeSuite>(), |read| read.to_string().parse() == Ok(read));
    judge(text.parse::<EspSuite>(), |read| read.to_string().parse() == Ok(read));
    judge(text.parse::<TransformSet>(), |read| read.to_cisco().is_none_or(|line| line.parse() == Ok(read)));
    judge(text.parse::<Cipher>(), |read| {
        let printed = |dialect| read.name_in(dialect).is_none_or(|name| means(&name, read.encryption));
        read.to_string().parse() == Ok(read) && Dialect::ALL.into_iter().all(printed)
    });
}

fn means(name: &str, encryption: Encryption) -> bool {
    name.parse::<Cipher>().is_ok_and(|cipher| cipher.encryption == encryption)
}

/// What is read must hold; what is refused is refused in words, and not for ever longer ones.
fn judge<T>(result: Result<T, CryptoError>, holds: impl FnOnce(T) -> bool) {
    match result {
        Ok(read) => assert!(holds(read)),
        Err(CryptoError::UnknownName { suggestion, accepted, .. }) => {
            assert!(
                !accepted.is_empty() && suggestion.is_none_or(|name| !name.is_empty() && name.len() < 96)
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
