//! Keyed and instant: what depends on keys still does.

use ipsec_crypto::{
    CipherAlgorithm, CipherKey, CryptoError, CryptoProvider, Encryption, Group, Integrity,
    IntegrityAlgorithm, IntegrityKey, KeyExchange, KeyPair, Prf, PrfAlgorithm, Secret, SecureRandom,
};

use super::{demand_cipher_key, demand_integrity_key, demand_iv_and_blocks, demand_public};

/// A provider that is as quick as copying, and as secure.
///
/// Has AES-CBC, 3DES-CBC, the HMACs with SHA-1 and SHA-2, and the MODP groups from 2 to 18 by name and size; none of their arithmetic.
#[must_use]
pub fn mixing() -> CryptoProvider {
    PROVIDER
}

const PROVIDER: CryptoProvider = CryptoProvider {
    name: "mixing",
    ciphers: &[&Cipher(Encryption::AesCbc), &Cipher(Encryption::TripleDesCbc)],
    aeads: &[],
    integrity: &[
        &Mac(Integrity::HmacSha256_128),
        &Mac(Integrity::HmacSha384_192),
        &Mac(Integrity::HmacSha512_256),
        &Mac(Integrity::HmacSha1_96),
        &Mac(Integrity::HmacMd5_96),
    ],
    prfs: &[
        &Function(Prf::HmacSha256),
        &Function(Prf::HmacSha384),
        &Function(Prf::HmacSha512),
        &Function(Prf::HmacSha1),
        &Function(Prf::HmacMd5),
    ],
    groups: &[
        &Sum(Group::Modp2048),
        &Sum(Group::Modp3072),
        &Sum(Group::Modp4096),
        &Sum(Group::Modp8192),
        &Sum(Group::Modp1536),
        &Sum(Group::Modp1024),
    ],
    signatures: &[],
};

/// Absorbs octets; no two short inputs in a test give the same state by accident.
#[derive(Clone, Copy)]
pub(super) struct Mixer(u64, u64);

impl Mixer {
    pub(super) fn new(label: u64, key: &[u8]) -> Self {
        let mut mixer = Self(0x9e37_79b9_7f4a_7c15 ^ label, key.len() as u64);
        mixer.absorb(key);
        // Where the key ends and the text begins is part of the state.
        mixer.absorb(&[0xff, 0x00, 0xff]);
        mixer
    }

    pub(super) fn absorb(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = (self.0 ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
            self.1 = (self.1 ^ self.0).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        }
    }

    pub(super) fn squeeze(self, out: &mut [u8]) {
        for (chunk, number) in out.chunks_mut(8).zip(1_u64..) {
            let mut word = self.0 ^ self.1.rotate_left(17) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

#[derive(Debug)]
struct Cipher(Encryption);

#[derive(Debug)]
struct PreparedCipher {
    id: Encryption,
    key: Vec<u8>,
}

impl CipherAlgorithm for Cipher {
    fn id(&self) -> Encryption {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        demand_cipher_key(self.0, key)?;
        let block = self.0.row().block;
        let mut pad = vec![0; block];
        Mixer::new(1, key).squeeze(&mut pad);
        Ok(Box::new(PreparedCipher { id: self.0, key: pad }))
    }
}

impl CipherKey for PreparedCipher {
    fn block_len(&self) -> usize {
        self.id.row().block
    }

    fn iv_len(&self) -> usize {
        self.id.row().iv
    }

    /// CBC over a block cipher that adds its key.
    fn encrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        demand_iv_and_blocks(self.id, iv, text)?;
        let mut chain = iv.to_vec();
        for block in text.chunks_mut(self.block_len()) {
            for ((octet, chain), key) in block.iter_mut().zip(&mut chain).zip(&self.key) {
                *octet = (*octet ^ *chain).wrapping_add(*key);
                *chain = *octet;
            }
        }
        Ok(())
    }

    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        demand_iv_and_blocks(self.id, iv, text)?;
        let mut chain = iv.to_vec();
        for block in text.chunks_mut(self.block_len()) {
            for ((octet, chain), key) in block.iter_mut().zip(&mut chain).zip(&self.key) {
                let sealed = *octet;
                *octet = sealed.wrapping_sub(*key) ^ *chain;
                *chain = sealed;
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Mac(Integrity);

struct PreparedMac(Mixer);

impl std::fmt::Debug for PreparedMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PreparedMac")
    }
}

impl IntegrityAlgorithm for Mac {
    fn id(&self) -> Integrity {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn IntegrityKey>, CryptoError> {
        demand_integrity_key(self.0, key)?;
        Ok(Box::new(PreparedMac(Mixer::new(2, key))))
    }
}

impl IntegrityKey for PreparedMac {
    fn sign(&self, parts: &[&[u8]], icv: &mut [u8]) {
        let mut mixer = self.0;
        parts.iter().for_each(|part| mixer.absorb(part));
        mixer.squeeze(icv);
    }
}

#[derive(Debug)]
struct Function(Prf);

impl PrfAlgorithm for Function {
    fn id(&self) -> Prf {
        self.0
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Secret {
        let mut mixer = Mixer::new(3, key);
        parts.iter().for_each(|part| mixer.absorb(part));
        let mut out = vec![0; self.output_len()];
        mixer.squeeze(&mut out);
        Secret::new(out)
    }

    fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut mixer = Mixer::new(4, &[]);
        parts.iter().for_each(|part| mixer.absorb(part));
        let mut out = vec![0; self.output_len()];
        mixer.squeeze(&mut out);
        out
    }
}

/// The shared secret is the sum of both public values: the same at both ends, another for other values.
#[derive(Debug)]
struct Sum(Group);

#[derive(Debug)]
struct Term {
    group: Group,
    public: Vec<u8>,
}

impl KeyExchange for Sum {
    fn id(&self) -> Group {
        self.0
    }

    fn public_len(&self) -> usize {
        self.0.public_len()
    }

    fn check_public(&self, peer: &[u8]) -> Result<(), CryptoError> {
        demand_public(self.0, peer)
    }

    fn generate(&self, random: &mut dyn SecureRandom) -> Box<dyn KeyPair> {
        let mut seed = [0; 16];
        random.fill(&mut seed);
        let mut public = vec![0; self.public_len()];
        Mixer::new(5, &seed).squeeze(&mut public);
        // Below the prime, which begins with 64 ones, and above 1.
        if let Some(first) = public.first_mut() {
            *first = *first & 0x7f | 1;
        }
        Box::new(Term { group: self.0, public })
    }
}

impl KeyPair for Term {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        demand_public(self.group, peer)?;
        Ok(Secret::new(
            self.public.iter().zip(peer).map(|(ours, theirs)| ours.wrapping_add(*theirs)).collect(),
        ))
    }
}
