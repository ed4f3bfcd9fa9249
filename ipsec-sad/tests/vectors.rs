//! ESP octets of other implementations.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{PAIR, Pair, Setup, params, path, run};
use ipsec_proto::Spi;
use ipsec_sad::{InboundSa, Meta, Protocol, SaKeys, Selector, Update, Verdict};

/// An ICMP echo request, as in RFC 3602 §4, case 7.
const ECHO: &str = "45000054 09040000 4001f988 c0a87b03 c0a87bc8 \
    08009f76 a90a0100 b49c083d 02a20400 08090a0b 0c0d0e0f 10111213 14151617 \
    18191a1b 1c1d1e1f 20212223 24252627 28292a2b 2c2d2e2f 30313233 34353637";

/// A UDP packet.
const QUESTION: &str = "6b800000 00111140 fd000001 00000000 00000000 00000001 fd000002 00000000 00000000 00000001 \
    9c400035 0011abcd 71756573 74696f6e 21";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Opens an ESP packet with an SA for everything.
fn open(suite: &'static str, keys: Option<SaKeys>, esp: &[u8]) -> (Verdict, Vec<u8>) {
    let mut pair = Pair::without_sas(Setup { suite, ..Setup::default() });
    let spi = Spi(u32::from_be_bytes(esp[..4].try_into().unwrap()));
    let reserved = pair.spis[1].claim(spi, "vectors").unwrap();
    let mut params = params(&pair.setup, PAIR, spi, path().reversed(), Selector::ANY);
    if let (Some(given), Protocol::Esp { keys, .. }) = (keys, &mut params.protocol) {
        *keys = given;
    }
    let sa = InboundSa::prepare(params, reserved, &pair.provider, pair.now).unwrap();
    pair.b.apply(pair.now, Update::InstallInbound(Box::new(sa)));
    pair.open(&[esp.to_vec()]).remove(0)
}

/// Made by scapy 2.5 from the packets above: encryption key 10 11 12 …, integrity key 40 41 42 …, IV a0 a1 a2 …, sequence
/// number 7.
#[test]
fn packets_of_scapy_are_opened() {
    let mut cases = vec![
        (
            "aes128-sha1",
            ECHO,
            "0100000000000007a0a1a2a3a4a5a6a7a8a9aaabacadaeafe0c484b137d8160391145352ea6a069a854d56e873ddfd2edcc88b6e\
             b39f4e58660df87cbef45514ff063ba5937073b4c7173a413aa43a223130707f5fc7418cb7f1275b533e733f5f4ec887651267a4\
             82875ef84c785f664f002d8c7baaf3f15c194505f7aebff324d7cf5d",
        ),
        (
            "aes256-sha256",
            QUESTION,
            "0100000100000007a0a1a2a3a4a5a6a7a8a9aaabacadaeaf66868231666a961a3f9b493f5003cb5fa00498b6227fb31c3e616935\
             7ccc3493de1312da240caed77d39a6ea45b3ed8fe74ccda0d6e5a8529548d524fe11f0c83d10d363cca9f640761ed5e8806f449b",
        ),
        (
            "aes192-sha384",
            ECHO,
            "0100000200000007a0a1a2a3a4a5a6a7a8a9aaabacadaeaf2d0918918eb4d7fc3edfdabf66af54e2b619599162c62ecf472f7ccb\
             9ab478df5bad9dc3cc25d85494cb695cc254ea50ce22dd7bf6f76150af85bc46b906db8e71126e86f2e97f6eb2faacde4b451505\
             ef9d40a52987703501b26ee542048fbeb5fc6ea770728b35c0120eb9103a20009b1b18ea335a47a8",
        ),
        (
            "aes256-sha512",
            QUESTION,
            "0100000300000007a0a1a2a3a4a5a6a7a8a9aaabacadaeaf66868231666a961a3f9b493f5003cb5fa00498b6227fb31c3e616935\
             7ccc3493de1312da240caed77d39a6ea45b3ed8fe74ccda0d6e5a8529548d524fe11f0c873d50f7c946700b501f5b6e0bb92a635\
             a1537db2902de19703b715d53b1a410d",
        ),
        (
            "null-sha256",
            ECHO,
            "010000060000000745000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b0c0d0e0f\
             101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204189e6e2ec7478b11\
             53332d7ae50ac9f1",
        ),
    ];
    if cfg!(feature = "legacy") {
        cases.extend([
            (
                "3des-sha1",
                ECHO,
                "0100000400000007a0a1a2a3a4a5a6a751c9bb27fa8c3b1940ff2808b62883fba6f579f21dbede4609bcb60124b351d8078dde16\
                 9824b5224a75ecb63b494b9a8fdb6f02533a21bee122b1c6a43371c9abeb8801290026e8e089d54bff89c7ce800d85dbbdc1c961\
                 2f0fac8e416de2b37457fb09",
            ),
            (
                "3des-md5",
                QUESTION,
                "0100000500000007a0a1a2a3a4a5a6a7523360142cdbbbd4aa3e593a3e6facd752f1a8ae3a84bd17eae9c479940acc52521a6c10\
                 b178ef1fa502056c53e08fc4333d21076df7bb866c9ae832c305e947e96f9c9e305df52b2a833ca4",
            ),
        ]);
    }
    for (suite, inner, esp) in cases {
        assert_eq!(open(suite, None, &hex(esp)), (Verdict::Deliver, hex(inner)), "{suite}");
    }
}

