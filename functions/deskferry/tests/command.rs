//! The command as a user meets it: help, errors, colours, streams, exit codes.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use tempfile::TempDir;

/// Time in which something must be on the screen; generous, since tests share the machine with builds.
const FIRST_LINE_MAX: Duration = Duration::from_secs(2);

fn deskferry(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskferry"));
    command.args(arguments).current_dir(folder).env_clear().env("TERM", "xterm").stdin(Stdio::null());
    command
}

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

fn ended(command: &mut Command) -> Ended {
    let Output { status, stdout, stderr } = command.output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: status.code().expect("it ended by itself"), stdout: text(stdout), stderr: text(stderr) }
}

fn run(arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    ended(&mut deskferry(folder.path(), arguments))
}

/// Exit code, then standard error.
fn check_error(folder: &TempDir, arguments: &[&str], expected: &Expect) {
    let Ended { code, stderr, .. } = ended(&mut deskferry(folder.path(), arguments));
    expected.assert_eq(&format!("exit {code}\n{stderr}"));
}

#[test]
fn help_keeps_the_order_of_the_flow() {
    let Ended { code, stdout, stderr } = run(&["-h"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    expect![[r#"
        Moves a company's records from LeadDesk to Gorgias, and proves every field by reading it back

        Usage: deskferry [OPTIONS] <COMMAND>

        Commands:
          demo         A whole migration between stand-ins of both systems on this machine, with report
          init         Write a commented migration.toml
          run          Run all steps, from discover to report, or go on where the run stopped
          doctor       Whether a migration could begin: access, tier, plan, rate limit, files, places,
                       clock, disk
          discover     Look at both accounts and the operator's files; writes nothing to either
          acknowledge  Record who answers for data that leaves the EU: who, when, for which records
          map          Decide what lands where: propose, review, export, import, approve
          propose      Propose what lands where, field by field, with reasons; as `map propose`
          estimate     Say what the run will send, how long it takes, what it costs and what it loses;
                       writes to neither account
          rehearse     Play the whole migration, taking it back and a second load against a stand-in of the
                       real Gorgias account, which is only read
          confirm      Approve the proposal and what is lost; nothing is written to Gorgias before; as `map
                       approve`
          prepare      Save what Gorgias holds, then create fields, tags and teams, and pause what would
                       mail customers
          extract      Read LeadDesk and the files into the source snapshot
          transform    Turn the source snapshot into what Gorgias should hold
          plan         Cut the work into waves, and say how many requests and hours they take
          apply        Write what a saved plan says, exactly that, and prove it
          load         Write to Gorgias, wave by wave; a wave opens when the one before it is proven
          retry        Write once more what Gorgias refused, when its cause is mended, and compare again
          reconcile    Read Gorgias back and compare every field of every record
          delta        Bring over what changed at LeadDesk since the last reading; what people changed at
                       Gorgias stays
          repair       Mend what differs from what was wished: plan, apply; what people changed stays
          cutover      The last evening: whether it is ready, freeze check, last delta, comparison,
                       certificate, package
          report       Write the report of a run as text, JSON and CSV
          spotcheck    Compare some records by hand: draw them, record what people said, show what it says
                       of the others
          handoff      Write the handoff package, folder and ZIP: scope, mapping, proofs, dialer, who to
                       provision, what is lost and open
          rollback     Take back what a run wrote: plan, apply, undo, purge; nothing that people touched is
                       changed
          status       Where the run stands
          where        Where a record of LeadDesk went: its row, its write, what was read back; asks neither
                       system
          why          Why a field at Gorgias holds what it holds: source value, rule, approval, write,
                       read-back
          aws          Deploy, look at and take down the functions in AWS, by the tools sam and aws
          twin         Serve a stand-in of one system on loopback, until interrupted
          explain      What a code means and what to do about it
          schema       Print the JSON schema of a file that people edit
          completions  Print completions for a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        Everywhere:
              --config <FILE>  What to migrate, from where, to where [default: migration.toml]
              --json           Events as JSON lines on standard output; text for people goes to standard
                               error
              --color <WHEN>   When to use colour [default: auto] [possible values: auto, always, never]
              --no-input       Never ask; fail with the option to pass instead
              --run <ID>       The run, such as 2026-11-22-a1 [default: the newest unfinished one, else a
                               new one]

        Start here:  deskferry demo    (a whole migration on this machine; no account, no network)
    "#]]
    .assert_eq(&stdout);
}

#[test]
fn explain_knows_findings_and_errors_offline() {
    let Ended { code, stdout, .. } = run(&["explain", "dis301"]);
    assert_eq!(code, 0);
    expect![[r#"
        DIS301  chatbot export window cut short
          Weight: error – a record does not arrive, or a person must decide
          Fix: export again with a wider window, or accept the shorter one by name: what is outside is lost once the account closes

        Next    deskferry report    (where the run met it, record by record)
    "#]]
    .assert_eq(&stdout);
    let Ended { stdout, .. } = run(&["--json", "explain", "E0301"]);
    expect![[r#"
        {"type":"version","command":"explain","deskferry":"0.1.0","ui":"1.0"}
        {"type":"code","code":"E0301","exit_code":1,"fix":"wait until it is done, or end that process; the lock goes with it","severity":"error","title":"another process works on this migration","why":"one process at a time writes for a migration"}
        {"type":"next","command":"deskferry status"}
    "#]]
    .assert_eq(&stdout);
}

#[test]
fn errors_say_what_why_and_how() {
    let folder = tempfile::tempdir().unwrap();
    check_error(
        &folder,
        &["explain", "DIS302X"],
        &expect![[r#"
            exit 2
            Error E0114: no code DIS302X
              Why: the nearest one is DIS302
              Fix: list all codes with: deskferry explain
              Then: deskferry explain
        "#]],
    );
    check_error(
        &folder,
        &["discover"],
        &expect![[r#"
            exit 2
            Error E0101: cannot read migration.toml
              Why: No such file or directory (os error 2)
              Seen in: migration.toml
              Fix: name the file with --config, or make one with: deskferry init
              Then: deskferry discover
        "#]],
    );
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/notes.txt"), "mine").unwrap();
    check_error(
        &folder,
        &["demo", "--dir", "mine"],
        &expect![[r#"
            exit 2
            Error E0112: mine is not the folder of a demo
              Why: it holds files that the demo did not make
              Fix: choose another folder with --dir
              Then: deskferry demo --dir ANOTHER
        "#]],
    );
    check_error(
        &folder,
        &["twin", "gorgias", "--bucket", "40"],
        &expect![[r#"
            exit 2
            Error E0116: --bucket is not requests/seconds
              Why: both must be numbers above 0, such as 40/20
              Fix: see the command's --help
        "#]],
    );
    check_error(
        &folder,
        &["twin", "leaddesk", "--listen", "0.0.0.0:0", "--contacts", "40", "--calls", "40"],
        &expect![[r#"
            exit 1
            Error E0303: cannot serve the stand-in of LeadDesk on 0.0.0.0:0
              Why: a twin serves loopback only, not 0.0.0.0:0
              Fix: choose another address with --listen, or another size
        "#]],
    );
}

#[test]
fn a_mistyped_key_is_answered_with_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ended(&mut deskferry(folder.path(), &["init"])).code, 0);
    let path = folder.path().join("migration.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("reserve = 0.0", "reserv = 0.0")).unwrap();
    check_error(
        &folder,
        &["discover"],
        &expect![[r#"
            exit 2
            Error E0103: migration.toml:31: unknown key "reserv"
              Why: unknown keys are errors, so that a typing mistake cannot go unnoticed
              Seen in: migration.toml
              Fix: did you mean "reserve"?
              Then: deskferry discover
        "#]],
    );
}

#[test]
fn secrets_are_asked_for_by_name_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ended(&mut deskferry(folder.path(), &["init"])).code, 0);
    let Ended { code, stderr, .. } = ended(&mut deskferry(folder.path(), &["discover"]));
    assert_eq!(code, 2);
    assert!(stderr.contains("E0105") && stderr.contains("LEADDESK_AUTH"), "{stderr}");
    let path = folder.path().join("migration.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("env:LEADDESK_AUTH", "canary-5f3a9c")).unwrap();
    for arguments in [&["discover"][..], &["discover", "--json"]] {
        let Ended { code, stdout, stderr } = ended(&mut deskferry(folder.path(), arguments));
        assert_eq!(code, 2);
        assert!(!stdout.contains("canary") && !stderr.contains("canary"), "{stdout}{stderr}");
    }
}

#[test]
fn init_replaces_nothing_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let first = ended(&mut deskferry(folder.path(), &["init", "--migration", "acme-2026"]));
    assert_eq!(first.code, 0);
    assert!(
        first.stdout.ends_with("\nNext    deskferry discover    (reads both accounts, writes to neither)\n"),
        "{}",
        first.stdout
    );
    let again = ended(&mut deskferry(folder.path(), &["init"]));
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("E0111"), "{}", again.stderr);
    let text = std::fs::read_to_string(folder.path().join("migration.toml")).unwrap();
    assert!(text.contains("migration = \"acme-2026\""));
    assert_eq!(ended(&mut deskferry(folder.path(), &["init", "--force"])).code, 0);
}

#[test]
fn colour_is_kept_out_of_pipes_and_of_whoever_wants_none() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = deskferry(folder.path(), arguments);
        command.envs(variables.iter().copied());
        ended(&mut command).stderr
    };
    let failing = &["explain", "NOPE"][..];
    let coloured = &["--color", "always", "explain", "NOPE"][..];
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], bool);
    let cases: [Case<'_>; 6] = [
        (failing, &[], false),
        (coloured, &[], true),
        (coloured, &[("NO_COLOR", "1")], true),
        (failing, &[("CLICOLOR_FORCE", "1")], true),
        (failing, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "never", "explain", "NOPE"], &[("CLICOLOR_FORCE", "1")], false),
    ];
    for (arguments, variables, has_colour) in cases {
        let stderr = shown(arguments, variables);
        assert_eq!(stderr.contains('\u{1b}'), has_colour, "{arguments:?} {variables:?}");
        assert!(stderr.contains("E0114"), "{stderr}");
    }
}

#[test]
fn usage_errors_are_two_and_help_is_none() {
    for (arguments, code) in [
        (&["frobnicate"][..], 2),
        (&["demo", "--seed", "many"], 2),
        (&["confirm"], 2),
        (&[], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["load", "--help"], 0),
    ] {
        assert_eq!(run(arguments).code, code, "{arguments:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code) in [(&["explain"][..], 0), (&["--json", "explain", "NOPE"], 2)] {
        let mut child = deskferry(folder.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{stderr}");
        assert!(!stderr.contains("panic"), "{stderr}");
    }
}

#[test]
fn completions_come_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let Ended { code, stdout, .. } = run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(stdout.contains("reconcile"), "{shell}");
    }
}

#[test]
fn a_stand_in_tells_its_address_serves_and_ends_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let arguments =
        ["--json", "twin", "leaddesk", "--contacts", "40", "--calls", "40", "--files", "operator-files"];
    let mut child =
        deskferry(folder.path(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with(r#"{"type":"version""#));
    assert!(started.elapsed() < FIRST_LINE_MAX);
    let twin: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    let address = twin["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    assert!(std::net::TcpStream::connect(address).is_ok());
    assert!(folder.path().join("operator-files/calls.csv").is_file());
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
