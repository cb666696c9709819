//! `rspa doctor`: checks what the program stands on, each in one line.

mod stored;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::static_embedder::StaticEmbedder;

use crate::confine::Runner;
use crate::engine::Context;
use crate::model::{DoctorCheck, DoctorReport, NetworkPolicy, NetworkStatus, Profile};
use crate::storage::profiles;
use crate::workspace::places::{free_disk, write_private};

/// Below this, indexing and downloads will soon fail.
const LITTLE_DISK: u64 = 1 << 30;

pub(super) fn examine(ctx: &Context) -> DoctorReport {
    let mut checks = vec![
        data_folder(ctx),
        stored::owner(ctx),
        stored::databases(ctx),
        disk(ctx),
        stored::last_end(ctx),
        stored::clock(ctx),
        stored::activities(ctx),
        stored::history(ctx),
        stored::trash(ctx),
        settings(ctx),
        embedder(),
        vector_instructions(),
        logs(ctx),
        workers(ctx),
        commands(),
    ];
    checks.extend(networks(ctx));
    checks.extend(ctx.services.doctor(ctx));
    DoctorReport { ok: checks.iter().all(|check| check.ok), checks }
}

fn check(name: &str, ok: bool, detail: impl Into<String>) -> DoctorCheck {
    DoctorCheck { name: name.to_owned(), ok, detail: detail.into() }
}

fn data_folder(ctx: &Context) -> DoctorCheck {
    let probe = ctx.places.data().join(".doctor");
    let written = write_private(&probe, b"rspa").and_then(|()| std::fs::remove_file(&probe));
    let folder = ctx.places.data().display();
    match written {
        Ok(()) => check("data folder", true, format!("{folder} can be written")),
        Err(error) => check("data folder", false, format!("{folder} cannot be written: {error}")),
    }
}

fn disk(ctx: &Context) -> DoctorCheck {
    match free_disk(ctx.places.data()) {
        Ok(free) => check("free disk", free >= LITTLE_DISK, format!("{} MiB free", free >> 20)),
        Err(error) => check("free disk", false, error.to_string()),
    }
}

fn settings(ctx: &Context) -> DoctorCheck {
    let mut problems = ctx.settings.problems();
    problems
        .extend(ctx.settings.list().into_iter().filter_map(|entry| Some(format!("{}: {}", entry.key, entry.problem?))));
    match problems.is_empty() {
        true => check("settings", true, "all values are usable"),
        false => check("settings", false, problems.join("; ")),
    }
}

/// One line per profile: what may leave this computer from it.
fn networks(ctx: &Context) -> Vec<DoctorCheck> {
    let profiles = match profiles::list(ctx.databases.main()) {
        Ok(profiles) => profiles,
        Err(error) => return vec![check("network", false, error.to_string())],
    };
    let single = profiles.len() == 1;
    let line = |profile: Profile| {
        let name = if single { "network".to_owned() } else { format!("network of {}", profile.name) };
        match ctx.runtime.block_on(ctx.open_profile(profile.id)).and_then(|world| world.egress.status()) {
            Ok(status) => check(&name, true, network(&status)),
            Err(error) => check(&name, false, error.to_string()),
        }
    };
    profiles.into_iter().map(line).collect()
}

fn network(status: &NetworkStatus) -> String {
    if status.forbid_cloud {
        return format!(
            "nothing may leave this computer from this profile; {} requests blocked so far",
            status.requests_blocked
        );
    }
    let policy = match status.policy {
        NetworkPolicy::Nothing => "nothing leaves this computer but downloads you confirm",
        NetworkPolicy::Listed => "only listed hosts may be reached",
        NetworkPolicy::All => "any host may be reached",
    };
    let (allowed, blocked) = (status.requests_allowed, status.requests_blocked);
    format!("{policy}; {allowed} requests allowed, {blocked} blocked so far")
}

fn embedder() -> DoctorCheck {
    let vector = StaticEmbedder::built_in().and_then(|embedder| embedder.embed(&["a question"], &Cancel::new()));
    match vector {
        Ok(vectors) => {
            let length = vectors.iter().flatten().map(|value| value * value).sum::<f32>().sqrt();
            let dimensions = vectors.first().map_or(0, Vec::len);
            let ok = (length - 1.0).abs() < 1e-3;
            check("built-in embedder", ok, format!("{dimensions} dimensions, unit length {length:.3}"))
        }
        Err(error) => check("built-in embedder", false, error.to_string()),
    }
}

fn vector_instructions() -> DoctorCheck {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("f16c", std::arch::is_x86_feature_detected!("f16c")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("avx512vnni", std::arch::is_x86_feature_detected!("avx512vnni")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let found = [("neon", cfg!(target_feature = "neon"))];
    let names: Vec<_> = found.iter().filter(|(_, found)| *found).map(|(name, _)| *name).collect();
    match names.is_empty() {
        true => check("vector instructions", false, "none of those that models need to be quick"),
        false => check("vector instructions", true, names.join(", ")),
    }
}

fn logs(ctx: &Context) -> DoctorCheck {
    match ctx.observe.dropped() {
        0 => check("logs", true, format!("in {}", ctx.places.logs().display())),
        lost => check("logs", false, format!("{lost} entries were lost because too many came at once")),
    }
}

/// Not a fault of the program where nothing confines: then it runs no command, and says why.
fn commands() -> DoctorCheck {
    let confinement = Runner::this_program().confinement();
    let layers = |on: bool| -> Vec<String> {
        let layers = confinement.layers.iter().filter(|layer| layer.on == on);
        layers.map(|layer| format!("{} ({})", layer.name, layer.detail)).collect()
    };
    let (on, off) = (layers(true).join(", "), layers(false).join(", "));
    let missing = if off.is_empty() { String::new() } else { format!("; not here: {off}") };
    match confinement.confines() {
        true => check("commands of agents", true, format!("confined by {on}{missing}")),
        false => check("commands of agents", true, format!("cannot be confined here, so none is run{missing}")),
    }
}

fn workers(ctx: &Context) -> DoctorCheck {
    let degraded = ctx.degraded.list();
    match degraded.is_empty() {
        true => check("workers", true, "all work"),
        false => check("workers", false, degraded.join("; ")),
    }
}
