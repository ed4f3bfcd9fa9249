//! What defines an SA, as octets.

use std::time::Duration;

use ipsec_crypto::{Cipher, Integrity, ProtectionSuite, Secret};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, Spi};

use super::PersistError;
use super::octets::{Reader, Writer};
use crate::sad::{
    AntiReplay, DontFragment, DscpMap, Ecn, Esn, Fragmentation, HopLimit, InnerDscp, Keying, Lifetime,
    Limits, Mode, MssClamp, OuterDscp, OuterHeader, PairId, Protocol, SaKeys, SaParams, TfcPadding,
    TransportChecksum, TunnelOptions, Unauthenticated,
};
use crate::selector::{AddressRange, Addresses, PortRange, Selector};
use crate::spd::TemplateId;
use crate::verdict::Encap;

const ENCAPS: [Encap; 2] = [Encap::Raw, Encap::Udp];
const ESNS: [Esn; 2] = [Esn::Off, Esn::On];
const KEYINGS: [Keying; 2] = [Keying::Negotiated, Keying::Manual];
const UNAUTHENTICATED: [Unauthenticated; 2] = [Unauthenticated::Refuse, Unauthenticated::Allow];
const OUTER_HEADERS: [OuterHeader; 2] = [OuterHeader::System, OuterHeader::Own];
const INNER_DSCPS: [InnerDscp; 2] = [InnerDscp::Keep, InnerDscp::CopyOuter];
const ECNS: [Ecn; 2] = [Ecn::Normal, Ecn::Compatibility];
const DFS: [DontFragment; 3] = [DontFragment::Copy, DontFragment::Set, DontFragment::Clear];
const FRAGMENTATIONS: [Fragmentation; 2] = [Fragmentation::Before, Fragmentation::After];

type Read<T> = Result<T, PersistError>;

pub(super) fn write_params(w: &mut Writer, params: &SaParams) {
    w.u64(params.pair.0);
    w.u32(params.template.0);
    w.u32(params.spi.0);
    write_protocol(w, &params.protocol);
    write_mode(w, &params.mode);
    w.one_of(&ENCAPS, &params.encap);
    w.socket(params.path.local);
    w.socket(params.path.remote);
    write_selector(w, &params.selector);
    for limits in [params.lifetime.soft, params.lifetime.hard] {
        w.u8(u8::from(limits.time.is_some()));
        limits.time.into_iter().for_each(|time| w.duration(time));
        w.option(limits.bytes);
        w.option(limits.packets);
    }
    w.u32(match params.anti_replay {
        AntiReplay::Off => 0,
        AntiReplay::Window(size) => size,
    });
    w.one_of(&ESNS, &params.esn);
    w.one_of(&KEYINGS, &params.keying);
    w.one_of(&UNAUTHENTICATED, &params.unauthenticated);
    w.one_of(&OUTER_HEADERS, &params.outer_header);
    match params.tfc {
        TfcPadding::None => w.u8(0),
        TfcPadding::To(octets) => {
            w.u8(1);
            w.u16(octets);
        }
        TfcPadding::Random(octets) => {
            w.u8(2);
            w.u16(octets);
        }
    }
    w.option(params.within.map(|pair| pair.0));
}

pub(super) fn read_params(r: &mut Reader<'_>) -> Read<SaParams> {
    let (pair, template, spi) = (PairId(r.u64()?), TemplateId(r.u32()?), Spi(r.u32()?));
    let protocol = read_protocol(r)?;
    let mode = read_mode(r)?;
    let encap = r.one_of(&ENCAPS, "encapsulation")?;
    let path = Path::new(r.socket()?, r.socket()?);
    let selector = read_selector(r)?;
    let lifetime = Lifetime { soft: read_limits(r)?, hard: read_limits(r)? };
    let mut params = SaParams::new(pair, template, spi, protocol, path, selector);
    (params.mode, params.encap, params.lifetime) = (mode, encap, lifetime);
    params.anti_replay = match r.u32()? {
        0 => AntiReplay::Off,
        size => AntiReplay::Window(size),
    };
    params.esn = r.one_of(&ESNS, "sequence number size")?;
    params.keying = r.one_of(&KEYINGS, "keying")?;
    params.unauthenticated = r.one_of(&UNAUTHENTICATED, "encryption without integrity")?;
    params.outer_header = r.one_of(&OUTER_HEADERS, "outer header")?;
    let at = r.at();
    params.tfc = match r.u8()? {
        0 => TfcPadding::None,
        1 => TfcPadding::To(r.u16()?),
        2 => TfcPadding::Random(r.u16()?),
        _ => return Err(PersistError::Invalid { what: "padding", at }),
    };
    params.within = r.option("carrying pair")?.map(PairId);
    Ok(params)
}

