//! The manifest: the list of a snapshot's parts, written last. A snapshot without one does not exist.
//!
//! It is stored as one canonical JSON document and read only if encoding it again gives the same bytes, so that a change
//! of any byte is noticed: the digest inside covers everything but itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Pass, RunId};
use crate::digest::Digest;
use crate::error::SnapshotError;
use crate::hash::ROW_HASH_ALGORITHM;
use crate::schema::TableSchema;
use crate::tables;

/// One file of a snapshot, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartEntry {
    /// `part-00000.zstd.parquet` and so on.
    pub file_name: String,
    /// Digest of the file.
    pub sha256: Digest,
    /// Size of the file.
    pub bytes: u64,
    /// Rows in the file; at least one.
    pub rows: u64,
    /// Key of the first row, column by column; none where a key column names a person.
    pub first_key: Option<Vec<String>>,
    /// Key of the last row, column by column; none where a key column names a person.
    pub last_key: Option<Vec<String>>,
}

/// What a snapshot consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Table, run and pass.
    pub dataset: Dataset,
    /// Version of the table's schema when it was written.
    pub schema_version: u32,
    /// Digest of that schema.
    pub schema_fingerprint: Digest,
    /// Rows of all parts.
    pub rows: u64,
    /// Bytes of all parts.
    pub bytes: u64,
    /// Parts in key order; none when the table is empty.
    pub parts: Vec<PartEntry>,
    /// Digest over the row hashes in key order: the same for the same rows, whatever the run, the pass and the program.
    pub content_digest: Digest,
    /// Digests of the snapshots and documents that it was made from, as the writer was told.
    pub made_from: Vec<Digest>,
    /// Version of the program that wrote it.
    pub tool_version: String,
    /// Digest of the confirmed mapping that it depends on.
    pub mapping_hash: Option<String>,
    /// When the reading began that the snapshot holds, as the writer was told.
    pub taken_at: Option<Timestamp>,
}

/// The stored form: an enum over versions; old versions are read for ever and never written.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredManifest {
    #[serde(rename = "1")]
    V1(ManifestV1),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestV1 {
    snapshot_digest: Option<Digest>,
    table: String,
    run_id: String,
    pass: String,
    schema_version: u32,
    schema_fingerprint: Digest,
    row_hash_algorithm: String,
    rows: u64,
    bytes: u64,
    content_digest: Digest,
    parts: Vec<PartEntry>,
    made_from: Vec<Digest>,
    tool_version: String,
    mapping_hash: Option<String>,
    taken_at: Option<Timestamp>,
}

/// What every version of the document has.
#[derive(Deserialize)]
struct Probe {
    version: String,
    #[serde(default)]
    tool_version: Option<String>,
}

/// The newest version of the document that this program reads.
const NEWEST_VERSION: u32 = 1;

