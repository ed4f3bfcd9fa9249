//! What aws-lc does and aws-lc-rs has no safe interface to: RSA signing and verifying of octets without DigestInfo, and raising
//! numbers to secret powers. The only unsafe code of the crate family.
//!
//! Every pointer to a library object is owned by one value here, made by a library call that was checked, and freed once.
//! Every buffer is a Rust slice handed over with its own length.
#![expect(unsafe_code, reason = "aws-lc-rs has no safe interface to these three operations")]

use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use aws_lc_sys as lc;
use zeroize::Zeroizing;

use super::super::modp::{self, Places};
use crate::secret::Secret;

/// A number of the library's, wiped when it is freed.
struct BigNum(NonNull<lc::BIGNUM>);

impl BigNum {
    /// A number from big-endian octets. Its width, on which times depend, is that of `octets`, leading zeros included.
    fn new(octets: &[u8]) -> Self {
        // SAFETY: reads `octets.len()` octets; a null result pointer makes the library allocate the number.
        let number = unsafe { lc::BN_bin2bn(octets.as_ptr(), octets.len(), ptr::null_mut()) };
        Self(NonNull::new(number).expect(OUT_OF_MEMORY))
    }
}

impl Drop for BigNum {
    fn drop(&mut self) {
        // SAFETY: owned, and freed nowhere else.
        unsafe { lc::BN_clear_free(self.0.as_ptr()) }
    }
}

/// What the library calls here can fail of when their arguments are good.
const OUT_OF_MEMORY: &str = "the library could not allocate";

/// Room for the library's intermediate numbers.
struct Context(NonNull<lc::BN_CTX>);

impl Context {
    fn new() -> Self {
        // SAFETY: takes nothing.
        Self(NonNull::new(unsafe { lc::BN_CTX_new() }).expect(OUT_OF_MEMORY))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: owned, and freed nowhere else.
        unsafe { lc::BN_CTX_free(self.0.as_ptr()) }
    }
}

/// An odd modulus, in Montgomery's form.
pub(in crate::provider) struct Modulus {
    octets: usize,
    number: BigNum,
    montgomery: NonNull<lc::BN_MONT_CTX>,
}

// SAFETY: nothing changes the two objects after `new`: the library takes both by const pointer, which is its word for safe
// use from several threads.
unsafe impl Send for Modulus {}
// SAFETY: as above.
unsafe impl Sync for Modulus {}

impl modp::Modulus for Modulus {
    fn places() -> &'static Places<Self> {
        static PLACES: Places<Modulus> = [const { OnceLock::new() }; 19];
        &PLACES
    }

    fn new(modulus: &[u8]) -> Self {
        assert!(modulus.last().is_some_and(|last| last & 1 == 1), "the primes are odd");
        let (number, context) = (BigNum::new(modulus), Context::new());
        // SAFETY: both objects live; the result does not refer to them.
        let montgomery = unsafe { lc::BN_MONT_CTX_new_for_modulus(number.0.as_ptr(), context.0.as_ptr()) };
        let montgomery = NonNull::new(montgomery).expect(OUT_OF_MEMORY);
        Self { octets: modulus.len(), number, montgomery }
    }

    fn power(&self, base: &[u8], exponent: &[u8]) -> Secret {
        let (base, exponent) = (BigNum::new(base), BigNum::new(exponent));
        let (result, context) = (BigNum::new(&[]), Context::new());
        let mut power = Zeroizing::new(vec![0; self.octets]);
        // SAFETY: all objects live, and `result` is none of the others. The library itself checks that the base is below the
        // modulus. The second call writes `power.len()` octets.
        let done = unsafe {
            lc::BN_mod_exp_mont_consttime(
                result.0.as_ptr(),
                base.0.as_ptr(),
                exponent.0.as_ptr(),
                self.number.0.as_ptr(),
                context.0.as_ptr(),
                self.montgomery.as_ptr(),
            ) == 1
                && lc::BN_bn2bin_padded(power.as_mut_ptr(), power.len(), result.0.as_ptr()) == 1
        };
        assert!(done, "the base is below the modulus, and memory was there");
        Secret::from_slice(&power)
    }
}

