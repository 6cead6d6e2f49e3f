//! Links the page: the modules of each of its scripts become one, and so do its stylesheets. What a page costs to start is
//! the number of files it asks for, far more than their length.
//!
//! Every module becomes a function that is called once, in the order of the imports, and returns what it exports. What
//! another script has linked already is imported from it, as the default export: the object of what it exports. That
//! is enough for modules as they are written here, and anything else is refused: an import or export of another form,
//! a circle of imports, an `export let`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

/// The files of a page, by their paths from it: `styles/base.css`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Where the npm package is, and of it the file that is fetched.
const PACKAGE: &str = "callerid/";
const CORE: &str = "callerid/callerid.wasm";
/// The page itself.
pub(crate) const HTML: &str = "index.html";
const SCRIPT: &str = "page.js";
const STYLE: &str = "page.css";

/// Reads the files of a folder, and of those in it, that a browser asks for; `prefix` is where they are on the page.
pub(crate) fn read(folder: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if file.is_dir() {
            read(&file, &format!("{prefix}{name}/"), files)?;
        } else if SERVED.iter().any(|known| name.ends_with(known)) {
            files.insert(format!("{prefix}{name}"), fs::read(&file)?);
        }
    }
    Ok(())
}

const SERVED: [&str; 5] = [".html", ".css", ".js", ".svg", ".wasm"];

/// The page with the modules of its scripts and its stylesheets linked. The last script is `page.js` then, and those before it
/// keep their names.
///
/// A module that is not among the files stays an import.
///
/// # Errors
/// What cannot be linked, and where.
pub(crate) fn link(mut files: Files) -> Result<Files, String> {
    let mut html = text(&files, HTML)?;
    let early = named(&html, "<script type=\"module\" async src=\"");
    let entry = take_lines(&mut html, "<script type=\"module\" src=\"", SCRIPT);
    let [entry] = entry.as_slice() else {
        return Err(format!("{HTML}: expected one module that is not async, found {entry:?}"));
    };
    let sheets = take_lines(&mut html, "<link rel=\"stylesheet\" href=\"", STYLE);
    let style = sheets.iter().map(|path| text(&files, path)).collect::<Result<String, _>>()?;
    let mut linker = Linker::new(&files);
    let mut scripts = Files::new();
    for path in &early {
        scripts.insert(path.clone(), linker.script(path)?.into_bytes());
    }
    scripts.insert(SCRIPT.to_owned(), linker.script(entry)?.into_bytes());
    let Linker { done, .. } = linker;
    // Of the package, what is not linked is not loaded, but its .wasm.
    files.retain(|path, _| {
        let is_loaded = !path.starts_with(PACKAGE) || path == CORE;
        is_loaded && !done.contains(path) && !sheets.contains(path)
    });
    files.insert(HTML.to_owned(), html.into_bytes());
    files.extend(scripts);
    files.insert(STYLE.to_owned(), style.into_bytes());
    Ok(files)
}

fn text(files: &Files, path: &str) -> Result<String, String> {
    let bytes = files.get(path).ok_or_else(|| format!("{path} is missing"))?;
    String::from_utf8(bytes.clone()).map_err(|error| format!("{path}: {error}"))
}

/// What the lines name that begin so.
fn named(html: &str, beginning: &str) -> Vec<String> {
    html.lines()
        .filter_map(|line| named_by(line, beginning))
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// What a line names that begins so, and the rest of the line after the quote.
fn named_by<'a>(line: &'a str, beginning: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix(beginning)?.split_once('"')
}

/// Takes out the lines that begin so, and puts one for `linked` in the place of the first. Returns what they named.
fn take_lines(html: &mut String, beginning: &str, linked: &str) -> Vec<String> {
    let mut named = Vec::new();
    let mut lines = String::with_capacity(html.len());
    for line in html.split_inclusive('\n') {
        match named_by(line, beginning) {
            Some((path, rest)) => {
                if named.is_empty() {
                    lines.extend([beginning, linked, "\"", rest]);
                }
                named.push(path.to_owned());
            }
            None => lines.push_str(line),
        }
    }
    *html = lines;
    named
}

/// What has been linked so far.
struct Linker<'a> {
    files: &'a Files,
    /// Of the script that is being linked: what it imports, and the rest.
    imports: String,
    script: String,
    /// Paths of the modules that are linked, and of those that stay imports.
    done: Vec<String>,
    /// The scripts before this one, and whether it imports them yet.
    before: BTreeMap<String, bool>,
    /// How many of `done` are theirs.
    theirs: usize,
    /// Those that are being linked: what one of them imports must not come back to it.
    begun: Vec<String>,
}

impl<'a> Linker<'a> {
    fn new(files: &'a Files) -> Self {
        let (imports, script) = (String::new(), String::new());
        let (done, begun, before) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { files, imports, script, done, before, theirs: 0, begun }
    }

    /// Links a script of the page: a module, and what it imports that is in no script before it.
    fn script(&mut self, path: &str) -> Result<String, String> {
        self.add(path)?;
        self.before.values_mut().for_each(|is_imported| *is_imported = false);
        self.before.insert(path.to_owned(), false);
        self.theirs = self.done.len();
        let imports = std::mem::take(&mut self.imports);
        let script = std::mem::take(&mut self.script);
        Ok(format!("{imports}{script}\nexport default {};\n", name(path)))
    }

