//! Checks of the names and commands in the documents.

use std::path::{Path, PathBuf};

/// A published client for Go sends only credentials of letters and digits, and rejects others.
#[test]
fn the_sample_credentials_are_letters_and_digits() {
    let readme = include_str!("../README.md");
    for name in ["CALLERID_ACCOUNT_SID=", "CALLERID_AUTH_TOKEN="] {
        let (_, rest) = readme.split_once(name).unwrap_or_default();
        let value = rest.split_whitespace().next().unwrap_or_default();
        let is_sendable = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric());
        assert!(is_sendable, "{name}{value}");
    }
}

/// The documents whose links and file names are checked.
const DOCUMENTS: [(&str, &str); 11] = [
    ("", include_str!("../README.md")),
    ("", include_str!("../ARCHITECTURE.md")),
    ("", include_str!("../CONTRIBUTING.md")),
    ("docs", include_str!("../docs/many-nodes.md")),
    ("docs", include_str!("../docs/sdk.md")),
    ("docs", include_str!("../docs/testing.md")),
    ("pkg", include_str!("../pkg/README.md")),
    ("crates/callerid-core", include_str!("../crates/callerid-core/README.md")),
    ("crates/callerid-client", include_str!("../crates/callerid-client/README.md")),
    ("crates/callerid-service", include_str!("../crates/callerid-service/README.md")),
    ("crates/callerid-server", include_str!("../crates/callerid-server/README.md")),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn links_lead_to_files() {
    for (folder, text) in DOCUMENTS {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_elsewhere = target.contains("://") || target.starts_with('#');
            assert!(
                is_elsewhere || root().join(folder).join(target).exists(),
                "{folder}: {target}"
            );
        }
    }
}

/// The tables of ARCHITECTURE.md name files relative to the crate in the heading.
#[test]
fn the_map_names_files() {
    let mut source = PathBuf::new();
    for line in include_str!("../ARCHITECTURE.md").lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            let name = heading.split('`').nth(1).unwrap_or_default();
            source = if name.is_empty() { root() } else { root().join(name).join("src") };
        }
        let Some((names, _)) = line.strip_prefix("| `").and_then(|row| row.split_once(" | "))
        else {
            continue;
        };
        for name in names.split('`').step_by(2) {
            assert!(source.join(name).exists(), "{line}");
        }
    }
}
