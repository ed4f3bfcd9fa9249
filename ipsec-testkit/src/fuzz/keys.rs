//! Files of keys.

use ipsec_crypto::{CryptoProvider, KeyFile, PrivateKey, PublicKey, Secret, Seeded};

/// Reads a file of keys and certificates, in any format, with the passphrase of the test keys and with none.
///
/// # Panics
/// When it is read in two ways that differ, or when a key does not come back from what is made of it, or verifies nothing that
/// it signed.
pub fn key_file(octets: &[u8]) {
    let passphrase = Secret::from_slice(b"correct-horse");
    let file = KeyFile::read(octets, Some(&passphrase));
    let open = KeyFile::read(octets, None);
    let Ok(KeyFile { private_key, certificates, .. }) = file else {
        // An empty passphrase may be the right one where the other is wrong.
        return;
    };
    if let Ok(open) = open {
        assert_eq!(open.certificates, certificates, "the passphrase changed the certificates");
    }
    let Some(key) = private_key else { return };
    let public = key.public();
    assert_eq!(PublicKey::from_spki(public.spki()).as_ref(), Ok(public), "the public key does not come back");
    let again = PrivateKey::from_pkcs8(key.pkcs8().as_slice()).map(|again| again.public().clone());
    assert_eq!(again.as_ref(), Ok(public), "the private key does not come back");

    let provider = CryptoProvider::portable();
    for algorithm in provider.signatures.iter().filter(|algorithm| algorithm.id().takes(key.algorithm())) {
        let Ok(signer) = algorithm.signer(&key) else { continue };
        let input = [0x5a; 32];
        let Ok(signature) = signer.sign(&input, &mut Seeded::from_u64(1)) else { continue };
        assert_eq!(algorithm.verify(public, &input, &signature), Ok(()), "{}", algorithm.id());
    }
}
