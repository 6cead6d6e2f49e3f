//! `cargo xtask clients`: tests this server with Twilio's published clients, in the versions of
//! their lock files.
//!
//! All run `tests/clients/scenario.json` over plain HTTP, each with a server of its own whose data are
//! in a directory, and with another one whose data are in PostgreSQL. Then the
//! recipes of `docs/sdk.md` and `docs/testing.md` run; they are the same files that the pages show.
//! Last, the projects of `docs/testing/` run, as far as their tools are at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::Cluster;
use crate::server::{self, Server};
use crate::{Outcome, cargo, debian, node, python, recipes, root, run, target_dir};

/// The document with the recipes.
const SDK: &str = "docs/sdk.md";
/// The document with the scenarios of tests.
const TESTING: &str = "docs/testing.md";

/// A client: its name on the command line, the files that documents show, and how to run it.
struct Client {
    name: &'static str,
    shown: &'static [(&'static str, &'static [&'static str])],
    play: fn(&Played<'_>) -> Outcome,
}

const CLIENTS: [Client; 8] = [
    Client {
        name: "curl",
        shown: &[(SDK, &["curl/recipe.sh"]), (TESTING, &["curl/testing.sh"])],
        play: play_curl,
    },
    Client {
        name: "node",
        // The package's tests run the scenarios.
        shown: &[(SDK, &["node/recipe.mjs"]), (TESTING, &["../package/scenarios.test.mjs"])],
        play: play_node,
    },
    Client {
        name: "python",
        shown: &[
            (SDK, &["python/recipe.py"]),
            (
                TESTING,
                &[
                    "../../docs/testing/python/conftest.py",
                    "../../docs/testing/python/test_scenarios.py",
                ],
            ),
        ],
        play: play_python,
    },
    Client {
        name: "rust",
        shown: &[
            (
                SDK,
                &["rust/examples/ureq.rs", "rust/examples/reqwest.rs", "rust/examples/twilio.rs"],
            ),
            (TESTING, &["rust/tests/scenarios.rs"]),
        ],
        play: play_rust,
    },
    Client { name: "go", shown: &[], play: |played| played.project(&recipes::GO) },
    Client { name: "java", shown: &[], play: |played| played.project(&recipes::JAVA) },
    Client { name: "php", shown: &[], play: |played| played.project(&recipes::PHP) },
    Client { name: "ruby", shown: &[], play: |played| played.project(&recipes::RUBY) },
];

/// What the clients need to run.
struct Played<'a> {
    /// The server program.
    program: &'a Path,
    /// The clients' folder.
    folder: PathBuf,
    /// The folder for builds and installations.
    target: PathBuf,
    postgres: Cluster,
}

/// Builds the server, and runs the clients with these names, or all clients.
pub(crate) fn run_chosen(names: &[String]) -> Outcome {
    let is_known = |name: &&String| CLIENTS.iter().any(|client| client.name == **name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let known = CLIENTS.map(|client| client.name).join(", ");
        return Err(format!("no client is called {unknown:?}: there are {known}").into());
    }
    server::build("dev")?;
    play(|client| names.is_empty() || names.iter().any(|name| name == client.name))
}

/// Runs all clients with the server that is already built.
pub(crate) fn run_all() -> Outcome {
    play(|_| true)
}

fn play(is_chosen: impl Fn(&Client) -> bool) -> Outcome {
    let program = server::program("dev");
    let folder = root().join("tests/clients");
    debian::install(&debian::DATABASE)?;
    let (target, postgres) = (target_dir().join("clients"), Cluster::start());
    let played = Played { program: &program, folder, target, postgres };
    fs::create_dir_all(&played.target)?;
    for client in CLIENTS {
        if is_chosen(&client) {
            (client.play)(&played)?;
            for (page, files) in client.shown {
                check_shown(&played.folder, page, files)?;
            }
        }
    }
    Ok(())
}

/// Checks that a document shows these files as they are.
fn check_shown(folder: &Path, page: &str, files: &[&str]) -> Outcome {
    let text = fs::read_to_string(root().join(page))?;
    for file in files {
        let shown = fs::read_to_string(folder.join(file))?;
        if !text.contains(&format!("\n{shown}```\n")) {
            return Err(format!("{page} does not show {file} as it is").into());
        }
    }
    Ok(())
}

