//! `cargo xtask package`: builds the npm package.
//!
//! The core is compiled to WebAssembly three times: whole for `callerid`, without the mock for `callerid/client`, and the
//! numbers alone for `callerid/phone`. For each, wasm-bindgen, as a library, writes the .wasm and its glue; with that
//! the façade's modules from `pkg/src` are linked, and one entry has the .wasm once more, as base64. All that needs no
//! Node. The tarball does, for `npm pack` and for wasm-opt, which makes the .wasm smaller.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use flate2::Compression;
use flate2::write::GzEncoder;
use wasm_bindgen_cli_support::Bindgen;

mod link;
mod order;
mod prune;
mod sizes;

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
        [flag] if flag == "--sizes" => return print_sizes(),
        _ => return Err("usage: cargo xtask package [--dist | --sizes]".into()),
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

/// Builds `pkg/dist`, and prints what takes the space in it.
fn print_sizes() -> Outcome {
    build_dist()?;
    for build in &BUILDS {
        let wasm = root().join("pkg/dist").join(build.folder).join("callerid.wasm");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&fs::read(&wasm)?)?;
        println!("\n{}: {} bytes, gz -9", wasm.display(), gzip.finish()?.len());
        let folder = target_dir().join("sizes");
        let debug = ["--quiet", "--config", "profile.wasm.debug=2", "--target-dir"];
        run(build.compile().args(debug).arg(&folder))?;
        let compiled = folder.join("wasm32-unknown-unknown/wasm/callerid_wasm.wasm");
        sizes::print_origins(&compiled)?;
    }
    Ok(())
}

impl Build {
    /// The command that compiles it.
    fn compile(&self) -> Command {
        let compile = ["build", "--locked", "--package", "callerid-wasm", "--lib"];
        let target = ["--target", "wasm32-unknown-unknown", "--profile", "wasm"];
        let mut command = cargo();
        command.args(compile).args(target).args(self.features);
        command
    }

    fn run(&self, dist: &Path) -> Outcome {
        let folder = dist.join(self.folder);
        fs::create_dir_all(&folder)?;
        // The paths of panics are of this machine; relocations tell what refers to what; and a value that takes more than
        // one store is copied by one instruction, which is shorter.
        let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|it| it + "/.cargo"));
        let flags = format!(
            "target.wasm32-unknown-unknown.rustflags=['--remap-path-prefix={}=', '--remap-path-prefix={}=', \
             '-Clink-arg=--emit-relocs', '-Cllvm-args=-max-store-memcpy=1']",
            home.unwrap_or_default(),
            root().display(),
        );
        run(self.compile().args(["--config", &flags]))?;

        let compiled = target_dir().join("wasm32-unknown-unknown/wasm/callerid_wasm.wasm");
        let module = prune::prune(&fs::read(compiled)?)?;
        let mut bindgen = Bindgen::new();
        bindgen
            .input_module("callerid", module)
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
    let options = [
        "-Oz",
        "--converge",
        // No address below 1024 is one of data: the stack ends there.
        "--low-memory-unused",
        // A function with one caller stays apart unless it is tiny: what is sent is compressed, and repeats itself more so.
        "--one-caller-inline-max-function-size",
        "6",
        // Nor is anything kept in a local so as not to be repeated, for the same reason.
        "--skip-pass=local-cse",
        // In an order that does not depend on where the project is built.
        "--reorder-functions-by-name",
        "--strip-debug",
        "--strip-producers",
    ];
    let rewrite = |options: &[&str]| {
        run(node::node().arg(&wasm_opt).args(options).arg(wasm).arg("-o").arg(wasm))
    };
    rewrite(&options)?;
    fs::write(wasm, order::named_by_likeness(&fs::read(wasm)?)?)?;
    rewrite(&["--reorder-functions-by-name", "--strip-debug", "--strip-target-features"])
}
