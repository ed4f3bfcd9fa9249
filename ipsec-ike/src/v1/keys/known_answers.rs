//! Known answers of the NIST CAVP samples for IKEv1 key derivation (public domain), and of RFC 2409 appendix B's expansion
//! worked out from them.

use ipsec_crypto::{CryptoProvider, Prf, Secret};
use ipsec_proto::net::Cookie;

use super::{Derived, derive, encryption_key, keymat, skeyid_psk};
use crate::event::Cookies;

fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// prf, psk, Ni, Nr, SKEYID.
const PSK: &[(Prf, [&str; 4])] = &[
    (
        Prf::HmacSha1,
        ["c0", "03a6f25a83c8c2a3", "9d958a6618f77e7f", "ab3be41bc62f2ef0c41a3076d58768be77fadd2e"],
    ),
    (
        Prf::HmacSha256,
        [
            "a0",
            "ead9ced494868f41",
            "f1aff4f425a94f18",
            "558a99b299773d267cf7c8ef073bf3b7af362c206c75a538403c5ef884d4cace",
        ],
    ),
    (
        Prf::HmacSha384,
        [
            "9e",
            "d6596b7e5b398534",
            "136fbdfa8d0ceb8e",
            "b54fa27cb4251051e44a659d73591845691d11f1874bf4e4088e5df6462d28e57a3a2af3ab4f9b746a8f5766f8785f2b",
        ],
    ),
    (
        Prf::HmacSha512,
        [
            "4c",
            "482a05eca86fba51",
            "84ee19d02272de2e",
            "5bcb5499ae4c1437ce6c195392bf26bf7980a59bcb787a0b58671771a3d4b06dc1eb7809241b7e5931740b05bf8a9873bb493c5f067e28e4f58ab65c3dbe44cd",
        ],
    ),
    (
        Prf::HmacSha1,
        ["75", "b9a2d0e922dc66dd", "2130166863b5ddef", "62b04d112877e442fc3282fc37c076997718a0b9"],
    ),
];

/// prf, SKEYID, g^xy, CKY-I, CKY-R, SKEYID_d, SKEYID_a, SKEYID_e.
const DERIVED: &[(Prf, [&str; 7])] = &[
    (
        Prf::HmacSha1,
        [
            "707197817fb2d90cf54d1842606bdea59b9f4823",
            "8ba4cbc73c0187301dc19a975823854dbd641c597f637f8d053a83b9514673eb",
            "8c3bcd3a69831d7f",
            "d2d9a7ff4fbe95a7",
            "384be709a8a5e63c3ed160cfe3921c4b37d5b32d",
            "48b327575abe3adba0f279849e289022a13e2b47",
            "a4a415c8e0c38c0da847c356cc61c24df8025560",
        ],
    ),
    (
        Prf::HmacSha256,
        [
            "750c5c94b9c2ec20b68033e024dadf0fa87e8b48c6561b21c72478451a06583d",
            "a1ff3dc6cf9b4c04709943cb4ca1f1789bcf360b03f1d027de3ae8ee039e9155",
            "6c6beb72631ddc3d",
            "b84e24b22cffbd14",
            "a4f7ca7de913814813e3312099e7c943bd293483f387532330237f1b20957310",
            "1d4b705746c43b0a6fcbb8db33983c0f24ff6f8b6543e3779fed227c6067f004",
            "03e6f16cd9ce9f64b5cdc5b34cca7163483ba5389a30afebef3d14640b0a815e",
        ],
    ),
    (
        Prf::HmacSha384,
        [
            "6e4514610bf82d0ab7bf0260096f6146a153c712071abb633ced813c572156c783e36874a65a64690ca701d40d56ea18",
            "1724dbd893523764bfef8c6fa927856fccfb77ae254358cce29c2769a32915c1",
            "1c8aba986a00af0f",
            "b049d9672f73c920",
            "b083234e9ed7745911f93eb31faa66fcf88906266830eb17ef166d295cb1f86a3543b8b8efa5df918533df537e9c809c",
            "938295a374aceb4147a8024c9a007dd313403fd8fd7070dbd0cfbe1ccd308dbfbb7b9e9c64049e4df44ff551016cb7b5",
            "8595b249dc1fa8599729f87eb6b9dd13bfbfdfd4f9ebd78929bab6ecc402539ad32cb6e7ef4ba6a0f53da14e4df07ed4",
        ],
    ),
    (
        Prf::HmacSha512,
        [
            "f05aa036dfce45a558d40418dea98096e519bc7841e3db3dd93658d118c3e83b502f398ecb1361ec77d38a8855efff407f6f772e5d65b58eb1134096e8478d2b",
            "b15a9cfce8c8d7eab879d6243029d40188d3b740875a6ac62f56cac4377e2edd",
            "1ff4d76565b3151a",
            "1f11b8eb20d57a16",
            "3c4be16a631aa49018fa6740745a61ab1f1a2455a96e91f159a134ccfe30303d68721696195e95bfd530510ef2f9532491878710944db7854f00ad13c68fca01",
            "15ecf5c80b675585e10c4388f6f9c37e8b63269a0a99851f08ba617e28c561f43eaf4112223ff97525bf0b3897f514fce7a3acee10a61ae088c01efc5f643587",
            "60f6b6c10c2b6bedc085ad6546d993c9ce1f86918d1c935c89d6631170a5dab0e37298f21ca3b7901a53bde55a15fad39f782039ce26fc8c2ba8cbd9d4287669",
        ],
    ),
    (
        Prf::HmacSha1,
        [
            "62b04d112877e442fc3282fc37c076997718a0b9",
            "739003ba2c11c982946c65e26acf661fbf8ebb78011a9fead79efa12fe3e71cc",
            "83d374c30b3b5082",
            "5afc0da06c728029",
            "369e5aad1bdb5faf6a3d929d500cdc236710a9ab",
            "588e957d8d790d093b3a39f121473473af78e9bb",
            "cd74b0c048219db81384d3fda8f6cda51e398a2b",
        ],
    ),
];

