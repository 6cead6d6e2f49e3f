//! `cargo xtask generate`: generates the core's numbering plan from libphonenumber's metadata, and what
//! a real phone line must know of area codes.
//!
//! The metadata comes from the `rlibphonenumber` crate, which follows libphonenumber's releases
//! most closely. After `cargo update rlibphonenumber`, this command uses the newest metadata. It
//! compiles the patterns for country code 1 into one automaton, which gives the same result for a
//! number as libphonenumber's `getNumberType`. Minimised, this is a table of a few kilobytes. The
//! crate's readme states the release, and this project's README repeats it.
//!
//! With `--check` it writes nothing, and fails if the checked-in files differ from its output.
//!
//! The crate does not contain libphonenumber's map of time zones. `--time-zones PATH` generates the
//! service's table from it; the path is that of `resources/timezones/map_data.txt` in libphonenumber's
//! repository.

mod area_codes;

use crate::Outcome;
use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};
use rlibphonenumber::PHONE_NUMBER_UTIL;
use rlibphonenumber::interfaces::AsOriginal as _;
use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter};

/// The first seven digits of a number determine its kind, because the patterns do not distinguish
/// more.
const DEPTH: usize = 7;
/// The digits of an area code, which are looked up in one step.
const AREA_CODE: usize = 3;
/// Table entries below this are kinds. The others are rows, numbered separately for each digit so
/// that they fit a byte.
const FIRST_ROW: usize = 16;

/// The kinds, in the order of `Kind::ALL` in the core. 0 is "unassigned".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    FixedLine = 1,
    Mobile,
    FixedLineOrMobile,
    TollFree,
    PremiumRate,
    SharedCost,
    PersonalNumber,
    Voip,
    Pager,
    Uan,
    Voicemail,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let line_rules = root.join("crates/callerid-service/src/line_rules");
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        [flag, map] if flag == "--time-zones" => {
            let source = area_codes::time_zones(&fs::read_to_string(map)?)?;
            return Ok(fs::write(line_rules.join("time_zones.rs"), source)?);
        }
        _ => return Err("usage: cargo xtask generate [--check | --time-zones PATH]".into()),
    };
    let release = metadata_release()?;
    let plan = Plan::of(&Patterns::of_country_code_1()?)?;
    let readme = root.join("README.md");
    let generated = [
        (
            root.join("crates/callerid-core/src/phone_number/numbering_plan.rs"),
            plan.source(&release)?,
        ),
        (line_rules.join("regions.rs"), area_codes::regions(&release)?),
        (readme.clone(), with_release(&fs::read_to_string(readme)?, &release)?),
    ];
    for (path, text) in generated {
        if !check {
            fs::write(&path, text)?;
        } else if fs::read_to_string(&path)? != text {
            return Err(format!("{} is stale: run `cargo xtask generate`", path.display()).into());
        }
    }
    Ok(())
}

/// The libphonenumber release whose metadata the locked `rlibphonenumber` crate contains. Only its
/// readme states it.
fn metadata_release() -> Result<String, Box<dyn Error>> {
    let readme = fs::read_to_string(crate_root("rlibphonenumber")?.join("Readme.md"))?;
    let (_, rest) = readme
        .split_once("**Used metadata version:** `v")
        .ok_or("rlibphonenumber's readme does not say its metadata's release")?;
    let (release, _) = rest.split_once('`').ok_or("no release in rlibphonenumber's readme")?;
    Ok(release.to_owned())
}

/// The folder with the source of a dependency.
fn crate_root(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--features=generate",
            "--manifest-path",
        ])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == name)
        .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("cargo knows no crate {name}").into())
}

/// The README with this release in place of the libphonenumber release that it states.
fn with_release(readme: &str, release: &str) -> Result<String, Box<dyn Error>> {
    const BEFORE: &str = "as libphonenumber ";
    let (before, rest) = readme.split_once(BEFORE).ok_or("the README names no release")?;
    let (_, after) = rest.split_once(' ').ok_or("the README ends with its release")?;
    Ok(format!("{before}{BEFORE}{release} {after}"))
}

/// The patterns of all regions, compiled into one automaton that tells which of them match.
struct Patterns {
    automaton: dense::DFA<Vec<u32>>,
    regions: Vec<Region>,
}

/// The patterns of one region, as indices into the automaton's patterns.
struct Region {
    leading_digits: Option<usize>,
    general: Option<usize>,
    /// In the order in which `getNumberType` tries them.
    kinds: Vec<(Kind, usize)>,
    fixed_line: Option<usize>,
    mobile: Option<usize>,
}