fn read_limits(r: &mut Reader<'_>) -> Read<Limits> {
    let at = r.at();
    let time: Option<Duration> = match r.u8()? {
        0 => None,
        1 => Some(r.duration()?),
        _ => return Err(PersistError::Invalid { what: "limit", at }),
    };
    Ok(Limits { time, bytes: r.option("limit")?, packets: r.option("limit")? })
}

fn write_protocol(w: &mut Writer, protocol: &Protocol) {
    match protocol {
        Protocol::Esp { suite, keys } => {
            w.u8(50);
            w.short(suite.cipher.to_string().as_bytes());
            w.short(suite.integrity.map(Integrity::name).unwrap_or_default().as_bytes());
            w.short(keys.encryption.as_slice());
            w.short(keys.integrity.as_slice());
        }
        Protocol::Ah { integrity, key } => {
            w.u8(51);
            w.short(integrity.name().as_bytes());
            w.short(key.as_slice());
        }
    }
}

fn read_protocol(r: &mut Reader<'_>) -> Read<Protocol> {
    let at = r.at();
    match r.u8()? {
        50 => {
            let cipher = r.named("cipher", Cipher::from_name)?;
            let integrity = r.named("integrity algorithm", |name| match name {
                "" => Some(None),
                name => Integrity::from_name(name).map(Some),
            })?;
            let encryption = Secret::from_slice(r.short()?);
            let keys = SaKeys { encryption, integrity: Secret::from_slice(r.short()?) };
            Ok(Protocol::Esp { suite: ProtectionSuite { cipher, integrity }, keys })
        }
        51 => {
            let integrity = r.named("integrity algorithm", Integrity::from_name)?;
            Ok(Protocol::Ah { integrity, key: Secret::from_slice(r.short()?) })
        }
        _ => Err(PersistError::Invalid { what: "protocol", at }),
    }
}

fn write_mode(w: &mut Writer, mode: &Mode) {
    match mode {
        Mode::Tunnel(options) => {
            w.u8(0);
            write_tunnel(w, options);
        }
        Mode::Transport { checksum } => {
            w.u8(1);
            match checksum {
                TransportChecksum::Keep => w.u8(0),
                TransportChecksum::Adjust { source, destination } => {
                    w.u8(1);
                    w.address(*source);
                    w.address(*destination);
                }
                TransportChecksum::Recompute => w.u8(2),
                TransportChecksum::Clear => w.u8(3),
            }
        }
        Mode::Beet { local, remote } => {
            w.u8(2);
            w.address(*local);
            w.address(*remote);
        }
    }
}

fn read_mode(r: &mut Reader<'_>) -> Read<Mode> {
    let at = r.at();
    match r.u8()? {
        0 => read_tunnel(r).map(Mode::Tunnel),
        1 => {
            let at = r.at();
            let checksum = match r.u8()? {
                0 => TransportChecksum::Keep,
                1 => TransportChecksum::Adjust { source: r.address()?, destination: r.address()? },
                2 => TransportChecksum::Recompute,
                3 => TransportChecksum::Clear,
                _ => return Err(PersistError::Invalid { what: "checksum", at }),
            };
            Ok(Mode::Transport { checksum })
        }
        2 => Ok(Mode::Beet { local: r.address()?, remote: r.address()? }),
        _ => Err(PersistError::Invalid { what: "mode", at }),
    }
}

fn write_tunnel(w: &mut Writer, options: &TunnelOptions) {
    match options.dscp {
        OuterDscp::Copy => w.u8(0),
        OuterDscp::Set(dscp) => {
            w.u8(1);
            w.u8(dscp);
        }
        OuterDscp::Map(map) => {
            w.u8(2);
            (0..64).for_each(|inner| w.u8(map.get(inner)));
        }
    }
    w.one_of(&INNER_DSCPS, &options.inner_dscp);
    w.one_of(&ECNS, &options.ecn);
    w.one_of(&DFS, &options.df);
    match options.hop_limit {
        HopLimit::Copy => w.u16(0),
        HopLimit::Set(limit) => w.u16(0x100 | u16::from(limit)),
    }
    match options.mss {
        MssClamp::Off => w.u8(0),
        MssClamp::PathMtu => w.u8(1),
        MssClamp::To(octets) => {
            w.u8(2);
            w.u16(octets);
        }
    }
    w.one_of(&FRAGMENTATIONS, &options.fragmentation);
}

