//! Programs that tests need and Debian has: installed with apt where that needs no interaction.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::{Outcome, run};

/// A package, and the program in it, if that is what it is for.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) program: Option<&'static str>,
}

/// The other sides of calls.
pub(crate) const SIP_PEERS: [Package; 4] = [
    Package { name: "sip-tester", program: Some("sipp") },
    Package { name: "kamailio", program: Some("kamailio") },
    Package { name: "kamailio-tls-modules", program: None },
    Package { name: "baresip", program: Some("baresip") },
];

/// The database that a store of the server is in, and what its tests need.
pub(crate) const DATABASE: [Package; 2] = [
    Package { name: "postgresql", program: None },
    // Gives servers different clocks.
    Package { name: "libfaketime", program: None },
];

/// Installs the packages that are missing.
///
/// # Errors
/// What to install, if this cannot do it.
pub(crate) fn install(packages: &[Package]) -> Outcome {
    let missing = packages.iter().filter(|package| !is_installed(package));
    let missing: Vec<&str> = missing.map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !can_install() {
        return Err(
            format!("install first: apt-get install --no-install-recommends {names}").into()
        );
    }
    eprintln!("apt-get installs {names}");
    run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
    let mut apt = Command::new("apt-get");
    run(apt.args(install).args(missing).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether apt is there, and may install.
pub(crate) fn can_install() -> bool {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    is_root && Command::new("apt-get").arg("--version").output().is_ok()
}

/// Whether a package's program is in the path, or where the system's own are; or, without one,
/// whether Debian has it installed. Elsewhere, tests say what they miss.
fn is_installed(package: &Package) -> bool {
    let Some(program) = package.program else {
        let query = ["--show", "--showformat=${db:Status-Status}", package.name];
        let status = Command::new("dpkg-query").args(query).output();
        return status.is_ok_and(|output| output.stdout == b"installed")
            || Command::new("dpkg-query").arg("--version").output().is_err();
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([Path::new("/usr/sbin").to_path_buf()]);
    folders.into_iter().any(|folder| folder.join(program).is_file())
}
