//! `cargo xtask package`: builds the npm package.
//!
//! The core is compiled to WebAssembly three times: in two halves for `callerid`, of which
//! `callerid/phone` has one, and in full for `callerid/mock`. For each build, wasm-bindgen (as a
//! library) writes the .wasm and its glue code next to the plain modules of `pkg/src`, in
//! `pkg/dist`. A page needs no more, and that does not need Node. For the tarball, tsc checks the
//! modules and generates their declarations. esbuild bundles the entries into as many modules as
//! they share, because import time depends on the number of files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use wasm_bindgen_cli_support::Bindgen;

use crate::wasm_target::TARGET;
use crate::{Outcome, cargo, copy_folder, node, page, root, run, target_dir};

/// A build of `callerid-wasm`, and its location.
struct Build {
    /// The folder of its .wasm, in `pkg/dist` and in the package's `dist`.
    folder: &'static str,
    /// Its features, and how it differs from the profile.
    options: &'static [&'static str],
}

const CLIENT: Build =
    Build { folder: ".", options: &["--no-default-features", "--features=client"] };
/// Small first throughout: most of it is for tests, and is instantiated in `callerid-wasm` itself.
const MOCK: Build = Build {
    folder: "mock",
    options: &["--config=profile.wasm.package.callerid-wasm.opt-level='z'"],
};
const PHONE: Build =
    Build { folder: "phone", options: &["--no-default-features", "--features=phone"] };
const BUILDS: [Build; 3] = [CLIENT, MOCK, PHONE];

/// The modules that `pkg/package.json` refers to, in the folder of each build.
const ENTRIES: [&str; 4] = ["index.js", "slim.js", "url.js", "workerd.js"];

/// The module for tests that start the program, which has no .wasm.
const TESTING: &str = "testing.js";

/// Builds the tarball `target/npm/callerid-<version>.tgz` and prints its path. With `--dist`,
/// builds only `pkg/dist` and the server's page.
pub(crate) fn run_all(args: &[String]) -> Outcome {
    let manifest = fs::read_to_string(root().join("pkg/package.json"))?;
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    if !manifest.contains(&version) {
        return Err(format!("pkg/package.json: expected {version}, the workspace's").into());
    }
    match args {
        [] => pack(),
        [flag] if flag == "--dist" => {
            build_dist()?;
            page::embed()
        }
        _ => Err("usage: cargo xtask package [--dist]".into()),
    }
}

/// Checks, bundles and packs the published package.
fn pack() -> Outcome {
    node::install(&root().join("tests/package"))?;
    let npm = emptied(target_dir().join("npm"))?;
    let package = npm.join("package");
    let dist = build_dist()?;
    bundle(&dist, &package.join("dist"))?;
    for Build { folder, .. } in BUILDS {
        let wasm = Path::new(folder).join("callerid.wasm");
        fs::copy(dist.join(&wasm), package.join("dist").join(&wasm))?;
    }
    declare_types(&package.join("dist"))?;
    for file in fs::read_dir(root().join("pkg"))? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), package.join(file.file_name()))?;
        }
    }
    let pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination"];
    run(node::npm().args(pack).arg(&npm).current_dir(&package))?;
    eprintln!("{}", npm.join(format!("callerid-{}.tgz", env!("CARGO_PKG_VERSION"))).display());
    Ok(())
}

/// Bundles the entries, and the modules that they share. Each .wasm stays a separate file.
fn bundle(dist: &Path, folder: &Path) -> Outcome {
    let folders = BUILDS.iter().map(|build| build.folder);
    let entries = folders.flat_map(|folder| ENTRIES.map(|it| format!("{folder}/{it}")));
    let entries = entries.chain([TESTING.to_owned()]);
    run(installed("esbuild")
        .args(["--log-level=warning", "--external:*.wasm", "--external:node:*"])
        .args(["--bundle", "--splitting", "--format=esm", "--chunk-names=shared/[hash]"])
        .args(entries)
        .arg("--outbase=.")
        .arg(format!("--outdir={}", folder.display()))
        // Its output names the modules relative to this folder.
        .current_dir(dist))
}

