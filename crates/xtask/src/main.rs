//! The project's chores.

#[cfg(feature = "generate")]
mod generate;

use std::env;
use std::error::Error;
use std::process::ExitCode;

/// What every chore returns.
type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let Some((chore, args)) = args.split_first() else {
        eprintln!("usage: cargo xtask <generate> [arguments]");
        return ExitCode::FAILURE;
    };
    let outcome = match chore.as_str() {
        #[cfg(feature = "generate")]
        "generate" => generate::run(args),
        #[cfg(not(feature = "generate"))]
        "generate" => with_feature("generate", args),
        unknown => Err(format!("no chore is called {unknown:?}").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {chore}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a chore again in an xtask built with the feature of its name, in release mode.
#[cfg(not(feature = "generate"))]
fn with_feature(chore: &str, args: &[String]) -> Outcome {
    let status = std::process::Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "xtask",
            "--features",
            chore,
            "--",
            chore,
        ])
        .args(args)
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("failed: {status}").into()) }
}
