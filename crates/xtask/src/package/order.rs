//! Puts functions beside those that they are like.
//!
//! What is sent is compressed, and what compresses finds a repetition the better the nearer it is: the order of a module's
//! functions, which means nothing to it, makes over a hundredth of its size.

use std::collections::{HashMap, VecDeque};
use std::error::Error;

use wasm_encoder::{Module, NameMap, NameSection, RawSection};
use wasmparser::{Parser, Payload, TypeRef};

/// Bytes in a row that make two functions alike.
const RUN: usize = 5;
/// How many of the last functions the next one is compared with.
const RECENT: usize = 10;
/// Added to a function's length when its likeness is reckoned as a share of that: a tiny one is like anything.
const SMALL: usize = 20;

/// The module with a name for each function, in the order of which like follows like: what wasm-opt's
/// `--reorder-functions-by-name` goes by.
pub(super) fn named_by_likeness(wasm: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bodies = Vec::new();
    let mut imported: u32 = 0;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&wasm[body.range()]),
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            module.section(&RawSection { id, data: &wasm[range] });
        }
    }
    let mut names = NameMap::new();
    let mut places = vec![0; bodies.len()];
    (0..).zip(by_likeness(&bodies)).for_each(|(place, function)| places[function] = place);
    for (index, place) in (imported..).zip(places) {
        names.append(index, &format!("{place:06}"));
    }
    let mut section = NameSection::new();
    section.functions(&names);
    module.section(&section);
    Ok(module.finish())
}

/// The functions' indices: the longest first, then always the one of which the largest share stands in the last few.
fn by_likeness(bodies: &[&[u8]]) -> Vec<usize> {
    let mut holders: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (function, body) in bodies.iter().enumerate() {
        for run in body.windows(RUN) {
            let holders = holders.entry(run).or_default();
            if holders.last() != Some(&function) {
                holders.push(function);
            }
        }
    }
    // How many of the last functions have a run, and how many of its own runs each function has in them.
    let mut recent: VecDeque<usize> = VecDeque::new();
    let mut having: HashMap<&[u8], usize> = HashMap::new();
    let mut shared = vec![0; bodies.len()];
    let mut order = Vec::new();
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut next = left.iter().copied().max_by_key(|function| bodies[*function].len());
    while let Some(function) = next {
        left.retain(|other| *other != function);
        order.push(function);
        recent.push_back(function);
        for run in runs(bodies[function]) {
            let having = having.entry(run).or_default();
            *having += 1;
            if *having == 1 {
                holders[run].iter().for_each(|holder| shared[*holder] += 1);
            }
        }
        let old = if recent.len() > RECENT { recent.pop_front() } else { None };
        for run in old.map(|old| runs(bodies[old])).unwrap_or_default() {
            let having = having.entry(run).or_default();
            *having -= 1;
            if *having == 0 {
                holders[run].iter().for_each(|holder| shared[*holder] -= 1);
            }
        }
        next = left.iter().copied().reduce(|best, other| {
            let share = |one: usize, two: usize| shared[one] * (bodies[two].len() + SMALL);
            if share(other, best) > share(best, other) { other } else { best }
        });
    }
    order
}

/// The runs of bytes in a body, each once.
fn runs(body: &[u8]) -> Vec<&[u8]> {
    let mut runs: Vec<&[u8]> = body.windows(RUN).collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_follows_like_and_nothing_is_lost() {
        let bodies: [&[u8]; 5] =
            [b"aaaaaaaaaabbbbb", b"cccccccddddd", b"aaaaaabbbbbbbb", b"ccccccdddddd", b""];
        let order = by_likeness(&bodies);
        assert_eq!(order[0..2], [0, 2]);
        let place = |function| order.iter().position(|it| *it == function).unwrap();
        assert_eq!(usize::abs_diff(place(1), place(3)), 1);
        let mut all = order.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }
}
