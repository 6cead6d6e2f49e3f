//! `cargo xtask bench`: performance compared with that of peers, in the same run on the same
//! machine.
//!
//! Prints a table for each benchmark, and writes all tables to `target/bench.json`. Arguments
//! select benchmarks by name; without arguments, all run.

mod cpu_time;
mod database;
mod growth;
mod normalize;
mod package;
mod page;
mod representation;
mod server;
mod sip;
mod testing;

use crate::Outcome;
use serde_json::{Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::process::Output;
use std::{fmt, fs};

/// All benchmarks by name.
const BENCHMARKS: &[(&str, Benchmark)] = &[
    ("normalize", || vec![normalize::run()]),
    ("representation", || vec![representation::decode(), representation::encode()]),
    ("growth", growth::run),
    ("server", server::run),
    ("database", database::run),
    ("testing", testing::run),
    ("sip", sip::run),
    ("package", package::run),
    ("page", page::start),
];

type Benchmark = fn() -> Vec<Table>;

pub(crate) fn run(args: &[String]) -> Outcome {
    if let [hidden, response] = args
        && hidden == server::BARE
    {
        return server::be_bare_route(response);
    }
    if let [hidden, arguments @ ..] = args
        && hidden == database::STORE_NODE
    {
        return database::be_store_node(arguments);
    }
    let is_known = |arg: &&String| BENCHMARKS.iter().any(|(name, _)| name == arg);
    if let Some(unknown) = args.iter().find(|arg| !is_known(arg)) {
        return Err(format!("no benchmark is called {unknown:?}").into());
    }
    let mut tables = Vec::new();
    for (name, run) in BENCHMARKS {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            for table in run() {
                println!("{table}");
                tables.push(table.to_json(name));
            }
        }
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/bench.json");
    fs::create_dir_all(path.parent().ok_or("no target folder")?)?;
    fs::write(&path, serde_json::to_vec_pretty(&Value::Array(tables))?)?;
    println!("written: target/bench.json");
    Ok(())
}

/// The tables that a Node script has printed as JSON: `[{ title, unit, rows: [[name, figure,
/// note?], …] }, …]`.
fn measured(output: Output) -> Result<Vec<Table>, Box<dyn Error>> {
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let row = |row: &Value| {
        Some(Row {
            name: row.get(0)?.as_str()?.to_owned(),
            figure: row.get(1)?.as_f64()?,
            note: row.get(2).and_then(Value::as_str).unwrap_or_default().to_owned(),
        })
    };
    let table = |table: &Value| {
        let mut units = ["ns", "ms", "bytes"].into_iter();
        Some(Table {
            title: table.get("title")?.as_str()?.to_owned(),
            unit: units.find(|unit| table["unit"] == *unit)?,
            rows: table.get("rows")?.as_array()?.iter().map(row).collect::<Option<_>>()?,
        })
    };
    let tables: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let tables: Option<_> = tables.iter().map(table).collect();
    tables.ok_or_else(|| "the script printed something else than tables".into())
}

/// The results of a benchmark.
pub(crate) struct Table {
    /// What was measured, in one or two lines.
    pub(crate) title: String,
    /// The unit of all figures, such as "ns per number".
    pub(crate) unit: &'static str,
    /// The first row is this project's; ratios are relative to it.
    pub(crate) rows: Vec<Row>,
}

/// The result of one contender.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) figure: f64,
    /// Additional information; may be empty.
    pub(crate) note: String,
}

impl Table {
    /// The ratio of a row's figure to the first row's, unless that is nothing.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let ours = self.rows.first()?.figure;
        (ours != 0.0).then(|| row.figure / ours)
    }

    fn to_json(&self, name: &str) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({ "name": row.name, "figure": row.figure, "ratio": self.ratio(row), "note": row.note })
        });
        json!({ "benchmark": name, "title": self.title, "unit": self.unit, "rows": rows.collect::<Vec<_>>() })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        writeln!(f, "{}", self.title)?;
        writeln!(f, "  {:width$}  {:>14}  {:>9}", "", self.unit, "ratio")?;
        for row in &self.rows {
            let ratio = self.ratio(row).map_or("-".to_owned(), |ratio| format!("{ratio:.2}x"));
            let Row { name, figure, note } = row;
            writeln!(f, "  {name:width$}  {figure:14.1}  {ratio:>9}  {note}")?;
        }
        Ok(())
    }
}
