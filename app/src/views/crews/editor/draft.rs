//! A crew while it is changed: what is typed, what is chosen, what was before; without drawing anything.

use rspa_core::model::{AgentId, Crew, CrewDraft, CrewId, CrewProcess, CrewStep};

use crate::text::{tr, tr_with};
use crate::widgets::graph::cycle;

/// Changes that can be taken back.
const PAST: usize = 100;
/// Bytes of a name, and of instructions, that are kept while they are typed.
pub const NAME: usize = 400;
pub const WORDS: usize = 80_000;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The step it is about; none for the crew itself.
    pub step: Option<usize>,
    pub field: &'static str,
    pub words: String,
    /// It can be saved like this.
    pub warning: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub now: CrewDraft,
    base: CrewDraft,
    past: Vec<CrewDraft>,
    future: Vec<CrewDraft>,
    /// Rises with each change.
    pub turn: u64,
}

impl Draft {
    pub fn of(crew: &Crew) -> Self {
        Self::begin(crew.settings.clone())
    }

    pub fn empty(process: CrewProcess) -> Self {
        Self::begin(CrewDraft { process, ..CrewDraft::default() })
    }

    fn begin(now: CrewDraft) -> Self {
        Self { base: now.clone(), now, past: Vec::new(), future: Vec::new(), turn: 0 }
    }

    pub fn is_changed(&self) -> bool {
        self.now != self.base
    }

    /// What can be saved: without what was only typed in passing.
    pub fn tidy(&self) -> CrewDraft {
        let mut draft = self.now.clone();
        draft.name = draft.name.trim().to_owned();
        draft.description = draft.description.trim().to_owned();
        for step in &mut draft.steps {
            step.title = step.title.trim().to_owned();
            step.instructions = step.instructions.trim().to_owned();
        }
        draft
    }

    /// Before a change: it can be taken back to here.
    pub fn remember(&mut self) {
        if self.past.last() == Some(&self.now) {
            return;
        }
        if self.past.len() == PAST {
            self.past.remove(0);
        }
        self.past.push(self.now.clone());
        self.future.clear();
    }

    pub fn undo(&mut self) -> bool {
        while let Some(before) = self.past.pop() {
            if before != self.now {
                self.future.push(std::mem::replace(&mut self.now, before));
                self.turn += 1;
                return true;
            }
        }
        false
    }

    pub fn redo(&mut self) -> bool {
        let Some(after) = self.future.pop() else { return false };
        self.past.push(std::mem::replace(&mut self.now, after));
        self.turn += 1;
        true
    }

    pub fn can_undo(&self) -> bool {
        self.past.iter().any(|before| *before != self.now)
    }

    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    pub fn revert(&mut self) {
        self.remember();
        self.now = self.base.clone();
        self.turn += 1;
    }

    /// Something was typed.
    pub fn touched(&mut self) {
        self.turn += 1;
    }

    pub fn index(&self, key: &str) -> Option<usize> {
        self.now.steps.iter().position(|step| step.key == key)
    }

    /// From whom to whom, as indices of steps.
    pub fn edges(&self) -> Vec<(usize, usize)> {
        let steps = self.now.steps.iter().enumerate();
        steps
            .flat_map(|(to, step)| step.depends_on.iter().filter_map(move |key| Some((self.index(key)?, to))))
            .collect()
    }

    /// A new step at this place, after the given one if any; its index.
    pub fn add(&mut self, at: Option<(f32, f32)>, after: Option<usize>) -> usize {
        self.remember();
        let number = self.now.steps.len() + 1;
        let title = tr_with("crews.step.new", &[("n", &number)]);
        let key = self.free_key(&slug(&title), None);
        let depends_on = after.and_then(|at| Some(vec![self.now.steps.get(at)?.key.clone()])).unwrap_or_default();
        let agent = after.and_then(|at| self.now.steps.get(at)?.agent);
        self.now.steps.push(CrewStep { key, title, instructions: String::new(), agent, depends_on, at });
        self.turn += 1;
        self.now.steps.len() - 1
    }

    /// Takes a step away; those that waited for it wait for what it waited for. Its title.
    pub fn delete(&mut self, index: usize) -> Option<String> {
        if index >= self.now.steps.len() {
            return None;
        }
        self.remember();
        let gone = self.now.steps.remove(index);
        for step in &mut self.now.steps {
            if let Some(at) = step.depends_on.iter().position(|key| *key == gone.key) {
                step.depends_on.remove(at);
                for key in &gone.depends_on {
                    if !step.depends_on.contains(key) {
                        step.depends_on.push(key.clone());
                    }
                }
            }
        }
        self.turn += 1;
        Some(gone.title)
    }

