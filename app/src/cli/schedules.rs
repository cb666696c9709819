//! `rspa schedules`: made, changed, switched, tried and looked at; background agents.

mod given;

use clap::{Args, Subcommand};
use rspa_core::api::request::schedules::{
    CreateSchedule, DeleteSchedule, EnableSchedule, ListBackgroundAgents, ListScheduleRuns, ListSchedules,
    PreviewTiming, RunScheduleNow, SwitchBackgroundAgent, UpdateSchedule,
};
use rspa_core::model::{BackgroundAgent, PageRequest, Schedule, ScheduleOutcome, ScheduleRun, TimingPreview};

use self::given::{TaskArguments, TimingArguments, pair};
use super::Context;
use super::activities::moment;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::session::Session;

#[derive(Args)]
pub struct SchedulesArguments {
    #[command(subcommand)]
    verb: Option<SchedulesVerb>,
}

#[derive(Subcommand)]
enum SchedulesVerb {
    /// List schedules with when they run next
    List {
        /// Only those that hold this text
        text: Option<String>,
    },
    /// All that is known of one
    Show { name: String },
    /// Make a schedule
    Add {
        name: String,
        #[command(flatten)]
        timing: TimingArguments,
        #[command(flatten)]
        task: TaskArguments,
        /// Do not switch it on yet
        #[arg(long)]
        off: bool,
    },
    /// Change a schedule; what is not named stays as it is
    Edit {
        name: String,
        /// Give it another name
        #[arg(long, value_name = "NEW NAME")]
        name_it: Option<String>,
        #[command(flatten)]
        timing: TimingArguments,
        #[command(flatten)]
        task: TaskArguments,
    },
    /// Switch a schedule on; it does not make up for the time in which it was off
    Enable { name: String },
    /// Switch a schedule off
    Disable { name: String },
    /// Put a schedule into the trash
    Delete { name: String },
    /// Make its task now; its next time stays
    Run { name: String },
    /// What became of its times, newest first
    Runs {
        name: String,
        #[arg(long, default_value_t = 20)]
        count: u32,
    },
    /// What a timing means, and its next times
    Preview {
        #[command(flatten)]
        timing: TimingArguments,
        #[arg(long, default_value_t = 5)]
        count: u32,
    },
    /// Background agents: list them, or switch one
    Background {
        /// research, pipeline-monitor, digest or session-snapshots
        kind: Option<String>,
        #[arg(long, conflicts_with = "off", requires = "kind")]
        on: bool,
        #[arg(long, requires = "kind")]
        off: bool,
        /// What it needs
        #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
        values: Vec<(String, String)>,
    },
}

pub fn run(context: &Context, arguments: SchedulesArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(SchedulesVerb::List { text: None }) {
        SchedulesVerb::List { text } => {
            let all = session.call(ListSchedules { text: text.unwrap_or_default() })?;
            if output.json {
                return output.json_line(&all);
            }
            if all.is_empty() {
                output.note("There are no schedules. `rspa schedules add` makes one.");
            }
            all.iter().try_for_each(|one| line(output, one))
        }
        SchedulesVerb::Show { name } => show(output, &named(&session, &name)?),
        SchedulesVerb::Add { name, timing, task, off } => {
            let draft = task.draft(&session, name, timing.timing()?, !off)?;
            done(output, &session.call(CreateSchedule { draft })?, "made")
        }
        SchedulesVerb::Edit { name, name_it, timing, task } => {
            let before = named(&session, &name)?;
            let mut draft = before.settings;
            if let Some(name) = name_it {
                draft.name = name;
            }
            if !timing.is_empty() {
                draft.timing = timing.timing()?;
            }
            task.change(&session, &mut draft)?;
            done(output, &session.call(UpdateSchedule { id: before.id, draft })?, "changed")
        }
        SchedulesVerb::Enable { name } => {
            let id = named(&session, &name)?.id;
            done(output, &session.call(EnableSchedule { id, enabled: true })?, "switched on")
        }
        SchedulesVerb::Disable { name } => {
            let id = named(&session, &name)?.id;
            done(output, &session.call(EnableSchedule { id, enabled: false })?, "switched off")
        }
        SchedulesVerb::Delete { name } => {
            let item = session.call(DeleteSchedule { id: named(&session, &name)?.id })?;
            if output.json {
                return output.json_line(&item);
            }
            output.line(&format!(
                "In the trash: {}  (`rspa trash restore {}` brings it back)",
                one_line(&item.title),
                item.id
            ))
        }
        SchedulesVerb::Run { name } => {
            let task = session.call(RunScheduleNow { id: named(&session, &name)?.id })?;
            if output.json {
                return output.json_line(&task);
            }
            output.line(&format!("Task #{}: {}", task.number, one_line(&task.title)))
        }
        SchedulesVerb::Runs { name, count } => {
            let id = named(&session, &name)?.id;
            let page = session.call(ListScheduleRuns { id, page: PageRequest { offset: 0, limit: count } })?;
            if output.json {
                return output.json_line(&page);
            }
            if page.items.is_empty() {
                output.note("It has not run yet.");
            }
            page.items.iter().try_for_each(|run| run_line(output, run))
        }
        SchedulesVerb::Preview { timing, count } => {
            preview(output, &session.call(PreviewTiming { timing: timing.timing()?, count })?)
        }
        SchedulesVerb::Background { kind, on, off, values } => {
            let Some(kind) = kind else {
                let all = session.call(ListBackgroundAgents {})?;
                if output.json {
                    return output.json_line(&all);
                }
                return all.iter().try_for_each(|one| background(output, one));
            };
            if !on && !off {
                return Err(Failure::validation("say whether to switch it on or off", "Add --on or --off."));
            }
            let switched = session.call(SwitchBackgroundAgent { kind, on, values: values.into_iter().collect() })?;
            if output.json { output.json_line(&switched) } else { background(output, &switched) }
        }
    }
}

