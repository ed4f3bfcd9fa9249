//! `ipsec-crypto` against the crates that do the work when they are called directly: what our layer adds.

use std::hint::black_box;

use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherEncrypt, BlockModeEncrypt, BlockSizeUser, InnerIvInit, KeyInit};
use aes::{Aes128, Aes256};
use cbc::Encryptor;
use hmac::{Hmac, Mac};
use ipsec_crypto::{
    CryptoProvider, EspSuite, Group, InOut, Job, KeyExchange, OsRandom, Outcome, Protection, open, seal,
};

use crate::measure::Candidate;
use crate::report::Report;

/// Octets of ESP text: an acknowledgement, half a packet, a full packet; multiples of the cipher's block.
const SIZES: [usize; 3] = [64, 512, 1408];
/// What a job around each packet, and the choice of algorithm at run time, may cost.
const BOUND: f64 = 1.15;

/// Runs the area.
pub fn run(report: &mut Report) {
    protect(report);
    key_exchange(report);
}

fn job<'a>(key: &'a Protection, text: &'a mut [u8], icv: &'a mut [u8]) -> Job<'a> {
    Job {
        key,
        aad: &[0; 8],
        esn_high: None,
        iv: &[7; 16],
        text: InOut::InPlace(text),
        icv,
        outcome: Outcome::Pending,
    }
}

fn seal_one(key: &Protection, text: &mut [u8], icv: &mut [u8]) {
    let mut jobs = [job(key, text, icv)];
    seal(&mut jobs);
    assert_eq!(jobs[0].outcome, Outcome::Done);
}

/// The same work without us: CBC in place, and the HMAC of header, IV and text from a keyed state.
fn direct<C, M>(cipher: C, mac: M) -> impl Fn(&mut [u8])
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
    M: Mac + Clone,
{
    move |text| {
        let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(text);
        Encryptor::inner_iv_init(&cipher, &[7; 16].into()).encrypt_blocks(blocks);
        black_box(mac.clone().chain_update([0; 8]).chain_update([7; 16]).chain_update(text).finalize());
    }
}

fn protect(report: &mut Report) {
    let sha1 = Hmac::<sha1::Sha1>::new_from_slice(&[2; 20]).expect("HMAC takes any key");
    let sha256 = Hmac::<sha2::Sha256>::new_from_slice(&[2; 32]).expect("HMAC takes any key");
    let aes128_sha1 = direct(Aes128::new(&[1; 16].into()), sha1);
    let aes256_sha256 = direct(Aes256::new(&[1; 32].into()), sha256);
    protect_with(report, "aes128-sha1", &aes128_sha1);
    protect_with(report, "aes256-sha256", &aes256_sha256);
}

fn protect_with(report: &mut Report, name: &str, direct: &dyn Fn(&mut [u8])) {
    let suite = name.parse::<EspSuite>().expect("the table has it").protection();
    let (key, integrity_key) = (vec![1; suite.key_len()], vec![2; suite.integrity_key_len()]);
    let providers = [CryptoProvider::portable(), CryptoProvider::fast()];
    let [portable, fast] =
        providers.map(|provider| provider.protection(suite, &key, &integrity_key).expect("both have it"));
    for size in SIZES {
        let (mut one, mut two, mut three) = (vec![3; size], vec![3; size], vec![3; size]);
        let (mut icv_one, mut icv_two) = (vec![0; suite.icv_len()], vec![0; suite.icv_len()]);
        let group = report.group(
            format!("crypto/seal/{name}/{size}"),
            &mut [
                Candidate::new("portable", || seal_one(&portable, &mut one, &mut icv_one)),
                Candidate::new("fast", || seal_one(&fast, &mut two, &mut icv_two)),
                Candidate::new("RustCrypto directly", || direct(&mut three)),
            ],
        );
        report.bound(&group, "portable", &["RustCrypto directly"], BOUND);
        report.bound(&group, "fast", &["RustCrypto directly"], BOUND);

        // Everything is sealed with the same key and IV, so either provider opens what is there now.
        let (mut room_one, mut room_two) = (vec![0; size], vec![0; size]);
        seal_one(&portable, &mut one, &mut icv_one);
        seal_one(&fast, &mut two, &mut icv_two);
        let group = report.group(
            format!("crypto/open/{name}/{size}"),
            &mut [
                Candidate::new("portable", || open_one(&portable, &one, &mut room_one, &mut icv_one)),
                Candidate::new("fast", || open_one(&fast, &two, &mut room_two, &mut icv_two)),
            ],
        );
        report.bound(&group, "fast", &["portable"], BOUND);
    }
}

fn open_one(key: &Protection, text: &[u8], room: &mut [u8], icv: &mut [u8]) {
    let mut jobs = [Job { text: InOut::Copy { from: text, to: room }, ..job(key, &mut [], icv) }];
    open(&mut jobs);
    assert_eq!(jobs[0].outcome, Outcome::Done);
}

/// One side of a Diffie-Hellman exchange: a key pair, and the shared secret.
fn exchange(group: &'static dyn KeyExchange, peer: &[u8]) {
    let secret = group.generate(&mut OsRandom).agree(peer);
    black_box(secret.expect("the peer's value is one of the group"));
}

fn key_exchange(report: &mut Report) {
    let (portable, fast) = (CryptoProvider::portable(), CryptoProvider::fast());
    for (name, group) in [("modp2048", Group::Modp2048), ("modp3072", Group::Modp3072)] {
        let [portable, fast] =
            [&portable, &fast].map(|provider| provider.group(group).expect("both have it"));
        let peer = portable.generate(&mut OsRandom).public().to_vec();
        let group = report.group(
            format!("crypto/{name}"),
            &mut [
                Candidate::new("portable", || exchange(portable, &peer)),
                Candidate::new("fast", || exchange(fast, &peer)),
            ],
        );
        report.bound(&group, "fast", &["portable"], BOUND);
    }
}
