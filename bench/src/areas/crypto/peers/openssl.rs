//! The system's OpenSSL.
#![expect(
    unsafe_code,
    reason = "OpenSSL's keyed HMAC states and its constant-time exponentiation have no safe interface"
)]

use std::ffi::{c_int, c_uint};
use std::hint::black_box;
use std::ptr;

use foreign_types::ForeignType;
use openssl::bn::{BigNum, BigNumContext};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl_sys as sys;

use super::{AAD, Combined, Direction, Hash, IV, NOTHING, Peer, Sample, Work};

pub const PEER: Peer = Peer {
    name: "openssl",
    combined,
    cbc,
    hmac: mac,
    cbc_hmac: |hash, sample| Some(cbc(sample)?.then(mac(hash, sample)?)),
    ..NOTHING
};

fn combined(which: Combined, sample: &Sample) -> Option<Work> {
    let cipher = match which {
        Combined::Aes128Gcm => Cipher::aes_128_gcm(),
        Combined::Aes256Gcm => Cipher::aes_256_gcm(),
        Combined::ChaCha20Poly1305 => Cipher::chacha20_poly1305(),
    };
    let mut context = CipherCtx::new().expect("memory");
    let (key, nonce) = sample.key_and_nonce();
    Some(match sample.direction {
        Direction::Seal => {
            context.encrypt_init(Some(cipher), Some(key), Some(&nonce)).expect("a cipher");
            sample.sealing(move |text, icv| {
                context.encrypt_init(None, None, Some(&nonce)).expect("12 octets");
                context.cipher_update(&AAD, None).expect("additional data");
                context.cipher_update_inplace(text, text.len()).expect("text");
                context.cipher_final(&mut []).expect("the end");
                context.tag(icv).expect("16 octets");
            })
        }
        Direction::Open => {
            context.decrypt_init(Some(cipher), Some(key), Some(&nonce)).expect("a cipher");
            sample.opening(move |text, icv| {
                context.decrypt_init(None, None, Some(&nonce)).expect("12 octets");
                context.cipher_update(&AAD, None).expect("additional data");
                context.cipher_update_inplace(text, text.len()).expect("text");
                context.set_tag(icv).expect("16 octets");
                context.cipher_final(&mut []).expect("not forged");
            })
        }
    })
}

fn cbc(sample: &Sample) -> Option<Work> {
    let mut context = CipherCtx::new().expect("memory");
    let cipher = Some(Cipher::aes_128_cbc());
    Some(match sample.direction {
        Direction::Seal => {
            context.encrypt_init(cipher, Some(&sample.key), Some(&IV)).expect("AES");
            context.set_padding(false);
            Work::in_place_with_room(&sample.clear, &sample.sealed, IV.len(), move |text, len| {
                context.encrypt_init(None, None, Some(&IV)).expect("16 octets");
                context.cipher_update_inplace(text, len).expect("whole blocks");
            })
        }
        Direction::Open => {
            context.decrypt_init(cipher, Some(&sample.key), Some(&IV)).expect("AES");
            context.set_padding(false);
            Work::in_place_with_room(&sample.sealed, &sample.clear, IV.len(), move |text, len| {
                context.decrypt_init(None, None, Some(&IV)).expect("16 octets");
                context.cipher_update_inplace(text, len).expect("whole blocks");
            })
        }
    })
}

/// A keyed state that `HMAC_Init_ex` without a key goes back to.
struct Keyed(*mut sys::HMAC_CTX);

impl Keyed {
    fn new(hash: Hash, key: &[u8]) -> Self {
        // SAFETY: a fresh state and a key of the length given; `EVP_*` are constants of the library.
        unsafe {
            let digest = match hash {
                Hash::Sha1 => sys::EVP_sha1(),
                Hash::Sha256 => sys::EVP_sha256(),
                Hash::Sha384 => sys::EVP_sha384(),
                Hash::Sha512 => sys::EVP_sha512(),
            };
            let state = sys::HMAC_CTX_new();
            let len = c_int::try_from(key.len()).expect("short");
            assert_eq!(sys::HMAC_Init_ex(state, key.as_ptr().cast(), len, digest, ptr::null_mut()), 1);
            Self(state)
        }
    }

    fn sign(&mut self, message: &[u8], mac: &mut [u8; 64]) {
        let mut len: c_uint = 0;
        // SAFETY: the state is alive, and no hash is longer than 64 octets.
        unsafe {
            sys::HMAC_Init_ex(self.0, ptr::null(), 0, ptr::null(), ptr::null_mut());
            sys::HMAC_Update(self.0, message.as_ptr(), message.len());
            sys::HMAC_Final(self.0, mac.as_mut_ptr(), &mut len);
        }
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        // SAFETY: it came from `HMAC_CTX_new` and is not used again.
        unsafe { sys::HMAC_CTX_free(self.0) }
    }
}

fn mac(hash: Hash, sample: &Sample) -> Option<Work> {
    let mut keyed = Keyed::new(hash, &sample.mac_key);
    Some(sample.mac(move |message, mac| keyed.sign(message, mac)))
}

enum Montgomery {}

unsafe extern "C" {
    fn BN_MONT_CTX_new() -> *mut Montgomery;
    fn BN_MONT_CTX_free(prepared: *mut Montgomery);
    fn BN_MONT_CTX_set(
        prepared: *mut Montgomery,
        modulus: *const sys::BIGNUM,
        context: *mut sys::BN_CTX,
    ) -> c_int;
    fn BN_mod_exp_mont_consttime(
        result: *mut sys::BIGNUM,
        base: *const sys::BIGNUM,
        exponent: *const sys::BIGNUM,
        modulus: *const sys::BIGNUM,
        context: *mut sys::BN_CTX,
        prepared: *mut Montgomery,
    ) -> c_int;
}

/// A modulus prepared once.
struct Modulus {
    number: BigNum,
    context: BigNumContext,
    prepared: *mut Montgomery,
}

impl Modulus {
    fn new(octets: &[u8]) -> Self {
        let number = BigNum::from_slice(octets).expect("memory");
        let context = BigNumContext::new().expect("memory");
        // SAFETY: all three are alive; the modulus is odd.
        let prepared = unsafe {
            let prepared = BN_MONT_CTX_new();
            assert_eq!(BN_MONT_CTX_set(prepared, number.as_ptr(), context.as_ptr()), 1);
            prepared
        };
        Self { number, context, prepared }
    }

    fn power(&mut self, base: &BigNum, exponent: &BigNum, result: &mut BigNum) {
        // SAFETY: all are alive, and the result is none of the others.
        let done = unsafe {
            BN_mod_exp_mont_consttime(
                result.as_ptr(),
                base.as_ptr(),
                exponent.as_ptr(),
                self.number.as_ptr(),
                self.context.as_ptr(),
                self.prepared,
            )
        };
        assert_eq!(done, 1);
    }
}

impl Drop for Modulus {
    fn drop(&mut self) {
        // SAFETY: it came from `BN_MONT_CTX_new` and is not used again.
        unsafe { BN_MONT_CTX_free(self.prepared) }
    }
}

/// Constant-time powers of some bases by one exponent.
pub fn powers(modulus: &[u8], exponent: &[u8], bases: [&[u8]; 2]) -> Work {
    let number = |octets: &[u8]| BigNum::from_slice(octets).expect("memory");
    let (mut modulus, exponent, bases) = (Modulus::new(modulus), number(exponent), bases.map(number));
    let mut result = BigNum::new().expect("memory");
    Work::one(move || {
        for base in &bases {
            modulus.power(base, &exponent, &mut result);
            black_box(result.to_vec());
        }
    })
}
