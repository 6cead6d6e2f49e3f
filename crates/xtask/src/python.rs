//! Python: finds it, checks its version, and installs the packages of a requirements file.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::{Outcome, run};

/// The minimum version of Python, for which `requirements.txt` is locked.
const OLDEST: (u32, u32) = (3, 9);

/// Creates a virtual environment with the packages of the file in this folder, unless it exists.
/// Returns its Python.
pub(crate) fn install(
    requirements: &Path,
    folder: &Path,
) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let wanted = fs::read(requirements)?;
    let installed = folder.join("installed.txt");
    if python.exists() && fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("pip installs what {} names", requirements.display());
    make(find()?, folder)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let exactly = ["--require-hashes", "--only-binary", ":all:", "--requirement"];
    run(Command::new(&python).args(pip).args(exactly).arg(requirements))?;
    fs::write(installed, wanted)?;
    Ok(python)
}

/// Finds a sufficiently new Python.
fn find() -> Result<&'static str, String> {
    let (major, minor) = OLDEST;
    let version = |name: &&str| {
        let print = "import sys; print(sys.version_info[0], sys.version_info[1])";
        let output = Command::new(name).args(["-c", print]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = text.split_whitespace().map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    let found = ["python3", "python"].into_iter().find(|name| version(name) >= Some(OLDEST));
    found.ok_or_else(|| {
        format!("Python {major}.{minor} or newer is needed (https://python.org): none is found")
    })
}

fn make(python: &str, folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    run(Command::new(python).args(["-m", "venv"]).arg(folder)).map_err(|error| {
        let hint = if env::consts::OS == "linux" {
            "; on Debian and Ubuntu the module venv is the package python3-venv"
        } else {
            ""
        };
        format!("{error}{hint}").into()
    })
}