impl Manifest {
    /// Digest of everything in the manifest, and through the parts' digests of every byte of the snapshot.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(encode_document(&self.to_stored(None)).as_bytes())
    }

    /// The bytes of `_manifest.json`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode_document(&self.to_stored(Some(self.digest()))).into_bytes()
    }

    /// Takes the bytes of `_manifest.json`.
    ///
    /// # Errors
    /// When a newer program wrote it, when the table is unknown, when any byte is not as it was written, or when its
    /// schema is not the one that this program knows under that version.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let damaged =
            |what: &str, detail: String| SnapshotError::ManifestDamaged { what: what.to_owned(), detail };
        let probe: Probe =
            serde_json::from_slice(bytes).map_err(|error| damaged("a snapshot", place_of(&error)))?;
        if probe.version.parse::<u32>().is_ok_and(|version| version > NEWEST_VERSION) {
            let needs = probe.tool_version.unwrap_or_else(|| "a version that it does not name".into());
            return Err(SnapshotError::NewerProgram { what: "the manifest".into(), needs });
        }
        let StoredManifest::V1(stored) =
            serde_json::from_slice(bytes).map_err(|error| damaged("a snapshot", place_of(&error)))?;
        let table = tables::named(&stored.table)?;
        if stored.schema_version > table.version {
            return Err(SnapshotError::NewerProgram { what: stored.table, needs: stored.tool_version });
        }
        let manifest = Self::from_stored(table, stored.clone())?;
        if manifest.encode() != bytes {
            return Err(damaged(&manifest.dataset.to_string(), "it is not as it was written".into()));
        }
        manifest.check(&stored)?;
        Ok(manifest)
    }

    /// What holds between the fields, whoever wrote them.
    fn check(&self, stored: &ManifestV1) -> Result<(), SnapshotError> {
        let damaged =
            |detail: String| SnapshotError::ManifestDamaged { what: self.dataset.to_string(), detail };
        if stored.row_hash_algorithm != ROW_HASH_ALGORITHM {
            return Err(damaged(format!("row hashes by {} are unknown", stored.row_hash_algorithm)));
        }
        if self.schema_fingerprint != self.dataset.table.fingerprint_at(self.schema_version) {
            return Err(SnapshotError::SchemaMismatch {
                table: stored.table.clone(),
                detail: format!("version {} has another fingerprint here", self.schema_version),
            });
        }
        let sum =
            |count: fn(&PartEntry) -> u64| self.parts.iter().map(count).fold(0_u64, u64::saturating_add);
        if sum(|part| part.rows) != self.rows || sum(|part| part.bytes) != self.bytes {
            return Err(damaged("its parts do not add up to its totals".into()));
        }
        let is_named =
            |(number, part): (usize, &PartEntry)| part.file_name == part_file_name(number) && part.rows > 0;
        if !self.parts.iter().enumerate().all(is_named) {
            return Err(damaged("its parts are empty or not numbered from 0".into()));
        }
        Ok(())
    }

    fn to_stored(&self, snapshot_digest: Option<Digest>) -> StoredManifest {
        StoredManifest::V1(ManifestV1 {
            snapshot_digest,
            table: self.dataset.table.name.to_owned(),
            run_id: self.dataset.run.to_string(),
            pass: self.dataset.pass.to_string(),
            schema_version: self.schema_version,
            schema_fingerprint: self.schema_fingerprint.clone(),
            row_hash_algorithm: ROW_HASH_ALGORITHM.to_owned(),
            rows: self.rows,
            bytes: self.bytes,
            content_digest: self.content_digest.clone(),
            parts: self.parts.clone(),
            made_from: self.made_from.clone(),
            tool_version: self.tool_version.clone(),
            mapping_hash: self.mapping_hash.clone(),
            taken_at: self.taken_at,
        })
    }

    fn from_stored(table: &'static TableSchema, stored: ManifestV1) -> Result<Self, SnapshotError> {
        let run: RunId = stored.run_id.parse()?;
        let pass: Pass = stored.pass.parse()?;
        Ok(Self {
            dataset: Dataset { run, pass, table },
            schema_version: stored.schema_version,
            schema_fingerprint: stored.schema_fingerprint,
            rows: stored.rows,
            bytes: stored.bytes,
            parts: stored.parts,
            content_digest: stored.content_digest,
            made_from: stored.made_from,
            tool_version: stored.tool_version,
            mapping_hash: stored.mapping_hash,
            taken_at: stored.taken_at,
        })
    }
}

/// Where a document stops making sense. The parser's own text could repeat a value of the document.
fn place_of(error: &serde_json::Error) -> String {
    match error.line() {
        0 => "a field is missing, unknown or of another type".into(),
        line => format!("it is not a manifest from line {line} on"),
    }
}

fn encode_document(stored: &StoredManifest) -> String {
    let mut text =
        serde_json::to_string_pretty(stored).expect("a manifest has text keys and finite numbers only");
    text.push('\n');
    text
}

