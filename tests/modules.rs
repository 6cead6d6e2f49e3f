//! The modules of each crate have no circular dependencies, as ARCHITECTURE.md states.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{ItemMod, ItemUse, UseTree};

/// The names of a module and its ancestors, outermost first.
type Module = Vec<String>;

#[test]
fn crates_have_no_circular_modules() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    for package in fs::read_dir(crates).unwrap() {
        let sources = package.unwrap().path().join("src");
        let mut paths = BTreeMap::new();
        read_folder(&sources, &[], &mut paths);
        assert!(!paths.is_empty(), "{}", sources.display());
        let modules: BTreeSet<Module> = paths.keys().cloned().collect();
        let dependencies = paths.into_iter().map(|(module, paths)| {
            let used = paths.into_iter().filter_map(|path| enclosing(path, &modules));
            let used = used.filter(|used| *used != module).collect();
            (module, used)
        });
        let circle = circle(dependencies.collect());
        assert_eq!(circle, BTreeMap::new(), "{} has a circle among these", sources.display());
    }
}

/// The paths in the crate that each module in a folder uses, except in tests.
fn read_folder(folder: &Path, around: &[String], paths: &mut BTreeMap<Module, Vec<Module>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = match name.as_str() {
            "lib" | "main" | "tests" => continue,
            "mod" => around.to_vec(),
            _ => [around, &[name]].concat(),
        };
        if path.is_dir() {
            read_folder(&path, &module, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
            let mut uses = Uses { module: module.clone(), paths: Vec::new() };
            uses.visit_file(&file);
            paths.insert(module, uses.paths);
        }
    }
}

/// The module that a path refers to or into, if it is one of these.
fn enclosing(mut path: Module, modules: &BTreeSet<Module>) -> Option<Module> {
    while !path.is_empty() && !modules.contains(&path) {
        path.pop();
    }
    (!path.is_empty()).then_some(path)
}

/// The modules that remain after repeatedly removing those that use no others or are used by no
/// others.
fn circle(mut left: BTreeMap<Module, BTreeSet<Module>>) -> BTreeMap<Module, BTreeSet<Module>> {
    loop {
        let before = left.len();
        let used: BTreeSet<Module> = left.values().flatten().cloned().collect();
        left.retain(|module, uses| !uses.is_empty() && used.contains(module));
        let kept: BTreeSet<Module> = left.keys().cloned().collect();
        left.values_mut().for_each(|uses| uses.retain(|module| kept.contains(module)));
        if left.len() == before {
            return left;
        }
    }
}

/// Collects the paths in its crate that a module uses.
struct Uses {
    module: Module,
    paths: Vec<Module>,
}

impl Uses {
    fn add(&mut self, path: &[String]) {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let around = match path.first().map(String::as_str) {
            Some("crate") => return self.paths.push(path[1..].to_vec()),
            Some("self") => return self.paths.push([&self.module, &path[1..]].concat()),
            Some("super") => self.module.len().saturating_sub(supers),
            _ => return,
        };
        self.paths.push([&self.module[..around], &path[supers..]].concat());
    }

    fn add_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, before));
            }
            UseTree::Name(name) => self.add(&with(&name.ident)),
            UseTree::Rename(name) => self.add(&with(&name.ident)),
            UseTree::Glob(_) => self.add(before),
        }
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&names);
        visit::visit_path(self, path);
    }
}
