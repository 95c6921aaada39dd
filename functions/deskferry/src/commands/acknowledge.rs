//! `acknowledge`: a person answers for data that leaves the European Economic Area.

use pipeline::residency;
use serde_json::json;

use crate::arguments::{Acknowledge, Common};
use crate::clean;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;

/// Records it.
pub(crate) fn run(screen: &Screen, common: &Common, arguments: &Acknowledge) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let project = Project::open(screen, common, "acknowledge", Wanted::UnfinishedOrNew).await?;
        let Acknowledge { by, scope, basis } = arguments;
        let made = residency::acknowledge(&project.context, by, scope, basis.as_deref()).await?;
        screen.say(format!("{} answers for: {}", clean::line(&made.by), made.ways.join(", ")));
        screen.say(format!("Scope       {}", clean::line(&made.scope)));
        if let Some(basis) = &made.basis {
            screen.say(format!("Basis       {}", clean::line(basis)));
        }
        screen.event(json!({ "type": "acknowledged", "by": made.by, "at": made.at, "ways": made.ways }));
        super::steps::say_next(screen, &project).await?;
        Ok(Exit::Done)
    })
}