#[test]
fn skeyid_of_pre_shared_keys() {
    let provider = CryptoProvider::portable();
    assert_eq!(PSK.len(), 5);
    for (prf, [psk, ni, nr, expected]) in PSK {
        let skeyid = skeyid_psk(provider.prf(*prf).unwrap(), &octets(psk), &octets(ni), &octets(nr));
        assert!(skeyid.ct_eq(&octets(expected)), "{prf}");
    }
}

#[test]
fn skeyid_d_a_and_e() {
    let provider = CryptoProvider::portable();
    assert_eq!(DERIVED.len(), 5);
    for (prf, [skeyid, gxy, cky_i, cky_r, d, a, e]) in DERIVED {
        let cookies = Cookies {
            initiator: Cookie(octets(cky_i).try_into().unwrap()),
            responder: Cookie(octets(cky_r).try_into().unwrap()),
        };
        let (skeyid, gxy) = (Secret::new(octets(skeyid)), Secret::new(octets(gxy)));
        let Derived { d: our_d, a: our_a, e: our_e } =
            derive(provider.prf(*prf).unwrap(), &skeyid, &gxy, &cookies);
        assert!(our_d.ct_eq(&octets(d)) && our_a.ct_eq(&octets(a)) && our_e.ct_eq(&octets(e)), "{prf}");
    }
}

/// The sentence of appendix B, written out once more and naively.
fn appendix_b(provider: &CryptoProvider, prf: Prf, skeyid_e: &[u8], length: usize) -> Vec<u8> {
    if length <= skeyid_e.len() {
        return skeyid_e[..length].to_vec();
    }
    let prf = provider.prf(prf).unwrap();
    let mut blocks = vec![prf.mac(skeyid_e, &[&[0]]).as_slice().to_vec()];
    while blocks.concat().len() < length {
        let next = prf.mac(skeyid_e, &[blocks.last().unwrap()]).as_slice().to_vec();
        blocks.push(next);
    }
    blocks.concat()[..length].to_vec()
}

#[test]
fn keys_of_every_length_follow_appendix_b() {
    let provider = CryptoProvider::portable();
    for (prf, rows) in DERIVED {
        let skeyid_e = octets(rows[6]);
        for length in 0..=200 {
            let key = encryption_key(provider.prf(*prf).unwrap(), &Secret::from_slice(&skeyid_e), length);
            assert!(key.ct_eq(&appendix_b(&provider, *prf, &skeyid_e, length)), "{prf}, {length} octets");
        }
    }
}

#[test]
fn keymat_is_chained_and_depends_on_everything() {
    let provider = CryptoProvider::portable();
    let prf = provider.prf(Prf::HmacSha1).unwrap();
    let d = Secret::from_slice(&[7; 20]);
    let gqm = Secret::from_slice(&[9; 256]);
    let (ni, nr): (&[u8], &[u8]) = (&[1; 32], &[2; 32]);
    let spi = [0xc0, 1, 2, 3];
    // RFC 2409 §5.5, by hand.
    let k1 = prf.mac(d.as_slice(), &[gqm.as_slice(), &[3], &spi, ni, nr]);
    let k2 = prf.mac(d.as_slice(), &[k1.as_slice(), gqm.as_slice(), &[3], &spi, ni, nr]);
    let expected = [k1.as_slice(), k2.as_slice()].concat();
    assert!(keymat(prf, &d, Some(&gqm), 3, spi, (ni, nr), 36).ct_eq(&expected[..36]));
    let all = [
        keymat(prf, &d, None, 3, spi, (ni, nr), 36),
        keymat(prf, &d, Some(&gqm), 2, spi, (ni, nr), 36),
        keymat(prf, &d, Some(&gqm), 3, [0xc0, 1, 2, 4], (ni, nr), 36),
        keymat(prf, &d, Some(&gqm), 3, spi, (nr, ni), 36),
    ];
    assert!(all.iter().all(|other| !other.ct_eq(&expected[..36])));
}