impl Patterns {
    fn of_country_code_1() -> Result<Self, Box<dyn Error>> {
        let regions = PHONE_NUMBER_UTIL
            .get_regions_for_country_calling_code(1)
            .ok_or("the metadata has no country code 1")?;
        let mut sources = Vec::new();
        let mut add = |source: String| {
            sources.push(source);
            sources.len() - 1
        };
        let regions = regions
            .map(|region| {
                let metadata = PHONE_NUMBER_UTIL.as_original().get_metadata_for_region(region);
                let of = metadata.ok_or_else(|| format!("no metadata for {region:?}"))?;
                // The descriptions' type has no public name.
                macro_rules! pattern {
                    ($kind:ident) => {{
                        let pattern = of.$kind.national_number_pattern().original_base();
                        let lengths = &of.$kind.original.possible_length;
                        let applies = lengths.is_empty() || lengths.contains(&10);
                        (applies && !pattern.is_empty()).then(|| add(format!("(?:{pattern})$")))
                    }};
                }
                let leading_digits = of.leading_digits().original_base();
                Ok(Region {
                    general: pattern!(general_desc),
                    kinds: [
                        (Kind::PremiumRate, pattern!(premium_rate)),
                        (Kind::TollFree, pattern!(toll_free)),
                        (Kind::SharedCost, pattern!(shared_cost)),
                        (Kind::Voip, pattern!(voip)),
                        (Kind::PersonalNumber, pattern!(personal_number)),
                        (Kind::Pager, pattern!(pager)),
                        (Kind::Uan, pattern!(uan)),
                        (Kind::Voicemail, pattern!(voicemail)),
                    ]
                    .into_iter()
                    .filter_map(|(kind, pattern)| Some((kind, pattern?)))
                    .collect(),
                    fixed_line: pattern!(fixed_line),
                    mobile: pattern!(mobile),
                    leading_digits: (!leading_digits.is_empty())
                        .then(|| add(format!("(?:{leading_digits})\\d*$"))),
                })
            })
            .collect::<Result<_, Box<dyn Error>>>()?;
        let automaton = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::All)
                    .start_kind(regex_automata::dfa::StartKind::Anchored),
            )
            .syntax(syntax::Config::new().unicode(false).utf8(false).ignore_whitespace(true))
            .build_many(&sources)?;
        Ok(Patterns { automaton, regions })
    }

    fn start(&self) -> Result<StateID, Box<dyn Error>> {
        Ok(self.automaton.start_state(&start::Config::new().anchored(Anchored::Yes))?)
    }

    /// The kind of the numbers that end in this state: that of the first region with a matching
    /// pattern.
    fn kind(&self, state: StateID) -> Option<Kind> {
        let end = self.automaton.next_eoi_state(state);
        let matched: Vec<usize> = if self.automaton.is_match_state(end) {
            (0..self.automaton.match_len(end))
                .map(|at| self.automaton.match_pattern(end, at).as_usize())
                .collect()
        } else {
            Vec::new()
        };
        let matches = |pattern: Option<usize>| pattern.is_some_and(|it| matched.contains(&it));
        let kind = |region: &Region| {
            if !matches(region.general) {
                return None;
            }
            let named = region.kinds.iter().find(|(_, pattern)| matches(Some(*pattern)));
            match (named, matches(region.fixed_line), matches(region.mobile)) {
                (Some((kind, _)), _, _) => Some(*kind),
                (None, true, true) => Some(Kind::FixedLineOrMobile),
                (None, true, false) => Some(Kind::FixedLine),
                (None, false, true) => Some(Kind::Mobile),
                (None, false, false) => None,
            }
        };
        self.regions
            .iter()
            .find(|region| match region.leading_digits {
                Some(digits) => matches(Some(digits)),
                None => kind(region).is_some(),
            })
            .and_then(kind)
    }
}

/// Where a digit leads: the kind of all numbers from here on, or a row for the next digit.
type Entry = usize;
type Row = [Entry; 10];

/// The minimised automaton: equal rows are merged, and a row with equal kinds becomes that kind.
struct Plan {
    area_codes: Vec<Entry>,
    /// The rows of the fourth to the seventh digit.
    rows: [Vec<Row>; DEPTH - AREA_CODE],
}

impl Plan {
    fn of(patterns: &Patterns) -> Result<Self, Box<dyn Error>> {
        let mut builder = Builder { patterns, levels: Default::default() };
        let start = patterns.start()?;
        let area_codes = (200..1000)
            .map(|area_code| {
                let state = format!("{area_code}")
                    .bytes()
                    .fold(start, |state, digit| patterns.automaton.next_state(state, digit));
                builder.entry(state, 0)
            })
            .collect::<Result<_, _>>()?;
        Ok(Plan { area_codes, rows: builder.levels.map(|level| level.rows) })
    }