fn play_curl(played: &Played<'_>) -> Outcome {
    if Command::new("curl").arg("--version").output().is_err() {
        return Err("curl is needed (https://curl.se): none is found".into());
    }
    played.recipe(Command::new("sh").arg(played.folder.join("curl/recipe.sh")))?;
    played.scenario(Command::new("sh").arg(played.folder.join("curl/testing.sh")))
}

fn play_node(played: &Played<'_>) -> Outcome {
    let folder = played.folder.join("node");
    node::install(&folder)?;
    for package in ["twilio", "twilio-3"] {
        played.scenario(node::node().arg(folder.join("scenario.mjs")).arg(package))?;
    }
    played.recipe(node::node().arg(folder.join("recipe.mjs")))
}

fn play_python(played: &Played<'_>) -> Outcome {
    let folder = played.folder.join("python");
    let venv = played.target.join("python");
    let python = python::install(&folder.join("requirements.txt"), &venv)?;
    played.scenario(Command::new(&python).arg("-B").arg(folder.join("scenario.py")))?;
    played.recipe(Command::new(&python).arg("-B").arg(folder.join("recipe.py")))?;
    // These start the server themselves.
    let mut tests = Command::new(&python);
    tests.args(["-B", "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    tests.current_dir(root().join("docs/testing/python"));
    run(tests.env("CALLERID_PROGRAM", played.program))
}

fn play_rust(played: &Played<'_>) -> Outcome {
    let folder = played.folder.join("rust");
    let target = played.target.join("rust");
    let cargo = |command: &str| {
        let mut cargo = cargo();
        cargo.args([command, "--quiet", "--locked"]).current_dir(&folder);
        // The crate's HTTP client needs OpenSSL. If the system has none to build with, it can use
        // its own.
        if cfg!(target_os = "linux") && !has_openssl() {
            cargo.args(["--features", "vendored-openssl"]);
        }
        cargo.env("CARGO_TARGET_DIR", &target);
        cargo
    };
    eprintln!("cargo builds {}; from nothing that takes a few minutes", folder.display());
    run(cargo("build").args(["--bins", "--examples"]))?;
    // These start the server themselves.
    run(cargo("test").arg("--tests"))?;
    let built = |name: &str| Command::new(target.join("debug").join(executable(name)));
    played.scenario(&mut built("callerid-client-tests"))?;
    ["ureq", "reqwest", "twilio"]
        .into_iter()
        .try_for_each(|recipe| played.recipe(&mut built(&format!("examples/{recipe}"))))
}

fn executable(name: &str) -> PathBuf {
    Path::new(name).with_extension(std::env::consts::EXE_EXTENSION)
}

fn has_openssl() -> bool {
    let exists = Command::new("pkg-config").args(["--exists", "openssl"]).status();
    exists.is_ok_and(|status| status.success()) || std::env::var_os("OPENSSL_DIR").is_some()
}

impl Played<'_> {
    fn server(&self, options: &[&str]) -> Result<Server, Box<dyn std::error::Error>> {
        let options = [&["--test", "--callback-allow", "127.0.0.1"], options].concat();
        Server::start(self.program, &options)
    }

    /// Runs a project of `docs/testing/`, which starts the server itself.
    fn project(&self, project: &recipes::Project) -> Outcome {
        project.play(&self.target, self.program)
    }

    /// Runs a program that executes the scenario and reports success.
    fn scenario(&self, command: &mut Command) -> Outcome {
        run(self.server(&[])?.tell(command))?;
        run(self.server(&["--database", &self.postgres.database()])?.tell(command))
    }

    /// Runs a recipe. It prints the call that it requested.
    fn recipe(&self, command: &mut Command) -> Outcome {
        let server = self.server(&[])?;
        let output = server.tell(command).output()?;
        let shown = String::from_utf8_lossy(&output.stdout);
        let is_call = |word: &str| word.len() == 34 && word.starts_with("CA");
        let has_call = shown.split(|char: char| !char.is_ascii_alphanumeric()).any(is_call);
        if output.status.success() && has_call {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{command:?} of {SDK}: {}\n{shown}{said}", output.status).into())
    }
}
