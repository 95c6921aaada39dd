//! `deskferry aws` beside tools that only write down how they were called.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const OUTPUTS: &str = r#"{"Stacks":[{"Outputs":[
  {"OutputKey":"StoreUrl","OutputValue":"s3://deskferry-acme/acme"},
  {"OutputKey":"StoreBucket","OutputValue":"deskferry-acme"},
  {"OutputKey":"ControlQueuePlace","OutputValue":"sqs://eu-west-1/123456789012/acme-control.fifo"},
  {"OutputKey":"KeyArn","OutputValue":"arn:key"},
  {"OutputKey":"GorgiasSecret","OutputValue":"acme/gorgias"}]}]}"#;

/// A folder with a template, and tools that append their arguments to `calls` and end with `code`.
fn world(code: i32) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    };
    write("infra/template.yaml", "Resources: {}\n");
    write("outputs.json", OUTPUTS);
    for tool in ["sam", "aws"] {
        let calls = folder.path().join("calls");
        let outputs = folder.path().join("outputs.json");
        let script = format!(
            "#!/bin/sh\necho \"{tool} $*\" >>'{}'\ncase \"$*\" in *describe-stacks*) cat '{}';; esac\nexit {code}\n",
            calls.display(),
            outputs.display()
        );
        write(&format!("bin/{tool}"), &script);
    }
    folder
}

fn run(folder: &Path, path: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_deskferry"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("it ended by itself"), text(output.stdout), text(output.stderr))
}

fn with_tools(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(folder.path(), &format!("{}:/bin:/usr/bin", folder.path().join("bin").display()), arguments)
}

fn calls(folder: &TempDir) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_deployment_is_sams_and_says_what_the_settings_take() {
    let folder = world(0);
    let deploy = ["aws", "deploy", "--stack", "acme", "--", "--parameter-overrides", "Customer=acme"];
    let (code, _, stderr) = with_tools(&folder, &deploy);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("binary is not built") && stderr.contains("infra/build"), "{stderr}");
    assert!(calls(&folder).is_empty());

    let binary = folder.path().join("target/lambda/deskferry/bootstrap");
    std::fs::create_dir_all(binary.parent().expect("a parent")).expect("made");
    std::fs::write(binary, "").expect("written");
    let (code, stdout, stderr) = with_tools(&folder, &deploy);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("url = \"s3://deskferry-acme/acme\""), "{stdout}");
    assert!(stdout.contains("url = \"sqs://eu-west-1/123456789012/acme-control.fifo\""), "{stdout}");
    let calls = calls(&folder);
    assert_eq!(
        calls[0],
        "sam deploy --resolve-s3 --no-fail-on-empty-changeset --capabilities CAPABILITY_IAM --stack-name acme \
         --template-file infra/template.yaml --parameter-overrides Customer=acme"
    );
    assert_eq!(calls[1], "aws cloudformation describe-stacks --output json --stack-name acme");
}

#[test]
fn a_stack_goes_when_its_name_is_said_twice_and_what_stays_is_named() {
    let folder = world(0);
    for wrong in [&["aws", "destroy", "--stack", "acme"][..], &["aws", "destroy", "--confirm", "acme"]] {
        let (code, _, stderr) = with_tools(&folder, wrong);
        assert_eq!(code, 2, "{stderr}");
        assert!(calls(&folder).is_empty());
    }
    let (code, stdout, stderr) =
        with_tools(&folder, &["aws", "destroy", "--stack", "acme", "--confirm", "acme"]);
    assert_eq!(code, 0, "{stderr}");
    for kept in ["deskferry-acme", "arn:key", "acme/gorgias"] {
        assert!(stdout.contains(kept), "{stdout}");
    }
    assert_eq!(calls(&folder)[1], "aws cloudformation delete-stack --stack-name acme");
}

#[test]
fn a_tool_that_is_missing_or_refuses_is_told() {
    let folder = world(7);
    let (code, _, stderr) = with_tools(&folder, &["aws", "logs", "--stack", "acme"]);
    assert!(code == 1 && stderr.contains("E0107: sam ended with 7"), "{code} {stderr}");
    assert_eq!(calls(&folder), ["sam logs --tail --stack-name acme"]);
    let empty = tempfile::tempdir().expect("a folder");
    let path = empty.path().display().to_string();
    let (code, _, stderr) = run(folder.path(), &path, &["aws", "logs"]);
    assert!(code == 1 && stderr.contains("E0107: sam cannot be started"), "{code} {stderr}");
}
