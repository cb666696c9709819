//! `rspa index tests`: questions with the passage that search should find, asked of the index and of other settings.

use clap::Subcommand;
use rspa_core::api::request::knowledge::{
    AdoptRetrievalSettings, ListRetrievalTests, RemoveRetrievalTest, RunRetrievalTests, SaveRetrievalTest, Search,
    TryRetrievalSettings,
};
use rspa_core::model::{
    ModelId, RetrievalFigures, RetrievalOutcome, RetrievalRun, RetrievalSettings, RetrievalStage, RetrievalTest,
    RetrievalTestId, RetrievalTests, RetrievalTrial, SearchMode, SearchQuery, StageFigures,
};
use serde_json::{Value, json};

use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::cli::job;
use crate::cli::output::{Output, one_line, path_text, with_path};
use crate::cli::session::Session;
use crate::cli::typed;

#[derive(Subcommand)]
pub enum TestsVerb {
    /// List the tests with the places that their passages had last
    List,
    /// Search for a question and save one of the hits as its answer
    Add {
        /// What to ask; - reads it from standard input
        #[arg(required = true, value_name = "QUESTION")]
        question: Vec<String>,
        /// Which hit of rspa search is the answer, from 1
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=200))]
        hit: u32,
    },
    /// Put a test into the trash
    Remove {
        /// As list shows it
        id: RetrievalTestId,
    },
    /// Ask all tests of the index in use
    Run,
    /// Ask all tests of an index made with other settings; the one in use is not touched
    Try {
        /// Characters that a passage should have; as it is when absent
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(200..=4_000))]
        chunk_size: Option<u32>,
        /// The encoder, or none for the embedder inside the program alone; as it is when absent
        #[arg(long, value_name = "NAME")]
        encoder: Option<String>,
        /// Documents at most, beside those that tests want; a sample where there are more
        #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
        documents: u32,
    },
    /// Use the settings that were tried last
    Adopt,
}

pub fn run(context: &Context, verb: TestsVerb) -> Result<(), Failure> {
    let output = context.output;
    let session = Session::start(context)?;
    match verb {
        TestsVerb::List => list(output, &session.call(ListRetrievalTests {})?),
        TestsVerb::Add { question, hit } => add(&session, typed::text_of(&question, "question")?, hit),
        TestsVerb::Remove { id } => {
            let item = session.call(RemoveRetrievalTest { id })?;
            if output.json {
                return output.json_line(&json!({ "removed": id, "trash": item.id }));
            }
            output.line(&format!("Removed. To bring it back: rspa trash restore {}", item.id))
        }
        TestsVerb::Run => {
            let mut events = session.events()?;
            let begun = session.call(RunRetrievalTests {})?;
            job::follow(&session, &mut events, begun)?;
            let all = session.call(ListRetrievalTests {})?;
            let run = all.run.as_ref().ok_or_else(nothing)?;
            if output.json { output.json_line(run) } else { show_run(output, &all.tests, run) }
        }
        TestsVerb::Try { chunk_size, encoder, documents } => {
            let now = session.call(ListRetrievalTests {})?.settings;
            let encoder = match encoder.as_deref() {
                None => now.encoder,
                Some("none") => None,
                Some(name) => Some(ModelId(name.to_owned())),
            };
            let settings = RetrievalSettings { chunk_size: chunk_size.unwrap_or(now.chunk_size), encoder };
            let mut events = session.events()?;
            let begun = session.call(TryRetrievalSettings { settings, documents })?;
            job::follow(&session, &mut events, begun)?;
            let all = session.call(ListRetrievalTests {})?;
            let trial = all.trial.as_ref().ok_or_else(nothing)?;
            if output.json { output.json_line(trial) } else { show_trial(output, &all.tests, trial) }
        }
        TestsVerb::Adopt => adopt(&session),
    }
}

fn nothing() -> Failure {
    Failure::system("the figures are gone", "Ask again.")
}

