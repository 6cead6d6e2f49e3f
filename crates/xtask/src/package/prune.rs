//! Takes out of a linked module what only its panics need.
//!
//! A panic ends the module at once: what it would say first, nobody reads. But its messages, the paths in them, and what
//! formats them are reached from the tables of function pointers and from data, which no optimiser dares to touch once they
//! are linked. The linker's relocations (`--emit-relocs`) still tell what refers to what: data that no living function
//! refers to becomes zeros, and a function that only such data points to is gone.
//!
//! The relocations' format: <https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md>.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::ops::Range;

use walrus::{
    ElementItems, FunctionBuilder, FunctionId, FunctionKind, Import, ImportKind, LocalFunction,
    Module, ValType,
};
use wasmparser::{ExternalKind, KnownCustom, Linking, Parser, Payload, RelocationType, SymbolInfo};

/// The functions that only panic, by the beginnings of their names. So do all that are called `assert_failed`.
const PANICS: [&str; 13] = [
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::cell::panic_already",
    "core::slice::index::slice_",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::str::slice_error_fail",
    "alloc::raw_vec::handle_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::alloc::handle_alloc_error",
    "std::panicking::",
    "std::thread::local::panic_access_error",
];

/// A module as it was linked, with relocations, without what only its panics need.
pub(super) fn prune(linked: &[u8]) -> Result<Module, Box<dyn Error>> {
    let mut module = Module::from_buffer(linked)?;
    // In the order of their indices.
    let functions: Vec<FunctionId> = module.funcs.iter().map(|function| function.id()).collect();
    let panics: HashSet<u32> =
        (0..).zip(&functions).filter(|(_, id)| panics(&module, **id)).map(|(at, _)| at).collect();
    let live = Linked::parse(linked, &module)?.live(&panics);

    let index = |id: &FunctionId| functions.iter().position(|function| function == id);
    let unreachable = end_at_once(&mut module, &[], &[]);
    let unreachable = module.funcs.add_local(unreachable);
    for element in module.elements.iter_mut() {
        let ElementItems::Functions(pointers) = &mut element.items else { continue };
        for pointer in pointers {
            let is_live = index(pointer).is_none_or(|at| live.pointers.contains(&(at as u32)));
            if !is_live {
                *pointer = unreachable;
            }
        }
    }
    for at in panics {
        let id = functions[at as usize];
        let (parameters, results) = {
            let kind = module.types.get(module.funcs.get(id).ty());
            (kind.params().to_vec(), kind.results().to_vec())
        };
        let body = end_at_once(&mut module, &parameters, &results);
        module.funcs.get_mut(id).kind = FunctionKind::Local(body);
    }
    let segments: Vec<_> = module.data.iter().map(|segment| segment.id()).collect();
    for (segment, dead) in segments.into_iter().zip(live.dead_data) {
        let data = &mut module.data.get_mut(segment).value;
        data.iter_mut().zip(dead).filter(|(_, dead)| *dead).for_each(|(byte, _)| *byte = 0);
        // Memory is all zeros to begin with.
        let length = data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        data.truncate(length);
    }
    let relocations = module
        .customs
        .iter()
        .filter(|(_, section)| section.name() == "linking" || section.name().starts_with("reloc."));
    for section in relocations.map(|(id, _)| id).collect::<Vec<_>>() {
        module.customs.delete(section);
    }
    Ok(module)
}

fn panics(module: &Module, id: FunctionId) -> bool {
    let function = module.funcs.get(id);
    let name = function.name.as_deref().unwrap_or_default();
    let name = format!("{:#}", rustc_demangle::demangle(name));
    matches!(function.kind, FunctionKind::Local(_))
        && (PANICS.iter().any(|panic| name.starts_with(panic)) || name.ends_with("::assert_failed"))
}

/// A function that does nothing but end the module.
fn end_at_once(module: &mut Module, parameters: &[ValType], results: &[ValType]) -> LocalFunction {
    let arguments = parameters.iter().map(|kind| module.locals.add(*kind)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, parameters, results);
    builder.func_body().unreachable();
    builder.local_func(arguments)
}

