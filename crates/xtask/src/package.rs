//! `cargo xtask package`: builds the npm package.
//!
//! The core is compiled to WebAssembly three times: whole for `callerid`, without the mock for `callerid/client`, and the
//! numbers alone for `callerid/phone`. For each, wasm-bindgen, as a library, writes the .wasm and its glue; with that
//! the façade's modules from `pkg/src` are linked, and one entry has the .wasm once more, as base64. All that needs no
//! Node. The tarball does, for `npm pack` and for wasm-opt, which makes the .wasm smaller.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use wasm_bindgen_cli_support::Bindgen;

mod link;

use crate::{Outcome, cargo, node, root, run, target_dir};

/// A build of `callerid-wasm`, and where it goes.
struct Build {
    /// Its folder in `pkg/dist`.
    folder: &'static str,
    features: &'static [&'static str],
    /// The folders in `pkg/src` of the modules that it has. Each adds to those before it; the last one's `api.js` stands.
    layers: &'static [&'static str],
}

const BUILDS: [Build; 3] = [
    Build { folder: "", features: &[], layers: &["entries", "phone", "client", "mock"] },
    Build {
        folder: "client",
        features: &["--no-default-features", "--features=client"],
        layers: &["entries", "phone", "client"],
    },
    Build { folder: "phone", features: &["--no-default-features"], layers: &["entries", "phone"] },
];

/// What stands for the .wasm, as base64, in the entry that carries it.
const INLINED: &str = "%callerid.wasm%";

/// Builds `pkg/dist`, then the tarball `target/npm/callerid-<version>.tgz`, and prints where it is.
pub(crate) fn run_all(args: &[String]) -> Outcome {
    match args {
        [] => {}
        [flag] if flag == "--dist" => return build_dist(),
        _ => return Err("usage: cargo xtask package [--dist]".into()),
    }
    node::install(&root().join("tests/package"))?;
    build_dist()?;
    let folder = target_dir().join("npm");
    fs::create_dir_all(&folder)?;
    let pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination"];
    run(node::npm().args(pack).arg(&folder).current_dir(root().join("pkg")))?;
    eprintln!("{}", folder.join(format!("callerid-{}.tgz", env!("CARGO_PKG_VERSION"))).display());
    Ok(())
}

/// Builds `pkg/dist`: all that a page needs, without Node.
fn build_dist() -> Outcome {
    let manifest = fs::read_to_string(root().join("pkg/package.json"))?;
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    if !manifest.contains(&version) {
        return Err(format!("pkg/package.json: expected {version}, the workspace's").into());
    }
    let dist = root().join("pkg/dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    BUILDS.iter().try_for_each(|build| build.run(&dist))
}

impl Build {
    fn run(&self, dist: &Path) -> Outcome {
        let folder = dist.join(self.folder);
        fs::create_dir_all(&folder)?;
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

        let mut modules = link::Modules::from([("glue.js".to_owned(), output.js().to_owned())]);
        for layer in self.layers {
            for module in fs::read_dir(root().join("pkg/src").join(layer))? {
                let module = module?;
                let name = module.file_name().to_string_lossy().into_owned();
                modules.insert(name, fs::read_to_string(module.path())?);
            }
        }
        for (name, text) in link::link(&modules)? {
            fs::write(folder.join(name), text.replace(INLINED, &base64))?;
        }
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
