//! `map`: a mapping on its way from a proposal to an approval, in files that people fill in.
//!
//! Deliberately absent: what a file may say. `pipeline::review` knows it, and takes all of a file or nothing.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use migration::mapping::MappingRow;
use pipeline::conduct::Step;
use pipeline::review::{self, Fault, Import as File, Imported, Review, ReviewError, View, file, page};
use serde_json::json;

use super::{confirm, steps};
use crate::arguments::{Common, Export, Import, MapDeed, MapFormat};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

/// Lines of faults and of changes that are shown; events and the store have all.
const LINES_SHOWN_MAX: usize = 40;

/// Does what is asked for with the mapping.
pub(crate) fn run(screen: &Screen, common: &Common, deed: &MapDeed) -> Result<Exit, Failure> {
    match deed {
        MapDeed::Propose => steps::run(screen, common, steps::Wish::One(Step::Propose)),
        MapDeed::Approve(approval) => confirm::run(screen, common, approval),
        MapDeed::Review(page) => export(screen, common, MapFormat::Html, &page.out, true, page.open),
        MapDeed::Export(Export { format, out, force }) => {
            let default = PathBuf::from(format!("mapping.{}", format.as_str()));
            export(screen, common, *format, out.as_ref().unwrap_or(&default), *force, false)
        }
        MapDeed::Import(file) => import(screen, common, file),
    }
}

fn export(
    screen: &Screen,
    common: &Common,
    format: MapFormat,
    out: &Path,
    is_forced: bool,
    is_opened: bool,
) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let project = Project::open(screen, common, "map", Wanted::UnfinishedOrNewest).await?;
        let interrupt = interrupt::listen()?;
        project.work(screen, &interrupt, write(screen, &project, format, out, is_forced)).await?;
        if is_opened {
            open(out)?;
        }
        let (command, why) = match format {
            MapFormat::Html => {
                ("deskferry map import decisions.json".to_owned(), "after the page was filled in")
            }
            _ => (format!("deskferry map import {}", out.display()), "after it was filled in"),
        };
        screen.next(&command, why);
        Ok(Exit::Done)
    })
}

async fn write(
    screen: &Screen,
    project: &Project,
    format: MapFormat,
    out: &Path,
    is_forced: bool,
) -> Result<(), Failure> {
    let ctx = &project.context;
    let review = review::open(ctx).await?;
    let view = match format {
        MapFormat::Toml => View::Toml,
        MapFormat::Xlsx => View::Workbook,
        MapFormat::Html => View::Page,
    };
    let before = match std::fs::read(out) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(cannot("read", out, &error)),
    };
    if let Some(bytes) = before.as_ref().filter(|_| view != View::Page && !is_forced)
        && review::says_more(ctx, &review, view, bytes).await?
    {
        let what = format!("{} says something that was not imported", out.display());
        return Err(Failure::new(&catalogue::FILE_EXISTS, what)
            .fix("import it first; or name another file with --out, or pass --force to write over it")
            .then(format!("deskferry map import {}", out.display())));
    }
    let about = page::About {
        migration: ctx.migration.clone(),
        run: ctx.run.to_string(),
        reviewer: String::new(),
        made_at: ctx.clock.now(),
    };
    // Comments of people are kept; a file that cannot be read any more is only replaced by force.
    let text = before.filter(|_| view == View::Toml).and_then(|bytes| String::from_utf8(bytes).ok());
    let bytes = match review.export(view, text.as_deref(), &about) {
        Err(ReviewError::Refused { .. }) if is_forced => review.export(view, None, &about)?,
        outcome => outcome?,
    };
    replace(out, &bytes)?;
    if view == View::Toml {
        let schema = serde_json::to_string_pretty(&file::schema())? + "\n";
        replace(&out.with_file_name(file::SCHEMA_FILE), schema.as_bytes())?;
    }
    tell_written(screen, &review, out);
    Ok(())
}

fn tell_written(screen: &Screen, review: &Review, out: &Path) {
    let rows = review.document.rows().len();
    let seen = review.document.rows().filter(|row| row.answer.is_seen).count();
    let open = review.outcome.conflicts().len();
    screen.say(format!("Written {}: {rows} rows, {seen} looked at, {open} open", out.display()));
    screen.event(json!({
        "type": "mapping_written",
        "file": out,
        "proposal": review.document.proposal().to_hex(),
        "answers": review.number,
        "rows": rows,
        "looked_at": seen,
        "open": open,
    }));
}

/// Writes beside the file first, so that a file of somebody is never half replaced.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        std::fs::remove_file(&beside).ok();
        cannot("write", path, &error)
    })
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(&catalogue::LOCAL_FILES, format!("cannot {verb} {}", path.display())).because(error)
}

/// Opens a file with the program that this machine has for it.
fn open(path: &Path) -> Result<(), Failure> {
    let (program, first): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    match std::process::Command::new(program).args(first).arg(path).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::new(&catalogue::LOCAL_FILES, format!("cannot open {}", path.display()))
            .with_why("this machine names no program for it")
            .fix("open the file in a browser yourself")),
    }
}

