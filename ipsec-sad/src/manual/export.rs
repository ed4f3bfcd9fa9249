//! A tunnel as text, keys included.

use ipsec_crypto::Secret;

use super::notation::{Hex, SecretText, SpiText, TrafficText};
use super::tunnel::{AutoRules, HeaderFormat, ManualMode, ManualSas, ManualTunnel, Nesting};
use crate::sad::{AntiReplay, Unauthenticated};

/// The first line of every text.
pub(super) const HEAD: &str = "manual-tunnel 1";

pub(super) const MODES: [(ManualMode, &str); 2] =
    [(ManualMode::Tunnel, "tunnel"), (ManualMode::Transport, "transport")];
pub(super) const FORMATS: [(HeaderFormat, &str); 2] =
    [(HeaderFormat::New, "new"), (HeaderFormat::Old, "old")];
pub(super) const NESTINGS: [(Nesting, &str); 2] =
    [(Nesting::AhOutside, "ah-outside"), (Nesting::EspOutside, "esp-outside")];
pub(super) const RULES: [(AutoRules, &str); 2] =
    [(AutoRules::Generate, "generate"), (AutoRules::Suppress, "suppress")];
pub(super) const UNAUTHENTICATED: [(Unauthenticated, &str); 2] =
    [(Unauthenticated::Refuse, "refuse"), (Unauthenticated::Allow, "allow")];

/// The word of a value.
fn word<T: PartialEq>(table: &[(T, &'static str)], value: &T) -> &'static str {
    table.iter().find(|(other, _)| other == value).map_or("", |(_, word)| word)
}

/// Writes a tunnel as text that [`import`](super::import()) reads: UTF-8, keys in hex. For the peer export the
/// [mirror](ManualTunnel::mirror).
#[must_use]
pub fn export(tunnel: &ManualTunnel) -> Secret {
    let mut text = SecretText::new();
    text.line(format_args!("{HEAD}"));
    text.line(format_args!("name {}", tunnel.name));
    text.line(format_args!("local {}", tunnel.local));
    text.line(format_args!("remote {}", tunnel.remote));
    text.line(format_args!("mode {}", word(&MODES, &tunnel.mode)));
    text.line(format_args!("format {}", word(&FORMATS, &tunnel.format)));
    text.line(format_args!("nesting {}", word(&NESTINGS, &tunnel.nesting)));
    text.line(format_args!("traffic {}", TrafficText(tunnel.traffic)));
    match tunnel.anti_replay {
        AntiReplay::Window(size) => text.line(format_args!("anti-replay {size}")),
        AntiReplay::Off => text.line(format_args!("anti-replay off")),
    }
    text.line(format_args!("rules {}", word(&RULES, &tunnel.rules)));
    text.line(format_args!("unauthenticated {}", word(&UNAUTHENTICATED, &tunnel.unauthenticated)));
    sas(&mut text, "outbound", &tunnel.outbound);
    sas(&mut text, "inbound", &tunnel.inbound);
    text.finish()
}

fn sas(text: &mut SecretText, way: &str, half: &ManualSas) {
    if let Some(esp) = &half.esp {
        let (spi, cipher, key) = (SpiText(esp.spi), esp.suite.cipher, Hex(&esp.encryption));
        match esp.suite.integrity {
            Some(integrity) => {
                let authentication = Hex(&esp.integrity);
                text.line(format_args!("{way} esp {spi} {cipher} {key} {integrity} {authentication}"));
            }
            None => text.line(format_args!("{way} esp {spi} {cipher} {key}")),
        }
    }
    if let Some(ah) = &half.ah {
        text.line(format_args!("{way} ah {} {} {}", SpiText(ah.spi), ah.integrity, Hex(&ah.key)));
    }
}
