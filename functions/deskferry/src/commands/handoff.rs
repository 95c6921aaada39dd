//! `handoff [--delete-on DAY --by NAME]`: the package, and the day on which the data is deleted.

use pipeline::conduct::Step;
use pipeline::deletions;

use super::steps;
use crate::arguments::{Common, Handoff};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;

/// Writes the package; a day that is named is recorded first, and report and package tell it.
pub(crate) fn run(screen: &Screen, common: &Common, wish: &Handoff) -> Result<Exit, Failure> {
    let Some(day) = wish.delete_on else {
        return steps::run(screen, common, steps::Wish::One(Step::Handoff));
    };
    let by = wish.by.as_deref().map(str::trim).filter(|by| !by.is_empty());
    let by = by.ok_or_else(|| Failure::new(&catalogue::BAD_ARGUMENT, "--by names nobody"))?;
    super::in_runtime(async {
        let project = Project::open(screen, common, "handoff", Wanted::Newest).await?;
        let interrupt = interrupt::listen()?;
        let work = async {
            let decided = deletions::decide(&project.context, day, Some(by), true).await?;
            screen.say(format!("The data is deleted on {}, as {} decided", decided.day, clean::line(by)));
            steps::one(screen, &project, Step::Report).await?;
            steps::one(screen, &project, Step::Handoff).await?;
            Ok(Exit::Done)
        };
        let exit = project.work(screen, &interrupt, work).await?;
        steps::say_next(screen, &project).await?;
        Ok(exit)
    })
}