/// RFC 3602 §4, cases 7 and 8: header, IV and text are the RFC's. It has no ICV; HMAC-SHA1-96 with the key 40 41 42 … was
/// added by Python's `hmac`.
#[test]
fn the_tunnel_packets_of_rfc_3602_are_opened() {
    let case_7 = "00008765 00000002 f4e76524 4f6407ad f13dc138 0f673f37 \
        773b5241 a4c44922 5e4f3ce5 ed611b0c 237ca96c f74a9301 3c1b0ea1 a0cf70f8 \
        e4ecaec7 8ac53aad 7a0f022b 859243c6 47752e94 a859352b 8a4d4d2d ecd136e5 \
        c177f132 ad3fbfb2 201ac990 4c74ee0a 109e0ca1 e4dfe9d5 a100b842 f1c22f0d \
        284ac54f d44e4841 bbc9d6c9";
    let case_8 = "00008765 00000005 85d47224 b5f3dd5d 2101d4ea 8dffab22 \
        15b92683 819596a8 047232cc 00f7048f e45318e1 1f8a0f62 ede3c3fc 61203bb5 \
        0f980a08 c9843fd3 a1b06d5c 07ff9639 b7eb7dfb 3512e5de 435e7207 ed971ef3 \
        d2726d9b 5ef6affc 6d17a0de cbb13892 \
        86803c70 03fb7fc1 17a94a63";
    let keys = || SaKeys {
        encryption: ipsec_crypto::Secret::new(hex("01234567 89abcdef 01234567 89abcdef")),
        integrity: common::key(0x40, 20),
    };
    assert_eq!(open("aes128-sha1", Some(keys()), &hex(case_7)), (Verdict::Deliver, hex(ECHO)));
    let inner_8 = "45000044 090c0000 4001f990 c0a87b03 c0a87bc8 0800d63c aa0a0200 c69c083d \
        a3de0300 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff";
    assert_eq!(open("aes128-sha1", Some(keys()), &hex(case_8)), (Verdict::Deliver, hex(inner_8)));
}

/// What we seal with known randomness, found by scapy 2.5 to hold the packet above.
#[test]
fn sealed_octets_are_as_scapy_opened_them() {
    let golden = [
        (
            "aes128-sha1",
            ECHO,
            "01020304000000013a4720b1bd5c7f82bac9238d10aa37b7f904f0f7dac36ceb6ba05a1ae2fa303d1c5541356e724eae \
             4ae959ae01cda706691bf50b07d640a891451e59c080de78884b3cc86c13449f2cda39be5c2911839b63da47495e5ca8 \
             20cfc493c3042fe3d0bc947df9367d367fe98764b99b1cae9b1e02aa765594f2cd162690",
        ),
        (
            "aes256-sha512",
            QUESTION,
            "01020304000000013a4720b1bd5c7f82bac9238d10aa37b776d0ac2a9771dd5f2cd5645856ccddf3276b0945b422799c \
             a3c77e29a8b603e9c013223c8344b760dad764a32ee1d7d53e7ecb4e8aba47cda05d5915d39dd49246f2842306b34d11 \
             dfe1d18e8684d547bea7018ad13fe5fb1091bc589f821788",
        ),
        (
            "null-sha256",
            ECHO,
            "010203040000000145000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b \
             0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204 \
             70ae593f0499b24ad6af88580ece6abb",
        ),
    ];
    for (suite, inner, esp) in golden {
        let mut pair = Pair::without_sas(Setup { suite, ..Setup::default() });
        let sa = pair.outbound(PAIR, Spi(0x0102_0304), path(), Selector::ANY);
        pair.a.apply(pair.now, Update::Policies(std::sync::Arc::new(common::protect(&[Selector::ANY]))));
        pair.a.apply(pair.now, Update::InstallOutbound(sa));
        pair.a.apply(pair.now, Update::Activate(PAIR));
        let sealed = run(&[hex(inner)], Meta::Clear, |batch| pair.a.outbound(pair.now, batch)).remove(0).1;
        let text: String = sealed.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(text, esp.split_whitespace().collect::<String>(), "{suite}");
    }
}
