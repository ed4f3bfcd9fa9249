//! Intel's multi-buffer library, through the few calls of `ipsec_mb.c`.
#![expect(unsafe_code, reason = "a C library")]

use std::ffi::{c_int, c_void};
use std::slice;

use super::{AAD, Combined, Direction, Hash, IV, NOTHING, Peer, Sample, Work};

pub const PEER: Peer = Peer { name: "ipsec-mb", combined, cbc, hmac: mac, cbc_hmac, ..NOTHING };

/// What a run processes; the same number stands in `ipsec_mb.c`.
const PACKETS: u32 = 32;

unsafe extern "C" {
    fn mb_new(
        kind: c_int,
        seal: c_int,
        key: *const u8,
        key_len: usize,
        hash: c_int,
        mac_key: *const u8,
        mac_key_len: usize,
        tag_len: usize,
        iv: *const u8,
        iv_len: usize,
        aad: *const u8,
        aad_len: usize,
        text: *const u8,
        text_len: usize,
        len: usize,
    ) -> *mut c_void;
    fn mb_run(work: *mut c_void) -> c_int;
    fn mb_text(work: *const c_void) -> *const u8;
    fn mb_tag(work: *const c_void) -> *const u8;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gcm,
    ChaCha,
    Cbc,
    Hmac,
    CbcHmac,
}

/// `text` is what the packets hold at first, `len` what of it is processed.
fn work(kind: Kind, hash: Hash, sample: &Sample, key: &[u8], iv: &[u8], text: &[u8], len: usize) -> Work {
    let hash = match hash {
        Hash::Sha1 => 1,
        Hash::Sha256 => 256,
        Hash::Sha384 => 384,
        Hash::Sha512 => 512,
    };
    let seal = sample.direction == Direction::Seal;
    let mac = &sample.mac_key;
    // SAFETY: each pointer goes with its length; all is copied. What it returns is never freed and used by this closure alone.
    let state = unsafe {
        mb_new(
            kind as c_int,
            c_int::from(seal),
            key.as_ptr(),
            key.len(),
            hash,
            mac.as_ptr(),
            mac.len(),
            sample.icv.len(),
            iv.as_ptr(),
            iv.len(),
            AAD.as_ptr(),
            AAD.len(),
            text.as_ptr(),
            text.len(),
            len,
        )
    };
    assert!(!state.is_null(), "memory");
    // SAFETY: `state` is not null.
    let run = move || unsafe { assert_eq!(mb_run(state), PACKETS as c_int) };
    run();
    // SAFETY: both stand in buffers of the state that are longer.
    let (text, tag) = unsafe {
        (slice::from_raw_parts(mb_text(state), len), slice::from_raw_parts(mb_tag(state), sample.icv.len()))
    };
    if kind != Kind::Hmac {
        assert_eq!(text, if seal { &sample.sealed } else { &sample.clear }, "a wrong text");
    }
    if kind != Kind::Cbc {
        assert_eq!(tag, sample.icv, "a wrong tag");
    }
    Work { run: Box::new(run), packets: PACKETS }
}

fn input(sample: &Sample) -> &[u8] {
    match sample.direction {
        Direction::Seal => &sample.clear,
        Direction::Open => &sample.sealed,
    }
}

fn combined(which: Combined, sample: &Sample) -> Option<Work> {
    let kind = if which == Combined::ChaCha20Poly1305 { Kind::ChaCha } else { Kind::Gcm };
    let (key, nonce) = sample.key_and_nonce();
    let text = input(sample);
    Some(work(kind, Hash::Sha1, sample, key, &nonce, text, text.len()))
}

fn cbc(sample: &Sample) -> Option<Work> {
    let text = input(sample);
    Some(work(Kind::Cbc, Hash::Sha1, sample, &sample.key, &IV, text, text.len()))
}

fn mac(hash: Hash, sample: &Sample) -> Option<Work> {
    let message = sample.message();
    Some(work(Kind::Hmac, hash, sample, &[], &[], &message, message.len()))
}

fn cbc_hmac(hash: Hash, sample: &Sample) -> Option<Work> {
    let text = input(sample);
    let packet = [&AAD[..], &IV, text].concat();
    Some(work(Kind::CbcHmac, hash, sample, &sample.key, &IV, &packet, text.len()))
}