    /// Lets `to` wait for `from`.
    ///
    /// # Errors
    /// Why not, in words: it would wait for itself.
    pub fn connect(&mut self, from: usize, to: usize) -> Result<(), String> {
        let (Some(a), Some(b)) = (self.now.steps.get(from), self.now.steps.get(to)) else { return Ok(()) };
        if b.depends_on.contains(&a.key) {
            return Ok(());
        }
        if let Some(way) = cycle::closed_by(self.now.steps.len(), &self.edges(), from, to) {
            let mut titles: Vec<&str> = way.iter().map(|at| self.now.steps[*at].title.as_str()).collect();
            titles.push(&b.title);
            let way = super::super::look::short(&titles.join(" → "), 200);
            let title = super::super::look::short(&b.title, 60);
            return Err(tr_with("crews.circle.detail", &[("title", &title), ("way", &way)]));
        }
        let key = a.key.clone();
        self.remember();
        self.now.steps[to].depends_on.push(key);
        self.turn += 1;
        Ok(())
    }

    pub fn disconnect(&mut self, from: usize, to: usize) {
        let Some(key) = self.now.steps.get(from).map(|step| step.key.clone()) else { return };
        if self.now.steps.get(to).is_some_and(|step| step.depends_on.contains(&key)) {
            self.remember();
            self.now.steps[to].depends_on.retain(|known| *known != key);
            self.turn += 1;
        }
    }

    /// A box was moved: from now on all stand where they are drawn.
    pub fn moved(&mut self, index: usize, places: &[egui::Pos2]) {
        self.remember();
        for (at, (step, place)) in self.now.steps.iter_mut().zip(places).enumerate() {
            if at == index || step.at.is_none() {
                step.at = Some((place.x, place.y));
            }
        }
        self.turn += 1;
    }

    /// Nobody places them: they are laid out.
    pub fn lay_out(&mut self) {
        self.remember();
        self.now.steps.iter_mut().for_each(|step| step.at = None);
        self.turn += 1;
    }

    /// The key follows the title while nobody chose it.
    pub fn retitled(&mut self, index: usize, before: &str) {
        let Some(step) = self.now.steps.get(index) else { return };
        let own = slug(before);
        let follows = step.key == own
            || step
                .key
                .strip_prefix(&own)
                .is_some_and(|rest| rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok()));
        let wanted = slug(&step.title);
        if follows && !wanted.is_empty() {
            let key = self.free_key(&wanted, Some(index));
            self.rename(index, key);
        }
        self.turn += 1;
    }

    /// Gives a step another key wherever it is named.
    pub fn rename(&mut self, index: usize, key: String) {
        let Some(step) = self.now.steps.get_mut(index) else { return };
        let old = std::mem::replace(&mut step.key, key.clone());
        for step in &mut self.now.steps {
            for known in step.depends_on.iter_mut().filter(|known| **known == old) {
                known.clone_from(&key);
            }
        }
        self.turn += 1;
    }

    /// Why this cannot be the key of this step.
    pub fn key_fault(&self, index: usize, key: &str) -> Option<&'static str> {
        let good = !key.is_empty()
            && key.len() <= 60
            && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !good {
            return Some(tr("crews.fault.key"));
        }
        let taken = self.now.steps.iter().enumerate().any(|(at, step)| at != index && step.key == key);
        taken.then(|| tr("crews.fault.key_taken"))
    }

    fn free_key(&self, wanted: &str, own: Option<usize>) -> String {
        let wanted = if wanted.is_empty() { "step" } else { wanted };
        let taken = |key: &str| self.now.steps.iter().enumerate().any(|(at, s)| Some(at) != own && s.key == key);
        if !taken(wanted) {
            return wanted.to_owned();
        }
        (2..).map(|n| format!("{wanted}-{n}")).find(|key| !taken(key)).unwrap_or_default()
    }

    /// What is wrong with it now. `others`: crews with their names; `agents`: those that exist, none while not known.
    pub fn faults(&self, own: Option<CrewId>, others: &[Crew], agents: Option<&[AgentId]>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |step, field, words: String, warning| faults.push(Fault { step, field, words, warning });
        let name = self.now.name.trim().to_lowercase();
        if name.is_empty() {
            fault(None, "name", tr("crews.fault.no_name").to_owned(), false);
        } else if others.iter().any(|crew| Some(crew.id) != own && crew.settings.name.to_lowercase() == name) {
            fault(None, "name", tr("crews.fault.name_taken").to_owned(), false);
        }
        for (at, variable) in self.now.variables.iter().enumerate() {
            let good = !variable.is_empty()
                && variable.len() <= 40
                && variable.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !good || variable == "input" || self.now.variables[..at].contains(variable) {
                let shown = super::super::look::short(variable, 40);
                fault(None, "variables", tr_with("crews.fault.variable", &[("name", &shown)]), false);
            }
        }
        let gone = |id: AgentId| agents.is_some_and(|known| !known.contains(&id));
        match self.now.process {
            CrewProcess::Hierarchical => {
                if self.now.members.is_empty() {
                    fault(None, "members", tr("crews.fault.no_members").to_owned(), false);
                }
                if self.now.members.iter().any(|id| gone(*id)) {
                    fault(None, "members", tr("crews.fault.member_gone").to_owned(), true);
                }
                return faults;
            }
            CrewProcess::Sequential if self.now.steps.is_empty() => {
                fault(None, "steps", tr("crews.fault.no_steps").to_owned(), false);
            }
            CrewProcess::Sequential => {}
        }
        for (at, step) in self.now.steps.iter().enumerate() {
            if step.title.trim().is_empty() {
                fault(Some(at), "title", tr("crews.fault.no_title").to_owned(), false);
            }
            if step.instructions.trim().is_empty() {
                fault(Some(at), "instructions", tr("crews.fault.no_instructions").to_owned(), false);
            }
            for unknown in unknown_variables(&step.instructions, &self.now.variables) {
                let words = tr_with("crews.fault.unknown_variable", &[("name", &unknown)]);
                fault(Some(at), "instructions", words, true);
            }
            match step.agent {
                None => fault(Some(at), "agent", tr("crews.fault.no_agent").to_owned(), true),
                Some(id) if gone(id) => fault(Some(at), "agent", tr("crews.fault.agent_gone").to_owned(), true),
                Some(_) => {}
            }
        }
        faults
    }
}

