//! Legal tunnels go through every form and come back; illegal ones are refused by the rule they break.

use std::net::IpAddr;

use ipsec_crypto::{Cipher, Encryption, Integrity, ProtectionSuite, Secret, Seeded};
use ipsec_proto::Spi;
use ipsec_proto::registry::IpProtocol;
use proptest::prelude::*;

use super::setkey::Dialect;
use super::table::{
    CONFIDENTIALITY_ALONE, COUNTER_MODE, ESP_ICV, NEW_HEADER, NOTHING, NULL_ALONE, OLD_HEADER, OLD_REPLAY,
    ONE_SHAPE, TRANSPORT_HOSTS, UNKNOWN_ALGORITHM,
};
use super::*;
use crate::sad::{AntiReplay, SpiAllocator, Unauthenticated};
use crate::selector::AddressRange;

const LOCAL_V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const REMOTE_V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn net(text: &str) -> AddressRange {
    text.parse().unwrap()
}

fn locals() -> [IpAddr; 2] {
    [LOCAL_V4, "2001:db8::1".parse().unwrap()]
}

fn number() -> TunnelNumber {
    TunnelNumber(7)
}

/// Every legal pair of algorithms of a format, by the table.
fn suites(format: HeaderFormat) -> Vec<ManualSuite> {
    let of = |formats: &&[HeaderFormat]| formats.contains(&format);
    let integrities: Vec<Integrity> =
        INTEGRITY.iter().filter(|(_, formats)| of(formats)).map(|(id, _)| *id).collect();
    let mut suites: Vec<ManualSuite> =
        integrities.iter().map(|&ah| ManualSuite { esp: None, ah: Some(ah) }).collect();
    for (encryption, _) in ENCRYPTION.iter().filter(|(_, formats)| of(formats)) {
        let lengths = encryption.row().key_bits;
        for cipher in lengths.iter().filter_map(|&bits| Cipher::new(*encryption, bits).ok()) {
            for &integrity in &integrities {
                let esp = |integrity| Some(ProtectionSuite { cipher, integrity });
                suites.push(ManualSuite { esp: esp(None), ah: Some(integrity) });
                if format == HeaderFormat::New {
                    suites.push(ManualSuite { esp: esp(Some(integrity)), ah: None });
                    suites.push(ManualSuite { esp: esp(Some(integrity)), ah: Some(integrity) });
                }
            }
        }
    }
    suites
}

