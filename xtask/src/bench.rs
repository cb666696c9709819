//! `cargo xtask bench`: the program's own measurements beside the peers', as a table of ratios.

mod table;
mod texts;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{models, process};
use table::{Better, Row};

const SUBJECTS: [&str; 4] = ["embed", "llm", "perplexity", "vectors"];

/// Our program and, where it was found, the script that runs the peers.
struct Bench {
    program: PathBuf,
    peers: Option<PathBuf>,
    work: PathBuf,
    cache: PathBuf,
}

pub fn run(arguments: &[String]) -> Result<()> {
    let mut peers = std::env::var_os("RSPA_PEERS_SCRIPT").map(PathBuf::from);
    let mut subjects = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--peers" => peers = Some(PathBuf::from(rest.next().context("--peers needs a file")?)),
            subject if SUBJECTS.contains(&subject) => subjects.push(subject),
            other => bail!("bench does not know '{other}'; subjects are {}", SUBJECTS.join(", ")),
        }
    }
    if subjects.is_empty() {
        subjects = SUBJECTS.to_vec();
    }
    let found = process::root().join("../shared/bench/peers.py");
    let peers = peers.or_else(|| found.is_file().then_some(found));
    if peers.is_none() {
        eprintln!("note: no peers.py was found; only our own figures are shown (--peers FILE)");
    }
    process::run(process::cargo().args(["build", "--release", "--package", "rspa"]))?;
    let target = process::target_folder()?;
    let work = target.join("bench");
    std::fs::create_dir_all(&work)?;
    let bench = Bench { program: target.join("release/rspa"), peers, work, cache: models::cache_folder()? };
    let mut rows = Vec::new();
    for subject in subjects {
        match subject {
            "embed" => bench.embed(&mut rows)?,
            "llm" => bench.llm(&mut rows)?,
            "perplexity" => bench.perplexity(&mut rows)?,
            _ => bench.vectors(&mut rows)?,
        }
    }
    print!("{}", table::render(&rows));
    Ok(())
}

impl Bench {
    /// Lines of JSON that `rspa bench` prints.
    fn ours(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let mut command = Command::new(&self.program);
        command.arg("bench").args(arguments).arg("--json").env("RSPA_MODELS_PATH", &self.cache);
        lines(&process::output(command.env("RAYON_NUM_THREADS", "2"))?)
    }

    /// Lines of JSON of the peers' script; none where it, or what it needs, is missing.
    fn theirs(&self, arguments: &[&str]) -> Vec<Value> {
        let Some(script) = &self.peers else { return Vec::new() };
        let output = process::output(Command::new("python3").arg(script).args(arguments).env("RAYON_NUM_THREADS", "2"));
        match output.and_then(|output| lines(&output)) {
            Ok(lines) => lines,
            Err(error) => {
                eprintln!("note: the peer for '{}' did not run: {error:#}", arguments[0]);
                Vec::new()
            }
        }
    }

    fn embed(&self, rows: &mut Vec<Row>) -> Result<()> {
        let texts = self.texts()?;
        let texts = path_text(&texts)?;
        for (embedder, verb) in [("static", "static"), ("minilm", "minilm")] {
            let ours = self.ours(&["embed", "--embedder", embedder, "--texts", texts])?;
            let model = self.cache.join("all-MiniLM-L6-v2");
            let theirs = match verb {
                "static" => self.theirs(&[verb, texts]),
                _ => self.theirs(&[verb, path_text(&model)?, texts]),
            };
            rows.push(Row::new(format!("embed {embedder}, texts/s"), &ours, &theirs, "per_s", Better::Higher));
        }
        Ok(())
    }

    fn llm(&self, rows: &mut Vec<Row>) -> Result<()> {
        let model = self.chat_model()?;
        let ours = self.ours(&["llm", "--model", path_text(&model)?, "--threads", "2"])?;
        let theirs = self.theirs(&["llm", path_text(&model)?]);
        for (field, better) in [("prefill_tok_s", Better::Higher), ("decode_tok_s", Better::Higher)] {
            rows.push(Row::new(format!("llm {field}"), &ours, &theirs, field, better));
        }
        Ok(())
    }

    fn perplexity(&self, rows: &mut Vec<Row>) -> Result<()> {
        let model = self.chat_model()?;
        let text = texts::prose(&process::root(), &self.work)?;
        let ours = self.ours(&["perplexity", "--model", path_text(&model)?, "--text", path_text(&text)?])?;
        let theirs = self.theirs(&["ppl", path_text(&model)?, path_text(&text)?]);
        rows.push(Row::new("perplexity".to_owned(), &ours, &theirs, "perplexity", Better::Lower));
        Ok(())
    }

    fn vectors(&self, rows: &mut Vec<Row>) -> Result<()> {
        let vectors = self.work.join("vectors.f32");
        let texts = self.texts()?;
        self.ours(&["embed", "--embedder", "static", "--texts", path_text(&texts)?, "--out", path_text(&vectors)?])?;
        let ours = self.ours(&["vectors", "--vectors", path_text(&vectors)?, "--dim", "256"])?;
        let theirs = self.theirs(&["hnsw", path_text(&vectors)?, "256"]);
        let hnswlib: Vec<Value> = theirs.into_iter().filter(|line| line["peer"] == "hnswlib").collect();
        rows.push(Row::new("vectors, build seconds".to_owned(), &ours, &hnswlib, "build_s", Better::Lower));
        for (mine, theirs) in ours.iter().zip(hnswlib.iter().map(Some).chain(std::iter::repeat(None))) {
            let theirs: Vec<Value> = theirs.into_iter().cloned().collect();
            let mine = [mine.clone()];
            for (field, better) in [("recall10", Better::Higher), ("qps", Better::Higher)] {
                rows.push(Row::new(format!("vectors, ef {}, {field}", mine[0]["ef"]), &mine, &theirs, field, better));
            }
        }
        Ok(())
    }

    fn texts(&self) -> Result<PathBuf> {
        texts::passages(&process::root(), &self.work)
    }

    fn chat_model(&self) -> Result<PathBuf> {
        let model = self.cache.join("SmolLM2-135M-Instruct.Q4_1.gguf");
        if !model.is_file() {
            bail!("{} is missing: run `cargo xtask models`", model.display());
        }
        Ok(model)
    }
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

fn lines(output: &str) -> Result<Vec<Value>> {
    let lines = output.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).context("a measurement is not JSON")).collect()
}
