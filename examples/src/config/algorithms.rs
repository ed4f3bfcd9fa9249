//! Proposals: read, and held against what IKEv1 can say, what is allowed, and what this build has.

use ipsec_io::crypto::{CryptoError, CryptoProvider, EspSuite, IkeSuite};

use super::fault::Collector;
use super::values::At;

/// What there is to say of one algorithm of a proposal.
struct Part {
    name: String,
    legacy: bool,
    /// Why it cannot be had.
    missing: Option<String>,
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
    let parts = [
        Part {
            name: cipher.to_string(),
            legacy: cipher.row().legacy,
            missing: none(provider.supports_cipher(cipher)),
        },
        Part { name: prf.to_string(), legacy: prf.row().legacy, missing: reason(provider.prf(prf)) },
        Part { name: group.to_string(), legacy: group.row().legacy, missing: reason(provider.group(group)) },
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
    let whole = provider.supports_protection(suite.protection());
    let cipher_missing = none(provider.supports_cipher(cipher));
    let mut parts = Vec::new();
    if let Some(integrity) = integrity {
        // The provider says it of the pair: with the cipher there it is the other one that lacks.
        let missing = if cipher_missing.is_none() { none(whole) } else { None };
        parts.push(Part { name: integrity.to_string(), legacy: integrity.row().legacy, missing });
    }
    if let Some(group) = group {
        parts.push(Part {
            name: group.to_string(),
            legacy: group.row().legacy,
            missing: reason(provider.group(group)),
        });
    }
    parts.insert(0, Part { name: cipher.to_string(), legacy: cipher.row().legacy, missing: cipher_missing });
    allowed(faults, text, legacy, &parts).then_some(suite)
}

fn parse<T: std::str::FromStr<Err = CryptoError>>(
    faults: &mut Collector<'_>,
    text: &At<String>,
    example: &str,
) -> Option<T> {
    match text.value.parse() {
        Ok(suite) => Some(suite),
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

fn reason<T>(found: Result<T, CryptoError>) -> Option<String> {
    found.err().map(|error| error.to_string())
}

fn none(supported: bool) -> Option<String> {
    (!supported).then(|| "it is not in this build".to_owned())
}

fn allowed(faults: &mut Collector<'_>, text: &At<String>, legacy: bool, parts: &[Part]) -> bool {
    let mut good = true;
    for Part { name, legacy: is_legacy, missing } in parts {
        if *is_legacy && !legacy {
            let fix = "use a current one, or set legacy = true in [gateway] if the peer has nothing better";
            faults.add(&text.span, format!("{name} is a legacy algorithm"), fix);
            good = false;
        } else if let Some(why) = missing {
            let fix = if *is_legacy { "build with --features legacy" } else { "choose another algorithm" };
            faults.add(&text.span, format!("{name} cannot be used: {why}"), fix);
            good = false;
        }
    }
    good
}
