//! Whether a provider's lists are what the suite table says of their members.

use super::CryptoProvider;
use crate::error::CryptoError;
use crate::protection::{InOut, MAX_ICV_LEN, Outcome};
use crate::suite::{Cipher, Encryption, EspSuite, Group, IkeSuite, Integrity, Prf};

/// The phase 1 that every provider can do: what RFC 8247 has as MUST.
const IKE: IkeSuite = IkeSuite { cipher: Cipher::AES128, prf: Prf::HmacSha256, group: Group::Modp2048 };
/// The packets that every provider can protect: a MUST of RFC 8221 §5 and §6.
const ESP: EspSuite =
    EspSuite { cipher: Cipher::AES128, integrity: Some(Integrity::HmacSha256_128), group: Some(IKE.group) };

pub(super) fn check(provider: &CryptoProvider) -> Result<(), CryptoError> {
    // Destructured so that a new list cannot be forgotten here.
    let CryptoProvider { name, ciphers, aeads, integrity, prfs, groups, signatures } = *provider;
    let demand = |good: bool, algorithm: &str, fault: &str| {
        if good {
            Ok(())
        } else {
            Err(CryptoError::Inconsistent { provider: name, detail: format!("{algorithm} {fault}") })
        }
    };
    let listed = |rows: Vec<(&'static str, bool)>| {
        rows.iter().enumerate().try_for_each(|(index, &(algorithm, legacy))| {
            demand(!rows[..index].iter().any(|row| row.0 == algorithm), algorithm, "is there twice")?;
            demand(!legacy || cfg!(feature = "legacy"), algorithm, "is there without the `legacy` feature")
        })
    };
    listed(ciphers.iter().map(|it| it.id().row()).map(|row| (row.name, row.legacy)).collect())?;
    listed(aeads.iter().map(|it| it.id().row()).map(|row| (row.name, row.legacy)).collect())?;
    listed(integrity.iter().map(|it| it.id().row()).map(|row| (row.name, row.legacy)).collect())?;
    listed(prfs.iter().map(|it| it.id().row()).map(|row| (row.name, row.legacy)).collect())?;
    listed(groups.iter().map(|it| it.id().row()).map(|row| (row.name, row.legacy)).collect())?;
    listed(signatures.iter().map(|it| it.id().row()).map(|row| (row.name, row.legacy)).collect())?;

    for algorithm in ciphers {
        let row = algorithm.id().row();
        demand(!row.is_combined(), row.name, "is a combined mode among the ciphers")?;
        for len in key_lengths(row.id) {
            let sizes = algorithm.key(&key(len)).map(|key| (key.block_len(), key.iv_len()));
            demand(sizes == Ok((row.block, row.iv)), row.name, "has other sizes than the table says")?;
        }
        demand(algorithm.key(&key(5)).is_err(), row.name, "takes keys of any length")?;
    }
    for algorithm in aeads {
        let row = algorithm.id().row();
        demand(row.is_combined() && row.icv <= MAX_ICV_LEN, row.name, "is no combined mode")?;
        for len in key_lengths(row.id) {
            demand(algorithm.key(&key(len + 1)).is_err(), row.name, "takes keys that are too long")?;
            let prepared = algorithm.key(&key(len))?;
            for (iv, icv, outcome) in [
                (row.iv, row.icv, Outcome::Done),
                (row.iv + 1, row.icv, Outcome::BadLength),
                (row.iv, row.icv - 1, Outcome::BadLength),
            ] {
                let sealed =
                    prepared.seal(&key(iv), &[], &mut InOut::InPlace(&mut [0; 16]), &mut vec![0; icv]);
                demand(sealed == outcome, row.name, "has other sizes than the table says")?;
            }
        }
    }
    for algorithm in integrity {
        let row = algorithm.id().row();
        let sizes = row.icv <= MAX_ICV_LEN && row.icv <= row.output;
        demand(sizes, row.name, "has a longer checksum than there is room for")?;
        let lengths = algorithm.key(&key(row.key)).is_ok() && algorithm.key(&key(row.key + 1)).is_err();
        demand(lengths, row.name, "has another key length than the table says")?;
    }
    for algorithm in prfs {
        let row = algorithm.id().row();
        let lengths = [algorithm.output_len(), algorithm.mac(b"", &[]).len()] == [row.output; 2];
        demand(lengths, row.name, "has another output than the table says")?;
        demand(algorithm.hash(&[]).len() == row.hash, row.name, "has another hash than the table says")?;
    }
    for algorithm in groups {
        let row = algorithm.id().row();
        let lengths = algorithm.public_len() == row.public;
        demand(lengths, row.name, "has another public value than the table says")?;
    }
    let protects = provider.supports_protection(ESP.protection()) && provider.supports_cipher(IKE.cipher);
    let negotiates = provider.supports_prf(IKE.prf) && provider.supports_group(IKE.group);
    demand(protects && negotiates, &IKE.to_string(), "is more than it can do")
}

/// A key without repetitions, which no algorithm refuses.
fn key(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 + 3) as u8).collect()
}

/// The lengths of keying material in octets, salt included.
fn key_lengths(id: Encryption) -> impl Iterator<Item = usize> {
    let row = id.row();
    row.key_bits.iter().map(|&bits| usize::from(bits / 8) + row.salt)
}
