//! `aws`: the functions in AWS, by the standard tools `sam` and `aws`, which this only calls.
//!
//! Deliberately absent: credentials, profiles and regions; the tools take them from where they always do.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{run, status};
use crate::arguments::{AwsDeed, Common, Deploy, Destroy, Stack};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::screen::Screen;

/// Where the template looks for the functions' binary, from its own folder.
const BOOTSTRAP: &str = "../target/lambda/deskferry/bootstrap";
/// Outputs of the stack that `migration.toml` takes.
const STORE_OUTPUT: &str = "StoreUrl";
const QUEUE_OUTPUT: &str = "ControlQueuePlace";
/// Those that name secrets.
const SECRET_OUTPUTS: [&str; 2] = ["LeadDeskSecret", "GorgiasSecret"];

/// Does what is asked.
pub(crate) fn run(screen: &Screen, common: &Common, deed: &AwsDeed) -> Result<Exit, Failure> {
    match deed {
        AwsDeed::Deploy(deploy) => deploy_stack(screen, deploy),
        AwsDeed::Status(stack) => {
            tell_outputs(screen, &outputs(&stack.stack)?);
            status::run(screen, common)
        }
        AwsDeed::Run(arguments) => run::run(screen, common, arguments),
        AwsDeed::Logs(stack) => logs(stack),
        AwsDeed::Destroy(destroy) => delete_stack(screen, destroy),
    }
}

fn deploy_stack(screen: &Screen, deploy: &Deploy) -> Result<Exit, Failure> {
    let folder = deploy.template.parent().filter(|folder| !folder.as_os_str().is_empty());
    let bootstrap = folder.unwrap_or(Path::new(".")).join(BOOTSTRAP);
    if !bootstrap.is_file() {
        return Err(Failure::new(&catalogue::BAD_ARGUMENT, "the functions' binary is not built")
            .with_why(format!("the template takes it from {}", bootstrap.display()))
            .fix("build it, for the processor that the stack has")
            .then("infra/build arm64"));
    }
    let mut command = Command::new("sam");
    command
        .args(["deploy", "--resolve-s3", "--no-fail-on-empty-changeset", "--capabilities", "CAPABILITY_IAM"])
        .args(["--stack-name", &deploy.stack.stack])
        .arg("--template-file")
        .arg(&deploy.template)
        .args(&deploy.more);
    to_its_end(&mut command)?;
    tell_outputs(screen, &outputs(&deploy.stack.stack)?);
    screen.next("deskferry discover", "with these lines in migration.toml, and the secrets filled in");
    Ok(Exit::Done)
}

fn logs(stack: &Stack) -> Result<Exit, Failure> {
    to_its_end(Command::new("sam").args(["logs", "--tail", "--stack-name", &stack.stack]))?;
    Ok(Exit::Done)
}

fn delete_stack(screen: &Screen, destroy: &Destroy) -> Result<Exit, Failure> {
    let name = &destroy.stack.stack;
    if destroy.confirm.as_deref() != Some(name.as_str()) {
        return Err(Failure::new(&catalogue::NO_INPUT, "deleting the stack was not agreed to")
            .with_why("queues, functions, roles, schedule, catalogue, alarms and logs go; what is in the queues is lost")
            .fix("pass the name of the stack once more")
            .then(format!("deskferry aws destroy --stack {0} --confirm {0}", clean::line(name))));
    }
    let kept = outputs(name)?;
    to_its_end(Command::new("aws").args(["cloudformation", "delete-stack", "--stack-name", name]))?;
    to_its_end(Command::new("aws").args([
        "cloudformation",
        "wait",
        "stack-delete-complete",
        "--stack-name",
        name,
    ]))?;
    screen.say(format!("Stack {} is deleted. These stay, and are paid for:", clean::line(name)));
    for output in ["StoreBucket", "ResultsBucket", "KeyArn"].iter().chain(&SECRET_OUTPUTS) {
        if let Some(place) = kept[*output].as_str() {
            screen.say(format!("  {output:<16} {}", clean::line(place)));
        }
    }
    screen.say("infra/README.md says how to remove them for good");
    screen.event(json!({ "type": "aws_destroyed", "stack": name, "kept": kept }));
    Ok(Exit::Done)
}

/// What the stack tells, by name.
fn outputs(stack: &str) -> Result<Value, Failure> {
    let mut command = Command::new("aws");
    command.args(["cloudformation", "describe-stacks", "--output", "json", "--stack-name", stack]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| not_started("aws", &error))?;
    if !output.status.success() {
        return Err(ended_badly("aws", output.status.code()));
    }
    let unreadable = || Failure::new(&catalogue::TOOL, "aws told nothing of the stack that can be read");
    let told: Value = serde_json::from_slice(&output.stdout).map_err(|_| unreadable())?;
    let listed = told["Stacks"][0]["Outputs"].as_array().ok_or_else(unreadable)?;
    Ok(listed
        .iter()
        .filter_map(|output| Some((output["OutputKey"].as_str()?.to_owned(), output["OutputValue"].clone())))
        .collect::<serde_json::Map<_, _>>()
        .into())
}

fn tell_outputs(screen: &Screen, outputs: &Value) {
    let text = |name: &str| clean::line(outputs[name].as_str().unwrap_or("not told")).into_owned();
    screen.say("For migration.toml:");
    screen.say("  [store]");
    screen.say(format!("  url = \"{}\"", text(STORE_OUTPUT)));
    screen.say("  [queue]");
    screen.say(format!("  url = \"{}\"", text(QUEUE_OUTPUT)));
    for name in SECRET_OUTPUTS {
        screen.say(format!("{name:<14}  secret:{}#KEY", text(name)));
    }
    screen.event(json!({ "type": "aws_outputs", "outputs": outputs }));
}

/// Lets the tool speak to the person, and waits.
fn to_its_end(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| not_started(&name, &error))?;
    if status.success() { Ok(()) } else { Err(ended_badly(&name, status.code())) }
}

fn not_started(name: &str, error: &std::io::Error) -> Failure {
    Failure::new(&catalogue::TOOL, format!("{name} cannot be started")).because(error)
}

fn ended_badly(name: &str, code: Option<i32>) -> Failure {
    let code = code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    Failure::new(&catalogue::TOOL, format!("{name} ended with {code}"))
        .with_why("its own words stand above")
        .fix("mend what it names, then run this again")
}