prop_compose! {
    fn tunnel()(
        (v6, inner_v6, old, transport, esp_outside, suppress) in any::<(bool, bool, bool, bool, bool, bool)>(),
        suite in any::<prop::sample::Index>(),
        window in prop_oneof![Just(None), (4_u32..512).prop_map(|eighth| Some(eighth * 8))],
        (protocol, local_port, remote_port) in
            (prop_oneof![Just(None), Just(Some(6_u8)), Just(Some(17)), Just(Some(47))], any::<Option<u16>>(), any::<Option<u16>>()),
        lengths in (0_u8..=32, 0_u8..=32),
        seed in any::<u64>(),
        name in "[a-zA-Z0-9._-]{1,64}",
    ) -> ManualTunnel {
        let format = if old { HeaderFormat::Old } else { HeaderFormat::New };
        let suites = suites(format);
        let (local, remote) = if v6 {
            ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap())
        } else {
            (LOCAL_V4, REMOTE_V4)
        };
        let prefix = |number: u32, length: u8| {
            let address: IpAddr = if inner_v6 {
                IpAddr::V6((u128::from(number) << 96 & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into())
            } else {
                IpAddr::V4((number & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into())
            };
            AddressRange::prefix(address, length).unwrap()
        };
        let mut traffic = if transport {
            ManualTraffic::between(local.into(), remote.into())
        } else {
            ManualTraffic::between(prefix(0x0a01_0000, lengths.0), prefix(0x0a02_ffff, lengths.1))
        };
        traffic.protocol = protocol.map(IpProtocol);
        if protocol.is_some_and(|protocol| protocol != 47) {
            (traffic.local_port, traffic.remote_port) = (local_port, remote_port);
        }
        let mut tunnel = ManualTunnel::new(name, local, remote, traffic);
        tunnel.format = format;
        tunnel.mode = if transport { ManualMode::Transport } else { ManualMode::Tunnel };
        tunnel.rules = if suppress { AutoRules::Suppress } else { AutoRules::Generate };
        tunnel.anti_replay = match window {
            Some(size) if !old => AntiReplay::Window(size),
            _ => AntiReplay::Off,
        };
        let mut tunnel =
            tunnel.generate(*suite.get(&suites), &SpiAllocator::new(1), &mut Seeded::from_u64(seed));
        if esp_outside && tunnel.is_nested() {
            tunnel.nesting = Nesting::EspOutside;
        }
        tunnel
    }
}

fn text(secret: &Secret) -> &str {
    std::str::from_utf8(secret.as_slice()).unwrap()
}

proptest! {
    #[test]
    fn a_legal_tunnel_goes_through_every_form_and_comes_back(tunnel in tunnel()) {
        tunnel.check(&locals()).unwrap();
        let mirrored = tunnel.mirror("there");
        prop_assert!(mirrored.mirror("here").is_same(&tunnel) && !mirrored.is_same(&tunnel));
        prop_assert!(mirrored.check(&[tunnel.remote]).is_ok());

        for tunnel in [&tunnel, &mirrored] {
            let back = import(text(&export(tunnel))).unwrap();
            prop_assert!(back.is_same(tunnel) && back.name == tunnel.name, "{}", text(&export(tunnel)));
        }

        let expressible = tunnel.format == HeaderFormat::New
            && tunnel.outbound.esp.as_ref().is_none_or(|esp| esp.suite.cipher.encryption != Encryption::CdmfCbc);
        match xfrm::export(&tunnel, number()) {
            Ok(written) => {
                let back = xfrm::import(text(&written), &locals()).unwrap();
                prop_assert_eq!(back.len(), 1);
                prop_assert!(back[0].is_same(&tunnel) && back[0].name == tunnel.name, "{}", text(&written));
                prop_assert!(expressible);
            }
            Err(error) => prop_assert!(!expressible, "{}", error),
        }
        for dialect in [Dialect::Bsd, Dialect::Linux] {
            match setkey::export(&tunnel, number(), dialect) {
                // What was applied first is not said without policies.
                Ok(_) if tunnel.is_nested() && tunnel.rules == AutoRules::Suppress => {}
                Ok(written) => {
                    let back = setkey::import(text(&written), &locals(), dialect).unwrap();
                    prop_assert_eq!(back.len(), 1);
                    prop_assert!(back[0].is_same(&tunnel) && back[0].name == tunnel.name, "{}", text(&written));
                }
                Err(ManualError { fault: ManualFault::NotExpressible { .. }, .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn no_text_panics(lines in prop::collection::vec(
        prop_oneof![
            "\\PC{0,60}",
            "(ip )?xfrm (state|policy) add( (src|dst|proto|spi|enc|auth|mode|sel|tmpl|dir|reqid|10.0.0.1|esp|ah|'cbc\\(aes\\)'|0x[0-9a-f]{0,8}|tunnel)){0,12}",
            "(add|spdadd) 10.0.0.1 10.0.0.2( (esp|ah|-E|-A|-m|-P|aes-cbc|0x[0-9a-f]{0,8}|tunnel|out|ipsec|esp/tunnel/a-b/x)){0,8};",
            "(name|local|outbound|traffic|mode|inbound)( (esp|ah|0x10|aes128|sha1|0x[0-9a-f]{0,8}|10.0.0.1|any)){0,6}",
        ], 0..8)) {
        let text = lines.join("\n");
        let _ = import(&text);
        let _ = import(&format!("manual-tunnel 1\n{text}"));
        let _ = xfrm::import(&text, &locals());
        let _ = setkey::import(&text, &locals(), Dialect::Bsd);
    }
}

fn office() -> ManualTunnel {
    let traffic = ManualTraffic::between(net("10.1.0.0/24"), net("10.2.0.0/24"));
    let suite = ManualSuite { esp: Some("aes128-sha256".parse().unwrap()), ah: None };
    ManualTunnel::new("office", LOCAL_V4, REMOTE_V4, traffic).generate(
        suite,
        &SpiAllocator::new(1),
        &mut Seeded::from_u64(1),
    )
}

/// A tunnel with these algorithms, not checked.
fn with(format: HeaderFormat, esp: Option<(&str, Option<Integrity>)>, ah: Option<Integrity>) -> ManualTunnel {
    let suite = ManualSuite {
        esp: esp.map(|(cipher, integrity)| ProtectionSuite {
            cipher: Cipher::from_name(cipher).unwrap(),
            integrity,
        }),
        ah,
    };
    let mut tunnel = office().generate(suite, &SpiAllocator::new(1), &mut Seeded::from_u64(2));
    tunnel.format = format;
    if format == HeaderFormat::Old {
        tunnel.anti_replay = AntiReplay::Off;
    }
    tunnel
}

#[test]
fn an_illegal_combination_is_refused_by_the_rule_it_breaks() {
    use HeaderFormat::{New, Old};
    use Integrity::{HmacMd5_96, HmacSha1_96, HmacSha256_128, KpdkMd5, SigRsa};
    let sha256 = Some(HmacSha256_128);
    let mut one_way = office();
    one_way.inbound.ah = with(New, None, Some(HmacSha1_96)).inbound.ah;
    let mut windowed = with(Old, Some(("des-iv64", None)), Some(KpdkMd5));
    windowed.anti_replay = AntiReplay::default();
    let mut networks = office();
    networks.mode = ManualMode::Transport;
    let cases: Vec<(ManualTunnel, &'static Rule)> = vec![
        (with(New, None, None), &NOTHING),
        (one_way, &ONE_SHAPE),
        (with(New, Some(("null", None)), None), &NULL_ALONE),
        (with(New, Some(("aes128", None)), None), &CONFIDENTIALITY_ALONE),
        (with(Old, Some(("des-iv32", None)), None), &CONFIDENTIALITY_ALONE),
        (with(New, Some(("aes128gcm16", None)), None), &COUNTER_MODE),
        (with(New, Some(("aes128ctr", sha256)), None), &COUNTER_MODE),
        (with(New, Some(("chacha20poly1305", None)), None), &COUNTER_MODE),
        // The two of the first of our sources: HMAC needs the new header, DES_CBC_4 can't be used with it.
        (with(Old, None, Some(HmacMd5_96)), &NEW_HEADER),
        (with(Old, Some(("des-cbc", None)), Some(KpdkMd5)), &NEW_HEADER),
        (with(New, Some(("des-iv32", Some(HmacSha1_96))), None), &OLD_HEADER),
        (with(New, None, Some(KpdkMd5)), &OLD_HEADER),
        (with(Old, Some(("des-iv64", Some(KpdkMd5))), None), &ESP_ICV),
        (with(New, None, Some(SigRsa)), &UNKNOWN_ALGORITHM),
        (windowed, &OLD_REPLAY),
        (networks, &TRANSPORT_HOSTS),
    ];
    for (tunnel, rule) in &cases {
        let error = tunnel.check(&locals()).unwrap_err();
        assert_eq!(error.fault, ManualFault::Illegal(rule), "{error}");
        assert!(error.to_string().contains(rule.fix) && error.to_string().contains(rule.name));
    }
    for rule in RULES {
        assert!(cases.iter().any(|(_, broken)| broken == rule), "no case breaks {}", rule.name);
    }
    // The one rule that has an exception, which must be asked for.
    let mut allowed = with(New, Some(("aes128", None)), None);
    allowed.unauthenticated = Unauthenticated::Allow;
    assert_eq!(allowed.check(&locals()), Ok(()));
    let mut never = with(New, Some(("null", None)), None);
    never.unauthenticated = Unauthenticated::Allow;
    assert_eq!(never.check(&locals()).unwrap_err().fault, ManualFault::Illegal(&NULL_ALONE));
}

#[test]
fn every_algorithm_of_the_table_is_one_that_is_implemented() {
    for (id, formats) in INTEGRITY {
        assert_eq!(id.row().support, ipsec_crypto::Support::Native, "{id}");
        assert!(!formats.is_empty());
    }
    for (id, formats) in ENCRYPTION {
        assert_eq!(id.row().support, ipsec_crypto::Support::Native, "{id}");
        assert!(!formats.is_empty());
    }
    assert_eq!(RULES.len(), 11);
}

#[test]
fn errors_name_field_value_and_fix() {
    let locals = locals();
    let error = ManualTunnel::source("gw.example.net", &locals).unwrap_err();
    assert_eq!((error.field, &*error.value), (Field::Local, "gw.example.net"));
    assert_eq!(error.fault, ManualFault::SourceIsName);
    let error = ManualTunnel::source("192.0.2.77", &locals).unwrap_err();
    assert!(error.to_string().contains("choose one of 192.0.2.1"), "{error}");
    let error = ManualTunnel::source("2001:db8::9", &[LOCAL_V4]).unwrap_err();
    assert_eq!(error.fault, ManualFault::SourceNotLocal { locals: vec![] }, "no IPv6 address at all");
    assert_eq!(ManualTunnel::source("192.0.2.1", &locals), Ok(LOCAL_V4));

    let mistake = |change: fn(&mut ManualTunnel)| {
        let mut tunnel = office();
        change(&mut tunnel);
        let error = tunnel.check(&locals).unwrap_err();
        (error.field, error.fault)
    };
    assert_eq!(mistake(|t| t.name = "two words".into()), (Field::Name, ManualFault::BadName));
    assert_eq!(
        mistake(|t| t.remote = "2001:db8::2".parse().unwrap()),
        (Field::Remote, ManualFault::MixedFamilies)
    );
    assert_eq!(mistake(|t| t.remote = "224.0.0.1".parse().unwrap()), (Field::Remote, ManualFault::NotAHost));
    assert_eq!(
        mistake(|t| t.traffic.local = net("10.0.0.1-10.0.0.9")),
        (Field::TrafficLocal, ManualFault::NotAPrefix)
    );
    assert_eq!(
        mistake(|t| t.traffic.local_port = Some(80)),
        (Field::Protocol, ManualFault::PortsWithoutProtocol)
    );
    assert_eq!(
        mistake(|t| t.inbound.esp.as_mut().unwrap().spi = Spi(255)),
        (Field::InboundSpi, ManualFault::SpiReserved)
    );
    let (field, fault) =
        mistake(|t| t.outbound.esp.as_mut().unwrap().encryption = Secret::from_slice(&[1; 15]));
    assert_eq!(field, Field::EncryptionKey);
    assert_eq!(fault, ManualFault::KeyLength { algorithm: "aes128-sha256".to_owned(), expected: 16 });
    let mut twice = with(HeaderFormat::New, Some(("aes128", None)), Some(Integrity::HmacSha1_96));
    twice.inbound.ah.as_mut().unwrap().spi = twice.inbound.esp.as_ref().unwrap().spi;
    assert_eq!(twice.check(&locals).unwrap_err().fault, ManualFault::SpiTwice);

    // A key that can't be read is not shown.
    let shown = import("manual-tunnel 1\noutbound esp 0x1000 aes128 0xsecret");
    assert!(!shown.unwrap_err().to_string().contains("secret"));
    let shown = xfrm::import("ip xfrm state add src 1.1.1.1 dst 2.2.2.2 enc 'cbc(aes)' 0xsecret", &locals);
    assert!(!shown.unwrap_err().to_string().contains("secret"));
}

#[test]
fn commands_of_ip_xfrm_are_those_that_the_manual_page_has() {
    let mut tunnel = with(
        HeaderFormat::New,
        Some(("aes128", Some(Integrity::HmacSha256_128))),
        Some(Integrity::HmacSha1_96),
    );
    for (half, first) in [(&mut tunnel.outbound, 0x1000), (&mut tunnel.inbound, 0x2000)] {
        let esp = half.esp.as_mut().unwrap();
        (esp.spi, esp.encryption, esp.integrity) =
            (Spi(first), Secret::from_slice(&[0x11; 16]), Secret::from_slice(&[0x22; 32]));
        let ah = half.ah.as_mut().unwrap();
        (ah.spi, ah.key) = (Spi(first + 1), Secret::from_slice(&[0x33; 20]));
    }
    let (e, a, h) = ("11".repeat(16), "22".repeat(32), "33".repeat(20));
    let written = xfrm::export(&tunnel, number()).unwrap();
    let expected = format!(
        "# tunnel office\n\
         ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00001000 reqid 7 mode tunnel replay-window 128 \
         sel src 10.1.0.0/24 dst 10.2.0.0/24 auth-trunc 'hmac(sha256)' 0x{a} 128 enc 'cbc(aes)' 0x{e}\n\
         ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto ah spi 0x00001001 reqid 7 mode transport replay-window 128 \
         auth-trunc 'hmac(sha1)' 0x{h} 96\n\
         ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x00002000 reqid 7 mode tunnel replay-window 128 \
         sel src 10.2.0.0/24 dst 10.1.0.0/24 auth-trunc 'hmac(sha256)' 0x{a} 128 enc 'cbc(aes)' 0x{e}\n\
         ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto ah spi 0x00002001 reqid 7 mode transport replay-window 128 \
         auth-trunc 'hmac(sha1)' 0x{h} 96\n\
         ip xfrm policy add src 10.1.0.0/24 dst 10.2.0.0/24 dir out \
         tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 7 mode tunnel \
         tmpl src 192.0.2.1 dst 192.0.2.2 proto ah reqid 7 mode transport\n\
         ip xfrm policy add src 10.2.0.0/24 dst 10.1.0.0/24 dir in \
         tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 7 mode tunnel \
         tmpl src 192.0.2.2 dst 192.0.2.1 proto ah reqid 7 mode transport\n\
         ip xfrm policy add src 10.2.0.0/24 dst 10.1.0.0/24 dir fwd \
         tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 7 mode tunnel \
         tmpl src 192.0.2.2 dst 192.0.2.1 proto ah reqid 7 mode transport\n"
    );
    assert_eq!(text(&written), expected);
}

#[test]
fn files_of_setkey_are_those_that_people_write() {
    // The example of RFC 2401's bundle in setkey's manual page, with addresses of ours and no note.
    let file = "\
flush;
spdflush;
add 192.0.2.1 192.0.2.2 esp 0x10001 -m tunnel -E 3des-cbc 0x5f6f7573666f7468637269707470617373776f726420212a -A hmac-sha1 0x6f7573617574687061737377616e7421212a2b2c;
add 192.0.2.2 192.0.2.1 esp 0x10002 -m tunnel -E 3des-cbc 0x5f6f7573666f7468637269707470617373776f726420212a -A hmac-sha1 0x6f7573617574687061737377616e7421212a2b2c;
spdadd 10.1.0.0/24[any] 10.2.0.0/24[80] tcp -P out ipsec esp/tunnel/192.0.2.1-192.0.2.2/require;
spdadd 10.2.0.0/24[80] 10.1.0.0/24[any] tcp -P in ipsec esp/tunnel/192.0.2.2-192.0.2.1/require;
";
    let tunnels = setkey::import(file, &locals(), Dialect::Bsd).unwrap();
    let [tunnel] = &tunnels[..] else { panic!("{}", tunnels.len()) };
    assert_eq!(tunnel.name, "imported-1");
    assert_eq!(tunnel.outbound.esp.as_ref().unwrap().suite.to_string(), "3des-sha1");
    assert_eq!(tunnel.inbound.esp.as_ref().unwrap().spi, Spi(0x10002));
    assert_eq!(tunnel.traffic.remote_port, Some(80));
    assert_eq!(tunnel.anti_replay, AntiReplay::Off, "no -r: no replay check");
    assert_eq!(tunnel.check(&locals()), Ok(()));

    // Old headers have their own words there.
    let old = with(HeaderFormat::Old, Some(("des-iv64", None)), Some(Integrity::KpdkMd5));
    let written = setkey::export(&old, number(), Dialect::Bsd).unwrap();
    assert!(text(&written).contains(" esp-old 0x") && text(&written).contains(" ah-old 0x"));
    assert!(text(&written).contains("-A keyed-md5 0x"));
    // What hmac-sha256 is depends on whose setkey it is.
    let office = office();
    assert!(setkey::export(&office, number(), Dialect::Bsd).is_ok());
    let error = setkey::export(&office, number(), Dialect::Linux).unwrap_err();
    assert!(error.to_string().contains("export to ip xfrm"), "{error}");
}
