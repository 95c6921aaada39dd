//! Whole flows as a user types them: scripts under `tests/scenarios`, each with the transcript that was reviewed.
//!
//! A script is run line by line against both stand-ins in processes of their own; whatever is printed must be what stands
//! under the line. `UPDATE_EXPECT=1 cargo test -p prove --test scenarios` writes the transcripts anew, to be reviewed as
//! code is. Deliberately absent: figures that no transcript can hold (see [`steady`]) and the terminal's own drawing.

mod rehearsing;
mod script;
mod steady;
mod world;

use std::path::{Path, PathBuf};

use script::Script;
use world::World;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Plays a script and holds what is printed against its transcript.
fn check(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let text = std::fs::read_to_string(&path).expect("a script");
    let script = Script::parse(&text);
    let mut world = World::new();
    let played = script.play(&mut world);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, played).expect("the transcript can be written");
        return;
    }
    let difference = script::first_difference(&text, &played);
    assert!(
        difference.is_none(),
        "{name}: {}\n\nWhole transcript as played:\n{played}",
        difference.unwrap_or_default()
    );
}

/// Two ticks of a schedule that begin together: one works, the other one leaves at once and says so.
#[test]
fn a_second_delta_leaves_at_once_while_the_first_one_works() {
    let mut world = World::new();
    world.direct("twins --seed 5 --contacts 60 --calls 120");
    world.run("run --yes");
    world.advance(1);
    let [first, second] = world.together("--json delta");
    for (code, _) in [&first, &second] {
        assert_eq!(*code, Some(0), "{first:?} {second:?}");
    }
    let is_skipped = |told: &(Option<i32>, String)| told.1.contains("\"is_skipped\":true");
    assert!(is_skipped(&first) != is_skipped(&second), "{first:?} {second:?}");
    // What the one brought over is there once: nothing is left, and the comparison finds no difference.
    assert!(world.run("delta").contains("Nothing to do"));
    let compared = world.run("reconcile --again --strict");
    assert!(!compared.contains("exit"), "{compared}");
}

macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )+

        #[test]
        fn every_script_is_played() {
            let mut found: Vec<String> = std::fs::read_dir(folder())
                .expect("the scripts")
                .map(|entry| entry.expect("an entry").path())
                .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
                .collect();
            found.sort();
            assert_eq!(found, [$(stringify!($name)),+]);
        }
    };
}

scenarios![
    a_sample_goes_first,
    a_saved_plan_is_what_is_written,
    an_approval_holds_for_what_was_seen,
    approval_is_asked_for,
    damaged_files_stop_the_run,
    data_stays_where_the_law_says,
    nothing_is_trusted_that_was_changed,
    step_by_step,
    the_last_evening,
    what_people_ask_afterwards,
    what_was_damaged_is_mended,
    what_was_written_is_taken_back,
    wrong_credentials,
];