/// Name of the part with this number, from 0.
#[must_use]
pub(crate) fn part_file_name(number: usize) -> String {
    format!("part-{number:05}.zstd.parquet")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::Manifest;
    use crate::Pass;
    use crate::fixture::{outcome, seal};

    fn manifest() -> Manifest {
        let scratch = tempfile::tempdir().unwrap();
        seal("2026-11-22-a1", Pass::Full, (1..=3).map(outcome), scratch.path()).manifest
    }

    #[test]
    fn the_document_is_what_it_was_when_it_was_released() {
        let mut manifest = manifest();
        // The bytes of the part are the library's business; its listing is ours.
        manifest.parts[0].sha256 = crate::Digest::of(b"part");
        manifest.parts[0].bytes = 1_234;
        manifest.bytes = 1_234;
        expect![[r#"
            {
              "version": "1",
              "snapshot_digest": "c225219bf8623b12ead4d06282d61f8121140b5a8ca08280920d67e03f6061c5",
              "table": "src_leaddesk_outcome",
              "run_id": "2026-11-22-a1",
              "pass": "full",
              "schema_version": 1,
              "schema_fingerprint": "0e152e791e44812e52b9f7b04cb948491246209437900b64d30f02cbcbf5001c",
              "row_hash_algorithm": "sha256-128-v1",
              "rows": 3,
              "bytes": 1234,
              "content_digest": "03b5ebc55e8e1cd9dfc81675e5ac34c814dbabbbc7037304e7323a142429d0cc",
              "parts": [
                {
                  "file_name": "part-00000.zstd.parquet",
                  "sha256": "37a680133bd09342f934afb8dd2c7d9e1b624da5f35e3a38adb103e37c055ed1",
                  "bytes": 1234,
                  "rows": 3,
                  "first_key": [
                    "1"
                  ],
                  "last_key": [
                    "3"
                  ]
                }
              ],
              "made_from": [
                "41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d"
              ],
              "tool_version": "0.1.0",
              "mapping_hash": null,
              "taken_at": "2026-11-22T08:00:00Z"
            }
        "#]]
        .assert_eq(&String::from_utf8(manifest.encode()).unwrap());
    }

    #[test]
    fn it_comes_back_as_it_was() {
        let manifest = manifest();
        assert_eq!(Manifest::decode(&manifest.encode()).unwrap(), manifest);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let bytes = manifest().encode();
        for at in 0..bytes.len() {
            for flip in [1, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                assert!(Manifest::decode(&changed).is_err(), "byte {at} flipped by {flip}");
            }
            assert!(Manifest::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    fn edited(from: &str, to: &str) -> String {
        let text = String::from_utf8(manifest().encode()).unwrap();
        assert!(text.contains(from), "{from}");
        let error = Manifest::decode(text.replacen(from, to, 1).as_bytes()).unwrap_err();
        format!("{} {error}", error.code())
    }

    #[test]
    fn what_a_newer_program_wrote_names_that_program() {
        let newer = edited(r#""version": "1""#, r#""version": "2""#);
        expect!["SNP206 the manifest was written by a newer program: needs >= 0.1.0"].assert_eq(&newer);
        let newer = edited(r#""schema_version": 1"#, r#""schema_version": 2"#);
        expect!["SNP206 src_leaddesk_outcome was written by a newer program: needs >= 0.1.0"]
            .assert_eq(&newer);
    }

    #[test]
    fn what_contradicts_itself_is_refused_although_its_digest_is_right() {
        let refused = |change: fn(&mut Manifest)| {
            let mut manifest = manifest();
            change(&mut manifest);
            let error = Manifest::decode(&manifest.encode()).unwrap_err();
            format!("{} {error}", error.code())
        };
        let found = [
            refused(|manifest| manifest.rows += 1),
            refused(|manifest| manifest.parts[0].rows = u64::MAX),
            refused(|manifest| manifest.parts[0].file_name = "../../part-00000.zstd.parquet".into()),
            refused(|manifest| {
                let part = manifest.parts[0].clone();
                manifest.parts.push(super::PartEntry {
                    file_name: "part-00001.zstd.parquet".into(),
                    rows: 0,
                    bytes: 0,
                    ..part
                });
            }),
            refused(|manifest| manifest.schema_fingerprint = crate::Digest::of(b"other")),
        ];
        expect![[r#"
            SNP207 the manifest of src_leaddesk_outcome/2026-11-22-a1/full is damaged: its parts do not add up to its totals
            SNP207 the manifest of src_leaddesk_outcome/2026-11-22-a1/full is damaged: its parts do not add up to its totals
            SNP207 the manifest of src_leaddesk_outcome/2026-11-22-a1/full is damaged: its parts are empty or not numbered from 0
            SNP207 the manifest of src_leaddesk_outcome/2026-11-22-a1/full is damaged: its parts are empty or not numbered from 0
            SNP205 src_leaddesk_outcome was stored with another schema: version 1 has another fingerprint here"#]]
        .assert_eq(&found.join("\n"));
    }

    #[test]
    fn no_error_repeats_a_value_of_the_document() {
        let text = edited(r#""rows": 3"#, r#""rows": "ada@example.com""#);
        expect![
            "SNP207 the manifest of a snapshot is damaged: a field is missing, unknown or of another type"
        ]
        .assert_eq(&text);
    }
}