/// Builds `pkg/dist`: the plain modules, with each .wasm and its glue code.
fn build_dist() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let dist = emptied(root().join("pkg/dist"))?;
    copy_folder(&root().join("pkg/src"), &dist)?;
    for build in BUILDS {
        build.run(&dist)?;
    }
    Ok(dist)
}

/// Type-checks the modules of `pkg/src`, and generates their declarations.
fn declare_types(folder: &Path) -> Outcome {
    run(installed("tsc").arg("--outDir").arg(folder).current_dir(root().join("pkg")))?;
    for file in fs::read_dir(root().join("pkg/src"))? {
        let file = file?;
        let name = file.file_name();
        if name.to_string_lossy().ends_with(".d.ts") {
            fs::copy(file.path(), folder.join(name))?;
        }
    }
    Ok(())
}

/// A program from the lock file of `tests/package`.
fn installed(program: &str) -> Command {
    let mut npm = node::npm();
    npm.arg("--prefix").arg(root().join("tests/package")).args(["exec", "--no", "--", program]);
    npm
}

/// Creates the folder, or empties it.
fn emptied(folder: PathBuf) -> std::io::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

impl Build {
    /// Compiles it to a .wasm and its glue code.
    fn run(&self, dist: &Path) -> Outcome {
        let folder = dist.join(self.folder);
        // The paths in panic messages are those of this machine.
        let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|it| it + "/.cargo"));
        let flags = format!(
            "target.wasm32-unknown-unknown.rustflags=['--remap-path-prefix={}=', '--remap-path-prefix={}=']",
            home.unwrap_or_default(),
            root().display(),
        );
        let compile = ["build", "--locked", "--package", "callerid-wasm", "--lib"];
        let target = ["--target", TARGET, "--profile", "wasm"];
        run(cargo().args(compile).args(target).args(self.options).args(["--config", &flags]))?;

        let compiled = target_dir().join("wasm32-unknown-unknown/wasm/callerid_wasm.wasm");
        let mut bindgen = Bindgen::new();
        bindgen
            .input_bytes("callerid", fs::read(compiled)?)
            .web(true)?
            .typescript(true)
            .omit_default_module_path(true)
            .remove_name_section(wasm_opt().is_none())
            .remove_producers_section(true);
        let mut output = bindgen.generate_output()?;
        let wasm = folder.join("callerid.wasm");
        fs::write(&wasm, output.wasm_mut().emit_wasm())?;
        optimise(&wasm)?;
        let base64 = Base64::encode_string(&fs::read(&wasm)?);

        fs::write(folder.join("glue.js"), output.js())?;
        // The mock's build has the exports of all.
        if self.folder == MOCK.folder {
            fs::write(dist.join("glue.d.ts"), output.ts().unwrap_or_default())?;
        }
        if self.folder != CLIENT.folder {
            fs::write(folder.join("glue.d.ts"), "export * from \"../glue.js\";\n")?;
        }
        let inlined = format!("/** `callerid.wasm`. */\nexport const base64 = \"{base64}\";\n");
        fs::write(folder.join("inlined.js"), inlined)?;
        fs::write(folder.join("inlined.d.ts"), "export const base64: string;\n")?;
        Ok(())
    }
}

/// The wasm-opt from the lock file of `tests/package`, if installed.
fn wasm_opt() -> Option<PathBuf> {
    let path = root().join("tests/package/node_modules/binaryen/bin/wasm-opt");
    path.exists().then_some(path)
}

/// Optimises a .wasm for size, and removes function names.
fn optimise(wasm: &Path) -> Outcome {
    let Some(wasm_opt) = wasm_opt() else {
        eprintln!("{} is not optimised: `npm ci` in tests/package brings wasm-opt", wasm.display());
        return Ok(());
    };
    let options = ["-Oz", "--strip-debug", "--strip-producers"];
    run(node::node().arg(&wasm_opt).args(options).arg(wasm).arg("-o").arg(wasm))
}
