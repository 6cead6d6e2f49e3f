//! `cargo xtask openapi DESCRIPTION`: checks all responses of the server against Twilio's OpenAPI
//! description.
//!
//! The description is not in this repository: it is `spec/json/twilio_api_v2010.json` of
//! `twilio/twilio-oai`.

use std::path::Path;

use crate::server::{self, Server};
use crate::{Outcome, node, root, run};

/// Builds the server, and checks all operations on caller IDs in the description.
pub(crate) fn check(args: &[String]) -> Outcome {
    let description = description("openapi", args)?;
    node::install(&root().join("tests/openapi"))?;
    let server = Server::start(&server::build("dev")?, &[])?;
    let script = root().join("tests/openapi/check.mjs");
    run(server.tell(node::node().arg(script).arg(description)))
}

/// The path of the description, from a task's arguments.
pub(crate) fn description<'a>(chore: &str, args: &'a [String]) -> Result<&'a Path, String> {
    match args {
        [path] if Path::new(path).is_file() => Ok(Path::new(path)),
        [path] => Err(format!("{path}: there is no such file")),
        _ => Err(format!(
            "usage: cargo xtask {chore} DESCRIPTION, the path of spec/json/twilio_api_v2010.json of twilio/twilio-oai"
        )),
    }
}