fn read_tunnel(r: &mut Reader<'_>) -> Read<TunnelOptions> {
    let at = r.at();
    let dscp = match r.u8()? {
        0 => OuterDscp::Copy,
        1 => OuterDscp::Set(r.u8()?),
        2 => {
            let mut map = DscpMap::identity();
            for inner in 0..64 {
                map = map.with(inner, r.u8()?);
            }
            OuterDscp::Map(map)
        }
        _ => return Err(PersistError::Invalid { what: "DSCP", at }),
    };
    let inner_dscp = r.one_of(&INNER_DSCPS, "inner DSCP")?;
    let ecn = r.one_of(&ECNS, "ECN")?;
    let df = r.one_of(&DFS, "DF")?;
    let at = r.at();
    let hop_limit = match r.u16()?.to_be_bytes() {
        [0, 0] => HopLimit::Copy,
        [1, limit] => HopLimit::Set(limit),
        _ => return Err(PersistError::Invalid { what: "hop limit", at }),
    };
    let at = r.at();
    let mss = match r.u8()? {
        0 => MssClamp::Off,
        1 => MssClamp::PathMtu,
        2 => MssClamp::To(r.u16()?),
        _ => return Err(PersistError::Invalid { what: "MSS", at }),
    };
    let fragmentation = r.one_of(&FRAGMENTATIONS, "fragmentation")?;
    Ok(TunnelOptions { dscp, inner_dscp, ecn, df, hop_limit, mss, fragmentation })
}

fn write_selector(w: &mut Writer, selector: &Selector) {
    for addresses in [&selector.local, &selector.remote] {
        match addresses {
            Addresses::Any => w.u8(0),
            Addresses::Range(range) => {
                w.u8(1);
                w.address(range.first());
                w.address(range.last());
            }
        }
    }
    w.option(selector.protocol.map(|protocol| protocol.0.into()));
    for ports in [selector.local_port, selector.remote_port] {
        w.u16(ports.first());
        w.u16(ports.last());
    }
}

fn read_selector(r: &mut Reader<'_>) -> Read<Selector> {
    let (local, remote) = (read_addresses(r)?, read_addresses(r)?);
    let at = r.at();
    let protocol = r.option("protocol")?.map(u8::try_from).transpose();
    let protocol = protocol.map_err(|_| PersistError::Invalid { what: "protocol", at })?.map(IpProtocol);
    Ok(Selector { local, remote, protocol, local_port: read_ports(r)?, remote_port: read_ports(r)? })
}

fn read_addresses(r: &mut Reader<'_>) -> Read<Addresses> {
    let at = r.at();
    let invalid = PersistError::Invalid { what: "address range", at };
    match r.u8()? {
        0 => Ok(Addresses::Any),
        1 => {
            let range = AddressRange::new(r.address()?, r.address()?);
            range.map(Addresses::Range).map_err(|_| invalid)
        }
        _ => Err(invalid),
    }
}

