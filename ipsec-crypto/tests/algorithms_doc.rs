//! `docs/algorithms.md` is written from the table: `UPDATE_DOCS=1 cargo test -p ipsec-crypto --test algorithms_doc`.

use std::fmt::Display;
use std::path::Path;

use ipsec_crypto::suite::{Dialect, Names};
use ipsec_crypto::{Encryption, Group, Hash, Integrity, Prf, SignatureScheme, Support};

fn number<T: Display>(number: Option<T>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn support(support: Support, legacy: bool) -> String {
    match support {
        Support::Native if legacy => "with `legacy`".to_owned(),
        Support::Native => "yes".to_owned(),
        Support::NamedOnly(reason) => format!("named only: {reason}"),
        _ => unreachable!("a kind of support the table does not have"),
    }
}

fn table(title: &str, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text =
        format!("\n## {title}\n\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        assert_eq!(row.len(), columns.len());
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

/// One column a dialect, but only those that name any of the rows.
fn names<'a>(title: &str, rows: impl Iterator<Item = (&'static str, &'a Names)> + Clone) -> String {
    let dialects: Vec<_> = Dialect::ALL
        .into_iter()
        .filter(|&d| rows.clone().any(|(_, names)| !names.of(d).is_empty()))
        .collect();
    let headings: Vec<_> = dialects.iter().map(ToString::to_string).collect();
    let columns: Vec<_> = std::iter::once("name").chain(headings.iter().map(String::as_str)).collect();
    let cell = |spellings: &[&str]| {
        let quoted: Vec<_> = spellings.iter().map(|name| format!("`{}`", name.replace('#', "N"))).collect();
        if quoted.is_empty() { "-".to_owned() } else { quoted.join(", ") }
    };
    let row = |(name, names): (&str, &Names)| {
        std::iter::once(name.to_owned()).chain(dialects.iter().map(|&d| cell(names.of(d)))).collect()
    };
    table(title, &columns, rows.map(row))
}

fn render() -> String {
    let mut text = "# Algorithms\n\nWritten from the table in `ipsec-crypto/src/suite/`; do not edit. Sizes are octets unless a \
                    column says bits.\n\"Status\" follows RFC 8221 and RFC 8247. \"Native\" says whether it is implemented: the \
                    others are recognised and named\nin a peer's proposal, and refused.\n"
        .to_owned();
    text += &table(
        "Encryption",
        &[
            "name",
            "spelled",
            "IKEv1 phase 1",
            "IKEv1 ESP",
            "IKEv2",
            "key bits",
            "salt",
            "IV",
            "block",
            "ICV",
            "status",
            "after",
            "native",
        ],
        Encryption::rows().iter().map(|row| {
            let bits: Vec<_> = row.key_bits.iter().map(u16::to_string).collect();
            vec![
                row.name.to_owned(),
                format!("`{}`", row.names.ours[0].replace('#', "N")),
                number(row.ikev1_phase1),
                number(row.ikev1_esp),
                number(row.ikev2),
                bits.join(", "),
                row.salt.to_string(),
                row.iv.to_string(),
                row.block.to_string(),
                row.icv.to_string(),
                row.status.to_string(),
                row.status_source.to_owned(),
                support(row.support, row.legacy),
            ]
        }),
    );
    text += &table(
        "Integrity",
        &["name", "IKEv1 attribute", "IKEv1 AH", "IKEv2", "key", "ICV", "status", "after", "native"],
        Integrity::rows().iter().map(|row| {
            vec![
                row.name.to_owned(),
                number(row.ikev1_auth),
                number(row.ikev1_ah),
                number(row.ikev2),
                row.key.to_string(),
                row.icv.to_string(),
                row.status.to_string(),
                row.status_source.to_owned(),
                support(row.support, row.legacy),
            ]
        }),
    );
    text += &table(
        "Pseudo-random functions (IKEv1: hashes)",
        &["name", "IKEv1 phase 1", "IKEv2", "output", "status", "after", "native"],
        Prf::rows().iter().map(|row| {
            vec![
                row.name.to_owned(),
                number(row.ikev1_phase1),
                number(row.ikev2),
                row.output.to_string(),
                row.status.to_string(),
                row.status_source.to_owned(),
                support(row.support, row.legacy),
            ]
        }),
    );
    text += &table(
        "Groups",
        &["name", "IKEv1", "IKEv2", "public value", "shared secret", "status", "after", "native"],
        Group::rows().iter().map(|row| {
            vec![
                row.name.to_owned(),
                number(row.ikev1),
                number(row.ikev2),
                row.public.to_string(),
                row.shared.to_string(),
                row.status.to_string(),
                row.status_source.to_owned(),
                support(row.support, row.legacy),
            ]
        }),
    );
    text += &table(
        "Signatures",
        &["name", "IKEv1", "IKEv2", "object identifier", "hash", "status", "after", "native"],
        SignatureScheme::rows().iter().map(|row| {
            vec![
                row.name.to_owned(),
                number(row.ikev1_auth),
                number(row.ikev2_auth),
                row.oid.unwrap_or("-").to_owned(),
                row.hash.map_or("as negotiated", Hash::name).to_owned(),
                row.status.to_string(),
                row.status_source.to_owned(),
                support(row.support, row.legacy),
            ]
        }),
    );
    text += &table(
        "Hashes of signatures",
        &["name", "IKEv2", "output", "status", "after", "native"],
        Hash::rows().iter().map(|row| {
            vec![
                row.name.to_owned(),
                row.ikev2.to_string(),
                row.output.to_string(),
                row.status.to_string(),
                row.status_source.to_owned(),
                support(row.support, false),
            ]
        }),
    );
    text += "\n# Names\n\nIn each dialect the first name is the one printed; all are read, without regard to case, and `_` is `-`.\n\
             `N` stands for the key length in bits; a name of a cipher without it means the default length. A name that two dialects\n\
             read differently means, where no dialect is given, what the dialect further left says.\n";
    text +=
        &names("Names of encryption algorithms", Encryption::rows().iter().map(|row| (row.name, &row.names)));
    text +=
        &names("Names of integrity algorithms", Integrity::rows().iter().map(|row| (row.name, &row.names)));
    text += &names("Names of pseudo-random functions", Prf::rows().iter().map(|row| (row.name, &row.names)));
    text += &names("Names of groups", Group::rows().iter().map(|row| (row.name, &row.names)));
    text += &names("Names of signatures", SignatureScheme::rows().iter().map(|row| (row.name, &row.names)));
    text
}

#[test]
fn is_what_the_table_says() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // The packaged crate comes without the workspace, and so without its documents.
    if !workspace.join("docs/architecture.md").exists() {
        return;
    }
    let path = workspace.join("docs/algorithms.md");
    let expected = render();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/algorithms.md is stale: UPDATE_DOCS=1 cargo test -p ipsec-crypto --test algorithms_doc"
    );
}
