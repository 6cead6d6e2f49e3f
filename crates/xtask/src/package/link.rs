//! Links the package: the modules behind its entries become one. What an import costs is the number of its files, far more
//! than their length.
//!
//! The modules are put one after another, each after those that it imports, so that a bundler can still leave out what is
//! not used. That is enough for modules as they are written here, and anything else is refused: an import of another
//! form, a name that two modules have, a circle of imports.

use std::collections::BTreeMap;

/// The modules of a build, by their names: `api.js`.
pub(super) type Modules = BTreeMap<String, String>;

/// The module that lists what the package exports. One that exports all of that is an entry.
const API: &str = "api.js";
/// What the modules behind the entries become.
const LINKED: &str = "callerid.js";

/// The entries, and the one module that the others have become.
///
/// # Errors
/// What cannot be linked, and where.
pub(super) fn link(modules: &Modules) -> Result<Modules, String> {
    let api = modules.get(API).ok_or_else(|| format!("{API} is missing"))?;
    let names: Vec<&str> = api.lines().filter_map(|line| Some(reexport(line)?.0)).collect();
    let exports = format!("export {{ {} }} {}", names.join(", "), from(LINKED));
    let whole_api = format!("export * {}", from(API));

    let mut linker = Linker::default();
    let mut linked = Modules::new();
    for (name, text) in modules.iter().filter(|(_, text)| text.contains(&whole_api)) {
        let mut entry = text.replace(&whole_api, &exports);
        for module in modules.keys().filter(|module| text.contains(&from(module))) {
            linker.add(module, modules)?;
            entry = entry.replace(&from(module), &from(LINKED));
        }
        linked.insert(name.clone(), entry);
    }
    linked.insert(LINKED.to_owned(), linker.bodies);
    Ok(linked)
}

/// How an import from that module ends.
fn from(module: &str) -> String {
    format!("from \"./{module}\";")
}

/// The names that a line exports from another module, and which that is.
fn reexport(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("export { ")?.strip_suffix("\";")?.split_once(" } from \"./")
}

/// The names that a line imports, and from which module.
fn import(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("import ")?.strip_suffix("\";")?.split_once(" from \"./")
}

/// A module that imports nothing, as the object of what it exports: its names stay its own.
fn whole(text: &str) -> String {
    let mut body = String::new();
    let mut exports = Vec::new();
    for line in text.lines() {
        let list = line.strip_prefix("export { ").and_then(|rest| rest.strip_suffix(" };"));
        match (list, line.strip_prefix("export ")) {
            (Some(names), _) => exports.extend(names.split(", ").filter(|it| !it.contains(" as "))),
            (None, Some(rest)) => {
                exports.extend(declared(rest));
                body += &format!("{rest}\n");
            }
            (None, None) => body += &format!("{line}\n"),
        }
    }
    format!("/* @__PURE__ */ (() => {{\n{body}return {{ {} }};\n}})()", exports.join(", "))
}

/// The name that a line declares at the top of a module: `None` for a line that does not, or not one name.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let (kind, rest) = line.split_once(' ')?;
    let is_known = matches!(kind, "class" | "const" | "function" | "function*" | "let");
    let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_')?;
    is_known.then_some(rest.get(..end)?)
}

/// What has been linked so far.
#[derive(Default)]
struct Linker {
    bodies: String,
    /// The names at the top of the modules, and whose they are.
    names: BTreeMap<String, String>,
    /// The modules that are begun, and whether they are done.
    begun: BTreeMap<String, bool>,
}

impl Linker {
    /// Adds a module, after those that it imports.
    fn add(&mut self, module: &str, modules: &Modules) -> Result<(), String> {
        match self.begun.get(module) {
            Some(true) => return Ok(()),
            Some(false) => return Err(format!("{module} imports itself, by way of others")),
            None => self.begun.insert(module.to_owned(), false),
        };
        let mut body = String::new();
        for line in modules.get(module).map(String::as_str).unwrap_or_default().lines() {
            let refused = |why: &str| Err(format!("{module}: cannot be linked, {why}: {line}"));
            let linked = match import(line).or_else(|| reexport(line)) {
                Some((names, from)) => {
                    let Some(text) = modules.get(from) else {
                        return refused("it is not of the package");
                    };
                    match names.strip_prefix("* as ") {
                        Some(all) => format!("const {all} = {};", whole(text)),
                        None if names.contains(" as ") => return refused("a name would change"),
                        None => {
                            self.add(from, modules)?;
                            continue;
                        }
                    }
                }
                None if line.starts_with("import ") => return refused("it is of no known form"),
                None => line.to_owned(),
            };
            let name = declared(&linked).map(str::to_owned);
            if let Some(owner) = name.and_then(|name| self.names.insert(name, module.to_owned())) {
                return refused(&format!("{owner} has that name too"));
            }
            body += &format!("{linked}\n");
        }
        let joint = if self.bodies.is_empty() { "" } else { "\n" };
        self.bodies += &format!("{joint}{}\n", body.trim());
        self.begun.insert(module.to_owned(), true);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(modules: &[(&str, &str)]) -> Modules {
        modules.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    const ENTRY: &str = "import wasm from \"./callerid.wasm\";\nimport { begin as go } from \"./wasm.js\";\ngo(wasm);\n\
                         export * from \"./api.js\";\n";
    const WASM: &str = "// Loads.\nimport * as glue from \"./glue.js\";\n\
                        export function begin(wasm) {\n  glue.load(wasm);\n}\n";
    const GLUE: &str =
        "export class Mock {}\nfunction load() {}\nexport { load, load as default };\n";

    #[test]
    fn what_is_imported_comes_first_and_stands_once() {
        let linked = link(&modules(&[
            ("index.js", ENTRY),
            ("wasm.js", WASM),
            ("glue.js", GLUE),
            ("api.js", "// All.\nexport { A } from \"./a.js\";\nexport { C } from \"./c.js\";\n"),
            ("a.js", "import { C } from \"./c.js\";\nexport class A extends C {}\n"),
            ("c.js", "import { begin } from \"./wasm.js\";\nbegin();\nexport class C {}\n"),
        ]));
        let entry = "import wasm from \"./callerid.wasm\";\nimport { begin as go } from \"./callerid.js\";\ngo(wasm);\n\
                     export { A, C } from \"./callerid.js\";\n";
        let one = "// Loads.\nconst glue = /* @__PURE__ */ (() => {\nclass Mock {}\nfunction load() {}\nreturn { Mock, load };\n})();\n\
                   export function begin(wasm) {\n  glue.load(wasm);\n}\n\n\
                   begin();\nexport class C {}\n\nexport class A extends C {}\n\n// All.\n";
        assert_eq!(linked, Ok(modules(&[("index.js", entry), ("callerid.js", one)])));
    }

    #[test]
    fn what_would_mean_something_else_is_refused() {
        for (a, why) in [
            ("import { begin } from \"./wasm.js\";\nconst glue = 1;", "wasm.js has that name too"),
            ("import { begin as go } from \"./wasm.js\";", "a name would change"),
            ("import { begin } from \"./warm.js\";", "it is not of the package"),
            ("import \"./wasm.js\";", "it is of no known form"),
            ("import { A } from \"./a.js\";", "imports itself"),
        ] {
            let api = ("api.js", "export { A } from \"./a.js\";\n");
            let rest = [("index.js", ENTRY), ("wasm.js", WASM), ("glue.js", GLUE), ("a.js", a)];
            let error = link(&modules(&[&[api][..], &rest].concat())).unwrap_err();
            assert!(error.contains(why), "{a}: {error}");
        }
    }
}
