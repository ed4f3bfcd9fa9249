//! Providers against each other, and each against itself: the same octets by every way to them.

use ipsec_crypto::{
    Cipher, CryptoProvider, Encryption, Group, InOut, Integrity, Job, Outcome, Protection, ProtectionSuite,
    Seeded, Support, open, seal,
};

fn providers() -> Vec<CryptoProvider> {
    vec![
        CryptoProvider::portable(),
        #[cfg(feature = "fast")]
        CryptoProvider::fast(),
    ]
}

/// Takes numbers and octets off the front of the input; zeros when it is used up.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn octet(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.octet()) % bound.max(1)
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn exactly(&mut self, len: usize) -> Vec<u8> {
        let mut octets = self.take(len).to_vec();
        octets.resize(len, 0);
        octets
    }
}

/// Random keys, nonces and texts through packets, pseudo-random functions and key exchange.
///
/// # Panics
/// When a law is broken.
pub fn crypto_providers(data: &[u8]) {
    let mut input = Input(data);
    match input.octet() % 4 {
        0 | 1 => packets(&mut input),
        2 => functions(&mut input),
        _ => exchange(&mut input),
    }
}

fn job<'a>(
    key: &'a Protection,
    (aad, esn_high, iv): (&'a [u8], Option<u32>, &'a [u8]),
    text: InOut<'a>,
    icv: &'a mut [u8],
) -> Job<'a> {
    Job { key, aad, esn_high, iv, text, icv, outcome: Outcome::Pending }
}

/// Sealed octets are the same from every provider, in place or not; they open to the text; one bit off is a forgery.
fn packets(input: &mut Input<'_>) {
    let native: Vec<_> =
        Encryption::rows().iter().filter(|row| row.support == Support::Native && !row.legacy).collect();
    let checks: Vec<_> =
        Integrity::rows().iter().filter(|row| row.support == Support::Native && !row.legacy).collect();
    let row = native[input.below(native.len())];
    let key_bits = row.key_bits[input.below(row.key_bits.len())];
    let cipher = Cipher::new(row.id, key_bits).expect("a key length of the table");
    let check = checks[input.below(checks.len())].id;
    let suite = ProtectionSuite { cipher, integrity: (!row.is_combined()).then_some(check) };
    let (key, auth) = (input.exactly(suite.key_len()), input.exactly(suite.integrity_key_len()));
    let (iv, aad) = (input.exactly(suite.iv_len()), input.exactly(8));
    let esn_high = (input.octet() & 1 == 1).then_some(7);
    let (bit, mut clear) = (input.octet(), input.take(600).to_vec());
    clear.resize(clear.len().next_multiple_of(cipher.block_len()), 0);
    let around = (&aad[..], esn_high, &iv[..]);

    let mut first: Option<(Vec<u8>, Vec<u8>)> = None;
    for provider in providers() {
        let prepared = provider.protection(suite, &key, &auth).expect("a native suite, keys of its lengths");
        let (mut text, mut icv) = (clear.clone(), vec![0; suite.icv_len()]);
        let (mut copied, mut second_icv) = (vec![0xee; clear.len()], icv.clone());
        let copy = InOut::Copy { from: &clear, to: &mut copied };
        let mut jobs = [
            job(&prepared, around, InOut::InPlace(&mut text), &mut icv),
            job(&prepared, around, copy, &mut second_icv),
        ];
        seal(&mut jobs);
        assert!(jobs.iter().all(|job| job.outcome == Outcome::Done), "{suite}");
        assert_eq!((&text, &icv), (&copied, &second_icv), "{suite}");
        let (sealed, tag) = first.get_or_insert_with(|| (text.clone(), icv.clone()));
        assert_eq!((&text, &icv), (&*sealed, &*tag), "{suite} of {}", provider.name);

        let mut jobs = [job(&prepared, around, InOut::InPlace(&mut text), &mut icv)];
        open(&mut jobs);
        assert_eq!(jobs[0].outcome, Outcome::Done);
        assert_eq!(text, clear, "{suite}");

        let (mut text, mut icv) = (sealed.clone(), tag.clone());
        let place = usize::from(bit) % icv.len();
        icv[place] ^= 1 << (bit % 8);
        let mut jobs = [job(&prepared, around, InOut::InPlace(&mut text), &mut icv)];
        open(&mut jobs);
        assert_eq!(jobs[0].outcome, Outcome::Forged, "{suite}");
    }
}

/// A pseudo-random function gives the same from every provider and for every cut of its text.
fn functions(input: &mut Input<'_>) {
    let key_len = input.below(150);
    let (key, cut) = (input.take(key_len), input.octet());
    let text = input.0;
    let (head, tail) = text.split_at(usize::from(cut).min(text.len()));
    let all = providers();
    for function in all[0].prfs {
        let expected = function.mac(key, &[text]);
        for provider in &all {
            let function = provider.prf(function.id()).expect("what the portable one has");
            assert!(function.mac(key, &[head, &[], tail]).ct_eq(expected.as_slice()), "{:?}", function.id());
            assert_eq!(function.hash(&[head, tail]), function.hash(&[text]));
        }
    }
}

/// The same randomness gives the same public value; two sides agree; a hostile value gets one verdict from all.
fn exchange(input: &mut Input<'_>) {
    let groups = [Group::X25519, Group::Ecp256, Group::Ecp384, Group::Ecp521, Group::Modp2048];
    let group = groups[input.below(groups.len())];
    let (seed, hostile) = (u64::from(input.octet()), input.0);
    let mut first: Option<(Vec<u8>, Vec<u8>, bool)> = None;
    for provider in providers() {
        let group = provider.group(group).expect("a native group");
        let ours = group.generate(&mut Seeded::from_u64(seed));
        let theirs = group.generate(&mut Seeded::from_u64(seed + 1000));
        let (to_us, to_them) = (theirs.public().to_vec(), ours.public().to_vec());
        let shared = ours.agree(&to_us).expect("an honest value");
        let other = theirs.agree(&to_them).expect("an honest value");
        assert!(other.ct_eq(shared.as_slice()));
        let verdict = group.check_public(hostile);
        let agreed = group.generate(&mut Seeded::from_u64(seed)).agree(hostile).map(|_| ());
        assert_eq!(agreed, verdict);
        let found = (to_them, shared.as_slice().to_vec(), verdict.is_ok());
        assert_eq!(
            first.get_or_insert_with(|| found.clone()),
            &found,
            "{:?} of {}",
            group.id(),
            provider.name
        );
    }
}