fn add(session: &Session, question: String, hit: u32) -> Result<(), Failure> {
    let query =
        SearchQuery { text: question.clone(), mode: SearchMode::Hybrid, limit: hit.max(20), ..SearchQuery::default() };
    let hits = session.call(Search { query })?.hits;
    let found = hits.get(hit as usize - 1).ok_or_else(|| {
        Failure::validation(
            format!("the question has {} hits", hits.len()),
            "Run rspa search with the same question, and count.",
        )
    })?;
    let test = session.call(SaveRetrievalTest { question, passage: found.passage.id })?;
    let output = session.output;
    if output.json {
        return output.json_line(&test_json(&test, None, None));
    }
    output.line(&format!("Saved: {}  ({})", place_of(&test), test.id))
}

fn adopt(session: &Session) -> Result<(), Failure> {
    let trial = session.call(ListRetrievalTests {})?.trial.ok_or_else(|| {
        Failure::validation("no other settings were tried yet", "Run rspa index tests try --chunk-size N.")
    })?;
    let settings = session.call(AdoptRetrievalSettings { settings: trial.new.settings })?;
    let output = session.output;
    if output.json {
        return output.json_line(&settings);
    }
    output.line(&format!("In force: {}", settings_text(&settings)))?;
    output.note(
        "Documents are read again while the window is open, or now: rspa index rescan --wait. What is indexed is searched \
         until then.",
    );
    Ok(())
}

fn settings_text(settings: &RetrievalSettings) -> String {
    let encoder = match &settings.encoder {
        Some(encoder) => format!("with {}", one_line(&encoder.0)),
        None => "without an encoder".to_owned(),
    };
    format!("passages of {} characters, {encoder}", settings.chunk_size)
}

fn place_of(test: &RetrievalTest) -> String {
    let wanted = &test.wanted;
    format!("{}:{}-{}", path_text(&wanted.path), wanted.start_line, wanted.end_line)
}

fn outcome(figures: Option<&RetrievalFigures>, id: RetrievalTestId) -> Option<RetrievalOutcome> {
    figures?.places.iter().find(|place| place.test == id).map(|place| place.outcome)
}

fn outcome_text(outcome: Option<RetrievalOutcome>) -> String {
    match outcome {
        None => "not asked yet".to_owned(),
        Some(RetrievalOutcome::Found { place }) => format!("place {place}"),
        Some(RetrievalOutcome::NotFound) => "not among the first 200".to_owned(),
        Some(RetrievalOutcome::PassageGone) => "its document holds it no more".to_owned(),
        Some(RetrievalOutcome::DocumentGone) => "its document is not indexed any more".to_owned(),
        Some(RetrievalOutcome::SourceGone) => "its source is not there any more".to_owned(),
    }
}

fn stage_text(stage: RetrievalStage) -> &'static str {
    match stage {
        RetrievalStage::Keyword => "keyword",
        RetrievalStage::Static => "static",
        RetrievalStage::Encoder => "encoder",
        RetrievalStage::Fused => "fused",
        RetrievalStage::Ranked => "ranked",
    }
}

fn list(output: Output, all: &RetrievalTests) -> Result<(), Failure> {
    let last = all.run.as_ref().map(|run| &run.figures);
    let tried = all.trial.as_ref().map(|trial| &trial.new);
    if output.json {
        let json_of = |test: &RetrievalTest| test_json(test, outcome(last, test.id), outcome(tried, test.id));
        let tests: Vec<Value> = all.tests.iter().map(json_of).collect();
        return output.json_line(&json!({
            "tests": tests,
            "settings": all.settings,
            "encoders": all.encoders,
            "unmeasured": all.unmeasured,
            "run": all.run,
            "trial": all.trial,
        }));
    }
    if all.tests.is_empty() {
        output.note("No retrieval tests yet. Save one: rspa index tests add QUESTION --hit N");
    }
    for test in &all.tests {
        output.line(&format!("{}  {}", test.id, one_line(&test.question)))?;
        output.line(&format!("    {}  ({})", place_of(test), outcome_text(outcome(last, test.id))))?;
    }
    if all.unmeasured {
        output.note("The settings are not those that the tests were last asked with: rspa index tests run");
    }
    Ok(())
}

