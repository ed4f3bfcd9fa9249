//! Single values of the file: how they are written, and what to write instead of a bad one.

use std::net::IpAddr;
use std::time::Duration;

use super::fault::Span;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place in the file.
    pub span: Span,
}

/// What is wrong with a text, and what to write instead.
pub(crate) type Wrong = (String, String);

fn wrong<T>(problem: &str, fix: &str) -> Result<T, Wrong> {
    Err((problem.to_owned(), fix.to_owned()))
}

/// The peer, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteHost {
    /// `%any`: whoever calls.
    Any,
    /// One address.
    Address(IpAddr),
    /// A DNS name, asked for again on every attempt.
    Name(String),
}

/// Whether ESP goes into UDP: `nat_traversal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NatTraversal {
    /// Where a NAT is found.
    #[default]
    Auto,
    /// Always.
    Force,
    /// Never; NAT traversal is not offered.
    Off,
}

/// When a child is negotiated: `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// When the first packet for it comes.
    #[default]
    Acquire,
    /// At once.
    Up,
    /// By command, or when the peer starts it.
    None,
}

/// `%any` or one of our addresses.
pub(crate) fn local(text: &str) -> Result<Option<IpAddr>, Wrong> {
    const FIX: &str = "write an address such as \"192.0.2.1\", or \"%any\" for whichever the peer writes to";
    if text == "%any" {
        return Ok(None);
    }
    match text.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => wrong("not an address of a host", FIX),
        Ok(address) => Ok(Some(address)),
        Err(_) => wrong("not an address", FIX),
    }
}

/// `%any`, an address or a DNS name.
pub(crate) fn remote(text: &str) -> Result<RemoteHost, Wrong> {
    const FIX: &str = "write an address such as \"192.0.2.2\", a DNS name, or \"%any\" for whoever calls";
    if text == "%any" {
        return Ok(RemoteHost::Any);
    }
    match text.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() || address.is_multicast() => {
            wrong("not the address of a host", FIX)
        }
        Ok(address) => Ok(RemoteHost::Address(address)),
        Err(_) if is_host_name(text) => Ok(RemoteHost::Name(text.to_owned())),
        Err(_) => wrong("neither an address nor a DNS name", FIX),
    }
}

/// RFC 1123 §2.1: labels of letters, digits and hyphens; the last is not a number, or `192.0.2.300` would be a name.
fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number =
        name.rsplit('.').next().is_some_and(|label| label.bytes().all(|octet| octet.is_ascii_digit()));
    (1..=253).contains(&name.len()) && name.split('.').all(is_label) && !last_is_number
}

/// A name of a connection, child or policy. A slash would make `up NAME/CHILD` ambiguous.
pub(crate) fn name(text: &str) -> Result<String, Wrong> {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.len() <= 64 && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        wrong("not a name", "use 1 to 64 letters, digits, `-`, `_` and `.`")
    }
}

/// The name of an interface, as Linux takes it (`IFNAMSIZ` with its final zero is 16 octets).
pub(crate) fn interface(text: &str) -> Result<String, Wrong> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.len() <= 15 && text.chars().all(good) && !matches!(text, "." | "..") {
        Ok(text.to_owned())
    } else {
        wrong("not the name of an interface", "use 1 to 15 ASCII letters, digits, `-`, `_` and `.`")
    }
}

/// `90s`, `15m`, `8h` or `1d`, from `low` to `high`.
pub(crate) fn duration(text: &str, low: Duration, high: Duration) -> Result<Duration, Wrong> {
    let fix = format!(
        "write a time from {} s to {} s with its unit: \"90s\", \"15m\", \"8h\", \"1d\"",
        low.as_secs(),
        high.as_secs()
    );
    let seconds = text.char_indices().next_back().and_then(|(end, unit)| {
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => return None,
        };
        text.get(..end)?.parse::<u32>().ok().map(|number| u64::from(number) * factor)
    });
    match seconds.map(Duration::from_secs) {
        None => Err(("not a time".to_owned(), fix)),
        Some(time) if time < low => Err(("too short".to_owned(), fix)),
        Some(time) if time > high => Err(("too long".to_owned(), fix)),
        Some(time) => Ok(time),
    }
}

pub(crate) fn nat_traversal(text: &str) -> Result<NatTraversal, Wrong> {
    match text {
        "auto" => Ok(NatTraversal::Auto),
        "force" => Ok(NatTraversal::Force),
        "off" => Ok(NatTraversal::Off),
        _ => wrong("no such choice", "write \"auto\", \"force\" or \"off\""),
    }
}

pub(crate) fn start(text: &str) -> Result<Start, Wrong> {
    match text {
        "acquire" => Ok(Start::Acquire),
        "up" => Ok(Start::Up),
        "none" => Ok(Start::None),
        _ => wrong("no such choice", "write \"acquire\", \"up\" or \"none\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_only_looks_like_one() {
        assert_eq!(remote("gw.example.org"), Ok(RemoteHost::Name("gw.example.org".into())));
        assert_eq!(remote("%any"), Ok(RemoteHost::Any));
        assert!(matches!(remote("2001:db8::1"), Ok(RemoteHost::Address(_))));
        for bad in ["192.0.2.300", "192.0.2", "0.0.0.0", "224.0.0.1", "a..b", "-a.example", "a b", "%all"] {
            assert!(remote(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_a_unit_and_stay_in_range() {
        let read = |text| {
            duration(text, Duration::from_secs(60), Duration::from_secs(86400)).map(|time| time.as_secs())
        };
        assert_eq!(read("90s"), Ok(90));
        assert_eq!(read("15m"), Ok(900));
        assert_eq!(read("1d"), Ok(86400));
        for bad in ["90", "59s", "2d", "-1h", "h", "", "1 h", "99999999999d", "1µ"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