/// By name, or by id.
fn named(session: &Session, name: &str) -> Result<Schedule, Failure> {
    let wanted = name.trim().to_lowercase();
    let all = session.call(ListSchedules { text: String::new() })?;
    let found = all.into_iter().find(|one| one.settings.name.to_lowercase() == wanted || one.id.to_string() == wanted);
    found.ok_or_else(|| {
        let shown = one_line(name);
        Failure::validation(format!("there is no schedule '{shown}'"), "Run rspa schedules list to see all.")
    })
}

fn next_words(one: &Schedule) -> String {
    match one.next_run {
        Some(next) => format!("next {}", moment(next)),
        None if !one.settings.enabled => "off".to_owned(),
        None if matches!(one.settings.timing, rspa_core::model::Timing::When { .. }) => "waits".to_owned(),
        None => "over".to_owned(),
    }
}

fn line(output: Output, one: &Schedule) -> Result<(), Failure> {
    let name = one_line(&one.settings.name);
    output.line(&format!("{name}  {}  {}  {} runs", one_line(&one.words), next_words(one), one.runs))?;
    match &one.problem {
        Some(problem) => output.line(&format!("  problem: {}", one_line(problem))),
        None => Ok(()),
    }
}

fn show(output: Output, one: &Schedule) -> Result<(), Failure> {
    if output.json {
        return output.json_line(one);
    }
    line(output, one)?;
    let agent = if one.agent_name.is_empty() { "nobody" } else { &one.agent_name };
    output.line(&format!("  task:    {}  for {}", one_line(&one.settings.template.title), one_line(agent)))?;
    if !one.settings.template.description.is_empty() {
        output.line(&format!("  says:    {}", one_line(&one.settings.template.description)))?;
    }
    for (name, value) in &one.settings.variables {
        output.line(&format!("  {{{name}}}:  {}", one_line(value)))?;
    }
    let missed = match one.settings.missed {
        rspa_core::model::Missed::Skip => "skipped",
        rspa_core::model::Missed::RunOnce => "made up for once",
        rspa_core::model::Missed::RunAll => "all made up for",
    };
    output.line(&format!("  missed:  {missed}"))?;
    if let Some(last) = one.last_run {
        output.line(&format!("  last:    {}", moment(last)))?;
    }
    output.line(&format!("  id:      {}", one.id))
}

fn done(output: Output, one: &Schedule, what: &str) -> Result<(), Failure> {
    if output.json {
        return output.json_line(one);
    }
    output.line(&format!("{what}: {}  {}  {}", one_line(&one.settings.name), one_line(&one.words), next_words(one)))
}

fn run_line(output: Output, run: &ScheduleRun) -> Result<(), Failure> {
    let words = match &run.outcome {
        ScheduleOutcome::Ran { task, late: false } => format!("made task {task}"),
        ScheduleOutcome::Ran { task, late: true } => format!("made task {task}, late at {}", moment(run.at)),
        ScheduleOutcome::Missed { times: 1 } => "missed".to_owned(),
        ScheduleOutcome::Missed { times } => format!("missed {times} times until then"),
        ScheduleOutcome::Failed { why } => format!("failed: {}", one_line(why)),
    };
    output.line(&format!("{}  {words}", moment(run.planned)))
}

fn preview(output: Output, preview: &TimingPreview) -> Result<(), Failure> {
    if output.json {
        return output.json_line(preview);
    }
    output.line(&one_line(&preview.words))?;
    preview.next.iter().try_for_each(|next| output.line(&format!("  {}", one_line(&next.words))))
}

fn background(output: Output, one: &BackgroundAgent) -> Result<(), Failure> {
    output.line(&format!("{}  {}  {}", one.kind, if one.on { "on" } else { "off" }, one_line(&one.description)))?;
    one.needs.iter().try_for_each(|need| {
        let default = if need.default.is_empty() { String::new() } else { format!("  (else {})", need.default) };
        output.line(&format!("  --var {}=…  {}{default}", need.name, need.label))
    })
}