fn read_ports(r: &mut Reader<'_>) -> Read<PortRange> {
    let at = r.at();
    let (first, last) = (r.u16()?, r.u16()?);
    let special = [PortRange::OPAQUE, PortRange::NONE];
    let special = special.into_iter().find(|ports| (ports.first(), ports.last()) == (first, last));
    special.or(PortRange::new(first, last)).ok_or(PersistError::Invalid { what: "ports", at })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, SocketAddrV6};

    use super::*;

    /// One of everything that there is to choose.
    fn all() -> Vec<SaParams> {
        let esp = |suite: &str| {
            let suite: ProtectionSuite = suite.parse().unwrap();
            let keys = SaKeys {
                encryption: Secret::new(vec![7; suite.key_len()]),
                integrity: Secret::new(vec![9; suite.integrity_key_len()]),
            };
            Protocol::Esp { suite, keys }
        };
        let v4 = Path::new(([192, 0, 2, 1], 4500).into(), ([192, 0, 2, 2], 4501).into());
        let v6 = Path::new(
            SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 7).into(),
            SocketAddrV6::new(Ipv6Addr::from_bits(5), 0, 0, 7).into(),
        );
        let range = |text: &str| text.parse::<AddressRange>().unwrap();
        let base =
            || SaParams::new(PairId(1), TemplateId(2), Spi(0x1000), esp("aes128gcm16"), v4, Selector::ANY);
        let tunnel = |change: fn(&mut TunnelOptions)| {
            let mut options = TunnelOptions::USUAL;
            change(&mut options);
            SaParams { mode: Mode::Tunnel(options), ..base() }
        };
        let address = Ipv6Addr::LOCALHOST.into();
        let limits = Limits { time: Some(Duration::new(9, 8)), bytes: Some(7), packets: None };
        let ah = Protocol::Ah { integrity: Integrity::HmacSha256_128, key: Secret::new(vec![3; 32]) };
        vec![
            base(),
            SaParams { protocol: esp("aes256-sha512"), path: v6, encap: Encap::Udp, esn: Esn::On, ..base() },
            SaParams::new(PairId(u64::MAX), TemplateId(0), Spi(u32::MAX), ah, v4, Selector::ANY),
            SaParams {
                selector: Selector {
                    protocol: Some(IpProtocol(6)),
                    local_port: PortRange::OPAQUE,
                    remote_port: PortRange::new(80, 90).unwrap(),
                    ..Selector::between(range("10.0.0.1-10.0.0.9"), range("fd00::/8"))
                },
                ..base()
            },
            SaParams {
                selector: Selector { local_port: PortRange::NONE, ..Selector::ANY },
                lifetime: Lifetime { soft: limits, hard: Limits { packets: Some(1), ..limits } },
                anti_replay: AntiReplay::Off,
                keying: Keying::Manual,
                unauthenticated: Unauthenticated::Allow,
                outer_header: OuterHeader::Own,
                within: Some(PairId(3)),
                ..base()
            },
            SaParams { tfc: TfcPadding::To(1400), anti_replay: AntiReplay::Window(4096), ..base() },
            SaParams {
                tfc: TfcPadding::Random(99),
                mode: Mode::Beet { local: address, remote: address },
                ..base()
            },
            SaParams { mode: Mode::TRANSPORT, ..base() },
            SaParams {
                mode: Mode::Transport {
                    checksum: TransportChecksum::Adjust { source: address, destination: address },
                },
                ..base()
            },
            SaParams { mode: Mode::Transport { checksum: TransportChecksum::Recompute }, ..base() },
            SaParams { mode: Mode::Transport { checksum: TransportChecksum::Clear }, ..base() },
            tunnel(|o| (o.dscp, o.inner_dscp) = (OuterDscp::Set(46), InnerDscp::CopyOuter)),
            tunnel(|o| {
                (o.dscp, o.ecn) = (OuterDscp::Map(DscpMap::identity().with(1, 2)), Ecn::Compatibility);
            }),
            tunnel(|o| (o.df, o.hop_limit, o.mss) = (DontFragment::Set, HopLimit::Copy, MssClamp::PathMtu)),
            tunnel(|o| {
                (o.df, o.mss, o.fragmentation) =
                    (DontFragment::Clear, MssClamp::To(1300), Fragmentation::After);
            }),
        ]
    }

    fn octets(params: &SaParams) -> Secret {
        let mut writer = Writer::new();
        write_params(&mut writer, params);
        writer.finish()
    }

    #[test]
    fn parameters_come_back_as_they_went() {
        let mut seen = std::collections::BTreeSet::new();
        for params in all() {
            let written = octets(&params);
            let mut reader = Reader::new(written.as_slice());
            let read = read_params(&mut reader).unwrap();
            assert_eq!(reader.end(), Ok(()));
            assert!(written.ct_eq(octets(&read).as_slice()));
            // What is shown tells them apart, but for the keys.
            assert_eq!(format!("{params:?}"), format!("{read:?}"));
            assert!(seen.insert(written.as_slice().to_vec()));
            for cut in 0..written.len() {
                let mut reader = Reader::new(&written.as_slice()[..cut]);
                assert!(
                    matches!(read_params(&mut reader), Err(PersistError::Truncated { .. })),
                    "cut at {cut}"
                );
            }
        }
    }
}
