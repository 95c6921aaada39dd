//! The folder's files as checksums and as one ZIP. The same files give the same bytes: sorted, without moments.

use std::io::{Cursor, Write as _};

use bytes::Bytes;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{HandoffError, Sheet};
use crate::ledger::key::sha256_hex;

/// File of the checksums, in the form that `sha256sum -c` reads.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Checksums of the files, in order of their names.
pub(super) fn sums(sheets: &[Sheet]) -> Sheet {
    let mut lines: Vec<String> =
        sheets.iter().map(|sheet| format!("{}  {}\n", sha256_hex(&sheet.body), sheet.name)).collect();
    lines.sort_by(|left, right| left[64..].cmp(&right[64..]));
    Sheet::text(SUMS, "checksums of every other file; `sha256sum -c SHA256SUMS` checks them", lines.concat())
}

/// One ZIP with all files in a folder of this name.
pub(super) fn zip(folder: &str, sheets: &[Sheet]) -> Result<Bytes, HandoffError> {
    let mut sorted: Vec<&Sheet> = sheets.iter().collect();
    sorted.sort_by(|left, right| left.name.cmp(&right.name));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for sheet in sorted {
        writer.start_file(format!("{folder}/{}", sheet.name), options).map_err(HandoffError::Zip)?;
        writer.write_all(&sheet.body).map_err(|error| HandoffError::Zip(error.into()))?;
    }
    Ok(Bytes::from(writer.finish().map_err(HandoffError::Zip)?.into_inner()))
}