    /// Links a module, after those that it imports.
    fn add(&mut self, path: &str) -> Result<(), String> {
        if let Some(is_imported) = self.before.get_mut(path) {
            if !std::mem::replace(is_imported, true) {
                writeln!(self.imports, "import {} from \"./{path}\";", name(path)).ok();
            }
            return Ok(());
        }
        if self.done.iter().take(self.theirs).any(|theirs| theirs == path) {
            return Err(format!("{path} is within another script: import what that exports"));
        }
        if self.done.iter().any(|done| done == path) {
            return Ok(());
        }
        if !self.files.contains_key(path) {
            let name = name(path);
            writeln!(self.imports, "import * as {name} from \"./{path}\";").ok();
            self.done.push(path.to_owned());
            return Ok(());
        }
        if self.begun.iter().any(|begun| begun == path) {
            return Err(format!("{path} imports itself, by way of {:?}", self.begun));
        }
        self.begun.push(path.to_owned());
        let module = Module::read(path, &text(self.files, path)?)?;
        for imported in &module.imports {
            self.add(imported)?;
        }
        self.begun.pop();
        self.done.push(path.to_owned());
        self.script.push_str(&module.linked(path));
        Ok(())
    }
}

/// A module, read line by line.
#[derive(Default)]
struct Module {
    imports: Vec<String>,
    body: String,
    /// What the object of its exports has in it.
    exports: String,
    awaits: bool,
}

impl Module {
    fn read(path: &str, text: &str) -> Result<Self, String> {
        let mut module = Self::default();
        for line in text.split_inclusive('\n') {
            let known = match line.split_once(' ') {
                Some(("import", rest)) => module.import(path, rest),
                Some(("export", rest)) => module.export(path, rest),
                first => {
                    module.awaits |= matches!(first, Some(("await", _)));
                    module.body.push_str(line);
                    Some(())
                }
            };
            known.ok_or_else(|| format!("{path}: cannot be linked: {line}"))?;
        }
        Ok(module)
    }

    /// `{ a, b as c } from "./x.js";` or `* as x from "./x.js";`
    fn import(&mut self, path: &str, rest: &str) -> Option<()> {
        let (what, from) = rest.split_once(" from ")?;
        let from = self.from(path, from)?;
        match what.strip_prefix("* as ") {
            Some(all) => writeln!(self.body, "const {all} = {from};"),
            None => {
                writeln!(self.body, "const {{ {} }} = {from};", listed(what)?.replace(" as ", ": "))
            }
        }
        .ok()
    }

    fn export(&mut self, path: &str, rest: &str) -> Option<()> {
        if let Some(from) = rest.strip_prefix("* from ") {
            let from = self.from(path, from)?;
            return write!(self.exports, "...{from}, ").ok();
        }
        if rest.starts_with('{') {
            let (what, from) = match rest.split_once(" from ") {
                Some((what, from)) => (what, self.from(path, from)? + "."),
                None => (rest.trim_end().strip_suffix(';')?, String::new()),
            };
            for exported in listed(what)?.split(", ") {
                let (inside, outside) = exported.split_once(" as ").unwrap_or((exported, exported));
                write!(self.exports, "{outside}: {from}{inside}, ").ok()?;
            }
            return Some(());
        }
        let declared = ["function* ", "function ", "class ", "const "].into_iter();
        let declared = declared
            .filter_map(|kind| rest.strip_prefix("async ").unwrap_or(rest).strip_prefix(kind))
            .next()?;
        let end = declared
            .find(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '$')?;
        write!(self.exports, "{}, ", declared.get(..end).filter(|name| !name.is_empty())?).ok()?;
        self.body.push_str(rest);
        Some(())
    }

    /// The object of the exports of `"./x.js";`, seen from `path`.
    fn from(&mut self, path: &str, quoted: &str) -> Option<String> {
        let named = quoted.trim_end().strip_prefix("\"./")?.strip_suffix("\";")?;
        let folder = path.rfind('/').map_or("", |end| path.get(..=end).unwrap_or_default());
        let path = format!("{folder}{named}");
        let name = name(&path);
        self.imports.push(path);
        Some(name)
    }

    fn linked(&self, path: &str) -> String {
        let Self { body, exports, .. } = self;
        let (before, function) =
            if self.awaits { ("await ", "async () =>") } else { ("", "() =>") };
        let name = name(path);
        format!("\nconst {name} = {before}({function} {{\n{body}return {{ {exports}}};\n}})();\n")
    }
}

/// What is between the braces of a list on one line.
fn listed(what: &str) -> Option<&str> {
    what.strip_prefix("{ ")?.strip_suffix(" }")
}

/// What the object of a module's exports is called.
fn name(path: &str) -> String {
    let stem = path.strip_suffix(".js").unwrap_or(path);
    format!("${}", stem.replace(|char: char| !char.is_ascii_alphanumeric(), "_"))
}
