//! `cargo xtask package`: builds the npm package.
//!
//! The core is compiled to WebAssembly three times: whole for `callerid`, without the mock for `callerid/client`, and the
//! numbers alone for `callerid/phone`. For each, wasm-bindgen, as a library, writes the .wasm and its glue beside the plain
//! modules of `pkg/src`. A page needs no more than the first of these, which is `pkg/dist`, and no Node to build it. In the
//! tarball esbuild makes of each the entries and one module that they share, since an import costs by the number of files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use wasm_bindgen_cli_support::Bindgen;

use crate::{Outcome, cargo, node, page, root, run, target_dir};

/// A build of `callerid-wasm`, and where it goes.
struct Build {
    /// Its folder in the package's `dist`.
    folder: &'static str,
    features: &'static [&'static str],
    /// The module of `pkg/src` that lists what it exports: `api.js` to its entries.
    api: &'static str,
}

const WHOLE: Build = Build { folder: "", features: &[], api: API };
const CLIENT: Build = Build {
    folder: "client",
    features: &["--no-default-features", "--features=client"],
    api: "api-client.js",
};
const PHONE: Build =
    Build { folder: "phone", features: &["--no-default-features"], api: "api-phone.js" };

/// What the entries export.
const API: &str = "api.js";
/// The modules that `pkg/package.json` names.
const ENTRIES: [&str; 4] = ["index.js", "slim.js", "url.js", "workerd.js"];

/// Builds the tarball `target/npm/callerid-<version>.tgz`, and prints where it is; or only `pkg/dist`
/// and the server's page over it.
pub(crate) fn run_all(args: &[String]) -> Outcome {
    let manifest = fs::read_to_string(root().join("pkg/package.json"))?;
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    if !manifest.contains(&version) {
        return Err(format!("pkg/package.json: expected {version}, the workspace's").into());
    }
    match args {
        [] => pack(),
        [flag] if flag == "--dist" => {
            WHOLE.run(&emptied(root().join("pkg/dist"))?)?;
            page::embed()
        }
        _ => Err("usage: cargo xtask package [--dist]".into()),
    }
}

/// Bundles and packs what is published.
fn pack() -> Outcome {
    node::install(&root().join("tests/package"))?;
    let npm = emptied(target_dir().join("npm"))?;
    let package = npm.join("package");
    for build in [WHOLE, CLIENT, PHONE] {
        let modules = npm.join("modules").join(build.folder);
        build.run(&modules)?;
        bundle(&modules, &package.join("dist").join(build.folder))?;
    }
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

/// Makes the entries and the module `callerid.js`, which has all that they share: their state too. The .wasm stays a file.
fn bundle(modules: &Path, folder: &Path) -> Outcome {
    let options = ["--bundle", "--splitting", "--format=esm", "--chunk-names=callerid"];
    run(node::npm()
        .arg("--prefix")
        .arg(root().join("tests/package"))
        .args(["exec", "--no", "--", "esbuild", "--log-level=warning", "--external:*.wasm"])
        .args(options)
        .args(ENTRIES)
        .arg(format!("--outdir={}", folder.display()))
        // What it writes names the modules as seen from here.
        .current_dir(modules))?;
    fs::copy(modules.join("callerid.wasm"), folder.join("callerid.wasm"))?;
    Ok(())
}

/// The folder, with nothing in it.
fn emptied(folder: PathBuf) -> std::io::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

impl Build {
    /// Compiles it, and puts the plain modules beside.
    fn run(&self, folder: &Path) -> Outcome {
        fs::create_dir_all(folder)?;
        // The paths in panic messages are of this machine.
        let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|it| it + "/.cargo"));
        let flags = format!(
            "target.wasm32-unknown-unknown.rustflags=['--remap-path-prefix={}=', '--remap-path-prefix={}=']",
            home.unwrap_or_default(),
            root().display(),
        );
        let compile = ["build", "--locked", "--package", "callerid-wasm", "--lib"];
        let target = ["--target", "wasm32-unknown-unknown", "--profile", "wasm"];
        let features = self.features;
        run(cargo().args(compile).args(target).args(features).args(["--config", &flags]))?;

        let compiled = target_dir().join("wasm32-unknown-unknown/wasm/callerid_wasm.wasm");
        let mut bindgen = Bindgen::new();
        bindgen
            .input_bytes("callerid", fs::read(compiled)?)
            .web(true)?
            .typescript(false)
            .omit_default_module_path(true)
            .remove_name_section(wasm_opt().is_none())
            .remove_producers_section(true);
        let mut output = bindgen.generate_output()?;
        let wasm = folder.join("callerid.wasm");
        fs::write(&wasm, output.wasm_mut().emit_wasm())?;
        optimise(&wasm)?;
        let base64 = Base64::encode_string(&fs::read(&wasm)?);

        for module in fs::read_dir(root().join("pkg/src"))? {
            let module = module?;
            fs::copy(module.path(), folder.join(module.file_name()))?;
        }
        if self.api != API {
            fs::write(folder.join(API), format!("export * from \"./{}\";\n", self.api))?;
        }
        fs::write(folder.join("glue.js"), output.js())?;
        let inlined = format!("/** `callerid.wasm`. */\nexport const base64 = \"{base64}\";\n");
        fs::write(folder.join("inlined.js"), inlined)?;
        Ok(())
    }
}

/// The wasm-opt that `tests/package` locks, where that is installed.
fn wasm_opt() -> Option<PathBuf> {
    let path = root().join("tests/package/node_modules/binaryen/bin/wasm-opt");
    path.exists().then_some(path)
}

/// Makes a .wasm smaller, and takes out the names of its functions.
fn optimise(wasm: &Path) -> Outcome {
    let Some(wasm_opt) = wasm_opt() else {
        eprintln!("{} is not optimised: `npm ci` in tests/package brings wasm-opt", wasm.display());
        return Ok(());
    };
    let options = ["-Oz", "--strip-debug", "--strip-producers"];
    run(node::node().arg(&wasm_opt).args(options).arg(wasm).arg("-o").arg(wasm))
}