impl Drop for Modulus {
    fn drop(&mut self) {
        // SAFETY: owned, and freed nowhere else.
        unsafe { lc::BN_MONT_CTX_free(self.montgomery.as_ptr()) }
    }
}

/// An RSA key, public or private.
struct Rsa(NonNull<lc::RSA>);

// SAFETY: the library's functions used on it (`RSA_size`, `RSA_sign_raw`, `RSA_verify_raw`) count as not changing it and may
// run on several threads at once: what they keep inside is behind a lock of the library's (its rsa.h says so of each).
unsafe impl Send for Rsa {}
// SAFETY: as above.
unsafe impl Sync for Rsa {}

impl Rsa {
    /// Octets of the modulus.
    fn size(&self) -> usize {
        // SAFETY: the key lives.
        (unsafe { lc::RSA_size(self.0.as_ptr()) }) as usize
    }
}

impl Drop for Rsa {
    fn drop(&mut self) {
        // SAFETY: owned, and freed nowhere else. The library wipes all memory it frees.
        unsafe { lc::RSA_free(self.0.as_ptr()) }
    }
}

/// A public RSA key.
pub(super) struct RsaPublic(Rsa);

impl RsaPublic {
    /// From an RSAPublicKey in DER (RFC 8017 §A.1.1); `None` for one that the library does not take.
    pub(super) fn new(der: &[u8]) -> Option<Self> {
        // SAFETY: reads `der.len()` octets and keeps no reference to them.
        let key = unsafe { lc::RSA_public_key_from_bytes(der.as_ptr(), der.len()) };
        NonNull::new(key).map(|key| Self(Rsa(key)))
    }

    /// What was signed, without the padding of PKCS#1 v1.5 (RFC 8017 §9.2), whose form is checked; `None` if anything is wrong.
    pub(super) fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let (mut signed, mut len) = (vec![0; self.0.size()], 0);
        // SAFETY: the key lives; reads `signature.len()` octets, writes at most `signed.len()` and their number to `len`.
        let good = unsafe {
            lc::RSA_verify_raw(
                self.0.0.as_ptr(),
                &raw mut len,
                signed.as_mut_ptr(),
                signed.len(),
                signature.as_ptr(),
                signature.len(),
                lc::RSA_PKCS1_PADDING,
            )
        };
        signed.truncate(len);
        (good == 1).then_some(signed)
    }
}

/// A private RSA key. Its operations are blinded by the library, with randomness of the library's own.
pub(super) struct RsaPrivate(Rsa);

impl RsaPrivate {
    /// From an RSAPrivateKey in DER (RFC 8017 §A.1.2); `None` for one whose numbers do not belong together.
    pub(super) fn new(der: &[u8]) -> Option<Self> {
        // SAFETY: reads `der.len()` octets and keeps no reference to them.
        let key = unsafe { lc::RSA_private_key_from_bytes(der.as_ptr(), der.len()) };
        NonNull::new(key).map(|key| Self(Rsa(key)))
    }

    /// The signature over these octets as they are, in the padding of PKCS#1 v1.5; `None` if they do not fit, or if the result
    /// was wrong.
    pub(super) fn sign(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let (mut signature, mut len) = (vec![0; self.0.size()], 0);
        // SAFETY: the key lives; reads `octets.len()` octets, writes at most `signature.len()` and their number to `len`.
        let good = unsafe {
            lc::RSA_sign_raw(
                self.0.0.as_ptr(),
                &raw mut len,
                signature.as_mut_ptr(),
                signature.len(),
                octets.as_ptr(),
                octets.len(),
                lc::RSA_PKCS1_PADDING,
            )
        };
        signature.truncate(len);
        (good == 1).then_some(signature)
    }
}