/// Names in braces that a run is not given.
fn unknown_variables(text: &str, known: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for part in text.split('{').skip(1).take(200) {
        let Some((name, _)) = part.split_once('}') else { continue };
        let is_name = !name.is_empty()
            && name.len() <= 40
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if is_name && name != "input" && !known.iter().any(|k| k == name) && !found.iter().any(|f| f == name) {
            found.push(name.to_owned());
        }
    }
    found
}

/// Small letters, digits and hyphens out of a title.
pub fn slug(title: &str) -> String {
    let mut key = String::new();
    for c in title.chars().take(60) {
        if c.is_ascii_alphanumeric() {
            key.push(c.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
    }
    key.truncate(40);
    key.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(steps: &[(&str, &[&str])]) -> Draft {
        let mut draft = Draft::empty(CrewProcess::Sequential);
        draft.now.name = "Review".to_owned();
        draft.now.steps = steps
            .iter()
            .map(|(key, after)| CrewStep {
                key: (*key).to_owned(),
                title: (*key).to_owned(),
                instructions: "Do {input}".to_owned(),
                agent: None,
                depends_on: after.iter().map(|key| (*key).to_owned()).collect(),
                at: None,
            })
            .collect();
        draft.base = draft.now.clone();
        draft
    }

    #[test]
    fn a_circle_is_refused_with_the_way_it_would_go() {
        let mut draft = draft(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]);
        let why = draft.connect(2, 0).unwrap_err();
        assert!(why.contains("a → b → c → a"), "{why}");
        assert!(!draft.is_changed());
        draft.connect(0, 2).unwrap();
        assert_eq!(draft.now.steps[2].depends_on, ["b", "a"]);
    }

    #[test]
    fn a_deleted_step_leaves_its_place_to_its_neighbours_and_comes_back() {
        let mut draft = draft(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]);
        let before = draft.now.clone();
        assert_eq!(draft.delete(1).as_deref(), Some("b"));
        assert_eq!(draft.now.steps[1].depends_on, ["a"]);
        assert!(draft.undo());
        assert_eq!(draft.now, before);
        assert!(draft.redo() && draft.now.steps.len() == 2);
    }

    #[test]
    fn a_key_follows_its_title_until_somebody_chose_it() {
        let mut draft = draft(&[("syntax", &[]), ("logic", &["syntax"])]);
        draft.now.steps[0].title = "Syntax check".to_owned();
        draft.retitled(0, "syntax");
        assert_eq!(draft.now.steps[0].key, "syntax-check");
        assert_eq!(draft.now.steps[1].depends_on, ["syntax-check"]);
        draft.rename(0, "own".to_owned());
        draft.now.steps[0].title = "Other".to_owned();
        draft.retitled(0, "Syntax check");
        assert_eq!(draft.now.steps[0].key, "own");
        assert!(draft.key_fault(0, "logic").is_some() && draft.key_fault(0, "Not so").is_some());
    }

    #[test]
    fn faults_say_where_and_what() {
        let mut draft = draft(&[("a", &[])]);
        draft.now.steps[0].instructions = "Read {file} and {input}".to_owned();
        let found = draft.faults(None, &[], None);
        let fields: Vec<(&str, bool)> = found.iter().map(|fault| (fault.field, fault.warning)).collect();
        assert_eq!(fields, [("instructions", true), ("agent", true)]);
        draft.now.variables = vec!["file".to_owned()];
        assert_eq!(draft.faults(None, &[], None).len(), 1);
        draft.now.steps.clear();
        draft.now.name.clear();
        assert!(draft.faults(None, &[], None).iter().filter(|fault| !fault.warning).count() == 2);
    }
}