fn import(screen: &Screen, common: &Common, arguments: &Import) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let view = View::of(path).ok_or_else(|| {
        Failure::new(&catalogue::BAD_ARGUMENT, format!("{} has an ending that says nothing", path.display()))
            .fix("import mapping.toml, a workbook (.xlsx) or decisions.json")
    })?;
    super::in_runtime(async {
        let project = Project::open(screen, common, "map", Wanted::UnfinishedOrNewest).await?;
        let interrupt = interrupt::listen()?;
        project.work(screen, &interrupt, take(screen, &project, path, view, arguments.by.as_deref())).await?;
        Ok(Exit::Done)
    })
}

async fn take(
    screen: &Screen,
    project: &Project,
    path: &Path,
    view: View,
    by: Option<&str>,
) -> Result<(), Failure> {
    let bytes = bounded(path)?;
    let imported = match review::import(&project.context, &File { view, bytes: &bytes, by }).await {
        Ok(imported) => imported,
        Err(ReviewError::Refused { faults }) => return Err(refused(screen, path, &faults)),
        Err(error) => return Err(error.into()),
    };
    tell_imported(screen, path, &imported);
    let open = review::open(&project.context).await?.outcome.conflicts().len();
    let (seen, rows) = imported.looked_at;
    let left = words::plural(open as u64, "row is", "rows are");
    screen.say(format!("Looked at {seen} of {rows} rows; {left} open"));
    if open == 0 {
        screen.next("deskferry map approve --by \"YOUR NAME\"", "nothing is written before");
    } else {
        screen.next("deskferry map review", "open rows need a decision before the mapping is approved");
    }
    Ok(())
}

/// The content of a file, unless it is larger than any mapping.
fn bounded(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path);
    let read = opened.and_then(|file| file.take(review::BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| cannot("read", path, &error))?;
    Ok(bytes)
}

fn refused(screen: &Screen, path: &Path, faults: &[Fault]) -> Failure {
    for fault in faults.iter().take(LINES_SHOWN_MAX) {
        screen.say(format!("  {}", clean::line(&fault.to_string())));
    }
    if faults.len() > LINES_SHOWN_MAX {
        screen.say(format!("  and {} more", faults.len() - LINES_SHOWN_MAX));
    }
    for fault in faults {
        screen.event(json!({
            "type": "fault",
            "code": fault.code,
            "place": fault.place,
            "what": fault.what,
            "advice": fault.advice,
        }));
    }
    let count = words::plural(faults.len() as u64, "fault", "faults");
    let code = faults.first().map_or("REV101", |fault| fault.code);
    let what = format!("{} has {count} and was not imported; nothing was changed", path.display());
    Failure::new(&catalogue::MAPPING_FILE, what).detail(code)
}

fn tell_imported(screen: &Screen, path: &Path, imported: &Imported) {
    let by =
        imported.reviewer.as_deref().map(|name| format!(" by {}", clean::line(name))).unwrap_or_default();
    if imported.differences.is_empty() {
        screen.say(format!("Nothing to do: {}{by} says what is known already", path.display()));
    } else {
        let rows = words::plural(imported.differences.len() as u64, "row is", "rows are");
        screen.say(format!(
            "Import {} from {}{by}: {rows} answered differently",
            imported.number,
            path.display()
        ));
        some(screen, imported.differences.iter().map(ToString::to_string));
        if !imported.outcomes.is_empty() {
            screen.say("What comes of it");
            some(screen, imported.outcomes.iter().map(|(was, is)| outcome(was.as_ref(), is.as_ref())));
        }
    }
    let change = |row: &MappingRow| json!({ "decision": row.decision.as_str(), "target": row.target });
    screen.event(json!({
        "type": "mapping_imported",
        "file": path,
        "number": imported.number,
        "by": imported.reviewer,
        "differences": imported.differences.iter().map(|one| json!({
            "row": one.id.to_string(), "change": one.to_string(),
        })).collect::<Vec<_>>(),
        "outcomes": imported.outcomes.iter().map(|(was, is)| json!({
            "row": was.as_ref().or(is.as_ref()).map(|row| row.id.to_string()),
            "was": was.as_ref().map(change),
            "is": is.as_ref().map(change),
        })).collect::<Vec<_>>(),
        "looked_at": imported.looked_at.0,
        "rows": imported.looked_at.1,
    }));
}

fn some(screen: &Screen, lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(LINES_SHOWN_MAX);
    for line in lines.take(LINES_SHOWN_MAX) {
        screen.say(format!("  {}", clean::line(&line)));
    }
    if more > 0 {
        screen.say(format!("  and {more} more"));
    }
}

fn outcome(was: Option<&MappingRow>, is: Option<&MappingRow>) -> String {
    let id = was.or(is).map(|row| row.id.to_string()).unwrap_or_default();
    let words = |row: Option<&MappingRow>| match row {
        None => "no row".to_owned(),
        Some(row) => {
            let verb = match row.decision.as_str() {
                "carry" => "",
                "leave" => "left out, ",
                _ => "open, ",
            };
            let target = if row.target.is_empty() { "nothing" } else { &row.target };
            format!("{verb}{target}")
        }
    };
    format!("{id}: {} -> {}", words(was), words(is))
}