/// What of a linked module says what refers to what.
#[derive(Default)]
struct Linked {
    /// The functions that can be called from outside.
    exported: Vec<u32>,
    /// The places of the functions' bodies in the code section, from the first that is not imported on.
    bodies: Vec<Range<usize>>,
    imported: u32,
    /// The data section, and the places of the segments in it.
    data: Vec<u8>,
    segments: Vec<Range<usize>>,
    symbols: Vec<Symbol>,
    /// What stands in the code section and in the data section, and where.
    in_code: Vec<(usize, Reference)>,
    in_data: Vec<(usize, Reference)>,
}

#[derive(Clone)]
enum Symbol {
    Function(u32),
    /// A place in the data section.
    Data(Range<usize>),
    Other,
}

#[derive(Clone, Copy)]
enum Reference {
    /// A call.
    Function(u32),
    /// A pointer to a function.
    Pointer(u32),
    /// An address: the symbol's index.
    Data(usize),
}

/// What can be reached.
struct Live {
    /// The functions that pointers point to.
    pointers: HashSet<u32>,
    /// For each byte of each segment, whether it is never read.
    dead_data: Vec<Vec<bool>>,
}

impl Linked {
    fn parse(linked: &[u8], module: &Module) -> Result<Self, Box<dyn Error>> {
        let is_function = |import: &&Import| matches!(import.kind, ImportKind::Function(_));
        let imported = module.imports.iter().filter(is_function).count() as u32;
        let mut it = Self { imported, ..Self::default() };
        let mut code_at = 0;
        for payload in Parser::new(0).parse_all(linked) {
            match payload? {
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            it.exported.push(export.index);
                        }
                    }
                }
                Payload::StartSection { func, .. } => it.exported.push(func),
                Payload::CodeSectionStart { range, .. } => code_at = range.start,
                Payload::CodeSectionEntry(body) => {
                    let range = body.range();
                    it.bodies.push(range.start - code_at..range.end - code_at);
                }
                Payload::DataSection(segments) => {
                    let data_at = segments.range().start;
                    it.data = linked[segments.range()].to_vec();
                    for segment in segments {
                        let segment = segment?;
                        let end = segment.range.end - data_at;
                        it.segments.push(end - segment.data.len()..end);
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Linking(linking) => {
                        for subsection in linking.subsections() {
                            let Linking::SymbolTable(symbols) = subsection? else { continue };
                            for symbol in symbols {
                                let symbol = it.symbol(symbol?);
                                it.symbols.push(symbol);
                            }
                        }
                    }
                    KnownCustom::Reloc(relocations) if section.name() == "reloc.CODE" => {
                        for entry in relocations.entries() {
                            let entry = entry?;
                            let reference = it.reference(entry.ty, entry.index);
                            it.in_code.extend(reference.map(|to| (entry.offset as usize, to)));
                        }
                    }
                    KnownCustom::Reloc(relocations) if section.name() == "reloc.DATA" => {
                        for entry in relocations.entries() {
                            let entry = entry?;
                            let reference = it.reference(entry.ty, entry.index);
                            it.in_data.extend(reference.map(|to| (entry.offset as usize, to)));
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        if it.in_code.is_empty() {
            return Err("the module was linked without --emit-relocs".into());
        }
        Ok(it)
    }

    fn symbol(&self, symbol: SymbolInfo<'_>) -> Symbol {
        match symbol {
            SymbolInfo::Func { index, .. } => Symbol::Function(index),
            SymbolInfo::Data { symbol: Some(data), .. } => {
                let start = self.segments[data.index as usize].start + data.offset as usize;
                Symbol::Data(start..start + data.size as usize)
            }
            _ => Symbol::Other,
        }
    }

    /// What a relocation refers to, if that is a function or data.
    fn reference(&self, kind: RelocationType, index: u32) -> Option<Reference> {
        use RelocationType as Kind;
        // These have other indices than symbols'.
        if matches!(kind, Kind::TypeIndexLeb) {
            return None;
        }
        match self.symbols.get(index as usize)? {
            Symbol::Function(function) => Some(match kind {
                Kind::FunctionIndexLeb => Reference::Function(*function),
                _ => Reference::Pointer(*function),
            }),
            Symbol::Data(_) => Some(Reference::Data(index as usize)),
            Symbol::Other => None,
        }
    }

    /// What can be reached from outside, where a panic reaches nothing.
    fn live(&self, panics: &HashSet<u32>) -> Live {
        let mut of_function: HashMap<u32, Vec<Reference>> = HashMap::new();
        for (at, reference) in &self.in_code {
            let body = self.bodies.partition_point(|body| body.end <= *at) as u32;
            of_function.entry(self.imported + body).or_default().push(*reference);
        }
        let mut of_symbol: HashMap<usize, Vec<Reference>> = HashMap::new();
        let mut reached: Vec<Reference> =
            self.exported.iter().map(|function| Reference::Function(*function)).collect();
        for (at, reference) in &self.in_data {
            let holders: Vec<usize> = self.symbols_at(*at).collect();
            if holders.is_empty() {
                reached.push(*reference);
            }
            for symbol in holders {
                of_symbol.entry(symbol).or_default().push(*reference);
            }
        }
        let mut functions = HashSet::new();
        let mut pointers = HashSet::new();
        let mut data = HashSet::new();
        while let Some(reference) = reached.pop() {
            let more = match reference {
                Reference::Function(function) => {
                    if panics.contains(&function) || !functions.insert(function) {
                        continue;
                    }
                    of_function.get(&function)
                }
                Reference::Pointer(function) => {
                    if pointers.insert(function) {
                        reached.push(Reference::Function(function));
                    }
                    continue;
                }
                Reference::Data(symbol) => {
                    let refers_to = of_symbol.get(&symbol);
                    if self.is_location(symbol, refers_to) || !data.insert(symbol) {
                        continue;
                    }
                    refers_to
                }
            };
            reached.extend(more.into_iter().flatten());
        }
        Live { pointers, dead_data: self.dead_data(&data) }
    }

    /// Whether it is where in a source a panic is, a `core::panic::Location`: the name of a file, a line and a column. What
    /// calls a function that may panic hands it over, and nothing else reads it.
    fn is_location(&self, symbol: usize, refers_to: Option<&Vec<Reference>>) -> bool {
        let is_source = |named: usize| match &self.symbols[named] {
            Symbol::Data(range) => {
                let name = &self.data[range.clone()];
                name.ends_with(b".rs") || name.ends_with(b".rs\0")
            }
            _ => false,
        };
        let size = match &self.symbols[symbol] {
            Symbol::Data(range) => range.len(),
            _ => 0,
        };
        let file = refers_to.map(Vec::as_slice);
        size == 16 && matches!(file, Some([Reference::Data(named)]) if is_source(*named))
    }

    /// The symbols of data that have a place in the data section within them.
    fn symbols_at(&self, place: usize) -> impl Iterator<Item = usize> {
        let holds =
            move |symbol: &Symbol| matches!(symbol, Symbol::Data(range) if range.contains(&place));
        let symbols = self.symbols.iter().enumerate();
        symbols.filter(move |(_, symbol)| holds(symbol)).map(|(index, _)| index)
    }

    /// For each segment, which of its bytes belong to symbols, but to none of these.
    fn dead_data(&self, live: &HashSet<usize>) -> Vec<Vec<bool>> {
        let mut dead = vec![false; self.segments.last().map_or(0, |segment| segment.end)];
        for is_live in [false, true] {
            for (index, symbol) in self.symbols.iter().enumerate() {
                if let Symbol::Data(range) = symbol
                    && live.contains(&index) == is_live
                {
                    dead[range.clone()].fill(!is_live);
                }
            }
        }
        self.segments.iter().map(|segment| dead[segment.clone()].to_vec()).collect()
    }
}
