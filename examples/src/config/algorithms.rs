//! Proposals: read, and held against what IKEv1 can say, what is allowed, and what this build has.

use ipsec_io::crypto::{CryptoError, CryptoProvider, EspSuite, IkeSuite, Support};

use super::fault::Collector;
use super::values::At;

/// What there is to say of one algorithm of a proposal.
struct Part {
    name: String,
    legacy: bool,
    support: Support,
    /// Whether the provider has it.
    available: bool,
}

/// A phase 1 proposal; `None` with a fault noted.
pub(crate) fn ike(
    faults: &mut Collector<'_>,
    text: &At<String>,
    legacy: bool,
    provider: &CryptoProvider,
) -> Option<IkeSuite> {
    let suite: IkeSuite = parse(faults, text, "aes256-sha256-modp3072")?;
    let IkeSuite { cipher, prf, group } = suite;
    let numbered = [
        (cipher.row().ikev1_phase1.is_some(), cipher.to_string()),
        (prf.row().ikev1_phase1.is_some(), prf.name().to_owned()),
    ];
    numbers(faults, text, &numbered, "IKEv1's phase 1")?;
    let (encryption, hash, key_exchange) = (cipher.row(), prf.row(), group.row());
    let parts = [
        Part {
            name: cipher.to_string(),
            legacy: encryption.legacy,
            support: encryption.support,
            available: provider.supports_cipher(cipher),
        },
        Part {
            name: prf.to_string(),
            legacy: hash.legacy,
            support: hash.support,
            available: provider.supports_prf(prf),
        },
        Part {
            name: group.to_string(),
            legacy: key_exchange.legacy,
            support: key_exchange.support,
            available: provider.supports_group(group),
        },
    ];
    allowed(faults, text, legacy, &parts).then_some(suite)
}

/// A phase 2 proposal; `None` with a fault noted.
pub(crate) fn esp(
    faults: &mut Collector<'_>,
    text: &At<String>,
    legacy: bool,
    provider: &CryptoProvider,
) -> Option<EspSuite> {
    let suite: EspSuite = parse(faults, text, "aes256-sha256")?;
    let EspSuite { cipher, integrity, group } = suite;
    let mut numbered = vec![(cipher.row().ikev1_esp.is_some(), cipher.to_string())];
    numbered.extend(integrity.map(|integrity| (integrity.row().ikev1_auth.is_some(), integrity.to_string())));
    numbers(faults, text, &numbered, "IKEv1's phase 2")?;
    let has_cipher = provider.supports_cipher(cipher);
    let row = cipher.row();
    let mut parts = vec![Part {
        name: cipher.to_string(),
        legacy: row.legacy,
        support: row.support,
        available: has_cipher,
    }];
    if let Some(integrity) = integrity {
        let row = integrity.row();
        // The provider answers for the pair: where it has the cipher, the answer is about the other.
        let available = !has_cipher || provider.supports_protection(suite.protection());
        parts.push(Part { name: integrity.to_string(), legacy: row.legacy, support: row.support, available });
    }
    if let Some(group) = group {
        let (row, available) = (group.row(), provider.supports_group(group));
        parts.push(Part { name: group.to_string(), legacy: row.legacy, support: row.support, available });
    }
    allowed(faults, text, legacy, &parts).then_some(suite)
}

fn parse<T: std::str::FromStr<Err = CryptoError>>(
    faults: &mut Collector<'_>,
    text: &At<String>,
    example: &str,
) -> Option<T> {
    match text.value.parse() {
        Ok(suite) => Some(suite),
        Err(CryptoError::UnknownName { kind, name, suggestion: Some(meant), .. }) => {
            faults.add(&text.span, format!("`{name}` names no {kind}"), format!("did you mean \"{meant}\"?"));
            None
        }
        Err(CryptoError::UnknownName { kind, name, accepted, .. }) => {
            faults.add(&text.span, format!("`{name}` names no {kind}"), accepted);
            None
        }
        Err(error) => {
            faults.add(&text.span, error.to_string(), format!("write a proposal such as \"{example}\""));
            None
        }
    }
}

fn numbers(
    faults: &mut Collector<'_>,
    text: &At<String>,
    parts: &[(bool, String)],
    place: &str,
) -> Option<()> {
    let Some((_, name)) = parts.iter().find(|(has, _)| !has) else { return Some(()) };
    faults.add(&text.span, format!("{place} has no number for {name}"), "choose another algorithm");
    None
}

fn allowed(faults: &mut Collector<'_>, text: &At<String>, legacy: bool, parts: &[Part]) -> bool {
    let mut good = true;
    for Part { name, legacy: is_legacy, support, available } in parts {
        let (problem, fix) = match support {
            Support::Native if *is_legacy && !legacy => (
                format!("{name} is a legacy algorithm"),
                "use a current one, or set legacy = true in [gateway] if the peer has nothing better",
            ),
            Support::Native if *available => continue,
            Support::Native if *is_legacy => {
                (format!("{name} is not in this build"), "build with --features legacy, or use a current one")
            }
            Support::NamedOnly(why) => (format!("{name} cannot be used: {why}"), "choose another algorithm"),
            _ => (format!("{name} is not in this build"), "choose another algorithm"),
        };
        faults.add(&text.span, problem, fix);
        good = false;
    }
    good
}
