//! `cargo xtask test`: runs all checks with one command, and installs what they need.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::wasm_target::TARGET;
use crate::{
    Outcome, browser, cargo, clients, debian, node, page, root, run, target_dir, with_feature,
};

/// The crates that are published.
const PUBLISHED: [&str; 4] =
    ["callerid-core", "callerid-client", "callerid-service", "callerid-server"];

/// Runs all checks. Those that fail fastest come first.
pub(crate) fn run_all() -> Outcome {
    step("rustfmt", cargo().args(["fmt", "--all", "--check"]))?;
    step(
        "the core builds for wasm32",
        cargo().args(["build", "--locked", "--package", "callerid-core", "--target", TARGET]),
    )?;
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--all-features"];
    step("clippy", cargo().args(clippy).args(["--", "--deny", "warnings"]))?;
    // A separate workspace, which nothing else compiles.
    let fuzz = ["clippy", "--locked", "--manifest-path", "fuzz/Cargo.toml"];
    step(
        "fuzz targets",
        cargo().args(fuzz).args(["--", "--deny", "warnings"]).current_dir(root()),
    )?;
    debian::install(&debian::SIP_PEERS)?;
    debian::install(&debian::DATABASE)?;
    // The server's tests start the program. They do not need the benchmarks' peers.
    step(
        "tests",
        cargo().args(["test", "--locked", "--workspace", "--all-features", "--no-fail-fast"]),
    )?;
    timed("published clients", clients::run_all)?;
    timed("the npm package", package_hosts)?;
    timed("the page", page::test)?;
    let docs = ["doc", "--locked", "--workspace", "--no-deps", "--all-features"];
    step("docs", cargo().args(docs).env("RUSTDOCFLAGS", "--deny warnings"))?;
    // Verifying the packages takes minutes. CONTRIBUTING.md does that for a release.
    let package = ["package", "--locked", "--allow-dirty", "--no-verify"];
    step(
        "packages",
        cargo().args(package).args(PUBLISHED.map(|name| format!("--package={name}"))),
    )?;
    deny()?;
    eprintln!("All checks passed.");
    Ok(())
}

/// Packs the npm package, and runs it in every host.
fn package_hosts() -> Outcome {
    with_feature("package", &[])?;
    let tarball = format!("npm/callerid-{}.tgz", env!("CARGO_PKG_VERSION"));
    let tests = root().join("tests/package");
    let mut hosts = node::node();
    hosts.arg("run.mjs").arg(target_dir().join(tarball)).current_dir(tests);
    run(hosts.env("CHROME", browser::install()?))
}

/// Looks at the licences of all dependencies, and at what is known against them, as far as the machine has what that takes.
fn deny() -> Outcome {
    if !cargo().args(["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        eprintln!("── licences and advisories: left out, there is no cargo-deny");
        return Ok(());
    }
    let mut deny = cargo();
    deny.args(["deny", "--offline", "check", "licenses", "bans", "sources"]);
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    if home.is_some_and(|home| home.join("advisory-dbs").is_dir()) {
        deny.arg("advisories");
    } else {
        eprintln!("── advisories: left out, `cargo deny fetch` brings their database");
    }
    step("licences and advisories", &mut deny)
}

fn step(name: &str, command: &mut Command) -> Outcome {
    timed(name, || run(command))
}

fn timed(name: &str, check: impl FnOnce() -> Outcome) -> Outcome {
    eprintln!("── {name}");
    let start = Instant::now();
    check().map_err(|error| format!("{name}: {error}"))?;
    eprintln!("── {name}: passed in {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}