    fn source(&self, release: &str) -> Result<String, Box<dyn Error>> {
        let mut source = format!(
            "//! Which ten-digit numbers are valid, and their kinds.\n\
             //!\n\
             //! Generated by `cargo xtask generate` from the metadata of libphonenumber {release} for country\n\
             //! code 1, which the `rlibphonenumber` crate contains. Do not edit; run the command again.\n\n\
             /// The libphonenumber release of this metadata.\n\
             pub(super) const METADATA_RELEASE: &str = \"{release}\";\n\n\
             /// An entry below this is an index into `Kind::ALL`. Any other entry, less this, is the index of a\n\
             /// row for the next digit.\n\
             pub(super) const FIRST_ROW: u8 = {FIRST_ROW};\n\n\
             /// The entries of the area codes 200 to 999.\n\
             #[rustfmt::skip]\n\
             pub(super) static AREA_CODES: [u8; 800] = [\n"
        );
        for (line, entries) in self.area_codes.chunks(20).enumerate() {
            writeln!(source, "    {} // {}", list(entries), 200 + line * 20)?;
        }
        write!(
            source,
            "];\n\n\
             /// The rows of the fourth to the seventh digit. A row has an entry for each of the ten digits.\n\
             pub(super) static ROWS: [&[[u8; 10]]; {}] = [&FOURTH, &FIFTH, &SIXTH, &SEVENTH];\n",
            self.rows.len()
        )?;
        for (name, rows) in ["FOURTH", "FIFTH", "SIXTH", "SEVENTH"].iter().zip(&self.rows) {
            if FIRST_ROW + rows.len() > usize::from(u8::MAX) + 1 {
                return Err(format!("{} rows do not fit a byte", rows.len()).into());
            }
            write!(source, "\n#[rustfmt::skip]\nstatic {name}: [[u8; 10]; {}] = [\n", rows.len())?;
            for row in rows {
                writeln!(source, "    [{}],", list(row).trim_end_matches(','))?;
            }
            source.push_str("];\n");
        }
        Ok(source)
    }
}

fn list(entries: &[Entry]) -> String {
    entries.iter().map(|entry| format!("{entry},")).collect::<Vec<_>>().join(" ")
}

struct Builder<'a> {
    patterns: &'a Patterns,
    levels: [Level; DEPTH - AREA_CODE],
}

/// The rows of one digit.
#[derive(Default)]
struct Level {
    rows: Vec<Row>,
    entries: HashMap<Row, Entry>,
    seen: HashMap<StateID, Entry>,
}

impl Builder<'_> {
    /// The entry for the numbers that have reached `state`, `level` digits after the area code.
    fn entry(&mut self, state: StateID, level: usize) -> Result<Entry, Box<dyn Error>> {
        if level == self.levels.len() {
            return self.kind_of_all(state);
        }
        if let Some(entry) = self.levels[level].seen.get(&state) {
            return Ok(*entry);
        }
        let mut row = Row::default();
        for (entry, digit) in row.iter_mut().zip(b'0'..=b'9') {
            *entry = self.entry(self.patterns.automaton.next_state(state, digit), level + 1)?;
        }
        let Level { rows, entries, seen } = &mut self.levels[level];
        let entry = if row[0] < FIRST_ROW && row.iter().all(|entry| *entry == row[0]) {
            row[0]
        } else {
            *entries.entry(row).or_insert_with(|| {
                rows.push(row);
                FIRST_ROW + rows.len() - 1
            })
        };
        seen.insert(state, entry);
        Ok(entry)
    }

    /// The kind that all numbers with a seven-digit prefix share.
    fn kind_of_all(&self, state: StateID) -> Result<Entry, Box<dyn Error>> {
        let mut states = BTreeSet::from([state]);
        for _ in DEPTH..10 {
            states = states
                .into_iter()
                .flat_map(|state| iter::repeat(state).zip(b'0'..=b'9'))
                .map(|(state, digit)| self.patterns.automaton.next_state(state, digit))
                .collect();
        }
        let mut kinds = states.into_iter().map(|state| self.patterns.kind(state));
        let first = kinds.next().flatten();
        if kinds.any(|kind| kind != first) {
            return Err("a pattern looks past a number's seventh digit".into());
        }
        Ok(first.map_or(0, |kind| kind as Entry))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_numbering_plan_is_the_generated_one() {
        super::run(&["--check".to_owned()]).unwrap();
    }
}
