//! The project's tasks: `cargo xtask serve`, `test` and the others listed in [`USAGE`].
//!
//! Dependencies of only a benchmark or the generator are behind a feature with the task's name, so
//! that `serve` starts quickly on a fresh clone. Those tasks run in an xtask that is built again
//! with the feature.

#[cfg(feature = "bench")]
mod bench;
mod browser;
mod checks;
mod clients;
#[path = "../../callerid-server/tests/cluster/mod.rs"]
mod cluster;
#[cfg(feature = "compare")]
mod compare;
mod debian;
#[cfg(feature = "generate")]
mod generate;
mod node;
mod openapi;
#[cfg(feature = "package")]
mod package;
mod page;
mod prompts;
mod python;
mod recipes;
mod serve;
mod server;
mod soak;
mod wasm_target;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The result of every task.
type Outcome = Result<(), Box<dyn Error>>;

const USAGE: &str = "\
usage: cargo xtask <task>

  serve [options of `callerid serve`]   build the page and the server in release mode, and run it
  page                                  put the page together in target/page, for any static host
  test                                  run every check, as CI does
  clients [name …]                      run the published clients' tests: curl, node, python, rust; go, java, php, ruby
  openapi <description>                 hold the answers against Twilio's OpenAPI description
  compare <description>                 the same requests to this server and to Prism, and what each costs
  soak [times]                          kill and restore a server again and again; prints what was lost
  bench [name …]                        measure, beside peers; writes target/bench.json
  package [--dist]                      build the npm package, or only pkg/dist and the server's page
  generate                              write the numbering plan's table anew
  prompts                               make the sounds of a real line's prompts from their texts";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let Some((task, args)) = args.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    // Before anything is compiled, because the parts that need it are compiled last.
    let needs_wasm = ["serve", "page", "test", "bench", "package"].contains(&task.as_str());
    let ready = if needs_wasm { wasm_target::install() } else { Ok(()) };
    let outcome = ready.and_then(|()| run_task(task, args));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {task}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_task(task: &str, args: &[String]) -> Outcome {
    match task {
        "serve" => serve::run_server(args),
        "page" => page::assemble(),
        "test" => checks::run_all(),
        "clients" => clients::run_chosen(args),
        "soak" => soak::run_tests(args),
        "openapi" => openapi::check(args),
        "prompts" => prompts::make(),
        #[cfg(feature = "compare")]
        "compare" => compare::run_all(args),
        #[cfg(not(feature = "compare"))]
        "compare" => with_feature(task, args),
        #[cfg(feature = "generate")]
        "generate" => generate::run(args),
        #[cfg(not(feature = "generate"))]
        "generate" => with_feature(task, args),
        #[cfg(feature = "bench")]
        "bench" => bench::run(args),
        #[cfg(not(feature = "bench"))]
        "bench" => with_feature(task, args),
        #[cfg(feature = "package")]
        "package" => package::run_all(args),
        #[cfg(not(feature = "package"))]
        "package" => with_feature(task, args),
        unknown => Err(format!("no task is called {unknown:?}\n\n{USAGE}").into()),
    }
}

/// Copies a folder recursively.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    copy_files(from, to, &|_| true)
}

/// Copies those files of a folder, and of the folders in it, that are to be copied.
fn copy_files(from: &Path, to: &Path, is_copied: &dyn Fn(&Path) -> bool) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_files(&from, &to, is_copied)?;
        } else if is_copied(&from) {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

/// The cargo that runs this program.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The workspace's folder.
fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder of cargo's build output.
fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Runs a command. Returns an error unless it succeeds.
fn run(command: &mut Command) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("{name} cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed: {status}").into()) }
}

/// Runs a task in an optimised xtask with the feature of the task's name.
fn with_feature(task: &str, args: &[String]) -> Outcome {
    // Benchmarks compare parts of xtask with the program, which they build in this profile.
    let profile = if task == "bench" { "dist" } else { "release" };
    let build = ["run", "--quiet", "--package", "xtask", "--features", task, "--profile", profile];
    run(cargo().args(build).args(["--", task]).args(args))
}

/// Builds `pkg/dist`, the npm package's modules for the page, and puts the page into the server's
/// crate. Does not need Node.
fn package_dist() -> Outcome {
    with_feature("package", &["--dist".to_owned()])
}