fn show_run(output: Output, tests: &[RetrievalTest], run: &RetrievalRun) -> Result<(), Failure> {
    for test in tests {
        let outcome = outcome(Some(&run.figures), test.id);
        output.line(&format!("{:<24}  {}", outcome_text(outcome), one_line(&test.question)))?;
    }
    output.line(&format!("{:<10} {:>8} {:>10}", "stage", "MRR@10", "recall@10"))?;
    for stage in &run.figures.stages {
        output.line(&format!("{:<10} {:>8.3} {:>10.3}", stage_text(stage.stage), stage.mrr10, stage.recall10))?;
    }
    output.note(&asked_text(&run.figures));
    Ok(())
}

fn asked_text(figures: &RetrievalFigures) -> String {
    let left = match figures.left_out {
        0 => String::new(),
        gone => format!(", {gone} left out because what they want is gone"),
    };
    format!(
        "{} tests asked{left}; {} passages; {:.1} ms a search (95 %: {:.1} ms); {}",
        figures.asked,
        figures.passages,
        figures.p50_ms,
        figures.p95_ms,
        settings_text(&figures.settings)
    )
}

fn show_trial(output: Output, tests: &[RetrievalTest], trial: &RetrievalTrial) -> Result<(), Failure> {
    for test in tests {
        let (old, new) = (outcome(Some(&trial.old), test.id), outcome(Some(&trial.new), test.id));
        let change = match old == new {
            true => outcome_text(old),
            false => format!("{} → {}", outcome_text(old), outcome_text(new)),
        };
        output.line(&format!("{change:<24}  {}", one_line(&test.question)))?;
    }
    let line = |cells: [&str; 5]| {
        let [stage, mrr, mrr_tried, recall, recall_tried] = cells;
        output.line(&format!("{stage:<10} {mrr:>8} {mrr_tried:>8} {recall:>10} {recall_tried:>8}"))
    };
    line(["stage", "MRR@10", "tried", "recall@10", "tried"])?;
    use RetrievalStage as S;
    for stage in [S::Keyword, S::Static, S::Encoder, S::Fused, S::Ranked] {
        let of = |figures: &RetrievalFigures| figures.stages.iter().find(|one| one.stage == stage).copied();
        let (old, new) = (of(&trial.old), of(&trial.new));
        if old.is_none() && new.is_none() {
            continue;
        }
        let text = |figures: Option<StageFigures>, figure: fn(StageFigures) -> f64| {
            figures.map_or_else(|| "–".to_owned(), |figures| format!("{:.3}", figure(figures)))
        };
        let mrr = |figures| text(figures, |of| of.mrr10);
        let recall = |figures| text(figures, |of| of.recall10);
        line([stage_text(stage), &mrr(old), &mrr(new), &recall(old), &recall(new)])?;
    }
    let over = match trial.documents < trial.documents_all {
        true => format!("a sample of {} of {} documents", trial.documents, trial.documents_all),
        false => format!("all {} documents", trial.documents),
    };
    let unread = if trial.unread > 0 { format!(", {} of them could not be read", trial.unread) } else { String::new() };
    output.note(&format!("Over {over}{unread}, in {:.1} s.", trial.seconds));
    output.note(&format!("In use: {}", asked_text(&trial.old)));
    output.note(&format!("Tried:  {}", asked_text(&trial.new)));
    output.note("To use what was tried: rspa index tests adopt");
    Ok(())
}

fn test_json(test: &RetrievalTest, last: Option<RetrievalOutcome>, tried: Option<RetrievalOutcome>) -> Value {
    let wanted = &test.wanted;
    with_path(
        &wanted.path,
        json!({
            "id": test.id,
            "question": test.question,
            "source": wanted.source,
            "address": wanted.address,
            "heading": wanted.heading,
            "start_line": wanted.start_line,
            "end_line": wanted.end_line,
            "excerpt": wanted.excerpt,
            "created": test.created,
            "last": last,
            "tried": tried,
        }),
    )
}
